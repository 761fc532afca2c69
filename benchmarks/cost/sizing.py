"""How many cores and how much memory does a fleet need? One process measures each stage, and multiplies.

CPU time, not time on the wall, so that a busy machine gives nearly the same figures. `python -m benchmarks.cost.sizing`
prints what one record and one account cost; `make sizing` makes the tables of docs/operating.md of it.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.cost import sizing_record
from detectors.counts.summary import Summary
from detectors.fleet import Judge
from detectors.parameters import HOUR_MS, Parameters
from stream.pipeline.composition import Shards
from stream.pipeline.encode import Encoder
from stream.pipeline.frames import decode_frame, decode_summary, encode_frame, encode_summary, split_frame

BEGIN_MS = 1_772_323_200_000
BATCH = 5_000  # records a flush: what one worker reads in a second at moderate load
PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Measured:
    """What one core does, and what one account costs. Seconds are of CPU time."""

    ingest_s: float  # a record: decode, check, columns, frame
    detect_s: float  # a record: frame, count, summary
    frame_bytes: float  # a record, compressed
    account_bytes: float  # of memory in detect
    snapshot_bytes: float  # an account, compressed
    restore_s: float  # an account
    reshard_s: float  # an account: restored, divided anew, and written
    summary_bytes: float  # an active account and network tick, compressed
    judge_s: float  # an active account and network tick
    judge_bytes: float  # of memory in correlate at its peak, an active account


def records(accounts: int, hours: int, seed: int = 1, rate: int = 1) -> Iterator[list[bytes]]:
    """Traffic in batches: each account about `rate` times an hour, with values that some share and most do not."""
    draw = np.random.default_rng(seed)
    model = draw.zipf(1.6, accounts) % 12
    own = draw.integers(0, accounts, (3, accounts))
    number = 0
    for hour in range(hours):
        who = draw.permutation(draw.integers(0, accounts, rate * accounts))
        at = BEGIN_MS + hour * HOUR_MS + np.sort(draw.integers(0, HOUR_MS, rate * accounts))
        lines = []
        for account, at_ms in zip(who.tolist(), at.tolist(), strict=True):
            number += 1
            lines.append(
                b'{"event_id":"evt_%d","timestamp":%d,"account_id":"acct_%d","model":"model-%d",'
                b'"capabilities":["coding","tool_use"],"input_tokens":812,"output_tokens":90,"attributes":'
                b'{"org":"org_%d","country":"DE","client":"python","payment":"p%d","ip_prefix":"i%d","template":"t%d"}}'
                % (number, at_ms, account, model[account], account // 3, own[0, account], own[1, account] // 4,
                   own[2, account] // 20)
            )  # fmt: skip
        yield from (lines[at : at + BATCH] for at in range(0, len(lines), BATCH))


def resident_bytes() -> int:
    """Memory of this process that is in RAM."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what the allocator keeps for later is not the state's
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def measure(accounts: int, hours: int = 26) -> Measured:
    """Everything, once. Memory counts from before the first record; the fast window (24 h) is full at the end."""
    parameters = Parameters()
    encoder, shards = Encoder("bench"), Shards(parameters, ["bench"])
    ingest_s = detect_s = 0.0
    count = wire = offset = 0
    last: Summary | None = None
    before = resident_bytes()
    for raws in records(accounts, hours):
        began = time.process_time()
        encoder.read(raws, range(offset, offset + len(raws)))
        frame = encoder.flush()
        sent = [encode_frame(part) for part in split_frame(frame, PARTITIONS)]
        ingest_s += time.process_time() - began
        offset, count, wire = offset + len(raws), count + len(raws), wire + sum(map(len, sent))
        whole = encode_frame(frame)
        began = time.process_time()
        shards.apply(decode_frame(whole))
        for summary in shards.summaries():
            encode_summary(summary)
            last = summary if summary.accounts is not None else last
        detect_s += time.process_time() - began
    assert last is not None
    del encoder
    account_bytes = (resident_bytes() - before) / accounts
    snapshot_bytes, restore_s, reshard_s = _snapshot(parameters, shards)
    del shards
    summary_bytes, judge_s, judge_bytes = _judged(parameters, last)
    return Measured(
        ingest_s / count, detect_s / count, wire / count, account_bytes, snapshot_bytes, restore_s, reshard_s,
        summary_bytes, judge_s, judge_bytes,
    )  # fmt: skip


def _snapshot(parameters: Parameters, shards: Shards) -> tuple[float, float, float]:
    """(bytes, CPU seconds to restore, CPU seconds to move to twice as many partitions), an account."""
    accounts = len(shards.accounts)
    pieces = shards.snapshot()
    began = time.process_time()
    old = Shards.restore(parameters, pieces)
    restored = time.process_time()
    for partition in (0, 1):
        Shards.of_others([old], partition, 2).snapshot()
    moved = time.process_time()
    return sum(map(len, pieces.values())) / accounts, (restored - began) / accounts, (moved - began) / accounts


def _judged(parameters: Parameters, summary: Summary) -> tuple[float, float, float]:
    """(bytes on the wire, CPU seconds, bytes of memory) for an active account in a network tick; of three ticks."""
    wire = encode_summary(summary)
    columns = decode_summary(wire).accounts
    assert columns is not None
    active = len(columns)
    hour = summary.tick // parameters.ticks_per_network_tick
    judge = Judge(parameters)
    before = resident_bytes()
    seconds = []
    for later in range(3):
        began = time.process_time()
        judge.judge(columns, hour + later)
        seconds.append(time.process_time() - began)
    return len(wire) / active, seconds[-1] / active, max(0, resident_bytes() - before) / active


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=40_000, help="that are measured (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="for docs/operating.md; see `make sizing`")
    given = parser.parse_args()
    one = measure(given.accounts)
    if given.keep:
        sizing_record.keep("sizing", f"python -m benchmarks.cost.sizing --accounts {given.accounts}", asdict(one))
    for name, figure in asdict(one).items():
        print(f"{name:16}{figure:.3g}")


if __name__ == "__main__":
    main()
