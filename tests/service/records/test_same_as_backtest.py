"""Do the same records give the same alerts and counts through Kafka as through `swerve backtest`?"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path

import pytest

from detectors.counts.summary import Summary
from stream.configuration.settings import Settings
from stream.kafka import broker
from stream.pipeline.frames import decode_summary
from tests.pace import Patience
from tests.service.comparison import Counts, counts_of, difference, first_copies, summaries_of
from tests.service.processes import Stage, configuration, swerve
from tests.service.rig import everything, kafka_for, produce
from tests.service.traffic import MIXED, Traffic, simulated

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]

SOURCES = 3


@pytest.fixture(scope="module")
def traffic(tmp_path_factory) -> Traffic:
    return simulated(tmp_path_factory.mktemp("log"), SOURCES, MIXED)


def by_backtest(traffic: Traffic, kafka, folder: Path, config: Path) -> list[bytes]:
    """Alert records of the ticks that may be compared, in order."""
    names = [f"{kafka.topics.requests}[{n}]" for n in range(SOURCES)]
    paths = traffic.write(folder, names)
    swerve(
        "backtest", *map(str, paths), "--config", str(config),
        "--releases", str(traffic.releases), "--alerts", str(folder / "alerts.ndjson"),
    )  # fmt: skip
    return comparable((folder / "alerts.ndjson").read_bytes().splitlines(), traffic.end_ms)


def comparable(records: list[bytes], end_ms: int) -> list[bytes]:
    alerts = [(json.loads(record), record) for record in records]
    kept = [(one["updated_at"], one["alert_id"], record) for one, record in alerts if one["updated_at"] <= end_ms]
    return [record for *_, record in sorted(kept)]


async def publish(kafka, traffic: Traffic) -> None:
    """Releases first, then the requests, as fast as they go."""
    async with broker.producer(kafka) as producer:
        for release in json.loads(traffic.releases.read_bytes()):
            value, key = json.dumps(release).encode(), release["model"].encode()
            await producer.send_and_wait(kafka.topics.releases, value, key=key)
    records = [(number, record) for number, part in enumerate(traffic.sources) for record in part]
    await produce(kafka, kafka.topics.requests, records)


async def told(kafka) -> tuple[list[bytes], list[bytes]]:
    """(summaries, alerts) as the topics hold them."""
    summaries = await everything(kafka, kafka.topics.summaries)
    alerts = await everything(kafka, kafka.topics.alerts)
    return [record.value for record in summaries], [record.value for record in alerts]


def until_judged(correlate: Stage, kafka, end_ms: int, tick_ms: int) -> None:
    """Until every summary of the ticks that matter was seen by correlate."""
    patience = Patience()
    upto: dict[int, int] = {}
    last, there = end_ms // tick_ms - 1, set()

    async def read_on() -> None:
        async for record in broker.read_to_end(kafka, kafka.topics.summaries, offsets=upto):
            upto[record.partition] = record.offset + 1
            summary = decode_summary(record.value)
            if summary.tick == last:
                there.add(summary.shards)

    while len(there) < kafka.partitions or correlate.metric("swerve_summaries_total") < sum(upto.values()):
        assert patience.lasts(correlate.metric("swerve_summaries_total")), (
            f"tick {last}: {len(there)} summaries\n{correlate.told()}"
        )
        time.sleep(1.0)
        asyncio.run(read_on())


def first_ticks(counts: Counts, ticks: int = 48) -> Counts:
    """As much of them as was counted in the first so many ticks."""
    until = min(int(key[3]) for key in counts) + ticks
    return Counter({key: count for key, count in counts.items() if int(key[3]) < until})


def test_kafka_and_backtest_say_the_same(bootstrap, unique, tmp_path, traffic):
    kafka = kafka_for(bootstrap, unique, partitions=4, flush_ms=200, snapshot_ms=5_000)
    config = configuration(tmp_path, kafka)
    settings = Settings(kafka=kafka)
    expected = by_backtest(traffic, kafka, tmp_path, config)
    assert len({json.loads(one)["alert_id"] for one in expected}) >= 3
    assert any(json.loads(one)["status"] == "resolved" for one in expected)

    swerve("topics", "create", "--config", str(config), "--partitions", str(SOURCES))
    stages = [Stage(name, config, tmp_path) for name in ("ingest", "ingest", "detect", "detect", "correlate")]
    try:
        for stage in stages:
            stage.until_ready()
        asyncio.run(publish(kafka, traffic))
        until_judged(stages[-1], kafka, traffic.end_ms, settings.ticks.tick_ms)
        ends = [stage.end() for stage in stages]
    finally:
        for stage in stages:
            stage.end(1.0)
    summaries, alerts = asyncio.run(told(kafka))

    assert ends == [0] * len(stages), [stage.told() for stage in stages if stage.process.returncode]
    assert comparable(alerts, traffic.end_ms) == expected
    names = [f"{kafka.topics.requests}[{n}]" for n in range(SOURCES)]
    sources = dict(zip(names, traffic.sources, strict=True))

    def counted(summaries: list[Summary]) -> Counts:
        return counts_of(summaries, settings.ticks.tick_ms, traffic.end_ms)

    through_kafka = counted(first_copies(summaries, decode_summary))
    assert difference(through_kafka, counted(summaries_of(settings, sources))) == ""
    # The comparison can fail: a hundred records less on one side are seen.
    begin = {name: records[: len(records) // 8] for name, records in sources.items()}
    shorter = begin | {names[0]: begin[names[0]][100:]}
    assert difference(first_ticks(through_kafka), first_ticks(counted(summaries_of(settings, begin)))) == ""
    assert difference(first_ticks(through_kafka), first_ticks(counted(summaries_of(settings, shorter)))) != ""
