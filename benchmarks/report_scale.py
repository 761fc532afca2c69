"""The report at its own size: 24,000 accounts in three campaigns, in a fleet of 250,000 accounts, over 30 days.

`make report-scale` pipes `swerve simulate` into `swerve backtest -`: some 200 million requests, none of them on disk,
for hours. Prints time, memory of both, and what was found. --scale 0.1 is a tenth of it.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import typer

from benchmarks.found.credit import credit
from stream.contract.alert import decode

SWERVE = [sys.executable, "-m", "stream"]


def main(
    scale: Annotated[float, typer.Option(min=0.001, help="Times its size.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    days: Annotated[float | None, typer.Option(min=1.0, help="Instead of 30.")] = None,
) -> None:
    """Run both ends of the pipe, and hold what came out against the truth."""
    story = [*SWERVE, "simulate", "--scenario", "at_scale", "--seed", str(seed), "--scale", str(scale)]
    story += [] if days is None else ["--days", str(days)]
    with tempfile.TemporaryDirectory() as folder:
        truth, releases, expected, alerts, accounts = (
            Path(folder) / name for name in ("truth", "releases", "expected", "alerts", "accounts")
        )
        labels = ["--truth", str(truth), "--releases", str(releases), "--expected", str(expected)]
        subprocess.run([*story, *labels], check=True)
        replay = [*SWERVE, "backtest", "-", "--releases", str(releases), "--expected", str(expected)]
        replay += ["--alerts", str(alerts), "--accounts", str(accounts)]
        began = time.monotonic()
        with subprocess.Popen([*story, "--output", "-"], stdout=subprocess.PIPE) as sends:
            ended = subprocess.run(replay, stdin=sends.stdout, stdout=subprocess.PIPE, text=True, check=True)
        typer.echo(ended.stdout.strip())
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        typer.echo(f"{time.monotonic() - began:,.0f} s; the larger of the two processes had {peak_mb:,.0f} MB")
        _tell(truth, alerts, accounts)


def _tell(truth: Path, alerts: Path, accounts: Path) -> None:
    planted = json.loads(truth.read_bytes())
    named = [SimpleNamespace(**json.loads(line)) for line in accounts.read_bytes().splitlines()]
    told = [decode(line) for line in alerts.read_bytes().splitlines()]
    said = credit(planted, told, named, {campaign["name"]: None for campaign in planted["campaigns"]})
    for one in said.campaigns:
        page = "never paged" if one.delay_h is None else f"paged after {one.delay_h:.1f} h"
        typer.echo(f"{one.name}: {page}; recall {one.recall:.2f}, precision {one.precision or 0.0:.2f}")
    typer.echo(f"{said.pages} pages, {said.false_pages} false; {said.false_warnings} false warnings")


if __name__ == "__main__":
    typer.run(main)
