"""Where does a lone reader stand in a topic? Kept by the broker under a group's name, so that any successor knows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from stream import kafka as broker
from stream.sections import Kafka


class Bookmark:
    """The next offset to read, by partition. No group is joined: who holds the topic's work also holds the mark.

    Use as `async with Bookmark(kafka, group, topic) as mark`.
    """

    def __init__(self, kafka: Kafka, group: str, topic: str) -> None:
        self._kafka = kafka
        self._group = group
        self._topic = topic
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Bookmark:
        counts = await broker.partitions_or_refuse(self._kafka, self._topic)
        self._reader = await self._stack.enter_async_context(broker.consumer(self._kafka, group_id=self._group))
        self._partitions = broker.topic_partitions(self._topic, counts[self._topic])
        self._reader.assign(self._partitions)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def read(self) -> dict[int, int] | None:
        """What was kept last; None where nothing ever was."""
        offsets = {one.partition: await self._reader.committed(one) for one in self._partitions}
        kept = {partition: offset for partition, offset in offsets.items() if offset is not None}
        return kept or None

    async def keep(self, offsets: Mapping[int, int]) -> None:
        """Keep these."""
        await self._reader.commit({one: offsets[one.partition] for one in self._partitions if one.partition in offsets})
