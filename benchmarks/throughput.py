"""How fast is it, and how much does it hold? Each figure beside a floor, a limit or a peer of the same run.

`make bench`. Rates are of CPU seconds, so that a busy machine gives nearly the same figures.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import orjson
import typer
import zstandard

from benchmarks.sizing import records
from benchmarks.synthetic import columns_of
from detectors.fleet import Judge
from detectors.parameters import Parameters
from stream.commands.begin.backtest import Asked, run
from stream.configuration import settings
from stream.pipeline.announced import Catalogue
from stream.pipeline.composition import Shards
from stream.pipeline.encode import Encoder
from stream.simulate.labelled import records as simulated

RATIO_FLOOR = 0.25  # of a bare loop of decompress and orjson.loads
RATE_FLOOR = 40_000  # records a second; either of the two is enough
FIRST_RECORDS = 40_000  # four hours: networks are judged in them
MEMORY_MAX_MB = 600
MEMORY_RECORDS, MEMORY_ACCOUNTS = 2_000_000, 30_000
ACCOUNT_BYTES_MAX = 800
TICK_ACCOUNTS = (10_000, 100_000, 350_000)
TICKS = 3
PARTS = ("rate", "ticks", "state", "memory")


def main(
    only: Annotated[str, typer.Option(help=f"Some of: {' '.join(PARTS)}.")] = " ".join(PARTS),
    log_records: Annotated[int, typer.Option(help="Records of the log that is read for the rate.")] = 400_000,
    large: Annotated[bool, typer.Option("--large", help="Also snapshots of 1,000,000 accounts.")] = False,
) -> None:
    """Measure the parts asked for, and print; exit 1 where one misses its floor."""
    met = True
    for part in only.split():
        if part == "rate":
            met &= rate(log_records)
        elif part == "memory":
            met &= memory()
        elif part == "ticks":
            ticks()
        elif part == "state":
            met &= state(100_000)
            if large:
                state(1_000_000)
        else:
            raise typer.BadParameter(f"expected some of {', '.join(PARTS)}, got {part}")
    raise typer.Exit(0 if met else 1)


def rate(count: int) -> bool:
    """Backtest against a bare loop over the same file.

    What is loaded at first use (river, SciPy) belongs to the start of a process, not to reading: a first run over some
    hours loads it.
    """
    with tempfile.TemporaryDirectory() as folder:
        first, path = Path(folder) / "first.ndjson.zst", Path(folder) / "log.ndjson.zst"
        with zstandard.open(first, "wb") as few, zstandard.open(path, "wb") as out:
            for at, line in enumerate(_lines("quiet", count)):
                out.write(line)
                if at < FIRST_RECORDS:
                    few.write(line)
        run(Asked([str(first)]), settings.load(), Catalogue())
        bare_s = _bare(path)
        began = time.process_time()
        run(Asked([str(path)]), settings.load(), Catalogue())
        ours_s = time.process_time() - began
    ratio, ours = bare_s / ours_s, count / ours_s
    met = ratio >= RATIO_FLOOR or ours >= RATE_FLOOR
    _say(
        f"backtest: {ours:,.0f} records/s; decompress and orjson.loads alone: {count / bare_s:,.0f}/s; "
        f"ratio {ratio:.2f} (floor {RATIO_FLOOR}, or {RATE_FLOOR:,} records/s)", met,
    )  # fmt: skip
    return met


def _lines(scenario: str, count: int, accounts: int | None = None) -> Iterator[bytes]:
    for at, (_, _, line) in enumerate(simulated(scenario, 1, accounts=accounts)):
        if at == count:
            return
        yield line + b"\n"


def _bare(path: Path) -> float:
    began = time.process_time()
    with zstandard.open(path, "rb") as file:
        rest = b""
        while chunk := file.read(1 << 20):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                orjson.loads(line)
    return time.process_time() - began


def memory() -> bool:
    """Peak memory of `swerve backtest -` on two million records of 30,000 accounts, in a process of its own."""
    command = [sys.executable, "-m", "stream", "backtest", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run_:
        assert run_.stdin is not None
        for line in _lines("quiet", MEMORY_RECORDS, MEMORY_ACCOUNTS):
            run_.stdin.write(line)
        run_.stdin.close()
        peak_mb = 0.0
        while run_.poll() is None:
            peak_mb = max(peak_mb, _peak_mb(run_.pid))
            time.sleep(0.05)
        code = run_.returncode
    met = code == 0 and peak_mb <= MEMORY_MAX_MB
    _say(
        f"memory: {peak_mb:,.0f} MB at its peak on {MEMORY_RECORDS:,} records of {MEMORY_ACCOUNTS:,} accounts "
        f"(limit {MEMORY_MAX_MB} MB){'' if code == 0 else f'; backtest ended with {code}'}", met,
    )  # fmt: skip
    return met


def _peak_mb(pid: int) -> float:
    """The most that a running process held. Not what the kernel says once it ended, which includes its parent's."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next((float(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)


