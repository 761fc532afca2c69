"""Which of the processes under one name works? One has the name at a time, the others wait for its end.

The name of a static member is no lock: who joins a group under it takes the place of who is there, alive or not, and
two that do so push each other out for ever. So who means to work under a name joins another group first, as a member
that has none. There the living are told from the dead: a rebalance waits for their answer, as long as a session lasts.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata
from aiokafka.errors import KafkaError

from stream.configuration.sections import Kafka
from stream.kafka import broker

NEVER_IDLE_MS = 2**31 - 1  # the group deals out no partition, so nobody in it ever reads
REBALANCE_MS = 60_000  # who lives has so long to answer


class Claim(msgspec.Struct, frozen=True):
    """What a member says of itself. since_ms: when the name came to it, by its own clock; 0 where it has it not."""

    who: str = ""
    since_ms: int = 0


class Dealt(msgspec.Struct, frozen=True):
    """What a member is told: who has the name, and whether that is it."""

    holder: str
    yours: bool


class Name:
    """Deals out one thing, the name, by the rules of a group's assignor.

    Who has it keeps it. Of two that had it, one was away beyond its session: the later has it. holder: who has it, in
    words, as far as we were told. lost: it was ours and is not any more, or cannot be had; why_lost says it.

    >>> one, two = Name("one"), Name("two", lambda: 5.0)
    >>> said = {"1": one.metadata(["t"]), "2": two.metadata(["t"])}
    >>> two.on_assignment(two.assign(None, {"2": said["2"]})["2"])
    >>> dealt = one.assign(None, said | {"2": two.metadata(["t"])})
    >>> one.on_assignment(dealt["1"]); two.on_assignment(dealt["2"])
    >>> one.holder, one.has_it.is_set(), two.has_it.is_set()
    ('two', False, True)
    """

    name = "swerve-name"

    def __init__(self, who: str, now_s: Callable[[], float] = time.time) -> None:
        """who: this process, in words. now_s: the time of day."""
        self.who = who
        self.holder = ""
        self.has_it = asyncio.Event()
        self.lost = asyncio.Event()
        self.why_lost = ""
        self._now_s = now_s
        self._since_ms = 0

    def metadata(self, topics: Any) -> ConsumerProtocolMemberMetadata:
        """What this process says of itself whenever it joins."""
        said = msgspec.json.encode(Claim(self.who, self._since_ms))
        return ConsumerProtocolMemberMetadata(0, list(topics), said)

    def assign(
        self, cluster: Any, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """No partition to anybody, and the name to one."""
        claims = {member: _claim(said.user_data) for member, said in members.items()}
        first = max(claims, key=lambda member: (claims[member].since_ms, member))
        return {
            member: ConsumerProtocolMemberAssignment(
                0, [], msgspec.json.encode(Dealt(claims[first].who, member == first))
            )
            for member in members
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """What this process is told."""
        dealt = msgspec.json.decode(assignment.user_data, type=Dealt)
        self.holder = dealt.holder
        if dealt.yours and not self.has_it.is_set():
            self._since_ms = int(1000 * self._now_s())
            self.has_it.set()
        elif not dealt.yours and self.has_it.is_set():
            self.lose(f"{dealt.holder} took over while {self.who} stood still for longer than its session")

    def lose(self, why: str) -> None:
        """It is no longer ours, or cannot be had."""
        self.why_lost = self.why_lost or why
        self.lost.set()


def _claim(said: bytes | None) -> Claim:
    """Of what is none of ours, nothing is believed."""
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.json.decode(said or b"", type=Claim)
    return Claim()


@contextlib.asynccontextmanager
async def asked_for(kafka: Kafka, group: str, topic: str) -> AsyncIterator[Name]:
    """The name that this process asks a group for, which it lets go of at the end of the block.

    topic: any that the process may read; nothing of it is. Raises UnreachableError.
    """
    name = Name(f"process {os.getpid()} on {socket.gethostname()}")
    session_ms = min(kafka.session_timeout_ms, kafka.correlate_session_timeout_ms)
    async with broker.consumer(
        kafka,
        group_id=group,
        partition_assignment_strategy=[name],
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=max(session_ms // 10, 100),
        rebalance_timeout_ms=REBALANCE_MS,
        max_poll_interval_ms=NEVER_IDLE_MS,
    ) as member:
        member.subscribe([topic])
        following = asyncio.create_task(_follow(member, group, name))
        try:
            yield name
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _follow(member: AIOKafkaConsumer, group: str, name: Name) -> None:
    """Ask the client again and again: it tells what is wrong with the group only to who reads."""
    while True:
        try:
            await member.getmany(timeout_ms=1_000)
        except KafkaError as error:
            if error.retriable:
                await asyncio.sleep(1.0)
                continue
            name.lose(f"group {group}, in which a worker holds its name: {error!r}")
            return
