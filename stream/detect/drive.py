"""How do a shell and its log run together in a process? Messages go in, snapshots are taken, one failure ends both."""

from __future__ import annotations

import asyncio
import time

from stream import metrics
from stream.detect.faust_log import FaustLog
from stream.detect.shell import Shell
from stream.sections import Kafka
from stream.stage import Running


async def drive(stage: str, shell: Shell, log: FaustLog, kafka: Kafka, running: Running) -> None:
    """Run until asked to stop; then store, commit and leave the group. Raises what ends the stage."""
    revoked_s = time.monotonic()

    async def left() -> None:
        nonlocal revoked_s
        revoked_s = time.monotonic()
        running.waits(stage, "waits for its partitions")
        await shell.drop()

    def ready(partitions: int) -> None:
        metrics.rebalance(stage, partitions, time.monotonic() - revoked_s)
        running.ready(stage)

    log.take, log.flush, log.left, log.ready = shell.take, shell.flush, left, ready
    running.waits(stage, "joins the group")
    snapshots = asyncio.create_task(_snapshots(shell, log, kafka.snapshot_ms / 1000))
    try:
        await log.run(running.stopping)
    finally:
        snapshots.cancel()
        await asyncio.gather(snapshots, return_exceptions=True)


async def _snapshots(shell: Shell, log: FaustLog, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        try:
            await shell.flush()
        except Exception as error:
            log.failed(error)
            return
