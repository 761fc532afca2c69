"""A past from files and then live through Kafka, against `swerve backtest` over all: the same alerts, told once."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path

import pytest

from stream.configuration.settings import Settings
from tests.service.processes import SWERVE, Stage, configuration, swerve
from tests.service.rig import everything, kafka_for
from tests.service.test_same_as_backtest import comparable, publish, until_judged
from tests.service.traffic import SURGE, Traffic, simulated

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]

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
