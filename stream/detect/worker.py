"""The detect stage: frames in, summaries out, the state of its partitions in a Faust table."""

from __future__ import annotations

import asyncio
import math
import uuid
from collections.abc import Mapping, Sequence

from stream.configuration.settings import Settings
from stream.detect.engine import STAGE as STAGE
from stream.detect.engine import ShardsEngine
from stream.kafka import broker
from stream.kafka.broker import Outlet
from stream.kafka.topics import refuse_what_loses, state_topic
from stream.stages.alone import alone
from stream.stages.drive import drive
from stream.stages.faust_log import FaustLog
from stream.stages.shell import Output, Shell
from stream.stages.stage import Running
from stream.telemetry import metrics


async def work(settings: Settings, running: Running) -> None:
    """Run until asked to stop.

    Raises SwerveError where a topic or the state is wrong, our name is lost, or the broker stays away.
    """
    kafka = settings.kafka
    names = kafka.topics
    await refuse_what_loses(kafka, names.requests, names.frames, names.summaries, state_topic(kafka.groups.detect))
    async with alone(STAGE, kafka, kafka.groups.detect, names.frames, running) as is_ours:
        if is_ours:
            await _work(settings, running)


async def _work(settings: Settings, running: Running) -> None:
    kafka = settings.kafka
    names = kafka.topics
    counts = await broker.partitions_or_refuse(kafka, names.requests)
    sources = [f"{names.requests}[{number}]" for number in range(counts[names.requests])]
    log = FaustLog(
        kafka,
        group=kafka.groups.detect,
        topic=names.frames,
        partitions=kafka.partitions,
        session_timeout_ms=kafka.session_timeout_ms,
        instance_id=kafka.instance_id,
    )
    async with broker.producer(kafka, linger_ms=5) as producer:
        stage = Detect(
            settings,
            sources,
            Outlet(producer, names.summaries, kafka.groups.detect),
            running.memory.get(STAGE, math.inf),
        )
        await drive(STAGE, Shell(stage, log, uuid.uuid4().hex), log, kafka, running)


class Detect:
    """What the shell needs to know of detect."""

    name = STAGE

    def __init__(
        self, settings: Settings, sources: Sequence[str], summaries: Outlet, bytes_max: float = math.inf
    ) -> None:
        """bytes_max: of memory, for the state of all partitions together."""
        self._settings = settings
        self._bytes_max = bytes_max
        self._open: dict[int, ShardsEngine] = {}
        self._sources = sources
        self._summaries = summaries

    async def open(self, partition: int, pieces: Mapping[str, bytes]) -> ShardsEngine:
        """The shards of a partition; in a thread, since a million accounts take seconds."""
        settings = self._settings
        engine = await asyncio.to_thread(
            ShardsEngine, settings.parameters, self._sources, partition, settings.kafka.partitions, pieces
        )
        self._open[partition] = engine
        self._share()
        return engine

    def _share(self) -> None:
        """Each partition gets the same part of the memory; accounts are spread evenly over them."""
        for engine in self._open.values():
            engine.shards.bytes_max = self._bytes_max / len(self._open)

    async def emit(self, outputs: tuple[Output, ...]) -> None:
        """Write summaries; the same tick of the same shards has the same bytes, so writing again does no harm."""
        for output in outputs:
            await self._summaries.send(output.value, output.key)

    async def settle(self) -> None:
        """Until the summaries are acknowledged: a snapshot that holds their ticks closed may not come before them."""
        await self._summaries.settle()

    async def close(self, partition: int) -> None:
        """Its accounts are counted elsewhere now."""
        metrics.accounts_left(str(partition))
        self._open.pop(partition, None)
        self._share()
