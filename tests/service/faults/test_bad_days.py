"""What happens on the days that nobody planned? Records deleted unread, topics deleted and made anew, junk."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from detectors.parameters import HOUR_MS
from stream.detect import worker as detect
from stream.errors import SwerveError
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.kafka.broker import Outlet
from stream.pipeline.frames import decode_summary
from stream.stages.stage import Running
from stream.telemetry import metrics
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import (
    START_MS,
    drained,
    everything,
    kafka_for,
    produce,
    request,
    requests,
    running,
    settings_for,
    until,
)
from tests.service.stages.test_ingest import frames_of, rows_upto

pytestmark = pytest.mark.service("kafka")


async def delete_before(kafka, topic: str, partition: int, offset: int) -> None:
    """As retention does it."""
    async with broker.admin(kafka) as client:
        await client.delete_records({TopicPartition(topic, partition): RecordsToDelete(offset)})


def deleted_unread(stage: str) -> float:
    return metrics.value("swerve_records_deleted_unread_total", stage=stage) or 0.0


@pytest.fixture
def standing(monkeypatch):
    """An event; while it is set, ingest reads nothing, and serves its partitions."""
    stands, read = asyncio.Event(), ingest.Worker._read

    async def slow(self):
        await (asyncio.sleep(0.05) if stands.is_set() else read(self))

    monkeypatch.setattr(ingest.Worker, "_read", slow)
    return stands


async def test_what_retention_deletes_before_ingest_reads_it_is_told_to_the_record(bootstrap, unique, standing):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(100)))
    before = deleted_unread("ingest")

    async with running(ingest.work, settings):
        await until(lambda: rows_upto(kafka, 99))
        standing.set()
        for part in range(20):  # one fetch waits in the client all the same
            await produce(kafka, kafka.topics.requests, requests(range(100 * part, 100 * part + 100)))
        await delete_before(kafka, kafka.topics.requests, 0, 1_900)
        standing.clear()
        rows = await until(lambda: rows_upto(kafka, 2_099))

    lost = deleted_unread("ingest") - before
    offsets = {
        offset
        for partition in range(2)
        for frame in await frames_of(kafka, partition, f"{kafka.topics.requests}[0]")
        for offset in frame.rows.offset.tolist()
    }
    assert lost > 0
    assert rows == len(offsets) == 2_100 - lost


async def test_a_topic_of_requests_that_is_deleted_under_ingest_ends_it_with_the_reason(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(500)))
    task = asyncio.create_task(ingest.work(settings, Running()))
    await until(lambda: rows_upto(kafka, 499))

    async with broker.admin(kafka) as client:
        await client.delete_topics([kafka.topics.requests])

    with pytest.raises(SwerveError, match=kafka.topics.requests):
        await asyncio.wait_for(task, PATIENCE_S)


async def made_anew(kafka) -> bool:
    """Deleting takes the broker a moment, in which the name is still there."""
    await topics.create(kafka, 1)
    async with broker.admin(kafka) as client:
        found = await client.describe_topics([kafka.topics.requests])
    ends = await broker.ends(kafka, kafka.topics.requests) if not found[0]["error_code"] else {0: 1}
    return ends == {0: 0}


async def test_a_topic_of_requests_that_was_made_anew_with_its_groups_gone_is_told_by_detect(bootstrap, unique):
    """The broker forgets a group's offsets with the topic: ingest begins at 0, as if for the first time."""
    first, second = settings_for(bootstrap, unique, idle_s=0.5), settings_for(bootstrap, unique, idle_s=0.5)
    kafka = first.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(2_000)))
    detecting = asyncio.create_task(detect.work(first, Running()))
    async with running(ingest.work, first):
        await until(lambda: rows_upto(kafka, 1_999))
    anew = second.model_copy(
        update={"kafka": kafka.model_copy(update={"groups": kafka.groups.model_copy(update={"ingest": unique})})}
    )
    await delete_before(kafka, kafka.topics.requests, 0, 2_000)
    # The new topic, as detect sees it: the same name, offsets from 0, and later requests.
    later = [request(n, at_ms=START_MS + 5 * HOUR_MS + 1_000 * n) for n in range(600)]
    async with broker.admin(kafka) as client:
        await client.delete_topics([kafka.topics.requests])
    await until(lambda: made_anew(kafka))
    await produce(kafka, kafka.topics.requests, [(0, record) for record in later])
    async with running(ingest.work, anew):
        with pytest.raises(SwerveError, match="the topic of the requests was deleted and made anew"):
            await asyncio.wait_for(detecting, PATIENCE_S)


