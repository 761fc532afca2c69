"""What stands between a stage's state and its log? Continues, refuses, asks again, stores, and only then commits.

Knows nothing of Faust, nor of what a message means: the stage gives an engine for each partition, the log is reached
through four methods. So all of it is tested without a broker.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import msgspec

from stream.errors import SwerveError
from stream.kafka.topic_id import is_another
from stream.pipeline.chain import Applied
from stream.pipeline.envelope import UnknownVersion, UnreadableEnvelope
from stream.stages.heads import Head, Stored, choose, digest, head_key, piece_key
from stream.telemetry import log, metrics

ASK_AGAIN_S = 10.0  # a gap that was sought and stays is asked for again so often
SILENT_S = 5.0  # so long nothing was handed out, though there is something: asked for again; doubled each time
SILENT_MAX_S = 80.0  # the fifth time, after two and a half minutes: a worker that starts anew helps better
ANY = ""  # the source of messages that were left out, of which nobody can tell whose they are
T = TypeVar("T")
_log = log.get("swerve.shell")


@dataclass(frozen=True, slots=True)
class Output:
    """One message that a stage writes."""

    value: bytes
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What an engine did with one message of `source`, "" where nobody can tell. rest: does more of it, of much."""

    outcome: Applied
    source: str
    outputs: tuple[Output, ...] = ()
    rest: Callable[[], Step] | None = None


def decoded(decode: Callable[[bytes], T], value: bytes, stage: str, place: str) -> T | None:
    """The message at `place`; None where it is none of ours, or a damaged one: set aside, and told.

    Raises SwerveError for one of another version: the right build reads it.
    """
    try:
        return decode(value)
    except UnknownVersion as error:
        raise SwerveError(f"{place}: {error}") from error
    except UnreadableEnvelope as error:
        metrics.message_set_aside(stage, place, str(error))
        return None


class Engine(Protocol):
    """The state of one partition; pure, and used by one thread at a time. offset: where the log has the message."""

    def apply(self, offset: int, value: bytes) -> Step:
        """Take one message into the state, and give what follows from it."""

    def give_up(self, source: str) -> None:
        """What the chain of this source misses is deleted: go on with its next message, and tell how much it was."""

    def begin_anew(self) -> None:
        """The topic was deleted and made anew: its offsets begin at 0 again. What is missing in between is told."""

    def snapshot(self) -> dict[str, bytes]:
        """The whole state in named pieces, from which `Stage.open` makes the same engine again."""


class Stage(Protocol):
    """What differs between detect and correlate."""

    name: str

    async def open(self, partition: int, pieces: Mapping[str, bytes]) -> Engine:
        """The engine of a partition that is ours now; pieces: its last snapshot, {} without one."""

    async def emit(self, outputs: tuple[Output, ...]) -> None:
        """Write what a step gave. Need not wait for acknowledgement."""

    async def settle(self) -> None:
        """Until all that was emitted is acknowledged."""

    async def close(self, partition: int) -> None:
        """The partition is another's now."""


class Log(Protocol):
    """The input topic of the stage and the table of its state."""

    def entries(self, partition: int) -> dict[bytes, bytes]:
        """The state's entries of one partition by key, as the table has them now."""

    async def store(self, partition: int, entries: Mapping[bytes, bytes | None]) -> None:
        """Write entries (None: remove) and wait until the broker has them."""

    async def commit(self, partition: int, offset: int) -> None:
        """The group goes on from this offset: all before it is in the state that was stored."""

    async def seek_back(self, partition: int, offset: int, surely: bool = False) -> int:
        """Messages come again from this offset on, or the first after it that the topic has, which is given back.

        surely: the broker is asked for that one, where the offset was asked for before in vain.
        """

    def committed(self, partition: int) -> int | None:
        """The offset that the group had when the partition came to us; None where it had none."""

    async def begins_at(self, partition: int) -> int | None:
        """The offset of the first message that the broker has not deleted; None where it gives none."""

    async def topic_id(self) -> str:
        """The id of the input topic; "" where the broker has none, or there is no topic of that name."""

    async def ask_end(self, partition: int) -> int | None:
        """The offset that the next message will have, by the broker's word; None where it gives none."""


@dataclass(slots=True)
class Held:
    """One partition that is ours. times are monotonic seconds.

    upto: the next offset to take; every message before it was taken. whole: all that the engine told was written.
    writer: a name that no other owner has, past or present, nor we when it was ours before. stored: name to digest, of
    the last snapshot that we wrote. before: entries of those before us, until our first snapshot is stored.
    stored_upto: the next offset by the snapshot that is stored. topic: the id of the one whose offsets these are.
    """

    engine: Engine
    upto: int
    resume: dict[str, int]
    writer: str
    stored: dict[str, bytes] = field(default_factory=dict)
    before: tuple[bytes, ...] = ()
    asked_s: dict[str, float] = field(default_factory=dict)
    stored_upto: int = 0
    topic: str = ""
    dirty: bool = False
    whole: bool = True


