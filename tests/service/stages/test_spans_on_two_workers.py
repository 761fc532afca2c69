"""A client's and a server's span of one request, read by two ingest workers, count once where the trace is the key."""

from __future__ import annotations

import contextlib

import pytest

from stream.configuration.sections import Sources
from stream.ingest import worker
from stream.kafka import broker, topics
from stream.pipeline.frames import decode_frame
from tests.receiver.otlp import DONE_MS, chat, spans
from tests.service.rig import everything, produce, running, settings_for, until

pytestmark = pytest.mark.service("kafka")
REQUESTS = 40


def of_one_request(number: int) -> tuple[bytes, bytes]:
    """The client's message and the server's: no id of a response, the server's within the client's."""
    trace, at_ms = number.to_bytes(16, "big"), DONE_MS + 1_000 * number
    client, server = chat(1, trace=trace, at_ms=at_ms), chat(4, 1, trace=trace, at_ms=at_ms - 20)
    return spans(client).SerializeToString(), spans(server).SerializeToString()


async def rows_by_source(kafka) -> dict[str, int]:
    """Requests that were counted, by the partition that they came from; nothing until both are read to their ends.

    Idle is not enough: so was a partition that waited for its first message.
    """
    frames = [decode_frame(record.value) for record in await everything(kafka, kafka.topics.frames)]
    rows = dict.fromkeys((frame.source for frame in frames), 0)
    for frame in frames:
        rows[frame.source] += len(frame.rows)
    ended = {frame.source for frame in frames if frame.idle and frame.upto == REQUESTS - 1}
    return rows if len(ended) == 2 else {}


async def dealt(kafka) -> bool:
    """Whether each worker has its partition. One that has both alone for a while knows the two spans of a request."""
    async with broker.admin(kafka) as client:
        (answer,) = await broker.of_coordinator(kafka, lambda: client.describe_consumer_groups([kafka.groups.ingest]))
    ((_, _, state, _, _, members, *_),) = answer.groups
    return (state, len(members)) == ("Stable", 2)


async def counted(bootstrap: str, unique: str, by_trace: bool) -> list[int]:
    settings = settings_for(bootstrap, unique, idle_s=1.0).model_copy(update={"sources": Sources(dialect="otlp")})
    kafka = settings.kafka
    await topics.create(kafka, 2)
    async with contextlib.AsyncExitStack() as workers:
        for _ in range(2):
            await workers.enter_async_context(running(worker.work, settings))
        await until(lambda: dealt(kafka))
        records = []
        for number in range(REQUESTS):
            client, server = of_one_request(number)
            records += [(number % 2, client), (number % 2 if by_trace else (number + 1) % 2, server)]
        await produce(kafka, kafka.topics.requests, records)
        return sorted((await until(lambda: rows_by_source(kafka))).values())


async def test_a_request_counts_once_where_the_trace_is_the_key(bootstrap, unique):
    """As the collector's exporter writes them with `partition_traces_by_id`."""
    assert await counted(bootstrap, unique, by_trace=True) == [REQUESTS // 2, REQUESTS // 2]


async def test_it_counts_twice_where_its_spans_are_on_two_partitions_as_the_documents_say(bootstrap, unique):
    assert sum(await counted(bootstrap, unique, by_trace=False)) == 2 * REQUESTS
