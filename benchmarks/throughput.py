"""How fast is it, and how much does it hold? Each figure beside a floor, a limit or a peer of the same run.

`make bench`. Rates are of CPU seconds, so that a busy machine gives nearly the same figures. At last the table of
targets: what of it was measured, and the command of what was not.
"""

from __future__ import annotations

import resource
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

from benchmarks.cost.judging import NoHistoryError, against
from benchmarks.cost.memory import slope
from benchmarks.cost.sizing import records
from benchmarks.cost.targets import table
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
DENSE_ACCOUNTS, DENSE_HOURS = 100_000, 6  # each account asks about once an hour
SLOPE_ACCOUNTS, SLOPE_LARGE = (20_000, 100_000), (100_000, 1_000_000)
PARTS = ("rate", "dense", "ticks", "state", "memory", "slope")


def main(
    only: Annotated[str, typer.Option(help=f"Some of: {' '.join(PARTS)}.")] = " ".join(PARTS),
    log_records: Annotated[int, typer.Option(help="Records of the log that is read for the rate.")] = 400_000,
    dense_accounts: Annotated[int, typer.Option(help="Accounts of the fleet in which all are busy.")] = DENSE_ACCOUNTS,
    large: Annotated[bool, typer.Option("--large", help="Also 1,000,000 accounts: snapshots and the slope.")] = False,
) -> None:
    """Measure the parts asked for, and print; exit 1 where one misses its floor."""
    asked = only.split()
    if unknown := set(asked) - set(PARTS):
        raise typer.BadParameter(f"expected some of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    met, measured = True, dict[str, float]()
    if "rate" in asked:
        met &= rate(log_records)
    if "dense" in asked:
        measured |= dense(dense_accounts)
    if "ticks" in asked:
        measured |= ticks()
    if "state" in asked:
        met &= state(100_000) and (not large or state(1_000_000))
    if "memory" in asked:
        met &= memory()
    if "slope" in asked:
        few, many = SLOPE_LARGE if large else SLOPE_ACCOUNTS
        measured["slope"] = slope(few, many)
        _say(f"slope: {measured['slope']:,.0f} bytes an account from {few:,} to {many:,}")
    _say("\n" + table(measured))
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
        bare_s, ours_s = _bare(path), _backtest(path)
    ratio, ours = bare_s / ours_s, count / ours_s
    met = ratio >= RATIO_FLOOR or ours >= RATE_FLOOR
    _say(
        f"backtest: {ours:,.0f} records/s; decompress and orjson.loads alone: {count / bare_s:,.0f}/s; "
        f"ratio {ratio:.2f} (floor {RATIO_FLOOR}, or {RATE_FLOOR:,} records/s)", met,
    )  # fmt: skip
    return met


def dense(accounts: int) -> dict[str, float]:
    """The same, of a fleet that is busy all over, in which no record follows one of the same account."""
    with tempfile.TemporaryDirectory() as folder:
        path, count = Path(folder) / "dense.ndjson.zst", 0
        with zstandard.open(path, "wb") as out:
            for lines in records(accounts, DENSE_HOURS):
                out.write(b"\n".join(lines) + b"\n")
                count += len(lines)
        bare_s, began = _bare(path), time.monotonic()
        ours_s, wall_s = _backtest(path), time.monotonic() - began
        _say(
            f"backtest, {accounts:,} accounts, {DENSE_HOURS} hours: {count / ours_s:,.0f} records/s; decompress "
            f"and orjson.loads alone: {count / bare_s:,.0f}/s; ratio {bare_s / ours_s:.3f}"
        )
        return {"dense": bare_s / ours_s} | _by_two(path, ours_s, wall_s)


def _by_two(path: Path, alone_s: float, alone_wall_s: float) -> dict[str, float]:
    """What `--workers 2` costs, process by process; what it saves on the wall now, and at most on two free cores."""
    began, began_wall = time.process_time(), time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(Asked([str(path)], workers=2), settings.load(), Catalogue())
    wall_s = time.monotonic() - began_wall
    judged_s, after = time.process_time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    counted_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    most = alone_s / max(counted_s, judged_s)
    _say(
        f"the same by two processes: {counted_s:.1f} s of CPU to read and count, {judged_s:.1f} s to judge; "
        f"{alone_s:.1f} s by one: "
        f"{most:.2f} times as fast at most; on the wall {wall_s:.1f} s, by one {alone_wall_s:.1f} s"
    )
    return {"workers_wall": alone_wall_s / wall_s, "workers_cpu": most}


def _backtest(path: Path) -> float:
    began = time.process_time()
    run(Asked([str(path)]), settings.load(), Catalogue())
    return time.process_time() - began


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


def ticks() -> dict[str, float]:
    """Seconds of one network tick by active accounts: the third, when everything that is remembered is there; against
    what the same columns cost before, where this clone holds that code."""
    try:
        found = against(rounds=1)
    except NoHistoryError as error:
        _say(f"tick: {error}")
        return {}
    for accounts, (now_s, before_s) in found.items():
        _say(
            f"tick: {accounts:,} active accounts in {now_s:.2f} s, {1e6 * now_s / accounts:.0f} us each; "
            f"before {before_s:.2f} s"
        )
    return {f"judging_{accounts}": now_s / before_s for accounts, (now_s, before_s) in found.items()}


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
        "window by hour": sum(packed.nbytes for _, packed in one.ring),
        "baseline": one.slow.codes.nbytes + one.slow.counts.nbytes,
    }


def _say(text: str, met: bool | None = None) -> None:
    typer.echo(text if met is None else f"{text}: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    typer.run(main)
