"""How does every stage reach Kafka? Connections from the one configuration, topics read to their end, catalogues."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError, KafkaError

from stream.configuration.sections import Kafka
from stream.errors import SwerveError, UsageError
from stream.kafka.fetched import read_anything
from stream.kafka.writers import signed

read_anything()
T = TypeVar("T")
FETCH_BYTES = 4 * 1024 * 1024
READ_COMMITTED = "read_committed"
CREATED, EXISTS_ALREADY = 0, 36  # error codes of the protocol


class UnreachableError(SwerveError):
    """No broker answered, or it let us not in."""


class MissingTopicError(SwerveError):
    """A topic that a stage needs does not exist."""


def ssl_context(kafka: Kafka) -> ssl.SSLContext | None:
    """Certificates are always checked: against `ssl_cafile`, else the system's. None without TLS.

    Raises UsageError where a file is missing or no certificate.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
        if kafka.ssl_certfile is not None:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(str(f) for f in (kafka.ssl_cafile, kafka.ssl_certfile, kafka.ssl_keyfile) if f is not None)
        raise UsageError(f"[kafka] certificates {files}: expected PEM files, got: {error}") from None
    return context


def connection(kafka: Kafka) -> dict[str, Any]:
    """What every aiokafka client is given.

    >>> connection(Kafka())["bootstrap_servers"]
    'localhost:9092'
    """
    settings: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": kafka.client_id,
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
        "request_timeout_ms": kafka.request_timeout_ms,
    }
    if kafka.security_protocol.startswith("SASL") and kafka.sasl_password is not None:
        settings["sasl_mechanism"] = kafka.sasl_mechanism
        settings["sasl_plain_username"] = kafka.sasl_username
        settings["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    return settings


async def while_awake(work: Coroutine[Any, Any, T], seconds: float, slices: int = 15) -> T:
    """What it returns; raises TimeoutError after so many seconds in which this process ran.

    Who was stopped for longer (SIGSTOP, a frozen machine) wakes up with every timer run out. A timer here is a slice of
    the time, and only one can run out in one sleep: in the next the broker tells that another took over meanwhile.
    """
    task = asyncio.create_task(work)
    try:
        for _ in range(slices):
            done, _ = await asyncio.wait([task], timeout=seconds / slices)
            if done:
                return task.result()
        raise TimeoutError
    finally:
        task.cancel()


@contextlib.asynccontextmanager
async def started(client: Any, kafka: Kafka) -> AsyncIterator[Any]:
    """A client that is connected, and stopped at the end. Raises UnreachableError that says what to look at."""
    stop = getattr(client, "stop", None) or client.close
    try:
        await client.start()
    except (KafkaConnectionError, KafkaError) as error:
        with contextlib.suppress(Exception):
            await stop()
        raise UnreachableError(await _why_unreachable(kafka, error)) from None
    try:
        yield client
    finally:
        await _to_its_end(stop())


async def _to_its_end(stopping: Coroutine[Any, Any, Any]) -> None:
    """Wait for it, also where we are cancelled meanwhile: aiokafka swallows a cancellation that reaches it as it stops.

    So it runs in a task of its own. A task of ours that lost its cancellation would go on for ever, and who waits for
    its end at a rebalance would never let go of the partitions. A cancellation of its own that comes out of it, as it
    does where the broker is gone, is not ours.
    """
    task = asyncio.create_task(stopping)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        ours = not task.done()
        await asyncio.wait([task])
        if ours:
            raise


async def _why_unreachable(kafka: Kafka, error: Exception) -> str:
    """aiokafka says "Unable to bootstrap" whatever is wrong: a plain connection tells the closed door from the key."""
    where = f"Kafka at {kafka.bootstrap_servers}"
    for server in kafka.bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            _, writer = await asyncio.wait_for(asyncio.open_connection(host.strip("[]"), int(port)), 5.0)
            writer.close()
            break
    else:
        return f"{where} does not answer: is it running, and is [kafka] bootstrap_servers right (host:port)?"
    if kafka.security_protocol.startswith("SASL"):
        return (
            f"{where} answers, but lets {kafka.sasl_username!r} not in by {kafka.security_protocol} with "
            f"{kafka.sasl_mechanism}: wrong username or password, mechanism, or certificate ({error})"
        )
    return (
        f"{where} answers, but not as a Kafka that speaks {kafka.security_protocol}: "
        f"check [kafka] security_protocol and the certificates ({error})"
    )


def producer(kafka: Kafka, **more: Any) -> contextlib.AbstractAsyncContextManager[AIOKafkaProducer]:
    """An idempotent producer that waits for all replicas; `transactional_id` may be among `more`."""
    settings = {"acks": "all", "enable_idempotence": True, "max_request_size": 16 * FETCH_BYTES} | more
    return started(AIOKafkaProducer(**connection(kafka), **settings), kafka)


def consumer(kafka: Kafka, *topics: str, **more: Any) -> contextlib.AbstractAsyncContextManager[AIOKafkaConsumer]:
    """A consumer from the earliest record, that commits only when told to."""
    settings = {
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "max_partition_fetch_bytes": FETCH_BYTES,
    } | more
    return started(AIOKafkaConsumer(*topics, **connection(kafka), **settings), kafka)


def admin(kafka: Kafka) -> contextlib.AbstractAsyncContextManager[AIOKafkaAdminClient]:
    """For topics, groups and their offsets."""
    return started(AIOKafkaAdminClient(**connection(kafka)), kafka)


async def partitions_of(client: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, int]:
    """How many partitions each topic has; a topic that does not exist is left out."""
    described = await client.describe_topics(sorted(topics))
    return {one["topic"]: len(one["partitions"]) for one in described if not one["error_code"]}


async def partitions_or_refuse(kafka: Kafka, *topics: str) -> dict[str, int]:
    """As `partitions_of`, but raises MissingTopicError: clients would wait for an unknown topic for ever."""
    async with admin(kafka) as client:
        found = await partitions_of(client, topics)
    missing = sorted(set(topics) - set(found))
    if missing:
        raise MissingTopicError(
            f"no topic {', '.join(missing)} on {kafka.bootstrap_servers}: create it with `swerve topics create`"
        )
    return found


async def of_coordinator(kafka: Kafka, ask: Callable[[], Awaitable[T]]) -> T:
    """The answer of a group's coordinator, which a broker may not know for some seconds. Raises UnreachableError."""
    for _ in range(100):
        try:
            return await ask()
        except KafkaError as error:
            if not error.retriable:
                raise
            last = error
        await asyncio.sleep(0.2)
    raise UnreachableError(f"Kafka at {kafka.bootstrap_servers} knows no coordinator of the group: {last!r}")


async def members(kafka: Kafka, group: str) -> list[str]:
    """Who is in a consumer group now, as "client at host"; a static member that stopped is, until its session ends."""
    async with admin(kafka) as client:
        (answer,) = await of_coordinator(kafka, lambda: client.describe_consumer_groups([group]))
    return [f"{one[1]} at {one[2].lstrip('/')}" for described in answer.groups for one in described[5]]


async def committed(kafka: Kafka, group: str, topic: str) -> dict[int, int]:
    """The next offset of each partition by the group's word; a partition of which it said nothing is left out."""
    async with admin(kafka) as client:
        found = await of_coordinator(kafka, lambda: client.list_consumer_group_offsets(group))
    return {one.partition: said.offset for one, said in found.items() if one.topic == topic and said.offset >= 0}


async def ends(kafka: Kafka, topic: str) -> dict[int, int]:
    """The offset that the next message of each partition will have."""
    counts = await partitions_or_refuse(kafka, topic)
    async with consumer(kafka) as reader:
        found = await reader.end_offsets(topic_partitions(topic, counts[topic]))
    return {partition.partition: offset for partition, offset in found.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is, or is to be created."""

    partitions: int
    replicas: int
    settings: Mapping[str, str] = field(default_factory=dict)


async def topics_found(kafka: Kafka, names: Iterable[str]) -> dict[str, Found]:
    """Those of the topics that exist, with their settings."""
    async with admin(kafka) as client:
        described = {one["topic"]: one for one in await client.describe_topics(list(names)) if not one["error_code"]}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(described)]
        responses = await client.describe_configs(resources) if resources else []
    settings = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for response in responses
        for resource in response.resources
    }
    return {
        name: Found(len(one["partitions"]), len(one["partitions"][0]["replicas"]), settings.get(name, {}))
        for name, one in described.items()
    }


async def create_topics(kafka: Kafka, topics: Mapping[str, Found]) -> None:
    """Create them; one that exists is left as it is. Raises SwerveError with what the broker says."""
    if not topics:
        return
    asked = [
        NewTopic(name, topic.partitions, topic.replicas, topic_configs=dict(topic.settings))
        for name, topic in topics.items()
    ]
    async with admin(kafka) as client:
        response = await client.create_topics(asked)
        await _until_visible(client, list(topics))
    refused = [entry for entry in response.topic_errors if entry[1] not in (CREATED, EXISTS_ALREADY)]
    if refused:
        told = "; ".join(f"{entry[0]}: error {entry[1]} {entry[2] or ''}".strip() for entry in refused)
        raise SwerveError(f"Kafka at {kafka.bootstrap_servers} refused to create topics: {told}")


async def _until_visible(client: AIOKafkaAdminClient, names: list[str]) -> None:
    """A broker has created a topic a moment before it tells of it."""
    for _ in range(100):
        if set(names) <= set(await partitions_of(client, names)):
            return
        await asyncio.sleep(0.1)


async def read_to_end(
    kafka: Kafka, topic: str, *, isolation_level: str = READ_COMMITTED, offsets: Mapping[int, int] | None = None
) -> AsyncIterator[ConsumerRecord]:
    """Every record that a topic holds now, partition by partition in order; ends at the ends seen at the start.

    offsets: where to begin, by partition; else at the earliest.
    """
    counts = await partitions_or_refuse(kafka, topic)
    async with consumer(kafka, isolation_level=isolation_level) as reader:
        partitions = [TopicPartition(topic, number) for number in range(counts[topic])]
        reader.assign(partitions)
        ends = await reader.end_offsets(partitions)
        await _seek(reader, partitions, offsets or {})
        async for record in _to_ends(reader, ends):
            yield record


async def last_values(kafka: Kafka, topic: str) -> dict[bytes, bytes]:
    """The last value of every key that a compacted topic holds now, tombstones obeyed."""
    latest: dict[bytes, bytes] = {}
    async for record in read_to_end(kafka, topic):
        if record.value is None:
            latest.pop(record.key, None)
        elif record.key is not None:
            latest[record.key] = record.value
    return latest


async def _seek(reader: AIOKafkaConsumer, partitions: list[TopicPartition], offsets: Mapping[int, int]) -> None:
    await reader.seek_to_beginning(*partitions)
    for partition in partitions:
        if offsets.get(partition.partition):
            reader.seek(partition, offsets[partition.partition])


async def _to_ends(reader: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[ConsumerRecord]:
    left = {partition for partition, end in ends.items() if end > 0 and await reader.position(partition) < end}
    while left:
        for partition, records in (await reader.getmany(timeout_ms=200)).items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
        # By position, not by the last record: markers of transactions and compacted records leave none.
        left = {partition for partition in left if await reader.position(partition) < ends[partition]}


async def tail(kafka: Kafka, topic: str, offsets: Mapping[int, int]) -> AsyncIterator[ConsumerRecord]:
    """Committed records of a topic from these offsets on (by partition; else the earliest), and whatever comes."""
    counts = await partitions_or_refuse(kafka, topic)
    partitions = [TopicPartition(topic, number) for number in range(counts[topic])]
    async with consumer(kafka, isolation_level=READ_COMMITTED) as reader:
        reader.assign(partitions)
        await _seek(reader, partitions, offsets)
        async for record in reader:
            yield record


def topic_partitions(topic: str, count: int) -> list[TopicPartition]:
    """The partitions of a topic as the library names them."""
    return [TopicPartition(topic, number) for number in range(count)]


async def first_from(kafka: Kafka, topic: str, partition: int, offset: int) -> int:
    """The offset of the first message at or after this one; where there is none, the one that the next will have."""
    async with consumer(kafka) as reader:
        one = TopicPartition(topic, partition)
        reader.assign([one])
        end = (await reader.end_offsets([one]))[one]
        reader.seek(one, offset)
        async for record in _to_ends(reader, {one: end}):
            return int(record.offset)
    return max(offset, int(end))


async def earliest(kafka: Kafka, topic: str) -> int:
    """The first offset that partition 0 of a topic still has."""
    async with consumer(kafka) as reader:
        partition = TopicPartition(topic, 0)
        reader.assign([partition])
        return int((await reader.beginning_offsets([partition]))[partition])


class Catalogue:
    """The last record of every key of a compacted topic: releases, expected shifts, verdicts.

    `load` reads on to its end, `follow` goes on from there for as long as it is awaited; `load` beside it makes sure
    that nothing which is written already is missed. A tombstone removes its key.
    changed: how many records were taken in; who compares it knows whether anything is new.
    """

    READ_BACK_S = 10.0

    def __init__(self, kafka: Kafka, topic: str) -> None:
        self.topic = topic
        self.changed = 0
        self._kafka = kafka
        self._latest: dict[bytes, bytes] = {}
        self._positions: dict[int, int] = {}

    def get(self, key: bytes) -> bytes | None:
        """The record in force under a key."""
        return self._latest.get(key)

    async def put(self, key: str, value: bytes | None) -> None:
        """Write a record (None: a tombstone) and wait until it is read back: whoever asks now is told of it.

        For a catalogue that is followed. Raises SwerveError where the broker does not take it within READ_BACK_S.
        """
        try:
            async with asyncio.timeout(self.READ_BACK_S):
                async with producer(self._kafka) as writer:
                    sent = await writer.send_and_wait(self.topic, value, key=key.encode())
                while self._positions.get(sent.partition, 0) <= sent.offset:
                    await asyncio.sleep(0.02)
        except (KafkaError, TimeoutError) as error:
            raise SwerveError(f"{self.topic}: the broker did not take the record ({error!r}); say it again") from error

    def values(self) -> list[bytes]:
        """The records in force, ordered by key, so that every worker sees them alike."""
        latest = self._latest.copy()  # at once: `follow` may write in another thread
        return [latest[key] for key in sorted(latest)]

    async def load(self) -> None:
        """Read what is there now and was not read yet. Raises MissingTopicError, UnreachableError."""
        async for record in read_to_end(self._kafka, self.topic, offsets=self._positions):
            self._take(record)

    async def follow(self) -> None:
        """Take in what comes, until cancelled."""
        async for record in tail(self._kafka, self.topic, self._positions):
            self._take(record)

    def _take(self, record: ConsumerRecord) -> None:
        if record.offset < self._positions.get(record.partition, 0):
            return  # `load` was quicker than `follow`, or the other way round
        self._positions[record.partition] = record.offset + 1
        self.changed += 1
        key = record.key if record.key is not None else b""
        if record.value is None:
            self._latest.pop(key, None)
        else:
            self._latest[key] = record.value


class Outlet:
    """One topic to write to: `send` queues, `settle` waits until the broker has everything that was sent."""

    WAITING_MAX = 1_000  # unacknowledged messages before `send` itself waits

    def __init__(self, producer: AIOKafkaProducer, topic: str, group: str = "") -> None:
        """group: of the deployment that writes, told with each message."""
        self._producer = producer
        self._topic = topic
        self._headers = signed(group)
        self._waiting: list[asyncio.Future[Any]] = []

    async def send(self, value: bytes | None, key: bytes | None = None, partition: int | None = None) -> None:
        """Queue one message (None: a tombstone), in order; without a partition its key decides, or chance.

        Raises SwerveError where the broker did not take one before it, or this one is too large.
        """
        if any(sent.done() and sent.exception() is not None for sent in self._waiting):
            await self.settle()
        try:
            sent = self._producer.send(self._topic, value, key=key, partition=partition, headers=self._headers)
            self._waiting.append(await sent)
        except KafkaError as error:
            raise SwerveError(
                f"no message of {len(value or b''):,} bytes could be sent to {self._topic}: {error!r}"
            ) from error
        if len(self._waiting) >= self.WAITING_MAX:
            await self.settle()

    async def settle(self) -> None:
        """Raises SwerveError where the broker did not take a message."""
        waiting, self._waiting = self._waiting, []
        try:
            await asyncio.gather(*waiting)
        except KafkaError as error:
            raise SwerveError(f"the broker did not take a message for {self._topic}: {error!r}") from error
