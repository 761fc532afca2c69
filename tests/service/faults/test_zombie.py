"""A correlate worker is stopped with alerts in its hand, and wakes up after another took over: what does it do?"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from stream.contract.alert import decode, encode
from stream.kafka import topics
from stream.pipeline.composition import Fleet
from stream.pipeline.frames import decode_summary, encode_summary
from tests.console.conftest import summary
from tests.pace import PATIENCE_S
from tests.service.alerts.test_attention import store, two_that_fire
from tests.service.alerts.test_one_page_in_all import is_active, until
from tests.service.processes import Stage, configuration
from tests.service.rig import everything, kafka_for, produce

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]
SESSION_MS = 8_000  # a busy machine may keep a healthy process from its heartbeats for seconds
TICKS = 12 * 30  # more than a day without a finding: both campaigns end
PARAMETERS_TICK_MS = 300_000

# `swerve`, but for one thing: the first process that comes to this place stops itself there (SIGSTOP).
STOPS = """
import os, pathlib, signal
from {module} import {owner} as owner
then = owner.{name}
async def stops(self, *given):
    mark = pathlib.Path({mark!r})
    if {when} and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
    return await then(self, *given)
owner.{name} = stops
from stream.cli import main; main()
"""
PLACES = {
    "before it writes": {"module": "stream.correlate.book", "owner": "Book", "name": "write", "when": "given[0]"},
    "inside of its transaction": {
        "module": "aiokafka", "owner": "AIOKafkaProducer", "name": "commit_transaction", "when": "True",
    },
}  # fmt: skip


def later_ticks(fleet: Fleet) -> list[bytes]:
    """Summaries of the ticks after those that the fleet has judged."""
    first = fleet.at_ms // PARAMETERS_TICK_MS
    return [encode_summary(summary(first + n, PARAMETERS_TICK_MS)) for n in range(TICKS)]


def records_of(fleet: Fleet, ticks: list[bytes]) -> list[bytes]:
    """What one worker alone would say of them."""
    return [encode(alert) for one in ticks for alert in fleet.apply(decode_summary(one))]


def is_stopped(stage: Stage) -> bool:
    """Whether the process does not run at all (state T)."""
    return Path(f"/proc/{stage.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"


@pytest.mark.parametrize("place", PLACES)
def test_who_wakes_up_after_another_took_over_is_refused_and_ends_and_nothing_is_said_twice(
    bootstrap, unique, tmp_path, place
):
    kafka = kafka_for(bootstrap, unique, correlate_session_timeout_ms=SESSION_MS)
    asyncio.run(topics.create(kafka, 1))
    fleet, _ = two_that_fire()
    store(kafka, fleet)
    ticks = later_ticks(fleet)
    expected = records_of(fleet, ticks)
    config = configuration(tmp_path, kafka)
    program = (sys.executable, "-c", STOPS.format(mark=str(tmp_path / "stopped"), **PLACES[place]))
    stages = [Stage("correlate", config, tmp_path, program) for _ in "ab"]

    def said() -> list[bytes]:
        return [record.value for record in asyncio.run(everything(kafka, kafka.topics.alerts))]

    try:
        for stage in stages:
            stage.until_ready()
        asyncio.run(produce(kafka, kafka.topics.summaries, [(0, one) for one in ticks]))
        until(lambda: any(map(is_stopped, stages)), stages)
        begun_s = time.monotonic()
        successor, zombie = sorted(stages, key=is_stopped)
        until(lambda: is_active(successor), [successor])
        print(f"taken over {time.monotonic() - begun_s:.1f} s after the stop, with a session of {SESSION_MS / 1000} s")
        until(lambda: len(said()) >= len(expected), [successor])
        zombie.go_on()
        code = zombie.process.wait(PATIENCE_S)
        last = zombie.log.read_text().splitlines()[-1]
        until(lambda: is_active(successor), [successor])
    finally:
        for stage in stages:
            stage.go_on()
            stage.end()

    assert code == 1
    assert last.startswith("swerve: another process took over writing to ")
    assert "-alerts; this one ends" in last  # where leaving the group takes it too long, it says that as well
    assert said() == expected
    assert len(expected) >= 2
    assert max(Counter((one.alert_id, one.updated_at) for one in map(decode, expected)).values()) == 1
