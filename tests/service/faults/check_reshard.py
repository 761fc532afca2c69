"""Does a fleet that was moved to another number of partitions half-way count and say what it would have said? Minutes.

`make faults` runs it; what `swerve reshard` refuses is test_reshard.py's.
"""

from __future__ import annotations

import asyncio
import json
import tomllib

import pytest

from stream.configuration.sections import Groups, Kafka, Topics
from stream.configuration.settings import Settings
from stream.kafka import broker
from stream.pipeline.frames import decode_summary
from tests.service.comparison import counts_of, difference, first_copies
from tests.service.faults.drill import comparable
from tests.service.processes import Stage, configuration, swerve
from tests.service.recount import recount
from tests.service.rig import drained, everything, kafka_for, produce, until
from tests.service.stages.test_reshard import fed
from tests.service.traffic import MIXED_LONG, Traffic, simulated

pytestmark = [pytest.mark.service("kafka"), pytest.mark.timeout(600)]

SOURCES = 3
NEVER_IDLE = "[ticks]\nidle_s = 3600\n"


@pytest.fixture(scope="module")
def traffic(tmp_path_factory) -> Traffic:
    return simulated(tmp_path_factory.mktemp("log"), SOURCES, MIXED_LONG)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_from_four_partitions_to_six_changes_no_count_and_no_alert(bootstrap, unique, tmp_path, traffic):
    kafka = kafka_for(bootstrap, unique, partitions=4, flush_ms=200, snapshot_ms=5_000, session_timeout_ms=6_000)
    config = configuration(tmp_path, kafka, NEVER_IDLE)
    expected = by_backtest(traffic, kafka, tmp_path, config)
    swerve("topics", "create", "--config", str(config), "--partitions", str(SOURCES))
    asyncio.run(announce(kafka, traffic))
    correlate = Stage("correlate", config, tmp_path)
    try:
        halves = [len(records) // 2 for records in traffic.sources]
        count(
            kafka, config, tmp_path, [records[:n] for records, n in zip(traffic.sources, halves, strict=True)], halves
        )
        said = swerve("reshard", "6", "--config", str(config)).stdout
        new, config = by_what_it_said(kafka, said, tmp_path)
        rest = [records[n:] for records, n in zip(traffic.sources, halves, strict=True)]
        count(new, config, tmp_path, rest, [len(records) for records in traffic.sources])
        summaries = [one.value for one in asyncio.run(everything(kafka, kafka.topics.summaries))]
        asyncio.run(until(lambda: asyncio.to_thread(has_judged, correlate, len(summaries)), 480.0))
    finally:
        correlate.end()

    alerts = [one.value for one in asyncio.run(everything(kafka, kafka.topics.alerts))]
    assert comparable(alerts, traffic.end_ms) == expected
    assert len(expected) >= 3
    assert correlate.said("partial_tick") == []
    through = counts_of(first_copies(summaries, decode_summary), Settings().ticks.tick_ms, traffic.end_ms)
    for_accounts = type(through)({key: n for key, n in through.items() if key[0] != "cohort"})
    assert difference(for_accounts, recount(traffic.sources, traffic.end_ms)) == ""
    assert "partition 5 of 6" in said


def by_backtest(traffic: Traffic, kafka: Kafka, folder, config) -> list[tuple[int, str, bytes]]:
    paths = traffic.write(folder, [f"{kafka.topics.requests}[{n}]" for n in range(SOURCES)])
    swerve(
        "backtest", *map(str, paths), "--config", str(config),
        "--releases", str(traffic.releases), "--alerts", str(folder / "alerts.ndjson"),
    )  # fmt: skip
    return comparable((folder / "alerts.ndjson").read_bytes().splitlines(), traffic.end_ms)


async def announce(kafka: Kafka, traffic: Traffic) -> None:
    async with broker.producer(kafka) as producer:
        for release in json.loads(traffic.releases.read_bytes()):
            key = release["model"].encode()
            await producer.send_and_wait(kafka.topics.releases, json.dumps(release).encode(), key=key)


def count(kafka: Kafka, config, folder, records: list[list[bytes]], upto: list[int]) -> None:
    """One ingest and two detect count these records; then all stop in peace, ingest first."""
    sent = [(number, record) for number, part in enumerate(records) for record in part]
    asyncio.run(produce(kafka, kafka.topics.requests, sent))
    feeding, *counting = [Stage(name, config, folder) for name in ("ingest", "detect", "detect")]
    try:
        asyncio.run(until(lambda: fed(kafka, upto), 180.0))
        assert feeding.end() == 0, feeding.told()
        asyncio.run(until(lambda: drained(kafka), 180.0))
        assert [stage.end() for stage in counting] == [0, 0], [stage.told() for stage in counting]
    finally:
        for stage in (feeding, *counting):
            stage.end(1.0)


def by_what_it_said(kafka: Kafka, said: str, folder):
    """The configuration that the command tells to go on with."""
    told = tomllib.loads(said[said.index("[kafka]") : said.index("Start nothing")])["kafka"]
    given = kafka.model_dump(exclude_unset=True) | {"partitions": told["partitions"]}
    given["topics"] = Topics(**kafka.topics.model_dump() | told["topics"])
    given["groups"] = Groups(**kafka.groups.model_dump() | told["groups"])
    new = Kafka(**given)
    return new, configuration(folder, new, NEVER_IDLE)


def has_judged(correlate: Stage, summaries: int) -> bool:
    return correlate.metric("swerve_summaries_total") >= summaries
