"""How is one account taken out of what the Kafka stages keep? While detect and correlate stand; ingest may run on.

The state is a function of what was read, so it is changed where nobody writes it: a new head with the same offsets,
then tombstones for all that was there. Between two of these steps either the old state or the new one is whole; whoever
breaks off begins again. What comes later of the account counts as of a new one.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence

from detectors.counts.rows import shard_of
from detectors.counts.snapshot import UnreadableSnapshotError
from stream.commands.through_kafka.reshard import nobody_works
from stream.commands.through_kafka.state_written import write_state
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.contract import alert
from stream.contract.alert import Alert, MalformedAlertError
from stream.contract.expected import decode_expected
from stream.contract.reading.refusal import Refusal
from stream.contract.redacted import alert_without
from stream.correlate.engine import FLEET
from stream.errors import SwerveError
from stream.kafka import broker
from stream.kafka.broker import Outlet
from stream.kafka.topics import state_topic
from stream.pipeline.composition import Fleet, Shards
from stream.stages.heads import Stored, choose, is_of

STOP = "stop every detect and correlate with SIGTERM, and begin again; ingest may run on"
Tell = Callable[[str], None]


async def forget(settings: Settings, account_id: str, tell: Tell) -> None:
    """Take it out of both states, the alerts and the expected shifts. Raises SwerveError where a worker lives."""
    kafka = settings.kafka
    states = state_topic(kafka.groups.detect), state_topic(kafka.groups.correlate)
    found = await broker.partitions_or_refuse(kafka, kafka.topics.alerts, kafka.topics.expected, *states)
    for group in (kafka.groups.detect, kafka.groups.correlate):
        await nobody_works(kafka, group, tell, STOP)
    partition = shard_of(account_id) % found[states[0]]
    async with broker.producer(kafka) as producer:
        await _counts(settings, Outlet(producer, states[0]), partition, account_id, tell)
        records = await _judgement(settings, Outlet(producer, states[1]), account_id, tell)
        await _alerts(kafka, Outlet(producer, kafka.topics.alerts), account_id, records, tell)
        await _expected(kafka, Outlet(producer, kafka.topics.expected), account_id, tell)


async def _stored(kafka: Kafka, group: str, topic: str, partition: int) -> Stored | None:
    """The whole state of a partition; None where there is none and never was."""
    latest = await broker.last_values(kafka, state_topic(group))
    stored = choose(partition, {key: value for key, value in latest.items() if is_of(partition, key)})
    upto = (await broker.committed(kafka, group, topic)).get(partition, 0)
    if upto > (stored.head.upto if stored else 0):
        raise SwerveError(
            f"partition {partition} of {topic} is committed up to offset {upto}, and {state_topic(group)} has no state "
            "up to there: start that stage, which says what is wrong with it or stores it, stop it, and begin again"
        )
    return stored


async def _replace(topic: Outlet, partition: int, stored: Stored, pieces: Mapping[str, bytes]) -> None:
    """The new state, then tombstones for the old one: the broker drops what they name when it compacts."""
    writer = f"forget-{uuid.uuid4().hex}"
    written = await write_state(topic, partition, pieces, writer, stored.head.upto, stored.head.resume)
    for key in stored.before:
        if key not in written:
            await topic.send(None, key, partition)
    await topic.settle()


async def _counts(settings: Settings, topic: Outlet, partition: int, account_id: str, tell: Tell) -> None:
    kafka = settings.kafka
    stored = await _stored(kafka, kafka.groups.detect, kafka.topics.frames, partition)
    if stored is None:
        tell(f"detect: partition {partition} has no state yet")
        return
    try:
        shards = await asyncio.to_thread(Shards.restore, settings.parameters, dict(stored.pieces))
    except UnreadableSnapshotError as error:
        raise SwerveError(f"the state of partition {partition} cannot be read: {error}") from None
    was = account_id in shards.accounts.ids
    if was:
        left = await asyncio.to_thread(
            Shards.of_others, [shards], shards.partition, shards.partitions, without=(account_id,)
        )
        await _replace(topic, partition, stored, left.snapshot())
    tell(f"detect: {'removed from' if was else 'not in'} the state of partition {partition}")


async def _judgement(settings: Settings, topic: Outlet, account_id: str, tell: Tell) -> list[Alert]:
    """The records that named it in correlate's state, as they are without it."""
    kafka = settings.kafka
    stored = await _stored(kafka, kafka.groups.correlate, kafka.topics.summaries, 0)
    if stored is None:
        tell("correlate: there is no state yet")
        return []
    fleet = Fleet(settings.parameters)
    try:
        fleet.restore({name: piece for name, piece in stored.pieces.items() if name.startswith(FLEET)})
    except UnreadableSnapshotError as error:
        raise SwerveError(f"the state of correlate cannot be read: {error}") from None
    named = await asyncio.to_thread(fleet.forget, account_id)
    pieces = {FLEET + name: piece for name, piece in fleet.snapshot().items()}
    others = {name: piece for name, piece in stored.pieces.items() if not name.startswith(FLEET)}
    await _replace(topic, 0, stored, pieces | others)
    tell(f"correlate: removed from the state; {len(named)} alerts there named it")
    return named


async def _alerts(kafka: Kafka, topic: Outlet, account_id: str, known: Sequence[Alert], tell: Tell) -> None:
    """The last record of each alert that names it, written again without it, and of the same times: nobody is told."""
    known_by = {(one.alert_id, one.updated_at): one for one in known}
    changed = 0
    for key, value in (await broker.last_values(kafka, kafka.topics.alerts)).items():
        try:
            was = alert.decode(value)
        except MalformedAlertError:
            continue  # set aside by everybody else as well
        without = known_by.get((was.alert_id, was.updated_at)) or alert_without(was, account_id)
        if without != was:
            await topic.send(alert.encode(without), key)
            changed += 1
    await topic.settle()
    tell(f"{kafka.topics.alerts}: {changed} alerts are written again without it")


async def _expected(kafka: Kafka, topic: Outlet, account_id: str, tell: Tell) -> None:
    """Shifts that were announced of it are withdrawn."""
    last = await broker.last_values(kafka, kafka.topics.expected)
    withdrawn = [key for key, value in last.items() if _is_of(value, account_id)]
    for key in withdrawn:
        await topic.send(None, key)
    await topic.settle()
    tell(f"{kafka.topics.expected}: {len(withdrawn)} expected shifts of it are withdrawn")


def _is_of(value: bytes, account_id: str) -> bool:
    try:
        subject = decode_expected(value).subject
    except Refusal:
        return False
    return subject.kind == "account" and subject.id == account_id
