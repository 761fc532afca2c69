"""Two deployments on one set of topics: does each of them notice the other, on every topic that a stage reads?"""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest
from structlog.testing import capture_logs

from stream.configuration.sections import Groups
from stream.contract.alert import encode
from stream.correlate import outgoing
from stream.correlate import worker as correlate
from stream.correlate.book import Book
from stream.detect import worker as detect
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.stages.shell import Output
from stream.telemetry import metrics
from tests.service.alerts.test_outgoing import record
from tests.service.rig import START_MS, drained, produce, request, running, settings_for, until

pytestmark = pytest.mark.service("kafka")


def beside(settings):
    """The same topics under groups of other names."""
    groups = Groups(**{name: f"{group}-beside" for name, group in settings.kafka.groups.model_dump().items()})
    return settings.model_copy(update={"kafka": settings.kafka.model_copy(update={"groups": groups})})


def heard(stage: str) -> float:
    return metrics.value("swerve_other_deployment_messages_total", stage=stage) or 0.0


async def hear(stage: str, before: float) -> bool:
    return heard(stage) > before


async def test_detect_and_correlate_tell_of_another_ingest_and_another_detect(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka, second = settings.kafka, beside(settings)
    for one in (kafka, second.kafka):
        await topics.create(one, 1)
    frames, summaries = heard("detect"), heard("correlate")
    with capture_logs() as lines:
        async with contextlib.AsyncExitStack() as stack:
            for one in (settings, second):
                await stack.enter_async_context(running(ingest.work, one))
                await stack.enter_async_context(running(detect.work, one))
            await stack.enter_async_context(running(correlate.work, settings))
            for number in itertools.count():
                if heard("detect") > frames and heard("correlate") > summaries:
                    break
                at_ms = START_MS + number * settings.ticks.tick_ms  # each closes a tick
                await produce(kafka, kafka.topics.requests, [(0, request(number, at_ms=at_ms))])
                await asyncio.sleep(0.05)
    told = [line for line in lines if line["event"] == "two_deployments_on_one_topic"]
    assert {line["topic"] for line in told} == {kafka.topics.frames, kafka.topics.summaries}
    assert all(line["log_level"] == "error" for line in told)
    pairs = {line["topic"]: line["groups"] for line in told}
    assert pairs[kafka.topics.frames] == [kafka.groups.ingest, second.kafka.groups.ingest]
    assert pairs[kafka.topics.summaries] == [kafka.groups.detect, second.kafka.groups.detect]


async def test_who_delivers_alerts_tells_of_another_who_writes_them(bootstrap, unique):
    settings = settings_for(bootstrap, unique)
    await topics.create(settings.kafka, 1)
    before = heard("correlate")
    books = [Book(settings.kafka), Book(beside(settings).kafka)]
    delivering = asyncio.create_task(outgoing.deliver(settings))
    try:
        for book in books:
            await book.open()
        for number in itertools.count():  # the first ones may stand there before it reads: those are not news
            if await hear("correlate", before):
                break
            one = record(f"a{number}")
            await books[number % 2].write((Output(encode(one), one.alert_id.encode()),))
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        for book in books:
            await book.close()


async def test_workers_of_one_group_are_one_deployment(bootstrap, unique):
    settings = settings_for(bootstrap, unique, idle_s=0.5)
    kafka = settings.kafka
    await topics.create(kafka, 2)
    before = heard("detect")
    async with running(ingest.work, settings), running(ingest.work, settings), running(detect.work, settings):
        await produce(kafka, kafka.topics.requests, [(n % 2, request(n)) for n in range(2_000)])
        await until(lambda: all_counted(kafka))
    assert heard("detect") == before


async def all_counted(kafka) -> bool:
    return sum((await broker.ends(kafka, kafka.topics.frames)).values()) > 0 and await drained(kafka)
