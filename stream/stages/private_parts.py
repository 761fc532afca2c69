"""Which private parts of Faust, and so of aiokafka, are used, and why? All of them stand here, and nowhere else.

Checked against the versions in CHECKED, to which pyproject.toml pins both. `tests/detect/test_private_parts.py` holds
each part to what it was when it was read: on an upgrade it fails first, and names what to read again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

CHECKED = {"faust-streaming": "0.15.3", "aiokafka": "0.14.0"}
# Where each part is, and what for. There is no public way to any of them.
PARTS = {
    "faust.transport.drivers.aiokafka:Consumer._seek": "the public one forgets what was half read; not thread-safe",
    "faust.transport.consumer:Consumer.seek_to_committed": "goes nowhere where nothing is committed",
    "faust.transport.consumer:Consumer.perform_seek": "a new assignment ends what was sought before",
    "faust.transport.consumer:Consumer._drain_messages": "drops what lies below `_read_offset`: a seek must clear it",
    "faust.transport.consumer:Consumer.getmany": "hands out what was fetched before a seek as well",
    "faust.transport.consumer:Consumer._is_changelog_tp": "a changelog has no committed offset to go back to",
    "faust.transport.consumer:Consumer._commit_offsets": "commits an offset that was never acknowledged",
    "faust.transport.consumer:Consumer.wait_empty": "waits for `_unacked_messages`, where nothing is acknowledged",
    "faust.transport.drivers.aiokafka:Consumer._new_consumer_thread": "where the consumer's thread is made",
    "faust.transport.drivers.aiokafka:AIOKafkaConsumerThread.on_thread_stop": "where the thread dies without a broker",
    "aiokafka.consumer.fetcher:Fetcher.close": "raises the cancellation of a fetch that waits for its next try",
    "faust.app.base:App._new_transport": "where the transport is made, and so the consumer",
    "faust.app.base:App._consumer_wait_empty": "the last moment before partitions go, at a stop as at a rebalance",
    "faust.app.base:App._create_directories": "makes folders where the process was started, which memory does not need",
    "faust.stores.memory:Store.on_recovery_completed": "drops entries of partitions that are gone, by `_key_partition`",
    "faust.tables.recovery:Recovery._seek_offsets": "sends a recovery that stands still back to what it has read",
}


class Listener(Protocol):
    """Who is told when partitions go and come."""

    async def leaving(self) -> None:
        """Partitions are about to go; they go when this returns."""

    def closed(self) -> None:
        """They go. Called from Faust's consumer thread."""

    def opened(self) -> None:
        """Partitions are ours, with their state."""


class _Thread(driver.AIOKafkaConsumerThread):
    """Ends as it should without a broker: else whoever asks it anything afterwards waits for ever."""

    async def moved(self, partition: TP, offset: int) -> None:
        """Seek, awaited by the thread's own queue of calls."""
        self.seek(partition, offset)

    async def on_thread_stop(self) -> None:
        """The consumer is stopped; what its fetches then raise was meant for them."""
        with contextlib.suppress(asyncio.CancelledError):
            await super().on_thread_stop()


class Consumer(driver.Consumer):
    """Knows where it was sent back to, and does not take what was fetched before for progress."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._sought: dict[TP, int] = {}

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def _seek(self, partition: TP, offset: int) -> None:
        """In the consumer's own thread: taken away from another, fetched records are missed by the fetch that ends."""
        thread: Any = self._thread
        await thread.call_thread(thread.moved, partition, offset)

    async def seek_back(self, partition: TP, offset: int) -> int:
        """Read again from this offset, or from the earliest that is still there; gives which."""
        earliest = (await self.earliest_offsets(partition)).get(partition) or 0
        first: int = max(offset, earliest)
        self._sought[partition] = first
        await self._seek(partition, first)
        return first

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:
        """Messages as they are fetched, without those that were fetched before a seek took effect."""
        async for partition, message in super().getmany(timeout):
            sought = self._sought.get(partition)
            if sought is not None:
                if message.offset > sought:
                    continue
                del self._sought[partition]
                # Whatever was handed out meanwhile has moved it; below it Faust would drop what we went back for.
                self._read_offset[partition] = None
            yield partition, message

    async def perform_seek(self) -> None:
        """To where a new assignment begins."""
        self._sought.clear()
        await super().perform_seek()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """As Faust does it; and where nothing is committed yet, to the earliest, which aiokafka leaves as it is.

        Of a changelog nothing is ever committed: it goes back to what recovery has read of it.
        """
        committed = await super().seek_to_committed()
        uncommitted = [tp for tp, offset in committed.items() if not offset]
        fresh = [tp for tp in uncommitted if not self._is_changelog_tp(tp)]
        firsts = await self.earliest_offsets(*fresh) if fresh else {}
        for tp in fresh:
            await self._seek(tp, firsts.get(tp) or 0)
        tables: Any = self.app.tables
        recovered = tables.recovery.active_offsets
        for tp in uncommitted:
            if recovered.get(tp) is not None:  # of a changelog, and recovery has begun
                await self._seek(tp, max(recovered[tp], 0))
        return committed


class _Transport(driver.Transport):
    Consumer = Consumer


class App(faust.App):
    """Reads through our consumer, and tells a listener when partitions go and come."""

    listener: Listener

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    async def _consumer_wait_empty(self, consumer: Any, logger: Any) -> None:
        await self.listener.leaving()
        await super()._consumer_wait_empty(consumer, logger)

    def _create_directories(self) -> None:
        """None: the table is in memory, and the file system may be read-only."""

    def on_rebalance_start(self) -> None:
        """Faust lets go of partitions."""
        self.listener.closed()
        super().on_rebalance_start()

    def on_rebalance_end(self) -> None:
        """Faust has partitions, and their tables."""
        super().on_rebalance_end()
        self.listener.opened()


def never_wait_for(consumer: Any, message: Any) -> None:
    """Faust waits for no acknowledgement of this message at a rebalance or a stop: there will be none."""
    consumer._unacked_messages.discard(message)


async def commit(consumer: Any, offsets: Mapping[TP, int]) -> None:
    """The group goes on from these. Refused, and logged by Faust, where a partition is another's."""
    await consumer._commit_offsets(offsets)


def committed(consumer: Any, partition: TP) -> int | None:
    """The offset that the group had when the partition came to us."""
    offset: int | None = consumer._committed_offset.get(partition)
    return offset


def put(store: Any, partition: int, key: bytes, value: bytes | None) -> None:
    """Write an entry of this partition, or take it away, so that it goes when the partition does."""
    if value is None:
        store.data.pop(key, None)
        store._key_partition.pop(key, None)
    else:
        store.data[key] = value
        store._key_partition[key] = partition


async def send_back(recovery: Any, consumer: Any) -> None:
    """Recovery reads on from what it has read. Raises IllegalStateError where its partitions are going."""
    await recovery._seek_offsets(consumer, recovery.active_tps, recovery.active_offsets, "active")


def leave_at_once(code: int) -> None:
    """End the process with this exit code, whatever its threads wait for: Faust's is joined at any other end."""
    os._exit(code)
