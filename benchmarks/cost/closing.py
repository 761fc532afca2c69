"""How long after a tick can be closed is it judged? On a real Kafka, all stages, at half of what they can take.

`python -m benchmarks.cost.closing --accounts 100000`: lets the stages work off HOURS of traffic, and takes the time;
then sends the ticks of one more hour at half of that pace. The time of a tick runs from when the broker had the records
whose times close it, to when correlate says that it judged it; its alerts go to the topic then, their commit is not in
it.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).parents[2]))  # the broker and the processes are those of the tests

from benchmarks.cost.sizing import BEGIN_MS, records
from benchmarks.cost.sizing_kafka import PARTITIONS, STAGES
from detectors.counts.arrivals import WINDOW
from detectors.parameters import HOUR_MS, Parameters
from stream.configuration.sections import Kafka
from stream.kafka import broker
from tests.service.broker import NoBrokerError, a_broker
from tests.service.processes import Stage, configuration, swerve
from tests.service.rig import kafka_for

HOURS = 2  # before the hour that is timed: long enough for every account to be known
WAIT_S = 1_200.0
ENDED = re.compile(r'^swerve_tick_end_timestamp_seconds\{.*kind="cohort".*\} ([\d.e+]+)$', re.MULTILINE)


def main(accounts: Annotated[int, typer.Option(min=1_000, help="Each asks about once an hour.")] = 10_000) -> None:
    """Print the median and the longest time of the hour's ticks; exit 1 where there is no broker."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with a_broker() as bootstrap:
                pace, seconds = measured(bootstrap, Path(folder), accounts)
        except NoBrokerError as error:
            typer.echo(f"closing: {error}", err=True)
            raise typer.Exit(1) from None
    typer.echo(
        f"closing: {accounts:,} accounts, {pace:,.0f} records/s, half of what was taken before; {len(seconds)} ticks "
        f"judged {statistics.median(seconds):.1f} s after they could be closed, the last {max(seconds):.1f} s"
    )


def measured(bootstrap: str, folder: Path, accounts: int) -> tuple[float, list[float]]:
    """(records a second that were sent, seconds of each tick)."""
    kafka = kafka_for(bootstrap, f"closing{os.getpid()}", partitions=PARTITIONS, flush_ms=1_000, snapshot_ms=60_000)
    config = configuration(folder, kafka)
    swerve("topics", "create", "--partitions", str(PARTITIONS), "--config", str(config))
    log = list(_timed(accounts))
    before = [line for at_ms, line in log if at_ms < BEGIN_MS + HOURS * HOUR_MS]
    asyncio.run(_send(kafka, before))
    stages = [Stage(name, config, folder) for name in STAGES]
    try:
        for stage in stages:
            stage.until_ready()
        began = time.monotonic()
        parameters = Parameters()
        last_ms = BEGIN_MS + HOURS * HOUR_MS - parameters.lateness_ms - parameters.tick_ms
        _until_judged(stages[-1], last_ms)
        pace = len(before) / (time.monotonic() - began) / 2
        return pace, asyncio.run(_ticks(kafka, stages[-1], log[len(before) :], pace, parameters))
    finally:
        for stage in stages:
            stage.end()


def _timed(accounts: int) -> Iterator[tuple[int, bytes]]:
    """(event time, record) in the order of time."""
    when = re.compile(rb'"timestamp":(\d+)')
    for lines in records(accounts, HOURS + 1):
        for line in lines:
            found = when.search(line)
            assert found is not None
            yield int(found[1]), line


async def _send(kafka: Kafka, lines: list[bytes]) -> None:
    async with broker.producer(kafka, linger_ms=20) as producer:
        for number, line in enumerate(lines):
            await producer.send(kafka.topics.requests, line, partition=number % PARTITIONS)
        await producer.flush()


async def _ticks(
    kafka: Kafka, correlate: Stage, log: list[tuple[int, bytes]], pace: float, parameters: Parameters
) -> list[float]:
    """Send at this pace; seconds from when each tick could be closed until it was judged."""
    waiting = []
    async with broker.producer(kafka) as producer:
        sent, began = 0, time.monotonic()
        first_ms = BEGIN_MS + HOURS * HOUR_MS
        for now_ms in range(first_ms, first_ms + HOUR_MS, parameters.tick_ms):
            upto = bisect_left(log, now_ms, key=lambda record: record[0]) + WINDOW * PARTITIONS
            for _, line in log[sent:upto]:
                await producer.send(kafka.topics.requests, line, partition=sent % PARTITIONS)
                sent += 1
                await asyncio.sleep(max(0.0, began + sent / pace - time.monotonic()))
            await producer.flush()
            ended_ms = now_ms - parameters.lateness_ms
            waiting.append(asyncio.create_task(_judged_s(correlate, ended_ms, time.monotonic())))
        return await asyncio.gather(*waiting)


async def _judged_s(correlate: Stage, ended_ms: int, closable: float) -> float:
    await asyncio.to_thread(_until_judged, correlate, ended_ms)
    return time.monotonic() - closable


def _until_judged(correlate: Stage, end_ms: int) -> None:
    """Until the tick that ends then was judged. Raises TimeoutError where it is not."""
    end = time.monotonic() + WAIT_S
    while True:
        found = ENDED.search(correlate.get("/metrics"))
        if found is not None and float(found[1]) * 1_000 >= end_ms:
            return
        if time.monotonic() > end:
            raise TimeoutError(f"no tick that ends at {end_ms} was judged\n{correlate.told()}")
        time.sleep(0.05)


if __name__ == "__main__":
    typer.run(main)
