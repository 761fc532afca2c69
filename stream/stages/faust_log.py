"""Faust, and everything that must be done around it. The one place that knows its faults; each line has a test.

What of it is no public part of Faust stands in private_parts.py.

1. After a rebalance Faust hands out later messages before earlier ones, or leaves some out. The shell refuses what does
   not continue; `seek_back` here makes going back sure: messages that were fetched before do not move the read offset.
2. Faust commits what was acknowledged to it, message by message. We acknowledge nothing: the shell commits the offset
   that its snapshot contains. What Faust still waits for at a rebalance or a stop is taken from its list.
3. Table writes from outside of a message are refused, and failed ones only logged: `store` writes to the changelog
   itself and waits for each acknowledgement.
4. The table keeps keys of partitions that are gone: entries are written with their partition, so that Faust drops them.
5. Timers do not fire while Faust stops: the last snapshot is taken in `_consumer_wait_empty`, which Faust calls before
   it lets go of partitions, at a rebalance as at a stop.
6. No web server, no leader topic, no topic created behind our back.
7. A recovery can wait for ever for records that Faust threw away: see 8, and stalled.py.
8. Around a rebalance Faust throws away what it had fetched, and goes back to the committed offsets; aiokafka goes
   nowhere where nothing is committed yet. `seek_to_committed` goes to the earliest, and in a changelog to what
   recovery has read. Where messages are left out all the same and nothing comes after, no gap shows it: the shell asks
   the broker for the end, and goes back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import faust
from faust.transport.drivers.aiokafka import KafkaError  # type: ignore[attr-defined]
from faust.types import TP

from stream.configuration.sections import Kafka
from stream.errors import SwerveError
from stream.kafka import broker
from stream.kafka.topic_id import UNKNOWN, ids_of
from stream.stages import private_parts
from stream.stages.heads import is_of
from stream.stages.stalled import Stalled

TABLE = "state"
STORE_S = 60.0  # for the acknowledgement of a snapshot's entries
Take = Callable[[int, int, bytes], Awaitable[None]]
Heard = Callable[[Any, int], None]


class _Sensor(faust.Sensor):
    """Turns a send that failed, which Faust logs and forgets, into the end of the process."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        super().__init__()
        self._failed = failed

    def on_send_error(self, producer: Any, exc: BaseException, state: Any) -> None:
        self._failed(exc)


