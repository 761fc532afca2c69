"""How does detect's state come to another number of frames partitions? `swerve reshard`, while ingest and detect stand.

The state is written under new names, and nothing of the old is touched: where this is broken off, it is begun again.
Frames that come later continue each source where the state stands; state that is not whole refuses them, so a mistake
is a worker that stands still and says why, never a wrong count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from detectors.counts.rows import SHARDS
from detectors.counts.snapshot import UnreadableSnapshotError
from detectors.parameters import Parameters
from stream.commands.arguments import Config
from stream.commands.through_kafka.state_written import write_state
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings, load
from stream.errors import SwerveError, UsageError
from stream.kafka import broker, topics
from stream.kafka.broker import Outlet
from stream.kafka.topics import state_topic
from stream.pipeline.composition import Shards
from stream.pipeline.messages.divided import messages_of
from stream.stages.heads import Stored, choose, is_of

WRITER = "reshard"  # one head a partition: who begins again writes it anew
SESSION_MORE_S = 5.0  # the broker ends a session a little after its time
DRAIN = (
    "stop every ingest with SIGTERM, let detect read to its end (its lag is 0 messages), stop every detect "
    "with SIGTERM, and begin again"
)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Old:
    """The state as it was found. level: the first tick that some partition has not closed."""

    parameters: Parameters
    partitions: int
    stored: Mapping[int, Stored]
    level: int | None = None

    def restored(self, partition: int) -> Shards:
        """One partition as it was stored. Raises SwerveError where it is damaged, or another's."""
        try:
            shards = Shards.restore(self.parameters, dict(self.stored[partition].pieces))
        except UnreadableSnapshotError as error:
            raise SwerveError(
                f"the state of partition {partition} of {self.partitions} cannot be read: {error}"
            ) from None
        was = (shards.partition, shards.partitions)
        if was != (partition, self.partitions):
            raise SwerveError(
                f"the state of partition {partition} of {self.partitions} was written for {was[0]} of {was[1]}: "
                "[kafka] topics.frames and groups.detect do not belong together; name those that do"
            )
        return shards


async def reshard(settings: Settings, partitions: int, frames: str, group: str, tell: Tell) -> Kafka:
    """Move the state; gives the configuration that goes on from it. Raises SwerveError where anything is missing."""
    kafka = settings.kafka
    found = await broker.partitions_or_refuse(kafka, kafka.topics.frames, state_topic(kafka.groups.detect))
    old_count = found[kafka.topics.frames]
    kafka = kafka.model_copy(update={"partitions": old_count})
    new = moved_to(kafka, partitions, frames, group)
    await nobody_works(kafka, kafka.groups.ingest, tell)
    await nobody_works(kafka, kafka.groups.detect, tell)
    old = Old(settings.parameters, old_count, await _stored(kafka))
    surveyed, accounts, behind = await _surveyed(kafka, old, tell)
    await _prepared(new)
    written = await _write(new, surveyed, tell)
    if written != accounts:
        raise SwerveError(
            f"expected {accounts:,} accounts in the new state, got {written:,}: do not use it; report this"
        )
    await _read_back(new)
    await _tell_what_was_behind(kafka, surveyed, behind)
    tell(f"{accounts:,} accounts moved from {old_count} partitions to {partitions}, and read back")
    return new


def moved_to(kafka: Kafka, partitions: int, frames: str, group: str) -> Kafka:
    """The same configuration with the new number and names. Raises UsageError where they are the old ones."""
    if partitions == kafka.partitions:
        raise UsageError(f"{kafka.topics.frames} has {partitions} partitions already: there is nothing to move")
    if frames == kafka.topics.frames or group == kafka.groups.detect:
        raise UsageError("the new state needs names of its own: give --frames and --group names that are not in use")
    return kafka.model_copy(
        update={
            "partitions": partitions,
            "topics": kafka.topics.model_copy(update={"frames": frames}),
            "groups": kafka.groups.model_copy(update={"detect": group}),
        }
    )


