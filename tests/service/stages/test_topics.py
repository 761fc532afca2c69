"""Are the topics made as they must be, and is every difference explained?"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from stream.kafka import broker, topics
from stream.kafka.broker import Found
from tests.service.rig import is_settled, kafka_for, produce, until

pytestmark = pytest.mark.service("kafka")


async def test_what_create_makes_passes_the_check(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique, partitions=3)

    created = await topics.create(kafka, 2)
    missing, told = await topics.check(kafka)
    again = await topics.create(kafka, 2)

    assert set(created) == {topic.name for topic in topics.wanted(kafka)}
    assert (missing, told, again) == ([], [], [])


async def test_a_topic_that_would_lose_data_is_refused_with_the_reason(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique, partitions=3)
    wrong = {
        kafka.topics.frames: Found(5, 1, {"cleanup.policy": "delete"}),
        kafka.topics.alerts: Found(1, 1, {"cleanup.policy": "delete"}),
    }
    await broker.create_topics(kafka, wrong)
    await topics.create(kafka, 1)

    _, told = await topics.check(kafka)

    faults = [(one.topic, one.key, one.expected, one.got) for one in told if one.loses]
    assert faults == [
        (kafka.topics.frames, "partitions", "3", "5"),
        (kafka.topics.frames, "message.timestamp.type", "LogAppendTime", "CreateTime"),
        (kafka.topics.frames, "max.message.bytes", "at least 4194304", "1048588"),
        (kafka.topics.alerts, "cleanup.policy", "compact", "delete"),
    ]
    with pytest.raises(Exception, match=r"partitions is 5, expected 3: .* `swerve reshard 3`"):
        await topics.refuse_what_loses(kafka, kafka.topics.frames)


async def test_a_stage_does_not_start_without_its_topics(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)

    with pytest.raises(broker.MissingTopicError, match="create it with `swerve topics create`"):
        await topics.refuse_what_loses(kafka, kafka.topics.frames)


async def test_a_catalogue_holds_the_last_record_of_each_key(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    releases = broker.Catalogue(kafka, kafka.topics.releases)
    async with broker.producer(kafka, transactional_id=f"{unique}-writer") as producer:
        for key, value in ((b"b", b"1"), (b"a", b"2"), (b"b", b"3"), (b"c", b"4"), (b"c", None)):
            async with producer.transaction():
                await producer.send_and_wait(kafka.topics.releases, value, key=key)

    await until(lambda: is_settled(kafka, kafka.topics.releases))
    await releases.load()

    assert releases.values() == [b"2", b"3"]


async def test_nobody_at_the_address_is_told_from_a_wrong_protocol(bootstrap, unique):
    with pytest.raises(broker.UnreachableError, match="does not answer: is it running"):
        await topics.check(kafka_for("127.0.0.1:1", unique))


@contextlib.asynccontextmanager
async def followed(catalogue: broker.Catalogue) -> AsyncIterator[None]:
    task = asyncio.create_task(catalogue.follow())
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_catalogue_follows_what_is_published_later(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    topic = kafka.topics.expected
    await produce(kafka, topic, [(0, b"1")], key=b"a")
    catalogue = broker.Catalogue(kafka, topic)
    await catalogue.load()
    async with followed(catalogue):
        await produce(kafka, topic, [(0, b"2"), (0, b"3")], key=b"b")
        await produce(kafka, topic, [(0, None)], key=b"a")
        await until(lambda: asyncio.sleep(0, catalogue.values() == [b"3"]))

    # Each record once, though loading and following meet in the middle.
    assert catalogue.changed == 4


async def test_what_is_put_is_told_at_once_and_a_second_load_reads_on_from_where_the_first_ended(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    spoken, standby = (broker.Catalogue(kafka, kafka.topics.attention) for _ in range(2))
    await spoken.load()
    async with followed(spoken):
        await spoken.put("a", b"1")
        assert spoken.get(b"a") == b"1"
        await standby.load()
        await spoken.put("a", b"2")
        await spoken.put("b", b"3")
        await standby.load()
        await standby.load()

        assert (standby.get(b"a"), standby.values(), standby.changed) == (b"2", [b"2", b"3"], 3)
        await spoken.put("a", None)
        assert spoken.get(b"a") is None
