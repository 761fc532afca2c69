"""The correlate stage: summaries in, alerts out. One worker is active, others stand by for it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from functools import partial
from typing import Any

from stream.configuration.settings import Settings
from stream.console.actions import muted
from stream.console.desk import Desk
from stream.correlate import outgoing
from stream.correlate.attention import TopicAttention
from stream.correlate.book import GONE, Book
from stream.correlate.engine import STAGE as STAGE
from stream.correlate.engine import FleetEngine
from stream.correlate.knowledge import Knowledge
from stream.correlate.voice import TopicVoice
from stream.kafka import broker
from stream.kafka.topics import refuse_what_loses, state_topic
from stream.oncall.silence.in_force import Silence
from stream.stages.drive import drive
from stream.stages.faust_log import FaustLog
from stream.stages.shell import Output, Shell
from stream.stages.stage import Running
from stream.telemetry import log as lines
from stream.telemetry import metrics
from stream.telemetry.missing import Missing


async def work(settings: Settings, running: Running) -> None:
    """Run until asked to stop. Raises SwerveError where a topic or the state is wrong, or another took over."""
    kafka = settings.kafka
    names = kafka.topics
    topics = (names.summaries, names.alerts, names.releases, names.expected, names.verdicts, names.attention)
    await refuse_what_loses(kafka, *topics, state_topic(kafka.groups.correlate))
    running.waits(STAGE, "reads the catalogues")
    knowledge, attention = Knowledge(settings), TopicAttention(settings)
    await asyncio.gather(knowledge.load(), attention.load())
    # No static membership here: the standby must learn of a death within the session, not wait for a name to return.
    log = FaustLog(
        kafka,
        group=kafka.groups.correlate,
        topic=names.summaries,
        partitions=1,
        session_timeout_ms=kafka.correlate_session_timeout_ms,
        instance_id=None,
    )
    stage = Correlate(settings, knowledge, attention, log, running.desk, running.memory.get(STAGE, math.inf))
    async with _in_background(log, knowledge.follow()), _in_background(log, attention.follow()):
        await drive(STAGE, Shell(stage, log, uuid.uuid4().hex), log, kafka, running, also=topics[1:])


class Correlate:
    """What the shell needs to know of correlate."""

    name = STAGE

    def __init__(
        self,
        settings: Settings,
        knowledge: Knowledge,
        attention: TopicAttention,
        log: FaustLog,
        desk: Desk | None = None,
        bytes_max: float = math.inf,
    ) -> None:
        """desk: the console that shows what is judged here, and takes words while this worker judges.

        bytes_max: of memory, for the state.
        """
        self._settings = settings
        self._bytes_max = bytes_max
        self._knowledge = knowledge
        self._attention = attention
        self._log = log
        self._book = Book(settings.kafka)
        self._delivering = contextlib.AsyncExitStack()
        self._desk = desk
        metrics.correlate_active(False)

    async def open(self, partition: int, pieces: Mapping[str, bytes]) -> FleetEngine:
        """Become the one that judges: fence the others, read what is written, deliver from there."""
        await self._book.open()
        # Who stands by may have been slow to read: what was said before we took over must hold for the first tick.
        await asyncio.gather(self._knowledge.load(), self._attention.load())
        first = await broker.earliest(self._settings.kafka, self._settings.kafka.topics.summaries)
        missing_s = self._settings.ticks.missing_shard_s
        begun = partial(
            FleetEngine,
            self._settings.parameters,
            self._knowledge.now,
            first,
            pieces,
            missing_s,
            state_of=self._state_of,
        )
        engine = await asyncio.to_thread(begun)
        engine.fleet.keep_within(self._bytes_max)
        await self._delivering.enter_async_context(_in_background(self._log, self._deliver()))
        metrics.correlate_active(True)
        Missing(engine.fleet, lines.get("swerve.correlate").warning)
        if self._desk is not None:
            self._desk.view.follow(engine.fleet)
            self._desk.voice = TopicVoice(self._knowledge, self._attention)
        return engine

    def _state_of(self, alert_id: str) -> str:
        return self._attention.entry(alert_id).at(int(1000 * time.time())).state

    async def _deliver(self) -> None:
        """Sinks get what they read back committed, so that nothing is delivered that is not recorded."""
        await outgoing.deliver(self._settings, self._attention.of, self._muted)

    def _muted(self) -> list[Silence]:
        return [] if self._desk is None or self._desk.voice is None else muted(self._desk)

    async def emit(self, outputs: tuple[Output, ...]) -> None:
        """Write alert records; committed when this returns."""
        await self._book.write(outputs)
        await self._attention.forget(one.key.decode() for one in outputs if one.value == GONE and one.key is not None)

    async def settle(self) -> None:
        """Nothing waits: `emit` commits."""

    async def close(self, partition: int) -> None:
        """Another judges now."""
        if self._desk is not None:
            self._desk.voice, self._desk.view.is_active = None, False
        await self._delivering.aclose()
        await self._book.close()
        metrics.correlate_active(False)


@contextlib.asynccontextmanager
async def _in_background(log: FaustLog, beside: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """A task beside the stage; where it fails, the stage fails."""

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.failed(error)

    task = asyncio.create_task(beside)
    task.add_done_callback(ended)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
