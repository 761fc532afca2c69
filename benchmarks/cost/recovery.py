"""What is the state of an account, how long is the way to the log and back, and does the loop turn meanwhile?

`python -m benchmarks.cost.recovery` measures one partition with a million accounts, without Kafka;
`python -m benchmarks.cost.recovery --kafka` kills a detect worker that holds 100,000 and times the way back.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from benchmarks.cost import sizing_record
from detectors.counts.rows import Frame, Rows, Sets, key_of, shard_of
from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.correlate.engine import FleetEngine
from stream.correlate.knowledge import Known
from stream.detect.engine import ShardsEngine
from stream.detect.worker import Detect
from stream.kafka.broker import Outlet
from stream.pipeline.frames import compact_rows, encode_frame
from stream.stages.shell import Shell
from stream.stages.stage import look_seldom_for_garbage
from stream.telemetry import log

START_MS = 1_772_409_600_000
HOUR_MS = 3_600_000
FRAME_ROWS = 50_000
SOURCE = "requests[0]"
BEAT_S = 0.01


@dataclass(frozen=True)
class Measured:
    """One step: how long it took, and the longest time that the event loop stood still meanwhile.

    work_s: CPU time of the step. held_s: CPU time of this process while the loop stood still: where others keep it from
    the processor it stands still as well, and that is not the worker's doing.
    """

    seconds: float
    work_s: float
    blocked_s: float
    held_s: float


class Table:
    """The log and the table of a worker, without a broker: what the shell reads and writes."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.sent: list[bytes] = []

    def entries(self, partition: int) -> dict[bytes, bytes]:
        """All of it."""
        return dict(self.kept)

    async def store(self, partition: int, entries: Mapping[bytes, bytes | None]) -> None:
        """Keep what has a value."""
        self.kept |= {key: value for key, value in entries.items() if value is not None}

    async def commit(self, partition: int, offset: int) -> None:
        """Nobody asks."""

    async def seek_back(self, partition: int, offset: int, surely: bool = False) -> int:
        """Nothing here leaves a gap."""
        raise AssertionError(f"a frame left a gap: asked for offset {offset}")

    def committed(self, partition: int) -> int | None:
        """Nothing."""
        return None

    async def topic_id(self) -> str:
        """Nobody knows it."""
        return ""

    async def ask_end(self, partition: int) -> int | None:
        """Unknown."""
        return None

    async def send(self, value: bytes, key: bytes | None = None) -> None:
        """In place of the topic of summaries."""
        self.sent.append(value)

    async def settle(self) -> None:
        """Nothing waits."""