async def nobody_works(kafka: Kafka, group: str, tell: Tell, remedy: str = DRAIN) -> None:
    """Until the group has no members; a static member that stopped is one until its session ends. Else SwerveError."""
    session_s = kafka.session_timeout_ms / 1000 + SESSION_MORE_S
    end_s = time.monotonic() + session_s
    told = False
    while members := await broker.members(kafka, group):
        if time.monotonic() > end_s:
            raise SwerveError(f"group {group} has {len(members)} live members ({', '.join(members[:3])}): {remedy}")
        if not told:
            tell(f"group {group} has {len(members)} members; waits at most {session_s:.0f} s for their sessions to end")
        told = True
        await asyncio.sleep(1.0)


async def _stored(kafka: Kafka) -> dict[int, Stored]:
    """The whole state of every partition, which must contain every frame that there is."""
    frames, group = kafka.topics.frames, kafka.groups.detect
    entries = await broker.last_values(kafka, state_topic(group))
    ends = await broker.ends(kafka, frames)
    committed = await broker.committed(kafka, group, frames)
    stored = {}
    for partition in range(kafka.partitions):
        found = choose(partition, {key: value for key, value in entries.items() if is_of(partition, key)})
        upto = found.head.upto if found is not None else 0
        if found is None or upto < committed.get(partition, 0):
            raise SwerveError(
                f"partition {partition} of {frames} has no state up to offset {committed.get(partition, 0)} in "
                f"{state_topic(group)}: start detect, which says what is wrong with it or stores it, and {DRAIN}"
            )
        if ends[partition] > upto:
            raise SwerveError(
                f"partition {partition} of {frames} holds {ends[partition] - upto} frames that are not counted yet "
                f"(state up to offset {upto}, end at {ends[partition]}): {DRAIN}"
            )
        stored[partition] = found
    return stored


async def _surveyed(kafka: Kafka, old: Old, tell: Tell) -> tuple[Old, int, list[int]]:
    """The old state with its level, the accounts in it, and the partitions that have not closed what others have.

    Positions differ only where ingest was killed between its frames: refused. Ticks differ only where a source fell
    idle at one partition before another.
    """
    accounts, first_open = 0, {}
    positions: dict[str, set[int]] = {}
    for partition in range(old.partitions):
        shards = await asyncio.to_thread(old.restored, partition)
        accounts += len(shards.accounts)
        first_open[partition] = shards.ticks.first_open
        for name, position in shards.positions().items():
            positions.setdefault(name, set()).add(position)
        tell(f"read partition {partition} of {old.partitions}: {len(shards.accounts):,} accounts")
    sent = await broker.committed(kafka, kafka.groups.ingest, kafka.topics.requests)
    for number, offset in sent.items():
        positions.setdefault(f"{kafka.topics.requests}[{number}]", {-1})
        _refuse_what_was_not_counted(f"{kafka.topics.requests}[{number}]", positions, offset)
    for name in positions:
        _refuse_what_was_not_counted(name, positions, 0)
    level = max((one for one in first_open.values() if one is not None), default=None)
    behind = [partition for partition, first in first_open.items() if first != level]
    return Old(old.parameters, old.partitions, old.stored, level), accounts, behind


def _refuse_what_was_not_counted(name: str, positions: Mapping[str, set[int]], sent: int) -> None:
    """sent: the next offset of the source that ingest has not sent."""
    seen = sorted(positions[name])
    if len(seen) > 1:
        raise SwerveError(
            f"{name} is counted up to offset {' in one partition, up to '.join(map(str, seen))} in another: ingest was "
            f"killed between its frames. Start ingest and detect, then {DRAIN}"
        )
    if seen[0] < sent - 1:
        raise SwerveError(
            f"{name} is counted up to offset {seen[0]}, and ingest has sent on up to {sent - 1}: the frames between "
            "are in another topic, or deleted. Are [kafka] topics.frames and groups.detect those that are in use?"
        )


async def _tell_what_was_behind(kafka: Kafka, old: Old, partitions: list[int]) -> None:
    """Close there what the others have closed, and tell it: what comes later for those ticks is late everywhere."""
    if not partitions or old.level is None:
        return
    async with broker.producer(kafka) as producer:
        outlet = Outlet(producer, kafka.topics.summaries)
        for partition in partitions:
            for summary in old.restored(partition).close_until(old.level):
                for message in messages_of(summary):
                    await outlet.send(message)
        await outlet.settle()


