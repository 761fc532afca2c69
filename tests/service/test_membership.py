"""Do all stages share a process, and does a worker that is back in time leave the others in peace?"""

from __future__ import annotations

import asyncio
import time

import pytest

from stream.kafka import topics
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import everything, kafka_for, produce, request

pytestmark = pytest.mark.service("kafka")


def test_all_stages_run_in_one_process(bootstrap, unique, tmp_path):
    kafka = kafka_for(bootstrap, unique)
    asyncio.run(topics.create(kafka, 2))
    asyncio.run(produce(kafka, kafka.topics.requests, [(n % 2, request(n)) for n in range(4_000)]))
    stage = Stage("run", configuration(tmp_path, kafka), tmp_path)
    try:
        stage.until_ready()
        end = time.monotonic() + PATIENCE_S
        while stage.metric("swerve_ticks_closed_total") < 8:
            assert time.monotonic() < end, stage.told()
            time.sleep(0.2)
    finally:
        code = stage.end()

    assert code == 0, stage.told()
    assert len(asyncio.run(everything(kafka, kafka.topics.summaries))) >= 16


@pytest.mark.parametrize("name", ["ingest", "detect"])
def test_a_worker_that_is_back_within_its_session_causes_no_rebalance(bootstrap, unique, tmp_path, name):
    kafka = kafka_for(bootstrap, unique, session_timeout_ms=20_000)
    asyncio.run(topics.create(kafka, 2))
    config = configuration(tmp_path, kafka)
    names = [{"SWERVE_KAFKA__INSTANCE_ID": f"{unique}-{n}"} for n in (0, 1)]
    stages = [Stage(name, config, tmp_path, **one) for one in names]
    try:
        for stage in stages:
            stage.until_ready()
        while stages[0].metric("swerve_partitions_assigned") + stages[1].metric("swerve_partitions_assigned") > 2:
            time.sleep(0.2)
        before = stages[0].metric("swerve_rebalances_total")
        assert stages[1].end() == 0, stages[1].told()
        again = Stage(name, config, tmp_path, **names[1])
        stages.append(again)
        again.until_ready()
        time.sleep(1.0)
        after = stages[0].metric("swerve_rebalances_total")
        held = again.metric("swerve_partitions_assigned")
    finally:
        for stage in stages:
            stage.end()

    assert after == before
    assert held == 1