class Crowd:
    """So many accounts, three to a payment and twenty to an organisation, each with one request in an hour."""

    def __init__(self, accounts: int) -> None:
        self.accounts = accounts
        # In no order, as those of a platform are: names that come sorted are sorted in no time.
        ids = tuple(f"acct_{n * 2_654_435_761 % (1 << 32):010d}" for n in range(accounts))
        payments, orgs = accounts // 3 + 1, accounts // 20 + 1
        values = (*(("payment", f"pay_{n}") for n in range(payments)), *(("org", f"org_{n}") for n in range(orgs)))
        self._tables: dict[str, Any] = {
            "accounts": ids,
            "account_keys": np.array([key_of(one) for one in ids], np.uint64),
            "account_shards": np.array([shard_of(one) for one in ids], np.uint8),
            "targets": ("model:atlas-3", "capability:coding"),
            "values": values,
            "value_keys": np.array([key_of(f"{one}\0{value}") for one, value in values], np.uint64),
            "capability_sets": Sets.of([(1,)]),
            "value_sets": Sets.of([(n // 3, payments + n // 20) for n in range(accounts)]),
        }

    def frame(self, after: int, who: NDArray[np.int64], at_ms: NDArray[np.int64]) -> Frame:
        """One request of each of these accounts, at these times, on time by the source's clock."""
        n = len(who)
        offset = np.arange(after + 1, after + 1 + n)
        zero, one = np.zeros(n, np.uint32), np.ones(n, np.int64)
        rows = Rows(
            **self._tables, account=who.astype(np.uint32), model=zero, capability_set=zero,
            value_set=who.astype(np.uint32), at_ms=at_ms, clock_ms=at_ms,
            event=offset.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15), offset=offset,
            input_tokens=one, output_tokens=one,
        )  # fmt: skip
        return Frame(SOURCE, after, after + n, int(at_ms[-1]), False, False, {}, compact_rows(rows))

    def fill(self, engine: ShardsEngine) -> int:
        """Count everybody's request; gives the last offset."""
        after = -1
        for begin in range(0, self.accounts, FRAME_ROWS):
            who = np.arange(begin, min(begin + FRAME_ROWS, self.accounts))
            frame = self.frame(after, who, START_MS + who * (HOUR_MS - 1) // self.accounts)
            engine.shards.apply(frame)
            after = frame.upto
        return after


async def measured(do: Callable[[], Awaitable[Any]]) -> tuple[Any, Measured]:
    """Do it while the loop beats."""
    blocked_s = held_s = 0.0

    async def beat() -> None:
        nonlocal blocked_s, held_s
        last_s, last_cpu_s = time.monotonic(), time.process_time()
        while True:
            await asyncio.sleep(BEAT_S)
            now_s, now_cpu_s = time.monotonic(), time.process_time()
            stood_s = now_s - last_s - BEAT_S
            blocked_s, held_s = max(blocked_s, stood_s), max(held_s, min(stood_s, now_cpu_s - last_cpu_s))
            last_s, last_cpu_s = now_s, now_cpu_s

    beating = asyncio.create_task(beat())
    await asyncio.sleep(5 * BEAT_S)
    begun_s, begun_cpu_s = time.monotonic(), time.process_time()
    result = await do()
    seconds, work_s = time.monotonic() - begun_s, time.process_time() - begun_cpu_s
    await asyncio.sleep(5 * BEAT_S)
    beating.cancel()
    return result, Measured(seconds, work_s, blocked_s, held_s)


async def at_scale(accounts: int) -> tuple[dict[str, Measured], int]:
    """A network tick, a snapshot and a restoration of so many accounts, the judgement; and the bytes of the snapshot.

    All as workers do it, but for the broker.
    """
    look_seldom_for_garbage()
    settings, table = Settings(kafka=Kafka(partitions=1)), Table()
    parameters = settings.parameters

    def worker(writer: str) -> Shell:
        return Shell(Detect(settings, [SOURCE], cast("Outlet", table)), table, writer)

    detect = worker("first")
    await detect.open([0], lambda: True)
    crowd = Crowd(accounts)
    after = crowd.fill(detect.engines()[0])
    later = np.full(16, START_MS + HOUR_MS + parameters.lateness_ms + 1)
    closing = encode_frame(crowd.frame(after, np.arange(16), later))
    steps: dict[str, Measured] = {}
    _, steps["tick"] = await measured(lambda: detect.take(0, 0, closing))
    if len(table.sent) != HOUR_MS // parameters.tick_ms:
        raise AssertionError(f"expected the ticks of an hour to close, got {len(table.sent)}")
    _, steps["snapshot"] = await measured(detect.flush)
    size = sum(len(piece) for piece in table.kept.values())
    _, steps["restoration"] = await measured(lambda: worker("second").open([0], lambda: True))
    fleet = FleetEngine(parameters, lambda: Known({}, (), ()), 0, {})

    async def judged() -> None:
        for offset, summary in enumerate(table.sent):
            await asyncio.to_thread(fleet.apply, offset, summary)

    _, steps["judgement"] = await measured(judged)
    return steps, size


def without_kafka(accounts: int) -> None:
    """Print it."""
    steps, size = asyncio.run(at_scale(accounts))
    print(f"{accounts:,} accounts in one partition: snapshot {size:,} bytes, {size / accounts:.1f} an account")
    for name, step in steps.items():
        print(
            f"  {name:12} {step.seconds:6.2f} s, CPU {step.work_s:.2f} s; the event loop stood still for at most "
            f"{step.blocked_s:.2f} s, {step.held_s:.2f} s of it by this process"
        )
    print(f"  resident     {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MB at most")


def through_kafka(accounts: int, keep: bool) -> None:
    """Kill one of two detect workers, start it again, and time until all that was sent by then is stored."""
    sys.path.insert(0, str(Path(__file__).parents[2]))  # the broker and the processes are those of the tests
    from tests.service.broker import a_broker
    from tests.service.takeover import seconds_to_full_processing

    with a_broker() as bootstrap, tempfile.TemporaryDirectory() as folder:
        seconds, session_s = seconds_to_full_processing(bootstrap, f"recovery{os.getpid()}", Path(folder), accounts)
    if keep:
        command = f"python -m benchmarks.cost.recovery --kafka --accounts {accounts}"
        sizing_record.keep("recovery", command, {"accounts": accounts, "seconds": seconds, "session_s": session_s})
    print(f"{accounts:,} accounts on two detect workers, one killed: all is processed again after {seconds:.1f} s,")
    print(f"{seconds - session_s:.1f} s above the session timeout of {session_s:.0f} s")


def main() -> None:
    """Parse and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int)
    parser.add_argument("--kafka", action="store_true")
    parser.add_argument("--keep", action="store_true", help="for docs/operating.md; see `make sizing`")
    asked = parser.parse_args()
    log.set_up(level="error")
    if asked.kafka:
        through_kafka(asked.accounts or 100_000, asked.keep)
    else:
        without_kafka(asked.accounts or 1_000_000)


if __name__ == "__main__":
    main()
