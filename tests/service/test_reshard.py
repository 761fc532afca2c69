"""Does `swerve reshard` move every count once, refuse whatever it cannot be sure of, and say what to do?"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import tomllib

import pytest

from stream import kafka as broker
from stream import topics
from stream.detect import worker as detect
from stream.errors import SwerveError
from stream.frames import decode_frame, decode_summary, encode_frame
from stream.ingest import worker as ingest
from stream.reshard import reshard
from stream.sections import Groups, Kafka, Topics
from stream.settings import Settings
from stream.stage import Running
from tests.detectors.traffic import frame_of
from tests.service.comparison import counts_of, difference, first_copies
from tests.service.drill import UNTIL_MS, comparable
from tests.service.processes import Stage, configuration, swerve
from tests.service.recount import recount
from tests.service.rig import everything, kafka_for, produce, request, running, settings_for, until
from tests.service.traffic import Traffic, simulated

pytestmark = [pytest.mark.service("kafka"), pytest.mark.timeout(600)]

SOURCES = 3
NEVER_IDLE = "[ticks]\nidle_s = 3600\n"


async def drained(kafka: Kafka) -> bool:
    """Whether detect has stored and committed every frame that there is."""
    stored = await broker.committed(kafka, kafka.groups.detect, kafka.topics.frames)
    return stored == await broker.ends(kafka, kafka.topics.frames)


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
    await produce(kafka, kafka.topics.requests, [(n % 2, request(n)) for n in records])
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
    await produce(kafka, kafka.topics.requests, [(n % 2, request(n)) for n in range(200)])
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
        await asyncio.wait_for(detect.work(other, Running()), 30)


# What it moves


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

    summaries = [decode_summary(one.value) for one in await everything(new, new.topics.summaries)]
    ticks: dict[int, int] = {}
    for one in first_copies([record.value for record in await everything(new, new.topics.summaries)], decode_summary):
        ticks[one.tick] = ticks.get(one.tick, 0) + one.counters["accepted"]
    # A tick of 300 s holds 300 requests; the last one that closed is whole as well.
    assert len(ticks) >= 9
    assert set(ticks.values()) == {300}
    assert {len(one.shards) for one in summaries} == {128, 85, 86}


@pytest.fixture(scope="module")
def traffic(tmp_path_factory) -> Traffic:
    return simulated(tmp_path_factory.mktemp("log"), SOURCES, scenario="mixed", accounts=250, until_ms=UNTIL_MS)


@pytest.mark.slow
@pytest.mark.timeout(1_800)
def test_from_four_partitions_to_six_changes_no_count_and_no_alert(bootstrap, unique, tmp_path, traffic):
    kafka = kafka_for(bootstrap, unique, partitions=4, flush_ms=200, snapshot_ms=5_000, session_timeout_ms=6_000)
    config = configuration(tmp_path, kafka, NEVER_IDLE)
    expected = by_backtest(traffic, kafka, tmp_path, config)
    swerve("topics", "create", "--config", str(config), "--partitions", str(SOURCES))
    asyncio.run(announce(kafka, traffic))
    correlate = Stage("correlate", config, tmp_path)
    try:
        halves = [len(records) // 2 for records in traffic.sources]
        count(
            kafka, config, tmp_path, [records[:n] for records, n in zip(traffic.sources, halves, strict=True)], halves
        )
        said = swerve("reshard", "6", "--config", str(config)).stdout
        new, config = by_what_it_said(kafka, said, tmp_path)
        rest = [records[n:] for records, n in zip(traffic.sources, halves, strict=True)]
        count(new, config, tmp_path, rest, [len(records) for records in traffic.sources])
        summaries = [one.value for one in asyncio.run(everything(kafka, kafka.topics.summaries))]
        asyncio.run(until(lambda: asyncio.to_thread(has_judged, correlate, len(summaries)), 480.0))
    finally:
        correlate.end()

    alerts = [one.value for one in asyncio.run(everything(kafka, kafka.topics.alerts))]
    assert comparable(alerts, traffic.end_ms) == expected
    assert len(expected) >= 3
    assert correlate.said("partial_tick") == []
    through = counts_of(first_copies(summaries, decode_summary), Settings().ticks.tick_ms, traffic.end_ms)
    for_accounts = type(through)({key: n for key, n in through.items() if key[0] != "cohort"})
    assert difference(for_accounts, recount(traffic.sources, traffic.end_ms)) == ""
    assert "partition 5 of 6" in said


def by_backtest(traffic: Traffic, kafka: Kafka, folder, config) -> list[tuple[int, str, bytes]]:
    paths = traffic.write(folder, [f"{kafka.topics.requests}[{n}]" for n in range(SOURCES)])
    swerve(
        "backtest", *map(str, paths), "--config", str(config),
        "--releases", str(traffic.releases), "--alerts", str(folder / "alerts.ndjson"),
    )  # fmt: skip
    return comparable((folder / "alerts.ndjson").read_bytes().splitlines(), traffic.end_ms)


async def announce(kafka: Kafka, traffic: Traffic) -> None:
    async with broker.producer(kafka) as producer:
        for release in json.loads(traffic.releases.read_bytes()):
            key = release["model"].encode()
            await producer.send_and_wait(kafka.topics.releases, json.dumps(release).encode(), key=key)


def count(kafka: Kafka, config, folder, records: list[list[bytes]], upto: list[int]) -> None:
    """One ingest and two detect count these records; then all stop in peace, ingest first."""
    sent = [(number, record) for number, part in enumerate(records) for record in part]
    asyncio.run(produce(kafka, kafka.topics.requests, sent))
    feeding, *counting = [Stage(name, config, folder) for name in ("ingest", "detect", "detect")]
    try:
        asyncio.run(until(lambda: fed(kafka, upto), 180.0))
        assert feeding.end() == 0, feeding.told()
        asyncio.run(until(lambda: drained(kafka), 180.0))
        assert [stage.end() for stage in counting] == [0, 0], [stage.told() for stage in counting]
    finally:
        for stage in (feeding, *counting):
            stage.end(1.0)


def by_what_it_said(kafka: Kafka, said: str, folder):
    """The configuration that the command tells to go on with."""
    told = tomllib.loads(said[said.index("[kafka]") : said.index("Start nothing")])["kafka"]
    given = kafka.model_dump(exclude_unset=True) | {"partitions": told["partitions"]}
    given["topics"] = Topics(**kafka.topics.model_dump() | told["topics"])
    given["groups"] = Groups(**kafka.groups.model_dump() | told["groups"])
    new = Kafka(**given)
    return new, configuration(folder, new, NEVER_IDLE)


def has_judged(correlate: Stage, summaries: int) -> bool:
    return correlate.metric("swerve_summaries_total") >= summaries
