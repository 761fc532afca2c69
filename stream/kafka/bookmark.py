"""Where does a lone reader stand in a topic? Kept by the broker under a group's name, so that any successor knows."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from stream.configuration.sections import Kafka
from stream.kafka import broker
from stream.kafka.place import Place, note, waiting_in


class Bookmark:
    """Places by partition. No group is joined: who holds the topic's work also holds the mark.

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

    async def read(self) -> dict[int, Place] | None:
        """What was kept last; None where nothing ever was."""
        async with broker.admin(self._kafka) as client:  # the consumer itself would lose the metadata
            found = await broker.of_coordinator(
                self._kafka, lambda: client.list_consumer_group_offsets(self._group, partitions=self._partitions)
            )
        kept = {
            partition.partition: Place(committed.offset, waiting_in(committed.metadata, committed.offset))
            for partition, committed in found.items()
            if committed.offset >= 0
        }
        return kept or None

    async def keep(self, places: Mapping[int, Place]) -> None:
        """Keep these."""
        await self._reader.commit(
            {one: _commit(places[one.partition]) for one in self._partitions if one.partition in places}
        )


def _commit(place: Place) -> tuple[int, str]:
    told, offset = note(sorted(place.waiting), place.offset)
    return offset, told
