"""Does ingest stop reading while the broker takes nothing, instead of growing?"""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.ingest.letterbox import LetterBox
from stream.ingest.source import Source
from stream.ingest.worker import BUFFERED_MAX, RECORDS_MAX, Worker
from stream.stages.stage import Running
from tests.pace import PATIENCE_S
from tests.service.rig import at_rest, request

TP = TopicPartition("swerve.requests", 0)


class Endless:
    """A topic that always has more; counts what was read."""

    def __init__(self) -> None:
        self.read = 0

    async def getmany(self, timeout_ms, max_records):
        await asyncio.sleep(0)
        numbers = range(self.read, self.read + max_records)
        self.read = numbers.stop
        return {TP: [ConsumerRecord(TP.topic, 0, n, 0, 0, None, request(n), None, 0, 0, ()) for n in numbers]}

    def highwater(self, partition):
        return self.read + 1

    async def commit(self, offsets):
        pass


class Deaf:
    """A broker that acknowledges when it is told to."""

    def __init__(self) -> None:
        self.acknowledged = asyncio.Event()

    async def send(self, topic, value, **more):
        async def acknowledge():
            await self.acknowledged.wait()

        return asyncio.ensure_future(acknowledge())


async def test_nothing_is_read_while_frames_wait_for_the_broker():
    topic, deaf, running = Endless(), Deaf(), Running()
    worker = Worker(Settings(kafka=Kafka(flush_ms=60_000)), running, topic, deaf, LetterBox(deaf, "dlq"))
    worker._sources[TP] = Source(TP, 0, 0, None, 0.0)
    working = asyncio.create_task(worker.run())
    try:
        held = await at_rest(lambda: topic.read)
        deaf.acknowledged.set()
        async with asyncio.timeout(PATIENCE_S):
            while topic.read == held:
                await asyncio.sleep(0.01)
    finally:
        running.stop.set()
        deaf.acknowledged.set()
        await working

    assert BUFFERED_MAX <= held <= BUFFERED_MAX + 2 * RECORDS_MAX
