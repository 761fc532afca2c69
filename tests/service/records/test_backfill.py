"""A past from files and then live through Kafka, against `swerve backtest` over all: the same counts and alerts."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from stream.commands.begin import backtest, history
from stream.commands.begin.backfill import Backfill
from stream.commands.begin.backtest import Asked
from stream.commands.through_kafka.hand_over import hand_over
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.correlate import worker as correlate
from stream.detect import worker as detect
from stream.errors import SwerveError
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.pipeline.announced import Catalogue
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from stream.sources.logs import logs_of
from tests.pace import PATIENCE_S
from tests.service.records.test_same_as_backtest import comparable
from tests.service.rig import (
    START_MS,
    drained,
    everything,
    kafka_for,
    produce,
    request,
    requests,
    running,
    settings_for,
    until,
)
from tests.service.stages.test_detect import accepted
from tests.service.traffic import HOUR_MS, closing

pytestmark = pytest.mark.service("kafka")


def backfilled(settings: Settings, folder: Path, log: Path, catalogue: Catalogue | None = None) -> history.History:
    """The state that a backfill of this log, or folder of logs, leaves in the folder."""
    with history.Records(folder) as records:
        Backfill(settings, catalogue or Catalogue(), folder, records, None).through(logs_of([str(log)]))
    known = history.read(folder)
    assert known is not None
    return known


async def test_where_the_stages_go_on_from_files_every_request_counts_once_though_both_hold_it(
    bootstrap, unique, tmp_path
):
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 2)
    (tmp_path / "log.ndjson").write_bytes(b"".join(request(n) + b"\n" for n in range(3_000)))
    known = backfilled(settings, tmp_path, tmp_path / "log.ndjson")
    await hand_over(settings, tmp_path, known, print)
    await produce(kafka, kafka.topics.requests, requests(range(2_400, 6_000), 2))
    async with running(ingest.work, settings), running(detect.work, settings), running(correlate.work, settings):
        await until(lambda: enough(kafka, 3_000))
        await until(lambda: judged(kafka))
        await until(lambda: drained(kafka))
    with pytest.raises(SwerveError, match="the stages have a past already"):
        await hand_over(settings, tmp_path, known, print)

    ticks: Counter[int] = Counter()
    for (tick, _), count in (await accepted(kafka)).items():
        ticks[tick] += count
    assert min(ticks) == START_MS // 300_000 + 6  # what the past has closed is not told again
    assert set(ticks.values()) == {300}


async def enough(kafka: Kafka, requests: int) -> bool:
    return sum((await accepted(kafka)).values()) >= requests


async def judged(kafka: Kafka) -> bool:
    """Whether correlate has taken summaries, and stored what it knows by then."""
    return bool(await broker.committed(kafka, kafka.groups.correlate, kafka.topics.summaries))


@pytest.mark.slow
async def test_a_past_from_files_and_then_kafka_gives_the_alerts_of_one_run_over_all(bootstrap, unique, tmp_path):
    settings = Settings(kafka=kafka_for(bootstrap, unique, flush_ms=200), detection={"warm_up_h": 12})
    kafka = settings.kafka
    await topics.create(kafka, 1)
    lines, end_ms = twenty_hours()
    (tmp_path / "whole").write_bytes(b"\n".join(lines))
    backtest.run(Asked([str(tmp_path / "whole")], alerts=tmp_path / "alerts"), settings, Catalogue())
    expected = comparable((tmp_path / "alerts").read_bytes().splitlines(), end_ms)
    cut = int(0.8 * len(lines))
    (tmp_path / "past").write_bytes(b"\n".join(lines[:cut]) + b"\n")
    known = backfilled(settings, tmp_path, tmp_path / "past")

    await hand_over(settings, tmp_path, known, print)
    past = await alerts_of(kafka)
    await produce(kafka, kafka.topics.requests, [(0, line) for line in lines[cut:]])

    async def all_said() -> bool:
        return len(comparable(await alerts_of(kafka), end_ms)) >= len(expected)

    async with running(ingest.work, settings), running(detect.work, settings), running(correlate.work, settings):
        await until(all_said, 3 * PATIENCE_S)

    assert 0 < len(past) < len(expected)
    assert comparable(await alerts_of(kafka), end_ms) == expected


def twenty_hours() -> tuple[list[bytes], int]:
    """A fleet that is warm after twelve of them, and records that close them; when they end."""
    story = tell("pivot", 1, accounts=200, days=5.0)
    made = Lines(story.fleet, story.course, 1)
    lines = [line.rstrip(b"\n") for batch in islice(story.traffic().hours(), 20) for line in made.of(batch)]
    end_ms = json.loads(lines[-1])["timestamp"] // HOUR_MS * HOUR_MS
    return lines + closing(end_ms + 3 * HOUR_MS, 0), end_ms


async def alerts_of(kafka: Kafka) -> list[bytes]:
    return [record.value for record in await everything(kafka, kafka.topics.alerts)]
