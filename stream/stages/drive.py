"""How do a shell and its log run together in a process? Messages go in, snapshots are taken, one failure ends both."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial

from stream.configuration.sections import Kafka
from stream.kafka import broker
from stream.kafka.topic_id import Watched
from stream.kafka.writers import Writers
from stream.stages.deadline import told_of
from stream.stages.faust_log import STORE_S, FaustLog
from stream.stages.shell import Shell
from stream.stages.stage import Running, resumed
from stream.telemetry import log as lines
from stream.telemetry import metrics

LAG_EVERY_S = 2.0
_log = lines.get("swerve.stage")


async def drive(
    stage: str, shell: Shell, log: FaustLog, kafka: Kafka, running: Running, also: Sequence[str] = ()
) -> None:
    """Run until asked to stop; then store, commit and leave the group. Raises what ends the stage.

    also: topics beside the input that are read on from where they are, and must stay what they are.
    """
    revoked_s = time.monotonic()
    opening: set[asyncio.Task[None]] = set()

    async def left() -> None:
        nonlocal revoked_s
        revoked_s = time.monotonic()
        if log.failure is None:
            running.waits(stage, "waits for its partitions")
        for partition in shell.positions():
            metrics.source_left(stage, f"{log.topic}[{partition}]")
        metrics.partitions_left(stage)
        await shell.drop()

    async def begin(partitions: list[int]) -> None:
        try:
            if not partitions:  # stands by, or the topic was deleted: that is not to be waited for in silence
                await broker.partitions_or_refuse(kafka, log.topic)
            # Before the first message comes: a new owner delivers what is due, however quiet its input is.
            if await shell.open(partitions, log.is_open) and log.failure is None:
                metrics.rebalance(stage, len(partitions), time.monotonic() - revoked_s)
                running.ready(stage, resumed(log.topic, shell.positions()))
        except Exception as error:
            log.failed(error)

    def ready(partitions: list[int]) -> None:
        task = asyncio.create_task(begin(partitions))
        opening.add(task)
        task.add_done_callback(opening.discard)

    def failed(reason: BaseException) -> None:
        running.waits(stage, f"has failed, and ends: {reason}")
        _log.error("stage_failed", stage=stage, error=str(reason) or repr(reason))
        running.ends("its failure", str(reason) or repr(reason))

    log.take, log.flush, log.left, log.ready, log.tell_failure = shell.take, shell.flush, left, ready, failed
    log.heard = Writers(partial(metrics.other_deployment, stage, log.topic)).heard
    running.waits(stage, "joins the group")
    running.unwritten[stage] = lambda: told_of(stage, {f"{log.topic}[{p}]": r for p, r in shell.unwritten().items()})
    beside = _Beside(stage, shell, log, kafka, also)
    log.stops = beside.ends
    try:
        await log.run(running.stopping)
    finally:
        await beside.ends()
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        await shell.drop()


class _Beside:
    """Who asks the broker beside the log: for lags, whether topics are the same, and to store snapshots.

    They end before the log's clients do: a client that stops has a closed loop, and answers with an error.
    """

    def __init__(self, stage: str, shell: Shell, log: FaustLog, kafka: Kafka, also: Sequence[str]) -> None:
        self._log = log
        self._stops = asyncio.Event()
        self._storing = asyncio.create_task(_snapshots(shell, log, kafka.snapshot_ms / 1000, self._stops))
        self._asking = [
            asyncio.create_task(_lags(stage, shell, log)),
            asyncio.create_task(_same_topics(log, Watched(kafka, log.topic, *also))),
        ]

    async def ends(self) -> None:
        """Until nobody asks any more. A snapshot that was begun is written, but where the worker failed.

        Then whoever holds the state may wait for a broker, or a topic, that is gone, and so does the snapshot.
        """
        self._stops.set()
        for task in self._asking:
            task.cancel()
        await asyncio.wait([self._storing], timeout=STORE_S if self._log.failure is None else 0.0)
        self._storing.cancel()
        await asyncio.gather(self._storing, *self._asking, return_exceptions=True)


async def _snapshots(shell: Shell, log: FaustLog, every_s: float, stops: asyncio.Event) -> None:
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stops.wait(), every_s)
            return
        try:
            await shell.flush()
        except Exception as error:
            log.failed(error)
            return


async def _same_topics(log: FaustLog, topics: Watched) -> None:
    while True:
        try:
            await topics.look()
        except Exception as error:
            log.failed(error)
            return
        await asyncio.sleep(LAG_EVERY_S)


async def _lags(stage: str, shell: Shell, log: FaustLog) -> None:
    while True:
        await asyncio.sleep(LAG_EVERY_S)
        for partition, position in shell.positions().items():
            end = log.end(partition)
            if end is not None:
                metrics.source_lag(stage, f"{log.topic}[{partition}]", max(end - position, 0))
        if log.is_open():
            try:
                await shell.break_silence()
            except Exception as error:
                log.failed(error)
                return
