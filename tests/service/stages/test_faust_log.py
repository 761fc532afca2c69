"""Does each thing that is done around Faust hold on a real broker? Every one of these fails without it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time

import pytest
from aiokafka.consumer.fetcher import Fetcher
from faust.types import TP

from stream.errors import SwerveError
from stream.kafka import broker
from stream.kafka.broker import Found
from stream.kafka.topics import state_topic
from stream.stages import faust_log, private_parts
from stream.stages.faust_log import FaustLog
from stream.stages.heads import head_key
from tests.service.rig import at_rest, everything, is_settled, kafka_for, produce, until

pytestmark = pytest.mark.service("kafka")


async def a_topic(kafka, partitions: int, messages: int) -> None:
    """The frames topic and its state, with so many messages in each partition."""
    names = {kafka.topics.frames: Found(partitions, 1), state_topic(kafka.groups.detect): Found(partitions, 1)}
    await broker.create_topics(kafka, names)
    sent = [(partition, str(n).encode()) for n in range(messages) for partition in range(partitions)]
    await produce(kafka, kafka.topics.frames, sent)


class Reader:
    """Reads the frames topic through Faust, notes what it is handed, and stores nothing by itself."""

    def __init__(self, kafka, partitions: int) -> None:
        self.log = FaustLog(
            kafka, group=kafka.groups.detect, topic=kafka.topics.frames, partitions=partitions,
            session_timeout_ms=6_000, instance_id=None,
        )  # fmt: skip
        self.log.take = self.take
        self.log.ready = self.ready
        self.handed: list[tuple[int, int]] = []
        self.owned: list[int] = []

    async def take(self, partition: int, offset: int, value: bytes) -> None:
        self.handed.append((partition, offset))

    def ready(self, partitions: list[int]) -> None:
        self.owned = partitions

    @contextlib.asynccontextmanager
    async def reading(self):
        stop = asyncio.Event()

        async def stopping(seconds: float) -> bool:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
            return stop.is_set()

        task = asyncio.create_task(self.log.run(stopping))
        try:
            yield self
        finally:
            stop.set()
            await task


async def test_going_back_moves_the_fetcher_in_the_thread_that_fetches(bootstrap, unique, monkeypatch):
    """From another, a fetch that is about to forget what it has handed out finds it gone, and the stage dies of it."""
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 100)
    reader = Reader(kafka, 1)
    threads: dict[str, set[str]] = {"seek_to": set(), "fetched_records": set()}

    def noting(name):
        whole = getattr(Fetcher, name)

        def noted(*arguments, **options):
            threads[name].add(threading.current_thread().name)
            return whole(*arguments, **options)

        return noted

    for name in threads:
        monkeypatch.setattr(Fetcher, name, noting(name))

    async def take(partition, offset, value):
        reader.handed.append((partition, offset))
        if len(reader.handed) == 50:
            await reader.log.seek_back(0, 10)

    async def again():
        return reader.handed.count((0, 10)) == 2

    reader.log.take = take
    async with reader.reading():
        await until(again)

    assert threads["seek_to"] == threads["fetched_records"] != {threading.current_thread().name}


async def test_going_back_brings_every_message_again_though_later_ones_were_fetched(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 3_000)
    reader = Reader(kafka, 1)
    after: list[int] = []

    async def take(partition, offset, value):
        if after:
            after.append(offset)
        elif offset == 2_000:
            after.append(offset)
            await reader.log.seek_back(0, 1_000)

    async def all_again():
        return 1_000 in after and after[-1] == 2_999

    reader.log.take = take
    async with reader.reading():
        await until(all_again)

    again = after[after.index(1_000) :]
    assert again == list(range(1_000, 3_000))
    # What had been handed on already still comes; nothing that was only fetched does.
    assert len(after) - len(again) <= 200


async def test_going_back_to_what_is_committed_is_to_the_earliest_where_nothing_is(bootstrap, unique):
    """Faust does it with all that it had fetched thrown away, whenever partitions move while it reads."""
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 500)
    reader = Reader(kafka, 1)
    async with reader.reading():
        await until(lambda: asyncio.sleep(0, len(reader.handed) == 500))
        reader.handed.clear()
        await reader.log._consumer.perform_seek()
        await until(lambda: asyncio.sleep(0, len(reader.handed) == 500))

    assert [offset for _, offset in reader.handed] == list(range(500))


async def test_in_a_changelog_where_nothing_is_ever_committed_it_is_to_what_recovery_has_read(bootstrap, unique):
    """Else a recovery whose records were thrown away waits for them until the next rebalance."""
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 1)
    changelog = TP(state_topic(kafka.groups.detect), 0)
    first, second = Reader(kafka, 1), Reader(kafka, 1)
    async with first.reading():
        await until(lambda: asyncio.sleep(0, first.owned))
        await first.log.store(0, {b"0/piece/%d" % n: b"1" for n in range(3)})
    async with second.reading():
        await until(lambda: asyncio.sleep(0, second.owned))
        before = await second.log._consumer.position(changelog)
        await second.log._consumer.perform_seek()
        after = await second.log._consumer.position(changelog)

    assert before in (2, 3)  # at the end, or already where the watch over recovery has sent it
    assert after == 2  # the one that recovery has read last is skipped when it comes again


async def test_a_stop_ends_at_once_though_nothing_is_acknowledged_and_stores_first(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 500)
    reader = Reader(kafka, 1)
    done: list[str] = []

    async def flush():
        await reader.log.store(0, {head_key(0, "w"): b"state"})
        await reader.log.commit(0, 500)
        done.append("stored")

    async def read():
        return len(reader.handed) == 500

    reader.log.flush = flush
    begun_s = time.monotonic()
    async with reader.reading():
        await until(read)
        read_s = time.monotonic()
    stopped_s = time.monotonic() - read_s
    stored = await everything(kafka, state_topic(kafka.groups.detect))
    successor = Reader(kafka, 1)
    async with successor.reading():
        await until(lambda: asyncio.sleep(0, successor.owned))
        committed = successor.log.committed(0)
        entries = successor.log.entries(0)
        await produce(kafka, kafka.topics.frames, [(0, b"next")])
        await until(lambda: asyncio.sleep(0, successor.handed))

    assert done == ["stored"]
    assert stopped_s < max(10.0, 5 * (read_s - begun_s))  # else it waits for ever
    assert [record.value for record in stored] == [b"state"]
    assert (committed, entries, successor.handed) == (500, {head_key(0, "w"): b"state"}, [(0, 500)])


async def test_a_slow_stage_holds_a_bounded_number_of_messages(bootstrap, unique, monkeypatch):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 3_000)
    reader = Reader(kafka, 1)
    go_on, fetched = asyncio.Event(), []
    plain = private_parts.Consumer.getmany

    async def getmany(self, timeout):
        async for partition, message in plain(self, timeout):
            fetched.append(message.offset)
            yield partition, message

    async def take(partition, offset, value):
        await go_on.wait()
        reader.handed.append((partition, offset))

    monkeypatch.setattr(private_parts.Consumer, "getmany", getmany)
    reader.log.take = take
    async with reader.reading():
        held = await at_rest(lambda: len(fetched))
        go_on.set()
        await until(lambda: asyncio.sleep(0, len(reader.handed) == 3_000))

    assert held <= 300
    assert [offset for _, offset in reader.handed] == list(range(3_000))


async def test_a_removed_entry_is_gone_for_the_next_owner(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 1)
    first, second = Reader(kafka, 1), Reader(kafka, 1)
    async with first.reading():
        await until(lambda: asyncio.sleep(0, first.owned))
        await first.log.store(0, {b"0/piece/a": b"1", b"0/piece/b": b"2"})
        await first.log.store(0, {b"0/piece/a": None})

    async with second.reading():
        await until(lambda: asyncio.sleep(0, second.owned))
        entries = second.log.entries(0)

    assert entries == {b"0/piece/b": b"2"}


COMPACTED = {"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01"}


async def test_state_that_the_broker_has_compacted_is_read_whole(bootstrap, unique):
    """Offsets are missing then, at the begin and in between: who counts on them stands still (faust issue 176)."""
    kafka = kafka_for(bootstrap, unique)
    state = state_topic(kafka.groups.detect)
    await broker.create_topics(kafka, {kafka.topics.frames: Found(1, 1), state: Found(1, 1, COMPACTED)})
    await produce(kafka, kafka.topics.frames, [(0, b"1")])
    first, second, third = (Reader(kafka, 1) for _ in range(3))
    async with first.reading():
        await until(lambda: asyncio.sleep(0, first.owned))
        for n in range(20):
            await first.log.store(0, {b"0/piece/a": b"%d" % n, b"0/piece/b%d" % n: b"1"})
            await first.log.store(0, {b"0/piece/b%d" % n: None})
            await asyncio.sleep(0.1)
        await until(lambda: compacted(kafka, state, below=50))

    async with second.reading():
        await until(lambda: asyncio.sleep(0, second.owned))
        found = second.log.entries(0)
        await second.log.store(0, {b"0/piece/c": b"2"})
    async with third.reading():
        await until(lambda: asyncio.sleep(0, third.owned))
        found_next = third.log.entries(0)

    assert found == {b"0/piece/a": b"19"}
    assert found_next == {b"0/piece/a": b"19", b"0/piece/c": b"2"}


async def compacted(kafka, topic: str, below: int) -> bool:
    """Whether the broker has thrown away records of the sixty."""
    left = await everything(kafka, topic)
    return len(left) < below and left[0].offset > 0


async def test_entries_of_a_partition_that_went_to_another_worker_are_dropped(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 2, 1)
    first, second = Reader(kafka, 2), Reader(kafka, 2)
    async with first.reading():
        await until(lambda: asyncio.sleep(0, first.owned == [0, 1]))
        await first.log.store(0, {b"0/piece/a": b"1"})
        await first.log.store(1, {b"1/piece/a": b"1"})
        async with second.reading():
            await until(lambda: asyncio.sleep(0, len(first.owned) == 1 and len(second.owned) == 1))
            await until(lambda: asyncio.sleep(0, held(first) == owned(first) and held(second) == owned(second)))


def owned(reader: Reader) -> list[bool]:
    return [partition in reader.owned for partition in (0, 1)]


def held(reader: Reader) -> list[bool]:
    """Of which partitions there are entries."""
    return [bool(reader.log.entries(partition)) for partition in (0, 1)]


async def test_what_fails_in_a_message_ends_the_worker_instead_of_skipping_it(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 10)
    reader = Reader(kafka, 1)

    async def take(partition, offset, value):
        reader.handed.append((partition, offset))
        if offset == 5:
            raise ValueError("a defect")

    reader.log.take = take
    with pytest.raises(Exception, match="a defect"):
        async with reader.reading():
            await until(lambda: asyncio.sleep(0, reader.log.failure))

    assert reader.handed[-1] == (0, 5)


async def test_no_topic_is_created_behind_our_back(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 10)
    reader = Reader(kafka, 1)
    async with reader.reading():
        await until(lambda: asyncio.sleep(0, len(reader.handed) == 10))
    async with broker.admin(kafka) as client:
        there = {name for name in await client.list_topics() if name.startswith(unique)}

    assert there == {kafka.topics.frames, state_topic(kafka.groups.detect)}


async def test_state_that_the_broker_does_not_take_is_not_taken_for_stored(bootstrap, unique, monkeypatch):
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 1)
    reader = Reader(kafka, 1)
    monkeypatch.setattr(faust_log, "STORE_S", 1.0)
    failed = None
    with contextlib.suppress(SwerveError):  # the worker ends with it as well
        async with reader.reading():
            await until(lambda: asyncio.sleep(0, reader.owned))
            try:
                await reader.log.store(0, {b"0/piece/a": bytes(3_000_000)})
            except Exception as error:
                failed = error

    assert failed is not None


async def test_going_back_surely_is_to_the_first_message_past_the_marker_of_somebodys_transaction(bootstrap, unique):
    """A marker has an offset and is never handed out: who waits for that offset waits for ever."""
    kafka = kafka_for(bootstrap, unique)
    await a_topic(kafka, 1, 1)
    async with broker.producer(kafka, transactional_id=unique) as writer, writer.transaction():
        await writer.send(kafka.topics.frames, b"theirs", partition=0)
    await until(lambda: is_settled(kafka, kafka.topics.frames))
    await produce(kafka, kafka.topics.frames, [(0, b"after")])
    reader = Reader(kafka, 1)
    async with reader.reading():
        await until(lambda: asyncio.sleep(0, len(reader.handed) == 3))
        reader.handed.clear()

        assert await reader.log.seek_back(0, 2, surely=True) == 3
        await until(lambda: asyncio.sleep(0, reader.handed == [(0, 3)]))
