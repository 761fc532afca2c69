"""Two workers under one `instance_id`: does one work in peace, and does the other say what is wrong?"""

from __future__ import annotations

import asyncio
import time
import urllib.error

import pytest

from stream.kafka import topics
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import kafka_for, produce, request

pytestmark = pytest.mark.service("kafka")
STAGES = ("ingest", "detect")


def until(holds, *stages: Stage) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "\n".join(stage.told() for stage in stages)
        time.sleep(0.2)


def why_not_ready(stage: Stage) -> str:
    """What /readyz says; "" where the stage is ready."""
    try:
        stage.get("/readyz")
    except urllib.error.HTTPError as error:
        return error.read().decode()
    return ""


@pytest.fixture
def started(bootstrap, unique, tmp_path):
    """Starts a worker of a stage under the one name of this test; all are ended after it."""
    kafka = kafka_for(bootstrap, unique)
    asyncio.run(topics.create(kafka, 2))
    config = configuration(tmp_path, kafka)
    stages: list[Stage] = []

    def start(stage: str) -> Stage:
        stages.append(Stage(stage, config, tmp_path, SWERVE_KAFKA__INSTANCE_ID=f"{unique}-pod"))
        return stages[-1]

    start.kafka = kafka
    yield start
    for one in stages:
        one.go_on()
        one.end()


@pytest.mark.parametrize("stage", STAGES)
def test_the_second_worker_of_a_name_stands_by_and_says_who_has_it_and_the_first_goes_on(started, unique, stage):
    first = started(stage)
    first.until_ready()
    dealt = first.metric("swerve_rebalances_total")
    second = started(stage)
    until(lambda: second.said("instance_id_taken"), first, second)
    (told,) = second.said("instance_id_taken")

    assert told["holder"].startswith(f"process {first.process.pid} on ")
    assert told["instance_id"] == f"{unique}-pod"
    assert f"process {first.process.pid} on " in why_not_ready(second)
    assert second.metric("swerve_instance_id_taken") == 1
    assert second.metric("swerve_ready") == 0
    if stage == "ingest":
        asyncio.run(produce(started.kafka, started.kafka.topics.requests, [(0, request(n)) for n in range(100)]))
        until(lambda: first.metric("swerve_records_accepted_total") == 100, first, second)
    time.sleep(3.0)  # as long as two that push each other out take for some rounds
    assert first.metric("swerve_rebalances_total") == dealt
    assert not why_not_ready(first)

    assert first.end() == 0, first.told()
    second.until_ready()
    assert second.metric("swerve_instance_id_taken") == 0


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_that_was_killed_is_back_under_its_name_within_its_session(started, stage):
    first = started(stage)
    first.until_ready()
    first.kill()
    second = started(stage)
    second.until_ready()

    assert not second.said("instance_id_taken")
    assert second.end() == 0, second.told()


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_who_wakes_up_after_another_took_its_name_ends_and_says_so(started, stage):
    first = started(stage)
    first.until_ready()
    second = started(stage)
    until(lambda: second.said("instance_id_taken"), first, second)
    first.pause()
    second.until_ready()
    first.go_on()
    until(lambda: first.process.poll() is not None, first, second)

    assert first.process.returncode == 1, first.told()
    assert f"process {second.process.pid} on " in first.log.read_text().splitlines()[-1]
    until(lambda: not why_not_ready(second), first, second)
    assert second.end() == 0, second.told()
