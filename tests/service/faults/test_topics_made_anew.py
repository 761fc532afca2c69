"""What does correlate do where summaries are gone, or false? And who notices a topic that was deleted and made anew?"""

from __future__ import annotations

import asyncio

import pytest

from stream.correlate import worker as correlate
from stream.errors import SwerveError
from stream.ingest import worker as ingest
from stream.kafka import broker, topic_id, topics
from stream.pipeline.frames import decode_summary
from stream.stages.stage import Running
from stream.telemetry import metrics
from tests.correlate.test_fleet_engine import dated, summaries
from tests.pace import PATIENCE_S
from tests.service.faults.test_bad_days import delete_before
from tests.service.rig import produce, request, running, settings_for, until
from tests.service.stages.test_ingest import rows_upto

pytestmark = pytest.mark.service("kafka")


def both(minutes: int) -> list[bytes]:
    """Summaries of both partitions, tick by tick: ten requests each pair."""
    one, other = summaries(minutes=minutes)
    return [raw for pair in zip(one, other, strict=True) for raw in pair]


def counted(name: str) -> float:
    return metrics.value(name, stage="correlate") or 0.0


async def judged(wanted: float) -> bool:
    return counted("swerve_records_accepted_total") >= wanted


async def tell(kafka, raws: list[bytes]) -> None:
    await produce(kafka, kafka.topics.summaries, [(0, raw) for raw in raws])


def requests_in(raws: list[bytes]) -> int:
    return sum(decode_summary(raw).counters["accepted"] for raw in raws)


async def delete(kafka, topic: str) -> None:
    async with broker.admin(kafka) as client:
        await client.delete_topics([topic])
    await until(lambda: is_gone(kafka, topic))


async def is_gone(kafka, topic: str) -> bool:
    return topic not in await topic_id.ids_of(kafka, topic)


@pytest.fixture
async def settings(bootstrap, unique):
    one = settings_for(bootstrap, unique, idle_s=0.5)
    await topics.create(one.kafka, 1)
    return one


async def test_correlate_tells_what_was_deleted_before_it_read_it_and_sets_aside_what_is_dated_days_ahead(settings):
    kafka, raws = settings.kafka, both(120)[:20]
    before = {name: counted(name) for name in ("swerve_records_accepted_total", "swerve_records_deleted_unread_total",
                                               "swerve_messages_set_aside_total")}  # fmt: skip
    await tell(kafka, raws[:6])
    async with running(correlate.work, settings):
        await until(lambda: judged(before["swerve_records_accepted_total"] + requests_in(raws[:6])))
    await tell(kafka, raws[6:12])
    await delete_before(kafka, kafka.topics.summaries, 0, 10)
    far = dated(raws[12], 10 * 365 * 288)  # beyond the day of whoever runs this
    await tell(kafka, [far, *raws[12:]])
    async with running(correlate.work, settings):
        await until(lambda: judged(before["swerve_records_accepted_total"] + requests_in(raws[:6] + raws[10:])))
        after = {name: counted(name) - was for name, was in before.items()}

    assert after == {
        "swerve_records_accepted_total": requests_in(raws[:6] + raws[10:]),
        "swerve_records_deleted_unread_total": 4,
        "swerve_messages_set_aside_total": 1,
    }


async def test_correlate_goes_on_with_summaries_made_anew_that_outgrew_the_old_and_ends_where_they_are_gone(settings):
    kafka, raws = settings.kafka, both(120)
    accepted, lost = counted("swerve_records_accepted_total"), counted("swerve_records_deleted_unread_total")
    await tell(kafka, raws[:6])
    async with running(correlate.work, settings):
        await until(lambda: judged(accepted + requests_in(raws[:6])))
    await delete(kafka, kafka.topics.summaries)
    await topics.create(kafka, 1)
    await tell(kafka, raws[12:])
    assert len(raws[12:]) > 6
    task = asyncio.create_task(correlate.work(settings, Running()))
    await until(lambda: judged(accepted + requests_in(raws[:6] + raws[12:])))
    assert counted("swerve_records_deleted_unread_total") - lost == 3  # ticks, each told of by both partitions

    await delete(kafka, kafka.topics.summaries)

    with pytest.raises(SwerveError, match=kafka.topics.summaries):
        await asyncio.wait_for(task, PATIENCE_S)


async def test_ingest_refuses_requests_made_anew_however_many_there_are_by_now(settings):
    kafka = settings.kafka
    await produce(kafka, kafka.topics.requests, [(0, request(n)) for n in range(100)])
    async with running(ingest.work, settings):
        await until(lambda: rows_upto(kafka, 99))
    async with running(ingest.work, settings) as state:
        await until(lambda: asyncio.sleep(0, not state.waiting))
    await delete(kafka, kafka.topics.requests)
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, [(0, request(n)) for n in range(500)])

    with pytest.raises(SwerveError, match="deleted and made anew"):
        await asyncio.wait_for(ingest.work(settings, Running()), PATIENCE_S)


async def test_a_topic_that_is_made_anew_while_it_is_read_ends_the_worker(settings):
    """By its id: neither its name nor its offsets tell."""
    watched = topic_id.Watched(settings.kafka, settings.kafka.topics.verdicts, now_s=iter(range(0, 900, 60)).__next__)
    await watched.look()
    await watched.look()
    await delete(settings.kafka, settings.kafka.topics.verdicts)
    await topics.create(settings.kafka, 1)

    with pytest.raises(SwerveError, match="start this worker again"):
        await watched.look()
