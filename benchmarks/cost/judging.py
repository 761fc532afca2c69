"""What does judging an hour cost, against what it cost before? The same columns, judged by the code of both.

`python -m benchmarks.cost.judging`: unpacks the code of BEFORE from the history of this clone into a folder of its own,
and lets a process of each judge the third hour of the same fleet, in turn. CPU seconds, so only their ratio is told.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

HERE = Path(__file__).parents[2]
BEFORE = "33b6a18"  # the last commit before the first that made something faster
ACCOUNTS = (10_000, 100_000, 350_000)
ROUNDS = 3
# Run in the folder of either: what it imports is the code that lies there.
THIRD_HOUR_S = """
import sys, time
try:
    from benchmarks.cost.synthetic import columns_of
except ImportError:  # where it lay before
    from benchmarks.synthetic import columns_of
from detectors.fleet import Judge
from detectors.parameters import Parameters
judge = Judge(Parameters())
for hour in range(500_000, 500_003):
    columns = columns_of(int(sys.argv[1]), hour)
    began = time.process_time()
    judge.judge(columns, hour)
print(time.process_time() - began)
"""


class NoHistoryError(Exception):
    """This clone does not hold the commit; the text is git's."""


def main(
    accounts: Annotated[list[int] | None, typer.Argument(help="Active accounts.")] = None,
    before: Annotated[str, typer.Option(help="The commit that is the measure.")] = BEFORE,
    rounds: Annotated[int, typer.Option(min=1)] = ROUNDS,
) -> None:
    """Print both and their ratio; exit 1 where this clone does not hold the commit."""
    try:
        for count, (now_s, before_s) in against(accounts or ACCOUNTS, before, rounds).items():
            typer.echo(
                f"judging an hour of {count:,} active accounts: {now_s:.2f} s, at {before} {before_s:.2f} s: "
                f"{now_s / before_s:.2f}"
            )
    except NoHistoryError as error:
        typer.echo(f"judging: {error}", err=True)
        raise typer.Exit(1) from None


def against(
    accounts: list[int] | tuple[int, ...] = ACCOUNTS, before: str = BEFORE, rounds: int = ROUNDS
) -> dict[int, tuple[float, float]]:
    """(CPU seconds now, CPU seconds before) by active accounts, the median of the rounds.

    Raises NoHistoryError, as `unpack` does.
    """
    with tempfile.TemporaryDirectory() as folder:
        unpack(before, Path(folder))
        found = {}
        for count in accounts:
            both = [(_seconds(HERE, count), _seconds(Path(folder), count)) for _ in range(rounds)]
            found[count] = (statistics.median([now for now, _ in both]), statistics.median([old for _, old in both]))
    return found


def unpack(commit: str, folder: Path) -> None:
    """Lay the code of a commit into a folder. Raises NoHistoryError where this clone does not hold it."""
    archive = subprocess.run(
        ["git", "archive", commit, "detectors", "stream", "benchmarks"], cwd=HERE, capture_output=True
    )
    if archive.returncode:
        raise NoHistoryError(archive.stderr.decode(errors="replace").strip())
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)


def _seconds(tree: Path, accounts: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", THIRD_HOUR_S, str(accounts)], cwd=tree, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


if __name__ == "__main__":
    typer.run(main)
