"""How many cores and how much memory does a fleet need? One process measures each stage, and multiplies.

CPU time, not time on the wall, so that a busy machine gives nearly the same figures. `python -m benchmarks.sizing`
prints the tables of docs/operating.md; --accounts changes the size of what is measured.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.parameters import HOUR_MS, Parameters
from detectors.summary import Summary
from stream.frames import decode_frame, encode_frame, encode_summary, split_frame
from stream.ingest.encode import Encoder
from stream.pipeline import Shards

BEGIN_MS = 1_772_323_200_000
BATCH = 5_000  # records a flush: what one worker reads in a second at moderate load
PARTITIONS = 4
SPARE = 0.6  # of a core that is planned with: peaks, rebalances and catching up take the rest
RATES = (1_000, 10_000, 100_000)
ACCOUNTS = (100_000, 1_000_000, 10_000_000)
ACTIVE = 0.35  # of the accounts send something within 24 hours
PYTHON_MB = 200  # interpreter and libraries


@dataclass(frozen=True, slots=True)
class Measured:
    """What one core does, and what one account costs. Seconds are of CPU time."""

    ingest_s: float  # a record: decode, check, columns, frame
    detect_s: float  # a record: frame, count, summary
    frame_bytes: float  # a record, compressed
    account_bytes: float  # of memory in detect
    snapshot_bytes: float  # an account, compressed
    restore_s: float  # an account
    summary_bytes: float  # an active account and network tick, compressed
    judge_s: float  # an active account and network tick
    judge_bytes: float  # of memory in correlate at its peak, an active account


def records(accounts: int, hours: int, seed: int = 1) -> Iterator[list[bytes]]:
    """Traffic in batches: each account about once an hour, with values that some share and most do not."""
    draw = np.random.default_rng(seed)
    model = draw.zipf(1.6, accounts) % 12
    own = draw.integers(0, accounts, (3, accounts))
    number = 0
    for hour in range(hours):
        who = draw.permutation(draw.integers(0, accounts, accounts))
        at = BEGIN_MS + hour * HOUR_MS + np.sort(draw.integers(0, HOUR_MS, accounts))
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
        frames = [encode_frame(part) for part in split_frame(encoder.flush(), PARTITIONS)]
        ingest_s += time.process_time() - began
        offset, count, wire = offset + len(raws), count + len(raws), wire + sum(map(len, frames))
        whole = encode_frame(_joined(encoder, frames))
        began = time.process_time()
        shards.apply(decode_frame(whole))
        for summary in shards.summaries():
            encode_summary(summary)
            last = summary if summary.accounts is not None else last
        detect_s += time.process_time() - began
    account_bytes = (resident_bytes() - before) / accounts
    return _measured(parameters, shards, last, count, ingest_s, detect_s, wire, account_bytes)
