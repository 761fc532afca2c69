"""Does a stage say what it connects to and resumes, is it ready only then, and does it stop in time at SIGTERM?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stream.kafka import topics
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import everything, kafka_for, produce, requests

pytestmark = pytest.mark.service("kafka")
RECORDS = 4_000
DRAIN_S = 30.0


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Stage]]:
    """Starts a stage; whatever the test did, it ends."""
    started: list[Stage] = []

    def begin(name: str, config: Path) -> Stage:
        started.append(Stage(name, config, tmp_path))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def until(stage: Stage, metric: str, least: float) -> None:
    end = time.monotonic() + PATIENCE_S
    while stage.metric(metric) < least:
        assert time.monotonic() < end, stage.told()
        time.sleep(0.2)


def stopped(stage: Stage) -> None:
    """SIGTERM ends it well and in time; afterwards it would be killed."""
    assert stage.end(stage.within(DRAIN_S)) == 0, stage.told()


def lines(stage: Stage, *events: str) -> list[dict]:
    return sorted((line for event in events for line in stage.said(event)), key=lambda line: line["timestamp"])


@pytest.mark.slow
def test_each_stage_drains_at_sigterm_and_goes_on_where_it_says(bootstrap, unique, tmp_path, start):
    kafka = kafka_for(bootstrap, unique, snapshot_ms=600_000)  # what is stored is stored by the stop
    asyncio.run(topics.create(kafka, 2))
    asyncio.run(produce(kafka, kafka.topics.requests, requests(range(RECORDS), 2)))
    config = configuration(tmp_path, kafka)
    done = {
        "ingest": ("swerve_records_accepted_total", 0.9 * RECORDS),
        "detect": ("swerve_records_accepted_total", 0.9 * RECORDS),
        "correlate": ("swerve_ticks_closed_total", 8),
    }
    first = {name: start(name, config) for name in done}
    for name, (metric, least) in done.items():
        first[name].until_ready()
        until(first[name], metric, least)
        stopped(first[name])
    again = {name: start(name, config) for name in done}
    for name in done:
        again[name].until_ready()
        stopped(again[name])

        (begun,), (resumed,) = first[name].said("ready"), again[name].said("ready")
        assert begun["kafka"] == resumed["kafka"] == bootstrap
        offset = f"{'requests' if name == 'ingest' else 'frames' if name == 'detect' else 'summaries'}[0] at "
        assert f"{offset}0" in begun["resumes"]
        assert offset in resumed["resumes"]
        assert f"{offset}0" not in resumed["resumes"], "it begins anew instead of going on"


def test_a_stage_that_restores_its_state_is_ready_only_afterwards(bootstrap, unique, tmp_path, start):
    kafka = kafka_for(bootstrap, unique)
    asyncio.run(topics.create(kafka, 2))
    stage = start("detect", configuration(tmp_path, kafka))
    with pytest.raises(OSError, match="503"):
        stage.get("/readyz")
    stage.until_ready()

    order = [line["event"] for line in lines(stage, "serving", "recovery", "ready")]
    assert order == ["serving", "recovery", "recovery", "ready"]


def test_all_stages_run_in_one_process_and_drain_under_load(bootstrap, unique, tmp_path, start):
    kafka = kafka_for(bootstrap, unique)
    asyncio.run(topics.create(kafka, 2))
    asyncio.run(produce(kafka, kafka.topics.requests, requests(range(5 * RECORDS), 2)))
    stage = start("run", configuration(tmp_path, kafka))

    stage.until_ready()
    until(stage, "swerve_ticks_closed_total", 8)
    stopped(stage)

    assert {line["stage"] for line in stage.said("ready")} == {"ingest", "detect", "correlate"}
    assert len(asyncio.run(everything(kafka, kafka.topics.summaries))) >= 16