class FaustLog:
    """One input topic, read by one consumer group, with the table of its state: the `Log` of a shell.

    take: called for every message, one at a time, while its partition is ours. heard: before that, with its headers and
    its time in ms. leaving: awaited before partitions go. left: awaited when they are gone. stops: awaited before the
    clients stop, whom nobody may ask then. ready: called when the worker has its partitions and their state.
    tell_failure: called with the first error that ends the worker.
    """

    def __init__(
        self,
        kafka: Kafka,
        *,
        group: str,
        topic: str,
        partitions: int,
        session_timeout_ms: int,
        instance_id: str | None,
    ) -> None:
        self.take: Take = _nobody
        self.heard: Heard = lambda headers, at_ms: None
        self.flush: Callable[[], Awaitable[None]] = _nothing
        self.left: Callable[[], Awaitable[None]] = _nothing
        self.stops: Callable[[], Awaitable[None]] = _nothing
        self.ready: Callable[[list[int]], None] = lambda partitions: None
        self.tell_failure: Callable[[BaseException], None] = lambda reason: None
        self.failure: BaseException | None = None
        self.topic = topic
        self._kafka = kafka
        self._is_open = False
        self._opened = asyncio.Event()
        self._app = _app(kafka, group, session_timeout_ms, instance_id)
        self._app.listener = self
        self._app.sensors.add(_Sensor(self.failed))
        self._table = self._app.Table(TABLE, key_type=bytes, value_type=bytes, partitions=partitions)
        requests = self._app.topic(topic, key_type=bytes, value_type=bytes, value_serializer="raw")
        self._app.agent(requests, name=group, concurrency=1)(self._read)
        revoked: Any = self._app.on_partitions_revoked
        revoked.connect(self._on_revoked)

    async def run(self, until: Callable[[float], Awaitable[bool]]) -> None:
        """Work until `until` (asked every 0.2 s) says so, or something fails, which is raised."""
        self._app.loop = asyncio.get_running_loop()
        self._app.finalize()
        stalled = Stalled(self._app)
        try:
            await self._app.start()
            while not await until(0.2):
                self._raise_failure()
                await stalled.watch()
        finally:
            await self.stops()
            await self._app.stop()
        self._raise_failure()

    def _raise_failure(self) -> None:
        reason = self.failure or self._app.crash_reason
        if reason is not None:
            raise reason if isinstance(reason, SwerveError) else SwerveError(f"stopped: {reason!r}") from reason

    def failed(self, reason: BaseException) -> None:
        """The worker cannot go on. Told at once: Faust may take long to stop, and holds the error until then."""
        if self.failure is None:
            self.failure = reason
            self.tell_failure(reason)

    async def _read(self, stream: Any) -> None:
        async for event in stream.noack().events():
            message = event.message
            private_parts.never_wait_for(self._consumer, message)
            await self._until_open()
            if message.generation_id != self._app.consumer_generation_id:
                continue  # of a time when the partition was another's, or was ours and then another's
            self.heard(message.headers, int(1000 * (message.timestamp or 0)))
            try:
                await self.take(message.partition, message.offset, message.value)
            except Exception as error:
                # An exception that leaves an agent skips the message: the worker must end instead.
                self.failed(error)
                await asyncio.Event().wait()

    async def _until_open(self) -> None:
        while not self._is_open:
            self._opened.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._opened.wait(), 1.0)

    async def leaving(self) -> None:
        """Faust is about to let go of partitions."""
        if self.failure is None:
            try:
                await self.flush()
            except Exception as error:
                self.failed(error)

    async def _on_revoked(self, app: Any, revoked: Any, **kwargs: Any) -> None:
        await self.left()

    def closed(self) -> None:
        """Called from Faust's consumer thread: partitions are about to go."""
        self._is_open = False

    def opened(self) -> None:
        """Partitions are ours, and the table holds their state."""
        self._is_open = True
        self._opened.set()
        assigned = self._app.consumer.assignment()
        self.ready(sorted(partition.partition for partition in assigned if partition.topic == self.topic))

    def is_open(self) -> bool:
        """Whether the partitions that came last are still ours."""
        return self._is_open

    def entries(self, partition: int) -> dict[bytes, bytes]:
        """The table's entries of this partition."""
        return {key: value for key, value in self._store.data.items() if is_of(partition, key)}

    async def store(self, partition: int, entries: Mapping[bytes, bytes | None]) -> None:
        """Write to the changelog and to the table; returns when the broker has everything, in order.

        Raises SwerveError where it does not take it in time.
        """
        waiting = []
        for key, value in entries.items():
            private_parts.put(self._store, partition, key, value)
            waiting.append(self._table.send_changelog(partition, key, value))
        try:
            await asyncio.wait_for(asyncio.gather(*waiting), STORE_S)
        except TimeoutError:
            raise SwerveError(f"the broker did not take a snapshot of partition {partition} in {STORE_S} s") from None

    @property
    def _store(self) -> Any:
        return self._table.data

    @property
    def _consumer(self) -> Any:
        return self._app.consumer

    async def commit(self, partition: int, offset: int) -> None:
        """The group goes on from this offset. Refused, and logged by Faust, where the partition is another's."""
        await private_parts.commit(self._consumer, {TP(self.topic, partition): offset})

    def committed(self, partition: int) -> int | None:
        """The offset that the group had when the partition came to us."""
        return private_parts.committed(self._consumer, TP(self.topic, partition))

    def end(self, partition: int) -> int | None:
        """The offset that the partition's next message will have, as far as is known here."""
        offset: int | None = self._consumer.highwater(TP(self.topic, partition))
        return offset

    async def ask_end(self, partition: int) -> int | None:
        """The offset that the next message will have, by the broker's word; None while partitions move.

        None as well where the topic holds no message any more: then there is nothing to wait for.
        """
        if not self._is_open:
            return None
        tp = TP(self.topic, partition)
        try:
            first: int = (await self._consumer.earliest_offsets(tp)).get(tp) or 0
            end: int | None = (await self._consumer.highwaters(tp)).get(tp)
        except KafkaError:
            return None  # it is asked again
        return end if end is not None and end > first else None

    async def topic_id(self) -> str:
        """The id of the input topic; "" where the broker has none, or there is no topic of that name."""
        return (await ids_of(self._kafka, self.topic)).get(self.topic, UNKNOWN)

    async def begins_at(self, partition: int) -> int | None:
        """The offset of the first message that the broker has not deleted; None where it gives none now."""
        tp = TP(self.topic, partition)
        try:
            first: int | None = (await self._consumer.earliest_offsets(tp)).get(tp)
        except KafkaError:
            return None  # it is asked again
        return first

    async def seek_back(self, partition: int, offset: int, surely: bool = False) -> int:
        """Messages of this partition come again from this offset on, or from the first that is there, which is given.

        surely: asks the broker which one that is; markers of somebody's transactions have offsets, and are no messages.
        """
        if surely:
            offset = await broker.first_from(self._kafka, self.topic, partition, offset)
        with contextlib.suppress(KafkaError):  # it is going: its next owner begins where its state stands
            offset = await self._consumer.seek_back(TP(self.topic, partition), offset)
        return offset


def _app(kafka: Kafka, group: str, session_timeout_ms: int, instance_id: str | None) -> private_parts.App:
    session_s = session_timeout_ms / 1000
    return private_parts.App(
        group,
        broker=[f"kafka://{server.strip()}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=_credentials(kafka),
        store="memory://",
        processing_guarantee="at_least_once",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        worker_redirect_stdouts=False,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=instance_id,
        consumer_max_fetch_size=broker.FETCH_BYTES,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=max(session_s / 10, 0.1),
        broker_rebalance_timeout=max(session_s, 60.0),
        broker_request_timeout=max(session_s + 10, 90.0),
        broker_commit_interval=1.0,
        stream_buffer_maxsize=128,
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        producer_acks=-1,
        producer_threaded=False,
        producer_max_batch_size=256 * 1024,
        recovery_consistency_check=True,
    )


def _credentials(kafka: Kafka) -> Any:
    context = broker.ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL") and kafka.sasl_password is not None:
        return faust.SASLCredentials(
            mechanism=kafka.sasl_mechanism,
            username=kafka.sasl_username,
            password=kafka.sasl_password.get_secret_value(),
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None


async def _nobody(partition: int, offset: int, value: bytes) -> None:
    raise AssertionError("the log runs before a shell is attached")


async def _nothing() -> None:
    return None
