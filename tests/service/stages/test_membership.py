"""Does a worker that is back within its session leave the others in peace?"""

from __future__ import annotations

import asyncio
import struct
import time

import pytest

from stream.configuration.sections import Kafka
from stream.kafka import broker, topics
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import kafka_for

pytestmark = pytest.mark.service("kafka")
OF_A_GROUP = 2  # what a record of __consumer_offsets is about, by the first number of its key


def until(holds, stages: list[Stage]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "\n".join(stage.told() for stage in stages)
        time.sleep(0.2)


async def generation(kafka: Kafka, group: str) -> int:
    """How often the group has dealt out its partitions, by what the broker itself keeps of it."""
    found = -1
    async for record in broker.read_to_end(kafka, "__consumer_offsets"):
        kind, length = struct.unpack_from(">hh", record.key)
        if kind == OF_A_GROUP and record.key[4 : 4 + length].decode() == group and record.value:
            _, length = struct.unpack_from(">hh", record.value)
            (found,) = struct.unpack_from(">i", record.value, 4 + length)
    return found


def test_a_worker_that_is_back_within_its_session_causes_no_rebalance(bootstrap, unique, tmp_path):
    kafka = kafka_for(bootstrap, unique)
    asyncio.run(topics.create(kafka, 2))
    groups = {"ingest": kafka.groups.ingest, "detect": kafka.groups.detect}
    stages: list[Stage] = []

    def started(number: int, session_s: float) -> list[Stage]:
        """A worker of each stage under the name of this number, which the group keeps for so long after it went."""
        config = configuration(tmp_path, kafka_for(bootstrap, unique, session_timeout_ms=int(1_000 * session_s)))
        named = {"SWERVE_KAFKA__INSTANCE_ID": f"{unique}-{number}"}
        stages.extend(Stage(name, config, tmp_path, **named) for name in groups)
        for stage in stages[-2:]:
            stage.until_ready()
        return stages[-2:]

    def dealt() -> tuple[list[int], list[float]]:
        generations = [asyncio.run(generation(kafka, group)) for group in groups.values()]
        return generations, [stage.metric("swerve_rebalances_total") for stage in stays]

    try:
        stays = started(0, 30.0)
        session_s = max(stage.within(20.0) for stage in stays)
        leaves = started(1, session_s)
        until(lambda: all(stage.metric("swerve_partitions_assigned") == 1 for stage in stages), stages)
        before = dealt()
        assert [stage.end() for stage in leaves] == [0, 0], [stage.told() for stage in leaves]
        back = started(1, session_s)
        until(lambda: all(stage.metric("swerve_partitions_assigned") == 1 for stage in back), stages)
        after = dealt()
    finally:
        for stage in stages:
            stage.end()

    assert after == before
    assert min(before[0]) > 0
