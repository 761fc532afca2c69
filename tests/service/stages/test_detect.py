"""Does detect count every frame once, and hand out the same summaries, through stops, kills and rebalances?"""

from __future__ import annotations

import pytest

from stream.detect import worker as detect
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.pipeline.frames import decode_frame, decode_summary
from stream.stages import private_parts, shell
from tests.service.rig import drained, everything, produce, requests, running, settings_for, until

pytestmark = pytest.mark.service("kafka")


async def accepted(kafka) -> dict[tuple[int, int], int]:
    """Requests counted by (tick, first shard); two different summaries of one tick fail."""
    counted: dict[tuple[int, int], int] = {}
    for record in await everything(kafka, kafka.topics.summaries):
        summary = decode_summary(record.value)
        key = summary.tick, summary.shards[0]
        assert counted.setdefault(key, summary.counters["accepted"]) == summary.counters["accepted"]
    return counted


async def test_what_was_counted_before_a_restart_is_counted_once(bootstrap, unique):
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 2)

    async def all_of(upto: int) -> int:
        total = sum((await accepted(kafka)).values())
        return total if total >= upto else 0

    async with running(ingest.work, settings):
        for round_ in (1, 2, 3):
            await produce(kafka, kafka.topics.requests, requests(range(2_000 * round_ - 2_000, 2_000 * round_), 2))
            async with running(detect.work, settings):
                counted = await until(lambda done=round_ * 2_000 - 1_200: all_of(done))
                if round_ == 3:
                    await until(lambda: drained(kafka))  # else one of both may have told of a tick, the other not

    ticks = await accepted(kafka)
    assert counted <= 6_000
    # A tick of 300 s holds 300 requests; every tick that closed is whole.
    by_tick = {tick: sum(n for (one, _), n in ticks.items() if one == tick) for tick, _ in ticks}
    assert len(by_tick) >= 15
    assert set(by_tick.values()) == {300}


async def test_messages_that_faust_leaves_out_with_nothing_after_them_are_counted_all_the_same(
    bootstrap, unique, monkeypatch
):
    """As seen around a rebalance: what had been fetched is thrown away, and ingest stands, so no gap shows it."""
    settings = settings_for(bootstrap, unique)
    kafka = settings.kafka
    await topics.create(kafka, 2)
    await produce(kafka, kafka.topics.requests, requests(range(3_000), 2))
    async with running(ingest.work, settings):
        await until(lambda: fed(kafka))
    ends = await broker.ends(kafka, kafka.topics.frames)
    plain, left_out = private_parts.Consumer.getmany, []

    async def getmany(self, timeout):
        async for partition, message in plain(self, timeout):
            if partition.topic == kafka.topics.frames and len(left_out) < sum(ends.values()):
                left_out.append(message.offset)
                continue
            yield partition, message

    monkeypatch.setattr(private_parts.Consumer, "getmany", getmany)
    monkeypatch.setattr(shell, "SILENT_S", 1.0)
    async with running(detect.work, settings):
        await until(lambda: drained(kafka))

    assert len(left_out) == sum(ends.values())
    ticks = await accepted(kafka)
    assert {sum(n for (one, _), n in ticks.items() if one == tick) for tick, _ in ticks} == {300}


async def fed(kafka) -> bool:
    """Whether ingest has sent all but the last sixteen of each source, which are not judged yet."""
    sent = await broker.committed(kafka, kafka.groups.ingest, kafka.topics.requests)
    return all(sent.get(number, 0) >= 1_500 - 16 for number in (0, 1))


async def test_a_partition_without_records_holds_time_back_only_until_it_is_idle(bootstrap, unique):
    """By the times of the broker: a slow machine sees both late, and in the same order."""
    settings = settings_for(bootstrap, unique, idle_s=5.0)
    kafka = settings.kafka
    await topics.create(kafka, 2)
    await produce(kafka, kafka.topics.requests, requests(range(3_000)))

    async def enough(requests: int) -> bool:
        return sum((await accepted(kafka)).values()) >= requests

    async with running(ingest.work, settings), running(detect.work, settings):
        await until(lambda: enough(1_800))

    empty = f"{kafka.topics.requests}[1]"
    frames = [(one.timestamp, decode_frame(one.value)) for one in await everything(kafka, kafka.topics.frames)]
    idle_ms = min(at_ms for at_ms, frame in frames if frame.source == empty and frame.idle)
    told_ms = min(one.timestamp for one in await everything(kafka, kafka.topics.summaries))
    assert told_ms >= idle_ms
