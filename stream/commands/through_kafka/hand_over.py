"""How do the Kafka stages begin with a past? A backfill's state is written to where they look for their own.

Only where they have none, and while they stand. Records of past alerts go to their topic first, so that sinks find them
there as old; then what detect counts and what correlate knows; last where ingest begins to read. Before that last word
nothing of it is in use, and a hand-over that broke off is begun again under other names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from stream.alerts.life import DAY_MS
from stream.commands.begin.history import History, past_alerts
from stream.commands.through_kafka.state_written import write_state
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.contract import alert
from stream.correlate.engine import FLEET, POSITION
from stream.errors import SwerveError
from stream.kafka import broker
from stream.kafka.broker import Outlet
from stream.kafka.offsets import begin_at, offsets_at
from stream.kafka.topics import state_topic
from stream.pipeline.composition import Fleet, Shards

WRITER = "backfill"
MARGIN_MS = DAY_MS // 24  # before the end of the past: what comes twice is a repeat, or late; a gap would be for ever
Tell = Callable[[str], None]


async def hand_over(settings: Settings, folder: Path, known: History, tell: Tell) -> None:
    """Write it all. Raises SwerveError where a stage has a past already, runs, or a topic is not there."""
    kafka = settings.kafka
    names = kafka.topics
    states = state_topic(kafka.groups.detect), state_topic(kafka.groups.correlate)
    await broker.partitions_or_refuse(kafka, names.requests, names.frames, names.summaries, names.alerts, *states)
    await _refuse_what_has_begun(kafka)
    fleet = Fleet(settings.parameters)
    shards = await asyncio.to_thread(known.restored, settings.parameters, fleet)
    begins = await offsets_at(kafka, names.requests, known.clock.now_ms - settings.parameters.lateness_ms - MARGIN_MS)
    shards.leave()
    for partition, offset in begins.items():
        shards.begin(f"{names.requests}[{partition}]", offset - 1)
    async with broker.producer(kafka) as producer:
        await _write_alerts(Outlet(producer, names.alerts), folder)
        await _write_counts(kafka, Outlet(producer, states[0]), shards, tell)
        pieces = {FLEET + name: piece for name, piece in fleet.snapshot().items()}
        await write_state(Outlet(producer, states[1]), 0, pieces | {POSITION: msgspec.json.encode(0)}, WRITER)
    await begin_at(kafka, kafka.groups.ingest, names.requests, begins)
    at = ", ".join(f"{partition}: {offset:,}" for partition, offset in sorted(begins.items()))
    tell(f"the stages go on from here; ingest begins in {names.requests} at {at}: start them")


async def _refuse_what_has_begun(kafka: Kafka) -> None:
    groups, names = kafka.groups, kafka.topics
    for group in (groups.ingest, groups.detect, groups.correlate):
        if working := await broker.members(kafka, group):
            raise SwerveError(f"group {group} has {len(working)} live members: stop every stage with SIGTERM")
    inside = [names.frames, names.summaries, names.alerts, state_topic(groups.detect), state_topic(groups.correlate)]
    held = {topic: sum((await broker.ends(kafka, topic)).values()) for topic in inside}
    read = await broker.committed(kafka, groups.ingest, names.requests)
    used = [f"{topic} holds {count:,} messages" for topic, count in held.items() if count]
    used += [f"{groups.ingest} has read {sum(read.values()):,} requests"] if any(read.values()) else []
    if used:
        raise SwerveError(
            f"the stages have a past already: {', '.join(used)}; give [kafka.topics] frames, summaries and alerts and "
            "[kafka.groups] names that are new, create the topics, and begin again"
        )


async def _write_alerts(topic: Outlet, folder: Path) -> None:
    for one in past_alerts(folder):
        await topic.send(alert.encode(one), one.alert_id.encode())
    await topic.settle()


async def _write_counts(kafka: Kafka, topic: Outlet, shards: Shards, tell: Tell) -> None:
    for partition in range(kafka.partitions):
        part = await asyncio.to_thread(Shards.of_others, [shards], partition, kafka.partitions)
        await write_state(topic, partition, part.snapshot(), WRITER)
        tell(f"wrote partition {partition} of {kafka.partitions}: {len(part.accounts):,} accounts")
