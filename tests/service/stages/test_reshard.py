"""Does `swerve reshard` move every count once, refuse whatever it cannot be sure of, and say what to do?"""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from detectors.counts.summary import Summary
from stream.commands.through_kafka.reshard import reshard
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.detect import worker as detect
from stream.errors import SwerveError
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.pipeline.frames import decode_frame, decode_summary, encode_frame
from stream.pipeline.messages.join import Join
from stream.stages.stage import Running
from tests.detectors.traffic import frame_of
from tests.pace import PATIENCE_S
from tests.service.rig import drained, everything, produce, requests, running, settings_for, until

pytestmark = pytest.mark.service("kafka")


async def fed(kafka: Kafka, read: list[int]) -> bool:
    """Whether ingest has committed so many records of each source; the last sixteen are not judged yet."""
    sent = await broker.committed(kafka, kafka.groups.ingest, kafka.topics.requests)
    return all(sent.get(number, 0) >= count - 16 for number, count in enumerate(read))


def moved(settings: Settings, kafka: Kafka) -> Settings:
    return settings.model_copy(update={"kafka": kafka})


# What it refuses


async def counted(settings: Settings, records: range) -> None:
    """Ingest and detect have counted these and stopped in peace, ingest first."""
    kafka = settings.kafka
    await produce(kafka, kafka.topics.requests, requests(records, 2))
    async with running(detect.work, settings):
        async with running(ingest.work, settings):
            await until(lambda: fed(kafka, [records.stop // 2] * 2))
        await until(lambda: drained(kafka))


@pytest.fixture
async def settings(bootstrap, unique) -> Settings:
    settings = settings_for(bootstrap, unique, session_timeout_ms=3_000)
    await topics.create(settings.kafka, 2)
    return settings


def names(unique: str, number: int) -> tuple[int, str, str]:
    return number, f"{unique}.frames.{number}", f"{unique}-detect-{number}"


async def test_it_refuses_while_a_worker_lives_and_says_in_which_order_to_stop(settings, unique):
    said = []
    async with running(ingest.work, settings):
        await until(lambda: broker.members(settings.kafka, settings.kafka.groups.ingest))
        with pytest.raises(SwerveError, match=rf"{unique}-ingest has 1 live members .*: stop every ingest .* detect"):
            await reshard(settings, *names(unique, 3), said.append)

    assert said == [f"group {unique}-ingest has 1 members; waits at most 8 s for their sessions to end"]


async def test_it_refuses_where_frames_are_not_counted_or_state_is_missing(settings, unique):
    kafka = settings.kafka
    await produce(kafka, kafka.topics.requests, requests(range(200), 2))
    async with running(ingest.work, settings):
        await until(lambda: fed(kafka, [100, 100]))
    with pytest.raises(SwerveError, match=rf"partition 0 of {unique}.frames has no state .* start detect"):
        await reshard(settings, *names(unique, 3), print)

    await counted(settings, range(200, 400))
    ends = await broker.ends(kafka, kafka.topics.frames)
    last = [one for one in await everything(kafka, kafka.topics.frames) if one.partition == 1][-1]
    await produce(kafka, kafka.topics.frames, [(1, last.value)])

    text = (
        rf"partition 1 of {unique}.frames holds 1 frames .*up to offset {ends[1]}, end at {ends[1] + 1}\): stop every"
    )
    with pytest.raises(SwerveError, match=text):
        await reshard(settings, *names(unique, 3), print)


async def test_it_refuses_where_ingest_was_killed_between_its_frames(settings, unique):
    kafka = settings.kafka
    await counted(settings, range(400))
    source = f"{kafka.topics.requests}[0]"
    last = [decode_frame(one.value) for one in await everything(kafka, kafka.topics.frames) if one.partition == 0]
    upto = max(frame.upto for frame in last if frame.source == source)
    await half_sent(kafka, source, upto)
    async with running(detect.work, settings):
        await until(lambda: drained(kafka))

    with pytest.raises(
        SwerveError, match=rf"counted up to offset {upto} in one partition, up to {upto + 9} in .* killed"
    ):
        await reshard(settings, *names(unique, 3), print)


async def half_sent(kafka: Kafka, source: str, upto: int) -> None:
    """A frame that reached the first partition only; none of its requests live there."""
    frame = dataclasses.replace(frame_of([], after=upto, source=source), upto=upto + 9)
    await produce(kafka, kafka.topics.frames, [(0, encode_frame(frame))])


async def test_a_worker_with_another_number_of_partitions_is_refused_and_names_the_command(settings):
    other = moved(settings, settings.kafka.model_copy(update={"partitions": 3}))

    with pytest.raises(SwerveError, match=r"partitions is 2, expected 3: .* `swerve reshard 3`"):
        await asyncio.wait_for(detect.work(other, Running()), PATIENCE_S)


# What it moves


async def summaries_of(kafka: Kafka) -> list[Summary]:
    return [decode_summary(one.value) for one in await everything(kafka, kafka.topics.summaries)]


def whole_of(summaries: list[Summary]) -> dict[int, int]:
    """Requests of each tick that every partition has told of."""
    join = Join()
    return {tick: sum(one.counters["accepted"] for one in parts) for one in summaries for tick, parts in join.add(one)}


async def test_it_can_be_begun_again_until_the_new_names_are_used(settings, unique):
    await counted(settings, range(2_000))

    said: list[str] = []
    for _ in range(2):
        new = await reshard(settings, *names(unique, 3), said.append)
    assert said[-1] == "7 accounts moved from 2 partitions to 3, and read back"
    other = await reshard(settings, *names(unique, 5), print)
    await produce(other, other.topics.frames, [(4, b"somebody's")])
    with pytest.raises(SwerveError, match=r"are in use \(1 frames, 0 members\): give --frames and --group names"):
        await reshard(settings, *names(unique, 5), print)
    await counted(moved(settings, new), range(2_000, 4_000))
    with pytest.raises(SwerveError, match=r"up to offset 983, and ingest has sent on up to 1983: .* that are in use\?"):
        await reshard(settings, *names(unique, 3), print)


async def test_every_tick_is_whole_after_it_whoever_told_which_part(settings, unique):
    await counted(settings, range(2_000))
    new = await reshard(settings, *names(unique, 3), print)
    await counted(moved(settings, new), range(2_000, 4_000))

    async def told() -> bool:
        return len(whole_of(await summaries_of(new))) >= 9

    async with running(detect.work, moved(settings, new)):  # what it has read may not all be told yet
        await until(told)
    summaries = await summaries_of(new)
    whole = whole_of(summaries)
    # A tick of 300 s holds 300 requests. What one partition has not told yet is not whole.
    assert set(whole.values()) == {300}, [(one.tick, len(one.shards), one.counters) for one in summaries]
    assert {len(one.shards) for one in summaries} == {128, 85, 86}
