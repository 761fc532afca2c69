"""A past from files and then live through Kafka, against `swerve backtest` over all: the same alerts, told once."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from stream.commands.begin import history
from stream.commands.begin.backfill import Backfill
from stream.commands.through_kafka.hand_over import hand_over
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.correlate import worker as correlate
from stream.detect import worker as detect
from stream.errors import SwerveError
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.pipeline.announced import Catalogue
from stream.sources.logs import logs_of
from tests.service.processes import SWERVE, Stage, configuration, swerve
from tests.service.rig import START_MS, everything, kafka_for, produce, request, running, settings_for, until
from tests.service.test_detect import accepted
from tests.service.test_same_as_backtest import comparable, publish, until_judged
from tests.service.traffic import SURGE, Traffic, simulated

pytestmark = pytest.mark.service("kafka")

PAST = 0.55  # of the records: an alert has fired by then, and more come after


@pytest.fixture(scope="module")
def traffic(tmp_path_factory) -> Traffic:
    return simulated(tmp_path_factory.mktemp("log"), 1, SURGE)


def cut(traffic: Traffic, folder: Path) -> tuple[Path, Traffic]:
    """The past as two files, and what comes after."""
    (records,) = traffic.sources
    until = int(PAST * len(records))
    (folder / "logs").mkdir()
    for number, part in enumerate((records[: until // 2], records[until // 2 : until])):
        (folder / "logs" / f"{number}.ndjson").write_bytes(b"".join(record + b"\n" for record in part))
    return folder / "logs", Traffic([records[until:]], traffic.releases, traffic.end_ms)


async def test_where_the_stages_go_on_from_files_every_request_counts_once_though_both_hold_it(
    bootstrap, unique, tmp_path
):
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 2)
    (tmp_path / "log.ndjson").write_bytes(b"".join(request(n) + b"\n" for n in range(3_000)))
    with history.Records(tmp_path) as records:
        Backfill(settings, Catalogue(), tmp_path, records, None).through(logs_of([str(tmp_path / "log.ndjson")]))
    known = history.read(tmp_path)
    assert known is not None
    await hand_over(settings, tmp_path, known, print)
    await produce(kafka, kafka.topics.requests, [(n % 2, request(n)) for n in range(2_400, 6_000)])
    async with running(ingest.work, settings), running(detect.work, settings), running(correlate.work, settings):
        await until(lambda: enough(kafka, 3_000))
        await until(lambda: judged(kafka))
    with pytest.raises(SwerveError, match="the stages have a past already"):
        await hand_over(settings, tmp_path, known, print)

    ticks: Counter[int] = Counter()
    for (tick, _), requests in (await accepted(kafka)).items():
        ticks[tick] += requests
    assert min(ticks) == START_MS // 300_000 + 6  # what the past has closed is not told again
    assert set(ticks.values()) == {300}


async def enough(kafka: Kafka, requests: int) -> bool:
    return sum((await accepted(kafka)).values()) >= requests


async def judged(kafka: Kafka) -> bool:
    """Whether correlate has taken summaries, and stored what it knows by then."""
    return bool(await broker.committed(kafka, kafka.groups.correlate, kafka.topics.summaries))


@pytest.mark.slow
def test_a_past_from_files_and_then_kafka_gives_the_alerts_of_one_run_over_all_days(
    bootstrap, unique, tmp_path, traffic
):
    kafka = kafka_for(bootstrap, unique, partitions=4, flush_ms=200, snapshot_ms=5_000)
    told = tmp_path / "told.ndjson"
    config = configuration(tmp_path, kafka, f'[[sinks]]\nkind = "file"\npath = "{told}"\n')
    (whole,) = traffic.write(tmp_path, ["whole"])
    releases = ["--releases", str(traffic.releases)]
    swerve("backtest", str(whole), "--config", str(config), *releases, "--alerts", str(tmp_path / "alerts"))
    expected = comparable((tmp_path / "alerts").read_bytes().splitlines(), traffic.end_ms)
    logs, rest = cut(traffic, tmp_path)
    state = ["--state", str(tmp_path / "state")]

    swerve("topics", "create", "--config", str(config), "--partitions", "1")
    said = swerve("backfill", str(logs), *state, "--kafka", "--config", str(config), *releases).stdout
    past = [record.value for record in asyncio.run(everything(kafka, kafka.topics.alerts))]
    stages = [Stage(name, config, tmp_path) for name in ("ingest", "detect", "correlate")]
    try:
        for stage in stages:
            stage.until_ready()
        asyncio.run(publish(kafka, rest))
        until_judged(stages[-1], kafka, traffic.end_ms, Settings().ticks.tick_ms)
        ends = [stage.end() for stage in stages]
    finally:
        for stage in stages:
            stage.end(1.0)
    alerts = [record.value for record in asyncio.run(everything(kafka, kafka.topics.alerts))]

    assert "the stages go on from here; ingest begins in" in said
    assert ends == [0, 0, 0], [stage.told() for stage in stages if stage.process.returncode]
    assert past, "something was found in the past"
    assert len(alerts) > len(past), "and something after it"
    assert comparable(alerts, traffic.end_ms) == expected
    over = {one["alert_id"] for one in map(json.loads, past) if one["status"] == "resolved"}
    heard = [json.loads(line) for line in told.read_bytes().splitlines()]
    assert heard
    assert not over & {one["alert_id"] for one in heard}, "nobody is told of what was over"
    again = _refused("backfill", str(logs), *state, "--kafka", "--config", str(config), *releases)
    assert "the stages have a past already" in again


def _refused(*arguments: str) -> str:
    done = subprocess.run([*SWERVE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    return done.stderr
