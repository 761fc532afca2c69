"""From the alerts topic to a sink, through a real broker: nothing twice, nothing forgotten, whoever delivers."""

from __future__ import annotations

import asyncio
import contextlib
import functools

import msgspec
import pytest
from structlog.testing import capture_logs

from stream.configuration.sections import FileSink
from stream.contract.alert import decode, encode
from stream.correlate import outgoing
from stream.correlate.book import Book
from stream.kafka import topics
from stream.sinks.delivery import Attention, Deliveries
from stream.sinks.webhook import EXAMPLE
from tests.pace import PATIENCE_S
from tests.service.rig import produce, settings_for

pytestmark = pytest.mark.service("kafka")


@pytest.fixture
async def settings(bootstrap, unique, tmp_path):
    sink = FileSink(kind="file", path=tmp_path / "told.ndjson")
    one = settings_for(bootstrap, unique).model_copy(update={"sinks": (sink,)})
    await topics.create(one.kafka, 1)
    return one


def record(alert_id, hour=0, status="firing"):
    at_ms = EXAMPLE.detected_at + hour * 3_600_000
    over = {"resolved_at": at_ms, "resolved_reason": "ended"} if status == "resolved" else {}
    return msgspec.structs.replace(EXAMPLE, alert_id=alert_id, updated_at=at_ms, status=status, **over)


async def write(settings, *alerts):
    for one in alerts:
        await produce(settings.kafka, settings.kafka.topics.alerts, [(0, encode(one))], key=one.alert_id.encode())


def told(settings):
    path = settings.sinks[0].path
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [(one.alert_id, one.status) for one in map(decode, lines)]


@contextlib.asynccontextmanager
async def delivering(settings, attention=None):
    task = asyncio.create_task(outgoing.deliver(settings, attention))
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(holds):
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.05)


async def test_a_successor_delivers_what_is_new_and_nothing_again(settings):
    async with delivering(settings):
        await write(settings, record("a1"), record("a2"))
        await until(lambda: len(told(settings)) == 2)
    await write(settings, record("a1", 3, "resolved"))
    async with delivering(settings):
        await until(lambda: len(told(settings)) == 3)
        await write(settings, record("a3"))
        await until(lambda: len(told(settings)) == 4)
    assert told(settings) == [("a1", "firing"), ("a2", "firing"), ("a1", "resolved"), ("a3", "firing")]


async def test_what_waits_for_the_end_of_a_snooze_does_not_make_the_successor_repeat_what_came_after_it(settings):
    quiet = {"a1": Attention(snoozed_until_ms=1 << 60)}

    def attention(alert_id):
        return quiet.get(alert_id, Attention())

    async with delivering(settings, attention):
        await write(settings, record("a1"), record("a2"), record("a3"))
        await until(lambda: len(told(settings)) == 2)
    async with delivering(settings, attention):
        await write(settings, record("a4"))
        await until(lambda: len(told(settings)) == 3)
        quiet.clear()
        await until(lambda: len(told(settings)) == 4)
    assert [alert_id for alert_id, _ in told(settings)] == ["a2", "a3", "a4", "a1"]


async def test_a_sink_that_is_new_learns_only_of_what_fires(settings):
    await write(settings, record("over"), record("over", 1, "resolved"), record("live"))
    async with delivering(settings):
        await until(lambda: told(settings))
    assert told(settings) == [("live", "firing")]


async def test_what_a_dead_sink_did_not_take_waits_for_the_successor(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(Deliveries, "close", functools.partialmethod(Deliveries.close, drain_s=0.5))
    (tmp_path / "told.ndjson").mkdir()
    with capture_logs() as lines:
        async with delivering(settings):
            await write(settings, record("a1"))
            await until(lambda: any(line["event"] == "sink_failed" for line in lines))
    (tmp_path / "told.ndjson").rmdir()
    async with delivering(settings):
        await until(lambda: told(settings))
    assert told(settings) == [("a1", "firing")]


async def test_what_is_no_alert_is_set_aside_with_its_place_and_what_follows_is_told(settings):
    """A successor reads it again, in the book as in what it delivers; neither stops there."""
    topic = settings.kafka.topics.alerts
    await write(settings, record("a"))
    for junk in (b"junk", b"", b"{}", b"\xff" * 9):
        await produce(settings.kafka, topic, [(0, junk)], key=b"\xff")
    book = Book(settings.kafka)
    with capture_logs() as lines:
        await book.open()
        await book.close()
    assert [line["where"] for line in lines if line["event"] == "message_set_aside"] == [
        f"{topic}[0]@{offset}" for offset in (1, 2, 3, 4)
    ]

    async with delivering(settings):
        await write(settings, record("b"))
        await until(lambda: len(told(settings)) == 2)
        await produce(settings.kafka, topic, [(0, b"junk")], key=b"b")
        await write(settings, record("c"))
        await until(lambda: len(told(settings)) == 3)
