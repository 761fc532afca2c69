"""Does every stage end at SIGTERM though the broker is gone, and does the next start count what was left, once?"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stream.configuration.sections import Kafka
from stream.kafka import topics
from stream.pipeline.frames import decode_summary
from tests.pace import PATIENCE_S
from tests.service.broker import Broker, breakable, or_unavailable
from tests.service.comparison import Counts, counts_of, difference, first_copies
from tests.service.processes import Stage, configuration
from tests.service.recount import TICK_MS, recount
from tests.service.rig import START_MS, everything, kafka_for, produce, request

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]
RECORDS = 16_000  # a second apart, in turn to two partitions: four hours and a half
STOP_S = 4.0
STAGES = ("ingest", "detect", "correlate")
END_MS = START_MS + 3 * 3_600_000


def begin(config: Path, folder: Path) -> list[Stage]:
    stages = [Stage(name, config, folder) for name in STAGES]
    for stage in stages:
        stage.until_ready()
    return stages


def until_counted(stage: Stage, least: float) -> None:
    end = time.monotonic() + PATIENCE_S
    while stage.metric("swerve_records_accepted_total") < least:
        assert time.monotonic() < end, stage.told()
        time.sleep(0.1)


def ended_without(broker: Broker, stages: list[Stage], first: str) -> dict[str, float]:
    """Seconds that each stage took to end. first: whether the broker or the signal comes first."""
    signals = [lambda one=one: one.process.send_signal(signal.SIGTERM) for one in stages]
    for deed in [broker.process.kill, *signals] if first == "broker" else [*signals, broker.process.kill]:
        deed()
    broker.process.wait()
    begun, took = time.monotonic(), {}
    for one in stages:
        one.process.wait(PATIENCE_S)
        took[one.stage] = time.monotonic() - begun
    return took


async def told(kafka: Kafka) -> Counts:
    raws = [record.value for record in await everything(kafka, kafka.topics.summaries)]
    counts = counts_of(first_copies(raws, decode_summary), TICK_MS, END_MS)
    return Counts({key: count for key, count in counts.items() if key[0] in ("tick", "day")})


@pytest.fixture(scope="module")
def broker(service_unavailable) -> Iterator[Broker]:
    """One that is killed, and started again with its data."""
    with or_unavailable(breakable(), service_unavailable) as one:
        yield one


@pytest.mark.parametrize("first", ["broker", "signal"])
def test_each_stage_ends_in_time_and_nothing_is_lost_or_counted_twice(broker, unique, tmp_path, first):
    records = [request(n) for n in range(RECORDS)]
    kafka = kafka_for(broker.bootstrap, unique, snapshot_ms=600_000, stop_ms=int(1_000 * STOP_S))
    asyncio.run(topics.create(kafka, 2))
    sent = list(enumerate(records))
    asyncio.run(produce(kafka, kafka.topics.requests, [(n % 2, one) for n, one in sent[: RECORDS // 2]]))
    config = configuration(tmp_path, kafka)
    stages = begin(config, tmp_path)
    ingest, detect, _ = stages
    until_counted(detect, 0.9 * RECORDS / 2)

    took = ended_without(broker, stages, first)

    assert max(took.values()) < ingest.within(STOP_S + 6.0), took
    said = detect.log.read_text()
    if first == "broker":
        assert detect.process.returncode == 1, detect.told()
        assert "Not stored: detect " in said, detect.told()
    assert all("Traceback" not in line for one in stages for line in one.log.read_text().splitlines()), took

    broker.start()
    # What follows stops in peace, however long a busy machine takes for it.
    config = configuration(tmp_path, kafka_for(broker.bootstrap, unique, snapshot_ms=600_000))
    asyncio.run(produce(kafka, kafka.topics.requests, [(n % 2, one) for n, one in sent[RECORDS // 2 :]]))
    stages = begin(config, tmp_path)
    expected = recount([records[0::2], records[1::2]], END_MS)
    end = time.monotonic() + PATIENCE_S
    while wrong := difference(asyncio.run(told(kafka)), expected):
        assert time.monotonic() < end, wrong
        time.sleep(0.5)
    for stage in stages:
        assert stage.end() == 0, stage.told()
    assert difference(expected, recount([records[2::2], records[1::2]], END_MS)), "a record less makes no difference"