def ticks() -> None:
    """Seconds of one network tick by active accounts: the third, when everything that is remembered is there."""
    for accounts in TICK_ACCOUNTS:
        judge = Judge(Parameters())
        for hour in range(TICKS):
            columns = columns_of(accounts, 500_000 + hour)
            began = time.process_time()
            judge.judge(columns, 500_000 + hour)
            seconds = time.process_time() - began
        _say(f"tick: {accounts:,} active accounts in {seconds:.2f} s, {1e6 * seconds / accounts:.0f} us each")


def state(accounts: int) -> bool:
    """Bytes that the shards hold an account, and what a snapshot takes; a day's window of one request an hour each."""
    parameters = Parameters()
    encoder, shards = Encoder("bench"), Shards(parameters, ["bench"])
    offset = 0
    for raws in records(accounts, 26):
        encoder.read(raws, range(offset, offset + len(raws)))
        offset += len(raws)
        shards.apply(encoder.flush())
        shards.summaries()
    held = held_bytes(shards)
    each = sum(held.values()) / len(shards.accounts)
    met = each <= ACCOUNT_BYTES_MAX
    parts = ", ".join(f"{name} {count / len(shards.accounts):.0f}" for name, count in held.items())
    _say(f"state: {each:.0f} bytes an account of {len(shards.accounts):,} (limit {ACCOUNT_BYTES_MAX}): {parts}", met)
    began = time.process_time()
    pieces = shards.snapshot()
    written_s, began = time.process_time() - began, time.process_time()
    Shards.restore(parameters, pieces)
    read_s, size = time.process_time() - began, sum(map(len, pieces.values()))
    _say(
        f"snapshot: {len(shards.accounts):,} accounts in {size / 1e6:,.1f} MB ({size / len(shards.accounts):.0f} bytes "
        f"each), written in {written_s:.1f} s, restored in {read_s:.1f} s"
    )
    return met


def held_bytes(shards: Shards) -> dict[str, int]:
    """What the columns of accounts take, by what they are for."""
    one = shards.accounts
    arrays = [one.keys, one.shards, one.said, one.said_at, one.first_seen, one.last_seen_h, one.nb]
    return {
        "identity and dates": sum(array.nbytes for array in arrays) + 16 * len(one),
        "ids": sum(map(sys.getsizeof, one.ids)) + sys.getsizeof(one.ids),
        "hours of the day": one.hours.nbytes,
        "fast window": one.fast.codes.nbytes + one.fast.counts.nbytes,
        "window by hour": sum(codes.nbytes + counts.nbytes for _, codes, counts in one.ring),
        "baseline": one.slow.codes.nbytes + one.slow.counts.nbytes,
    }


def _say(text: str, met: bool | None = None) -> None:
    typer.echo(text if met is None else f"{text}: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    typer.run(main)
