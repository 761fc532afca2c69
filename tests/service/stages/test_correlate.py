"""Does exactly one worker judge, does another take over in time, and is nothing said twice?"""

from __future__ import annotations

import asyncio
import time

import pytest

from stream.contract.alert import Alert, AlertSubject, AlertTarget, encode
from stream.correlate.book import GONE, Book
from stream.kafka import topics
from stream.kafka.transactions import FencedError
from stream.stages.shell import Output
from tests.pace import PATIENCE_S
from tests.service.alerts.test_one_page_in_all import roles
from tests.service.processes import Stage, configuration
from tests.service.rig import everything, kafka_for

pytestmark = pytest.mark.service("kafka")
SESSION_MS = 3_000


def an_alert(alert_id: str, updated_at: int) -> Output:
    target = AlertTarget("model", "atlas-4")
    alert = Alert(
        alert_id=alert_id, status="firing", severity="warning", kind="release_shift",
        subject=AlertSubject("cluster", alert_id), target=target, targets=(target,), started_at=1, detected_at=2,
        updated_at=updated_at, accounts=(), accounts_total=0, evidence={}, summary="A group moved.",
    )  # fmt: skip
    return Output(encode(alert), alert_id.encode())


async def written(kafka) -> list[bytes]:
    return [record.value for record in await everything(kafka, kafka.topics.alerts)]


async def test_who_was_succeeded_cannot_write_any_more(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    zombie, successor = Book(kafka), Book(kafka)
    await zombie.open()
    await zombie.write((an_alert("a", 10),))
    await successor.open()
    try:
        with pytest.raises(FencedError, match="another process took over"):
            await zombie.write((an_alert("b", 20),))
        await successor.write((an_alert("b", 20),))
    finally:
        await successor.close()
        await zombie.close()

    assert await written(kafka) == [an_alert("a", 10).value, an_alert("b", 20).value]


async def test_what_is_written_is_not_written_again_by_a_new_owner(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    records = (an_alert("a", 10), an_alert("b", 10), an_alert("a", 20))
    for _ in range(2):
        book = Book(kafka)
        await book.open()
        await book.write(records)
        await book.close()

    assert await written(kafka) == [record.value for record in records]


async def test_what_ended_long_ago_is_deleted_once(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    gone = Output(GONE, b"a")
    for _ in range(2):
        book = Book(kafka)
        await book.open()
        await book.write((an_alert("a", 10), an_alert("b", 10)) if not await written(kafka) else (gone, gone))
        await book.write((gone, Output(GONE, b"never written")))
        await book.close()

    assert await written(kafka) == [an_alert("a", 10).value, an_alert("b", 10).value, None]


def test_the_standby_takes_over_within_thirty_seconds_from_one_that_stands_still_and_from_one_that_dies(
    bootstrap, unique, tmp_path
):
    kafka = kafka_for(bootstrap, unique, correlate_session_timeout_ms=SESSION_MS)
    asyncio.run(topics.create(kafka, 1))
    config = configuration(tmp_path, kafka)
    stages = [Stage("correlate", config, tmp_path) for _ in range(2)]
    try:
        active, standby = roles(stages)
        active.pause()
        paused_s = until_active(standby, standby.within(30.0))
        active.go_on()
        if not stands_by(active):
            stages.append(Stage("correlate", config, tmp_path))
        active, standby = roles([one for one in stages if one.process.poll() is None])
        active.kill()
        killed_s = until_active(standby, standby.within(30.0))
        told = f"taken over {paused_s:.1f} s after a pause, {killed_s:.1f} s after a kill"
        print(f"{told}, with a session of {SESSION_MS / 1000:.0f} s")
    finally:
        for stage in stages:
            stage.go_on()
            stage.end()


def until_active(stage: Stage, seconds: float) -> float:
    """Until it judges; how long that took."""
    begun = time.monotonic()
    while stage.metric("swerve_correlate_active") != 1:
        assert time.monotonic() - begun < seconds, stage.told()
        time.sleep(0.1)
    return time.monotonic() - begun


def stands_by(zombie: Stage) -> bool:
    """Once it has noticed that another judges: True, or False where it has ended because it was fenced."""
    end = time.monotonic() + PATIENCE_S
    while zombie.process.poll() is None:
        try:
            if zombie.metric("swerve_correlate_active") == 0:
                return True
        except (OSError, AssertionError):
            pass  # it ends just now
        assert time.monotonic() < end, zombie.told()
        time.sleep(0.1)
    assert "another process took over" in zombie.told()
    return False
