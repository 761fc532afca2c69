"""How long is a worker's death felt? From SIGKILL to the moment when everything sent by then is counted and stored."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from aiokafka import TopicPartition

from stream.configuration.sections import Kafka
from stream.kafka import broker
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration, swerve
from tests.service.rig import kafka_for, produce, request

SESSION_MS = 6_000
START_MS = 1_772_409_600_000
MORE = 5_000
UNJUDGED = 64


async def _ends(kafka: Kafka) -> dict[TopicPartition, int]:
    async with broker.consumer(kafka) as reader:
        return await reader.end_offsets([TopicPartition(kafka.topics.frames, n) for n in range(kafka.partitions)])


async def _stored(kafka: Kafka) -> dict[TopicPartition, int]:
    async with broker.admin(kafka) as client:
        found = await client.list_consumer_group_offsets(kafka.groups.detect)
    return {partition: committed.offset for partition, committed in found.items()}


def until_stored(kafka: Kafka, ends: dict[TopicPartition, int]) -> None:
    """Until detect has stored and committed all of it."""
    end = time.monotonic() + PATIENCE_S
    while True:
        stored = asyncio.run(_stored(kafka))
        if all(stored.get(partition, -1) >= offset for partition, offset in ends.items()):
            return
        assert time.monotonic() < end, f"not within {PATIENCE_S} s: {stored} of {ends}"
        time.sleep(0.2)


def seconds_to_full_processing(bootstrap: str, unique: str, folder: Path, accounts: int) -> tuple[float, float]:
    """(seconds from the kill, seconds of the session timeout)."""
    kafka = kafka_for(bootstrap, unique, partitions=4, flush_ms=500, snapshot_ms=1_000, session_timeout_ms=SESSION_MS)
    config = configuration(folder, kafka)
    swerve("topics", "create", "--config", str(config), "--partitions", "2")
    stages = [Stage(name, config, folder) for name in ("ingest", "detect", "detect")]
    try:
        for stage in stages:
            stage.until_ready()
        send(kafka, stages[0], range(accounts))
        until_stored(kafka, asyncio.run(_ends(kafka)))
        stages[1].kill()
        begun_s = time.monotonic()
        stages.append(Stage("detect", config, folder))
        send(kafka, stages[0], range(accounts, accounts + MORE))
        until_stored(kafka, asyncio.run(_ends(kafka)))
        return time.monotonic() - begun_s, SESSION_MS / 1000
    finally:
        for stage in stages:
            stage.end()


def send(kafka: Kafka, ingest: Stage, numbers: range) -> None:
    """One request of each account, and wait until ingest has sent them on; the last few stay unjudged."""
    records = [request(n, at_ms=START_MS + 10 * n, account=f"acct_{n:09d}") for n in numbers]
    asyncio.run(produce(kafka, kafka.topics.requests, [(n % 2, record) for n, record in enumerate(records)]))
    end = time.monotonic() + PATIENCE_S
    while ingest.metric("swerve_records_accepted_total") < numbers.stop - UNJUDGED:
        assert time.monotonic() < end, ingest.told()
        time.sleep(0.1)
