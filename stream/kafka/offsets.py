"""Where in a topic was it this late, and where does a group begin? Offsets by time, and committed in a group's name.

The broker keeps a text beside each committed offset, and forgets both with the topic.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition

from stream.configuration.sections import Kafka
from stream.kafka import broker


async def offsets_at(kafka: Kafka, topic: str, at_ms: int) -> dict[int, int]:
    """The first offset of each partition whose message is of this time or later, its end where none is."""
    counts = await broker.partitions_or_refuse(kafka, topic)
    partitions = broker.topic_partitions(topic, counts[topic])
    async with broker.consumer(kafka) as reader:
        found = await reader.offsets_for_times(dict.fromkeys(partitions, at_ms))
        ends = await reader.end_offsets(partitions)
    return {one.partition: ends[one] if found[one] is None else found[one].offset for one in partitions}


async def noted(kafka: Kafka, group: str, topic: str) -> str:
    """What `note` wrote last; "" where it never did. Raises UnreachableError."""
    partition = TopicPartition(topic, 0)
    async with broker.admin(kafka) as client:
        found = await broker.of_coordinator(
            kafka, lambda: client.list_consumer_group_offsets(group, partitions=[partition])
        )
    return (found[partition].metadata or "") if partition in found else ""


async def note(kafka: Kafka, group: str, topic: str, text: str) -> None:
    """Keep up to 4,096 characters in the name of a group that nobody joins, for as long as this topic is there."""
    async with broker.consumer(kafka, group_id=group) as reader:
        partition = TopicPartition(topic, 0)
        reader.assign([partition])
        await reader.commit({partition: (0, text)})


async def begin_at(kafka: Kafka, group: str, topic: str, offsets: Mapping[int, int]) -> None:
    """Commit for a group that nobody works in. Raises what the client raises where somebody does."""
    async with broker.consumer(kafka, group_id=group) as reader:
        partitions = {TopicPartition(topic, number): offset for number, offset in offsets.items()}
        reader.assign(list(partitions))
        await reader.commit({one: (offset, "") for one, offset in partitions.items()})