async def _prepared(new: Kafka) -> None:
    """The new topics, there and unused."""
    await topics.create(new, 1)
    names = (new.topics.frames, state_topic(new.groups.detect))
    await topics.refuse_what_loses(new, *names)
    members = await broker.members(new, new.groups.detect)
    frames = sum((await broker.ends(new, new.topics.frames)).values())
    if members or frames:
        raise SwerveError(
            f"{new.topics.frames} and {new.groups.detect} are in use ({frames} frames, {len(members)} members): "
            "give --frames and --group names that are new, or delete that topic and its state"
        )


async def _write(new: Kafka, old: Old, tell: Tell) -> int:
    """Every new partition: its pieces, then its head; how many accounts they hold."""
    accounts = 0
    async with broker.producer(new) as producer:
        for partition in range(new.partitions):
            shards = await asyncio.to_thread(_gathered, old, partition, new.partitions)
            pieces = shards.snapshot()
            await write_state(Outlet(producer, state_topic(new.groups.detect)), partition, pieces, WRITER)
            accounts += len(shards.accounts)
            size = sum(map(len, pieces.values()))
            tell(f"wrote partition {partition} of {new.partitions}: {len(shards.accounts):,} accounts, {size:,} bytes")
    return accounts


def _gathered(old: Old, partition: int, partitions: int) -> Shards:
    wanted = set(range(partition, SHARDS, partitions))
    givers = [p for p in range(old.partitions) if wanted & set(range(p, SHARDS, old.partitions))]
    others = []
    for giver in givers:
        shards = old.restored(giver)
        if old.level is not None:
            shards.close_until(old.level)
        others.append(shards)
    return Shards.of_others(others, partition, partitions)


async def _read_back(new: Kafka) -> None:
    entries = await broker.last_values(new, state_topic(new.groups.detect))
    for partition in range(new.partitions):
        if choose(partition, {key: value for key, value in entries.items() if is_of(partition, key)}) is None:
            raise SwerveError(f"the new state of partition {partition} is not there after it was written: begin again")


def unnumbered(name: str, partitions: int, separator: str) -> str:
    """A name without the number that an earlier reshard gave it.

    >>> unnumbered("swerve.frames.6", 6, "."), unnumbered("swerve.frames", 6, ".")
    ('swerve.frames', 'swerve.frames')
    """
    return name.removesuffix(f"{separator}{partitions}")


def next_steps(kafka: Kafka, new: Kafka) -> str:
    """What to do when the state is moved."""
    return f"""
Put this into the configuration of every stage, then start detect and ingest. Correlate may run on.

[kafka]
partitions = {new.partitions}
topics.frames = "{new.topics.frames}"
groups.detect = "{new.groups.detect}"

Start nothing with the old names any more: what it counts is missing in the new state, which then stands still.
{kafka.topics.frames} and {state_topic(kafka.groups.detect)} are as they were; delete them when all runs."""


def command(
    partitions: Annotated[int, typer.Argument(min=1, max=SHARDS, help="Partitions of the new frames topic.")],
    frames: Annotated[
        str | None, typer.Option(help="Name of the new frames topic; else the old with the number.")
    ] = None,
    group: Annotated[str | None, typer.Option(help="New group of detect; else the old with the number.")] = None,
    config: Config = None,
) -> None:
    """Move detect's state to another number of frames partitions, while ingest and detect are stopped."""
    settings = load(config)
    kafka = settings.kafka
    new = asyncio.run(_reshard(settings, partitions, frames, group))
    typer.echo(next_steps(kafka, new))


async def _reshard(settings: Settings, partitions: int, frames: str | None, group: str | None) -> Kafka:
    kafka = settings.kafka
    found = await broker.partitions_or_refuse(kafka, kafka.topics.frames)
    was = found[kafka.topics.frames]
    frames = frames or f"{unnumbered(kafka.topics.frames, was, '.')}.{partitions}"
    group = group or f"{unnumbered(kafka.groups.detect, was, '-')}-{partitions}"
    return await reshard(settings, partitions, frames, group, typer.echo)
