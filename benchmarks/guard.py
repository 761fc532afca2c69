"""Did a change make it slower? A few ratios, each of two things that one process does in turn, against stored ones.

`make bench-guard`. A machine that is slow or busy slows both sides down, so the ratio stays; no absolute time is looked
at. `--keep` stores what is measured, where it is meant to be.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, TypeVar

import orjson
import typer

from benchmarks.cost.sizing import records
from benchmarks.cost.synthetic import columns_of
from detectors.counts.rows import Frame
from detectors.counts.summary import AccountColumns
from detectors.fleet import Judge
from detectors.parameters import Parameters
from stream.pipeline.composition import Shards
from stream.pipeline.encode import Encoder
from stream.pipeline.frames import decode_frame, encode_frame

Result = TypeVar("Result")
FILE = Path(__file__).parent / "measured" / "guard.json"
FALL_MAX = 0.25  # of a stored ratio
ROUNDS, ROUNDS_QUICK = 25, 7
ACCOUNTS, HOURS = 5_000, 4  # of the log: every account is read once as a new one, and three times again
JUDGED = 3_000  # active accounts


@dataclass(frozen=True, slots=True)
class Fallen:
    """A ratio that fell by more than FALL_MAX, or that is measured no longer (now: None)."""

    name: str
    stored: float
    now: float | None

    def __str__(self) -> str:
        if self.now is None:
            return f"{self.name}: expected a ratio near {self.stored:.3f}, none was measured; store anew with --keep"
        fall = 100 * (1 - self.now / self.stored)
        return (
            f"{self.name}: {self.now:.3f}, {fall:.0f}% below the {self.stored:.3f} that is stored; a quarter is allowed"
        )


def fallen(stored: Mapping[str, float], measured: Mapping[str, float]) -> list[Fallen]:
    """What is worse than it was. A ratio that is not stored yet is not judged.

    >>> [str(one) for one in fallen({"read": 0.2, "judge": 0.1}, {"read": 0.14, "judge": 0.09, "new": 1.0})]
    ['read: 0.140, 30% below the 0.200 that is stored; a quarter is allowed']
    """
    return [
        Fallen(name, ratio, measured.get(name))
        for name, ratio in stored.items()
        if measured.get(name, 0.0) < (1 - FALL_MAX) * ratio
    ]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds: for every change.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Store what is measured now.")] = False,
) -> None:
    """Measure, print and compare; exit 1 where a ratio fell by more than a quarter."""
    stored: dict[str, float] = json.loads(FILE.read_text()) if FILE.exists() else {}
    measured = ratios(ROUNDS_QUICK if quick else ROUNDS)
    for name, ratio in measured.items():
        typer.echo(f"{name}: {ratio:.3f}" + (f" (stored {stored[name]:.3f})" if name in stored else ""))
    if keep:
        FILE.write_text(json.dumps({name: round(ratio, 4) for name, ratio in measured.items()}, indent=2) + "\n")
        return
    worse = fallen(stored, measured)
    for one in worse:
        typer.echo(f"SLOWER: {one}", err=True)
    raise typer.Exit(1 if worse else 0)


def ratios(rounds: int) -> dict[str, float]:
    """CPU time of a bare loop of orjson.loads over a log, as a part of that of each of our steps over the same log, and
    of three hours' judgement. The median of the rounds."""
    batches = list(records(ACCOUNTS, HOURS))
    hours = {hour: columns_of(JUDGED, hour) for hour in range(500_000, 500_003)}
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        spent = _path_s(batches)
        bare_s = spent.pop("bare")
        spent["judge"] = _cpu_s(partial(_judge, hours))
        for name, step_s in spent.items():
            found.setdefault(name, []).append(bare_s / step_s)
    return {name: statistics.median(each) for name, each in found.items()}


def _path_s(batches: list[list[bytes]]) -> dict[str, float]:
    """Seconds of the bare loop, and of reading a log, of cutting frames, of their bytes and back, of counting, and of
    closing ticks: all in turn, batch by batch, so that who else uses the machine slows them alike."""
    encoder, shards = Encoder("guard"), Shards(Parameters(), ["guard"])
    spent = dict.fromkeys(("bare", "read", "cut", "pack", "count", "close"), 0.0)
    offset = 0

    def timed(name: str, work: Callable[[], Result]) -> Result:
        began = time.process_time()
        result = work()
        spent[name] += time.process_time() - began
        return result

    for lines in batches:
        offsets = range(offset, offset + len(lines))
        offset += len(lines)
        timed("bare", partial(_bare, lines))
        timed("read", partial(encoder.read, lines, offsets))
        frame = timed("cut", encoder.flush)
        timed("pack", partial(_there_and_back, frame))
        timed("count", partial(shards.apply, frame))
        timed("close", shards.summaries)
    return spent


def _there_and_back(frame: Frame) -> None:
    decode_frame(encode_frame(frame))


def _bare(lines: list[bytes]) -> None:
    for line in lines:
        orjson.loads(line)


def _judge(hours: Mapping[int, AccountColumns]) -> None:
    judge = Judge(Parameters())
    for hour, columns in hours.items():
        judge.judge(columns, hour)


def _cpu_s(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    typer.run(main)
