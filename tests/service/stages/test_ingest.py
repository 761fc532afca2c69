"""Does ingest send every record once in a chain, whoever owns the partition, and keep what it refuses?"""

from __future__ import annotations

import asyncio
import itertools
import time

import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from detectors.counts.rows import Frame
from stream.commands.through_kafka.dlq import refused_of, replay_all
from stream.errors import SwerveError
from stream.ingest import worker
from stream.kafka import broker, topics
from stream.kafka.bookmark import Bookmark
from stream.kafka.place import Place
from stream.mapping.presets import sample_of
from stream.pipeline.frames import decode_frame
from stream.stages.stage import Running
from tests.pace import PATIENCE_S
from tests.service.rig import everything, produce, request, requests, running, settings_for, until

pytestmark = pytest.mark.service("kafka")


async def frames_of(kafka, partition: int, source: str) -> list[Frame]:
    records = await everything(kafka, kafka.topics.frames)
    frames = [decode_frame(record.value) for record in records if record.partition == partition]
    return [frame for frame in frames if frame.source == source]


async def rows_upto(kafka, upto: int) -> int:
    """How many rows both frames partitions hold of the first source, or 0 before its chain reaches `upto`."""
    source = f"{kafka.topics.requests}[0]"
    parts = [await frames_of(kafka, partition, source) for partition in range(2)]
    if not all(part and part[-1].upto >= upto for part in parts):
        return 0
    return sum(len(frame.rows) for part in parts for frame in part)


async def test_every_partition_of_shards_gets_the_whole_chain(bootstrap, unique):
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(500)))

    async with running(worker.work, settings):
        rows = await until(lambda: rows_upto(kafka, 483))
    chain = await frames_of(kafka, 1, f"{kafka.topics.requests}[0]")

    # The last 16 are not judged yet: 16 later ones have not come.
    assert rows == 484
    assert chain[0].after == -1
    assert all(this.after == before.upto for before, this in itertools.pairwise(chain))


async def test_the_next_owner_goes_on_where_the_last_one_committed(bootstrap, unique):
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    source = f"{kafka.topics.requests}[0]"
    await produce(kafka, kafka.topics.requests, requests(range(100)))
    async with running(worker.work, settings):
        await until(lambda: rows_upto(kafka, 83))
    await produce(kafka, kafka.topics.requests, requests(range(100, 200)))

    async with running(worker.work, settings):
        rows = await until(lambda: rows_upto(kafka, 183))
    chain = await frames_of(kafka, 0, source)

    assert rows == 184
    assert all(this.after == before.upto for before, this in itertools.pairwise(chain))
    offsets = [offset for frame in chain for offset in frame.rows.offset.tolist()]
    assert offsets == sorted(set(offsets))
    # The clock went on: no row of the second owner is without one.
    assert all(frame.rows.clock_ms.min(initial=0) >= 0 for frame in chain if frame.after >= 83)


async def test_an_idle_source_is_judged_to_its_end_and_says_so(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(50)))

    async with running(worker.work, settings):
        rows = await until(lambda: rows_upto(kafka, 49))
    chain = await frames_of(kafka, 0, f"{kafka.topics.requests}[0]")

    assert rows == 50
    assert chain[-1].idle


async def test_refused_records_are_kept_as_they_came(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    headers = [("trace", b"7")]
    await produce(kafka, kafka.topics.requests, [(0, b"{")], key=b"k", headers=headers)
    await produce(kafka, kafka.topics.requests, [(0, b"\xff")])

    async def letters():
        found = await everything(kafka, kafka.topics.dlq)
        return found if len(found) >= 2 else []

    async with running(worker.work, settings):
        first, second = await until(letters)

    assert (first.key, first.value, dict(first.headers)["trace"]) == (b"k", b"{", b"7")
    assert [dict(one.headers)["swerve.reason"] for one in (first, second)] == [b"not_json", b"not_utf8"]
    context = {name: dict(second.headers)[f"__connect.errors.{name}"] for name in ("topic", "partition", "offset")}
    assert context == {"topic": kafka.topics.requests.encode(), "partition": b"0", "offset": b"1"}
    assert dict(second.headers)["__connect.errors.exception.message"]


async def test_a_refused_record_as_large_as_a_topic_takes_does_not_stop_ingest(bootstrap, unique):
    """Its letter is larger by why it was refused; one that its producer compressed is three times as large."""
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    # As it was created before, with what Kafka takes by default.
    default = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "1048588"}
    async with broker.admin(kafka) as client:
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, kafka.topics.dlq, default)])
    await produce(kafka, kafka.topics.requests, [(0, b"x" * 1_048_500)], key=b"k")
    await produce(kafka, kafka.topics.requests, [(0, b"[1]")])
    async with broker.producer(kafka, compression_type="gzip") as producer:
        await producer.send_and_wait(kafka.topics.requests, b" " * 3_000_000, partition=0)
    await produce(kafka, kafka.topics.requests, [(0, request(1))])

    async def letters():
        found = await everything(kafka, kafka.topics.dlq)
        return found if len(found) >= 3 else []

    async with running(worker.work, settings):
        found = await until(letters)
        rows = await until(lambda: rows_upto(kafka, 3))

    kept = {one.offset: one for one in map(refused_of, found)}
    assert rows == 1
    assert [kept[offset].reason for offset in range(3)] == ["not_json", "not_an_object", "too_large"]
    assert [kept[offset].truncated for offset in range(3)] == [
        "value cut from 1048500 bytes",
        "",
        "value cut from 3000000 bytes",
    ]
    assert (kept[0].key, kept[1].value) == (b"k", b"[1]")
    assert await replay_all(kafka, "not_json") == (0, [kept[0]])


async def test_a_flood_of_poison_does_not_double_the_traffic(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5, dlq_per_s=1.0)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, [(0, b"{")] * 1_000)

    async def refused():
        chain = await frames_of(kafka, 0, f"{kafka.topics.requests}[0]")
        return chain and chain[-1].upto == 999 and sum(frame.refused.get("not_json", 0) for frame in chain)

    begun_s = time.monotonic()
    async with running(worker.work, settings):
        counted = await until(refused)
    took_s = time.monotonic() - begun_s
    kept = await everything(kafka, kafka.topics.dlq)

    assert counted == 1_000
    assert 10 <= len(kept) <= 10 + took_s


async def test_records_of_another_platform_are_read_in_their_dialect(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5).speaking("litellm")
    kafka = settings.kafka
    await topics.create(kafka, 1)
    line = sample_of("litellm")[0]
    await produce(kafka, kafka.topics.requests, [(0, line)])

    async with running(worker.work, settings):
        rows = await until(lambda: rows_upto(kafka, 0))

    assert rows == 1


async def test_a_topic_that_was_created_anew_is_not_skipped_in_silence(bootstrap, unique):
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(50)))
    async with Bookmark(kafka, kafka.groups.ingest, kafka.topics.requests) as before:
        await before.keep({0: Place(812)})

    with pytest.raises(SwerveError, match="read up to offset 812, but the topic ends at 50: it was created anew"):
        await asyncio.wait_for(worker.work(settings, Running()), PATIENCE_S)
