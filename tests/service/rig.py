"""What do tests through Kafka need? Settings with names of their own, records, and everything that a topic holds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

import msgspec
from aiokafka import ConsumerRecord

from stream.configuration.sections import Groups, Kafka, Limits, Ticks, Topics
from stream.configuration.settings import Settings
from stream.kafka import broker
from stream.kafka.bookmark import Bookmark
from stream.kafka.place import Place
from stream.stages.stage import Running
from tests.pace import PATIENCE_S

T = TypeVar("T")
START_MS = 1_772_362_800_000
STOP_MS = 60_000  # twice what it is by default: what a busy machine has not stored by then is left


def kafka_for(bootstrap: str, unique: str, **more) -> Kafka:
    """Topics and groups of one test."""
    names = {name: f"{unique}.{name}" for name in Topics.model_fields}
    groups = {name: f"{unique}-{name}" for name in Groups.model_fields}
    given = {
        "partitions": 2,
        "flush_ms": 100,
        "snapshot_ms": 500,
        "session_timeout_ms": 6_000,
        "stop_ms": STOP_MS,
    } | more
    return Kafka(bootstrap_servers=bootstrap, topics=Topics(**names), groups=Groups(**groups), **given)


def settings_for(bootstrap: str, unique: str, *, idle_s: float = 3_600.0, dlq_per_s: float = 100.0, **more) -> Settings:
    """The whole configuration of one test."""
    kafka = kafka_for(bootstrap, unique, **more)
    return Settings(kafka=kafka, ticks=Ticks(idle_s=idle_s), limits=Limits(dlq_per_s=dlq_per_s))


def request(number: int, *, at_ms: int | None = None, account: str | None = None) -> bytes:
    """One readable record, a second after the one before."""
    return msgspec.json.encode(
        {
            "event_id": f"e{number}",
            "timestamp": START_MS + 1_000 * number if at_ms is None else at_ms,
            "account_id": account or f"acct_{number % 7}",
            "model": "atlas-3",
        }
    )


def requests(numbers: Iterable[int], partitions: int = 1) -> list[tuple[int, bytes]]:
    """Readable records with these numbers for `produce`, dealt to the partitions in turn."""
    return [(n % partitions, request(n)) for n in numbers]


async def produce(kafka: Kafka, topic: str, records: list[tuple[int, bytes]], **more) -> None:
    """Send (partition, value) pairs in order."""
    async with broker.producer(kafka) as producer:
        waiting = [await producer.send(topic, value, partition=partition, **more) for partition, value in records]
        await asyncio.gather(*waiting)


async def everything(kafka: Kafka, topic: str) -> list[ConsumerRecord]:
    """What a topic holds, partition by partition. What was committed by now is in it."""
    await until(lambda: is_settled(kafka, topic))
    return [record async for record in broker.read_to_end(kafka, topic)]


async def is_settled(kafka: Kafka, topic: str) -> bool:
    """Whether all that was written by now can be read: who commits is told so before the markers are written."""
    written = await broker.ends(kafka, topic)
    async with broker.consumer(kafka, isolation_level=broker.READ_COMMITTED) as reader:
        readable = await reader.end_offsets(broker.topic_partitions(topic, len(written)))
    return all(readable[one] >= written[one.partition] for one in readable)


async def drained(kafka: Kafka) -> bool:
    """Whether detect has counted, stored and committed every frame that there is."""
    return await broker.committed(kafka, kafka.groups.detect, kafka.topics.frames) == await broker.ends(
        kafka, kafka.topics.frames
    )


async def kept_by(kafka: Kafka, sink: str) -> Place | None:
    """Where a sink stands in the alerts topic, by the bookmark that a successor begins from."""
    async with Bookmark(kafka, f"{kafka.groups.correlate}-sink-{sink}", kafka.topics.alerts) as mark:
        return (await mark.read() or {}).get(0)


async def until(ask: Callable[[], Awaitable[T]], seconds: float = PATIENCE_S) -> T:
    """Ask until the answer is true; fail with the last answer."""
    end = time.monotonic() + seconds
    while not (answer := await ask()):
        assert time.monotonic() < end, f"not within {seconds} s; last answer: {answer!r}"
        await asyncio.sleep(0.1)
    return answer


async def at_rest(count: Callable[[], int]) -> int:
    """The count as soon as it stood still, above nothing, for fifty turns of the loop."""
    last, turns = count(), 0
    async with asyncio.timeout(PATIENCE_S):
        while turns < 50:
            await asyncio.sleep(0.02)
            turns = turns + 1 if count() == last > 0 else 0
            last = count()
    return last


@contextlib.asynccontextmanager
async def running(work, settings: Settings) -> AsyncIterator[Running]:
    """A stage in this process, stopped at the end."""
    state = Running()
    task = asyncio.create_task(work(settings, state))
    try:
        yield state
    finally:
        state.stop.set()
        await task
