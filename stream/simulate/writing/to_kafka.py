"""The records of a simulation into the requests topic, keyed by account, and its releases into theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import orjson

from stream.configuration.sections import Kafka
from stream.kafka.broker import Outlet, partitions_or_refuse, producer
from stream.simulate.events.story import Story
from stream.simulate.writing.write import Block


def send(kafka: Kafka, story: Story, account_ids: list[str], blocks: Iterator[Block]) -> None:
    """Sends everything; returns when the brokers have it. Raises SwerveError where a topic or a broker is missing."""
    asyncio.run(_send(kafka, story, account_ids, blocks))


async def _send(kafka: Kafka, story: Story, account_ids: list[str], blocks: Iterator[Block]) -> None:
    await partitions_or_refuse(kafka, kafka.topics.requests, kafka.topics.releases)
    async with producer(kafka, linger_ms=50) as client:
        releases = Outlet(client, kafka.topics.releases)
        for release in story.truth.releases:
            await releases.send(orjson.dumps(release), key=release["model"].encode())
        await releases.settle()
        requests = Outlet(client, kafka.topics.requests)
        # A paced simulation sleeps while it makes a block; the client's heartbeats and sends must go on meanwhile.
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            for account, line in zip(block.account, block.lines, strict=True):
                await requests.send(line[:-1], key=account_ids[account].encode())
        await requests.settle()