class Shell:
    """The partitions of one worker.

    `take` gives each message to its engine, in a thread, so that a heavy tick never stops the event loop. `flush`
    stores what changed and then commits. `drop` forgets everything: the next owner reads it from the table.
    """

    def __init__(self, stage: Stage, log_: Log, writer: str, now_s: Callable[[], float] = time.monotonic) -> None:
        """writer: a name that no other worker has, past or present."""
        self._stage = stage
        self._log = log_
        self._writer = writer
        self._openings = itertools.count()
        self._now_s = now_s
        self._held: dict[int, Held] = {}
        self._left: dict[int, tuple[int, int]] = {}  # of the partitions that went last, and were not stored
        self._lock = asyncio.Lock()
        self._heard_s = now_s()
        self._patience_s = SILENT_S

    async def open(self, partitions: Iterable[int], still_ours: Callable[[], bool]) -> bool:
        """Restore partitions that have come to us; False where they went again meanwhile."""
        async with self._lock:
            for partition in partitions:
                if not still_ours():
                    return False
                if partition not in self._held:
                    self._held[partition] = await self._open(partition)
            self._heard()
            return still_ours()

    async def take(self, partition: int, offset: int, value: bytes) -> None:
        """Apply one message, or refuse it and go back to where its chain stands.

        Where it asks for much, a snapshot or a rebalance may come in between: what is left then is done after it.
        """
        async with self._lock:
            held = self._held.get(partition)
            if held is None:
                held = self._held[partition] = await self._open(partition)
            if offset > held.upto:
                # What is left out may be of a source that says nothing more: then no gap in its chain would show it.
                self._heard()
                await self._refuse(held, partition, ANY)
                return
            step = await self._worked(held, lambda: held.engine.apply(offset, value))
            if step.outcome is Applied.GAP:
                await self._refuse(held, partition, step.source)
                return
            held.asked_s.pop(ANY, None)
            if step.outcome is Applied.APPLIED:
                held.asked_s.pop(step.source, None)
            held.upto = max(held.upto, offset + 1)
            if step.source:
                held.resume[step.source] = max(held.resume.get(step.source, 0), offset + 1)
            held.dirty = True
        while step.rest is not None:
            async with self._lock:
                if self._held.get(partition) is not held:
                    return
                step = await self._worked(held, step.rest)
                held.dirty = True

    async def _worked(self, held: Held, work: Callable[[], Step]) -> Step:
        """One step, and all that it gave written. Where it fails or is cancelled in between, the state is never stored.

        It would say that ticks are closed, which nobody was told of, and nobody would be.
        """
        held.whole = False
        step = await asyncio.to_thread(work)
        self._heard()
        if step.outputs:
            await self._stage.emit(step.outputs)
        held.whole = True
        return step

    async def _open(self, partition: int) -> Held:
        begun_s = self._now_s()
        try:
            stored = await asyncio.to_thread(choose, partition, self._log.entries(partition))
            self._refuse_to_begin_empty(partition, stored)
            topic = await self._log.topic_id()
            engine = await self._stage.open(partition, stored.pieces if stored else {})
        except Exception:
            metrics.recovery(self._stage.name, "failed", self._now_s() - begun_s)
            raise
        seconds = self._now_s() - begun_s
        writer = f"{self._writer}-{next(self._openings)}"
        if stored is None:
            metrics.recovery(self._stage.name, "empty", seconds)
            return Held(engine, 0, {}, writer, topic=topic)
        if is_another(stored.head.topic, topic):
            metrics.topic_made_anew(self._stage.name, f"partition {partition}", stored.head.upto)
            engine.begin_anew()
            return Held(engine, 0, {}, writer, before=stored.before, topic=topic)
        metrics.recovery(self._stage.name, "restored", seconds, f"partition {partition}, offset {stored.head.upto}")
        return Held(
            engine,
            stored.head.upto,
            dict(stored.head.resume),
            writer,
            before=stored.before,
            stored_upto=stored.head.upto,
            topic=topic,
        )

    def _refuse_to_begin_empty(self, partition: int, stored: Stored | None) -> None:
        committed = self._log.committed(partition)
        if stored is None and committed:
            raise SwerveError(
                f"{self._stage.name}: partition {partition} is committed up to offset {committed}, but its state is "
                "not there: counting on without it would count wrongly. Start this worker again; if that does not "
                "help, the state's topic was deleted: reset the group's offsets to the earliest to count anew"
            )

    async def _refuse(self, held: Held, partition: int, source: str) -> None:
        now_s = self._now_s()
        # A hole that is nobody's waits for whatever was asked for: going back less far would undo that.
        asked_s = max(held.asked_s.values(), default=None) if source == ANY else held.asked_s.get(source)
        if asked_s is not None and now_s - asked_s < ASK_AGAIN_S:
            return  # on its way; this message was read before we went back
        offset = _asked_from(held) if source == ANY else held.resume.get(source, 0)
        held.asked_s[source] = now_s
        if asked_s is not None:
            _log.error("gap_stays", stage=self._stage.name, partition=partition, source=source, offset=offset)
        first = await self._log.seek_back(partition, offset, surely=asked_s is not None)
        if source == ANY:
            held.upto = max(held.upto, first)  # what lies before was deleted, or never was a message
        elif asked_s is not None and (await self._log.begins_at(partition) or 0) > offset:
            held.engine.give_up(source)

    def _heard(self) -> None:
        self._heard_s, self._patience_s = self._now_s(), SILENT_S

    async def break_silence(self) -> None:
        """Ask again for what the log holds, where it has handed out nothing for long; call it every few seconds.

        A gap is noticed by the message after it. Where all messages are left out, nothing comes after.
        Raises SwerveError where asking did not help.
        """
        async with self._lock:
            if self._now_s() - self._heard_s < self._patience_s:
                return
            waiting = {}
            for partition, held in self._held.items():
                end = await self._log.ask_end(partition)
                if end is not None and (end > held.upto or held.asked_s):
                    waiting[partition] = _asked_from(held)
            if waiting and self._patience_s >= SILENT_MAX_S:
                raise SwerveError(
                    f"{self._stage.name}: partitions {sorted(waiting)} hold messages, and none was handed out, though "
                    "they were asked for again: start this worker again"
                )
            self._heard_s = self._now_s()
            self._patience_s = 2 * self._patience_s if waiting else SILENT_S
            for partition, offset in waiting.items():
                _log.warning("messages_left_out", stage=self._stage.name, partition=partition, offset=offset)
                await self._log.seek_back(partition, offset)

    async def flush(self) -> None:
        """Store every partition that changed: what was written, then the pieces, then the head, then the commit."""
        async with self._lock:
            if any(held.dirty for held in self._held.values()):
                await self._stage.settle()
            for partition, held in sorted(self._held.items()):
                if held.dirty and held.whole:
                    await self._store(partition, held)

    async def _store(self, partition: int, held: Held) -> None:
        begun_s = self._now_s()
        pieces, digests = await asyncio.to_thread(_named, held.engine)
        if not pieces:
            return  # a state that is rebuilt by reading again: so nothing is committed either
        there = set(held.stored.values())
        keys = {name: piece_key(partition, content, held.writer) for name, content in digests.items()}
        fresh = {keys[name]: piece for name, piece in pieces.items() if digests[name] not in there}
        await self._log.store(partition, fresh)
        head = Head(upto=held.upto, resume=held.resume, pieces=digests, writer=held.writer, topic=held.topic)
        await self._log.store(partition, {head_key(partition, held.writer): msgspec.msgpack.encode(head)})
        left = {piece_key(partition, content, held.writer) for content in there - set(digests.values())}
        await self._log.store(partition, dict.fromkeys(sorted(left | set(held.before))))
        held.stored, held.before, held.dirty = digests, (), False
        await self._log.commit(partition, held.upto)
        held.stored_upto = held.upto
        metrics.snapshot_written(self._stage.name, sum(map(len, pieces.values())), self._now_s() - begun_s)

    async def drop(self) -> None:
        """Forget every partition."""
        async with self._lock:
            held, self._held = self._held, {}
            self._left = {partition: (one.stored_upto, one.upto) for partition, one in held.items() if one.dirty}
            for partition in held:
                await self._stage.close(partition)

    def positions(self) -> dict[int, int]:
        """The next offset to take, of each partition that was opened."""
        return {partition: held.upto for partition, held in self._held.items()}

    def unwritten(self) -> dict[int, tuple[int, int]]:
        """By partition that changed since its last snapshot: the next offset by that snapshot, and the next to take."""
        held = {p: (one.stored_upto, one.upto) for p, one in list(self._held.items()) if one.dirty}
        return held or dict(self._left)

    def engines(self) -> dict[int, Any]:
        """The engine of each partition that was opened."""
        return {partition: held.engine for partition, held in self._held.items()}


def _asked_from(held: Held) -> int:
    """The offset from which everything comes again that is missing."""
    return min([held.resume.get(one, 0) for one in held.asked_s if one != ANY], default=held.upto)


def _named(engine: Engine) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """A snapshot, and the digest of each of its pieces."""
    pieces = engine.snapshot()
    return pieces, {name: digest(piece) for name, piece in pieces.items()}