async def counted_upto(kafka, first_tick: int) -> int:
    """Requests that both partitions have told of, once a tick from there on is told; else 0."""
    told = [decode_summary(record.value) for record in await everything(kafka, kafka.topics.summaries)]
    last = {shard: max(s.tick for s in told if s.shards[0] == shard) for shard in {s.shards[0] for s in told}}
    if len(last) < kafka.partitions or min(last.values()) < first_tick:
        return 0
    return sum({(s.tick, s.shards[0]): s.counters["accepted"] for s in told}.values())


@pytest.mark.slow
async def test_detect_that_comes_back_after_the_retention_goes_on_and_tells_how_much_is_gone(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 1)
    await produce(kafka, kafka.topics.requests, requests(range(2_000)))
    async with running(ingest.work, settings):
        async with running(detect.work, settings):
            await until(lambda: rows_upto(kafka, 1_999))
            await until(lambda: drained(kafka))
        kept = await broker.ends(kafka, kafka.topics.frames)
        await produce(kafka, kafka.topics.requests, requests(range(2_000, 4_000)))
        await until(lambda: rows_upto(kafka, 3_999))
        gone = await broker.ends(kafka, kafka.topics.frames)
        assert all(gone[partition] > kept[partition] for partition in kept)
        for partition, end in gone.items():
            await delete_before(kafka, kafka.topics.frames, partition, end)
        before = deleted_unread("detect")
        await produce(kafka, kafka.topics.requests, requests(range(4_000, 8_000)))
        async with running(detect.work, settings):
            await until(lambda: counted_upto(kafka, (START_MS + 7_999_000) // 300_000 - 4))

    assert deleted_unread("detect") - before == 2 * 2_000  # each partition misses the same offsets of the source


JUNK = (b"", b"\xff\x00junk", b"{", b'{"id": 1}', b"[" * 5_000, "\u202e\x1b[2J".encode())


@pytest.mark.slow
async def test_junk_on_every_topic_that_is_read_stops_no_stage_and_uncounts_no_request(bootstrap, unique, tmp_path):
    kafka = kafka_for(bootstrap, unique)
    names = kafka.topics
    await topics.create(kafka, 1)
    read = (names.requests, names.releases, names.expected, names.verdicts, names.attention, names.frames,
            names.summaries, names.alerts)  # fmt: skip
    async with broker.producer(kafka) as producer:
        for topic in read:
            outlet = Outlet(producer, topic)
            for number, junk in enumerate(JUNK):
                await outlet.send(junk, f"junk-{number}".encode(), partition=0)
            await outlet.settle()
    await produce(kafka, names.requests, requests(range(4_000)))
    stage = Stage("run", configuration(tmp_path, kafka, '[[sinks]]\nkind = "stdout"\n'), tmp_path)
    try:
        await asyncio.to_thread(stage.until_ready)
        await until(lambda: judged(stage, (START_MS + 3_999_000) // 300_000 - 4))
        for topic in read:
            await produce(kafka, topic, [(0, junk) for junk in JUNK], key=b"again")
        await produce(kafka, names.requests, requests(range(4_000, 8_000)))
        counted = await until(lambda: judged(stage, (START_MS + 7_999_000) // 300_000 - 4))
    finally:
        code = stage.end()

    assert code == 0, stage.told()
    told = [json.loads(line) for line in stage.log.read_text().splitlines() if line.startswith("{")]
    aside = {one["where"].rsplit("@")[0] for one in told if one["event"] == "message_set_aside"}
    refused = {one["topic"] for one in told if one["event"] == "catalogue_record_refused"}
    assert aside >= {"frames[0]", "summaries[0]"}
    assert {names.releases, names.expected, names.verdicts} <= refused
    # A tick of 300 s holds 300 requests; every tick that closed is whole.
    assert counted % 300 == 0
    assert counted >= 6_900


async def judged(stage: Stage, tick: int) -> float:
    """Requests that correlate has judged, once a tick from there on is judged; else 0."""
    page = await asyncio.to_thread(stage.get, "/metrics")
    until_s = of_page(page, "swerve_tick_end_timestamp_seconds", "cohort")
    return of_page(page, "swerve_records_accepted_total", "correlate") if until_s >= tick * 300 else 0.0


def of_page(page: str, name: str, label: str) -> float:
    """The series of this metric that has this label's value; 0 where there is none."""
    found = [line for line in page.splitlines() if line.startswith(name + "{") and f'"{label}"' in line]
    return float(found[0].split("}")[1].split()[0]) if found else 0.0
