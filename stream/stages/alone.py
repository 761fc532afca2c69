"""Does another process work under the name of this worker? Then it stands by, says so, and is the next to have it.

A name is `[kafka] instance_id`: of a worker without one nothing is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from stream.configuration.sections import Kafka
from stream.errors import SwerveError
from stream.kafka.sole import Name, asked_for
from stream.stages.stage import Running
from stream.telemetry import metrics

LOOK_EVERY_S = 0.2


def group_of(group: str, instance_id: str) -> str:
    """The group in which the worker of this name holds it.

    >>> group_of("swerve-ingest", "pod-0")
    'swerve-ingest-named-pod-0'
    """
    return f"{group}-named-{instance_id}"


@contextlib.asynccontextmanager
async def alone(stage: str, kafka: Kafka, group: str, topic: str, running: Running) -> AsyncIterator[bool]:
    """Whether the name is ours, until the end of the block; False where we were asked to stop before it was.

    Waits for it, not ready, for as long as another has it. Who loses it is asked to stop. Raises SwerveError where it
    was lost, or cannot be had, and UnreachableError.
    """
    if kafka.instance_id is None:
        yield True
        return
    running.waits(stage, f"asks whether instance_id {kafka.instance_id} is its own")
    async with asked_for(kafka, group_of(group, kafka.instance_id), topic) as name:
        await _until_ours(stage, kafka.instance_id, name, running)
        losing = asyncio.create_task(_stop_where_lost(name, running))
        try:
            yield name.has_it.is_set() and not name.lost.is_set()
        finally:
            losing.cancel()
        if name.lost.is_set():
            raise SwerveError(f"instance_id {kafka.instance_id}: {name.why_lost}; this one ends")


async def _until_ours(stage: str, instance_id: str, name: Name, running: Running) -> None:
    told = ""
    while not (name.has_it.is_set() or name.lost.is_set() or await running.stopping(LOOK_EVERY_S)):
        if name.holder not in (told, name.who):
            told = name.holder
            metrics.name_taken(stage, instance_id, told)
            running.waits(
                stage,
                f"instance_id {instance_id} is that of {told}, which works: stands by for its end. "
                "Give each worker an instance_id of its own, or none",
            )
    metrics.name_taken(stage, instance_id, "")


async def _stop_where_lost(name: Name, running: Running) -> None:
    await name.lost.wait()
    running.stop.set()
