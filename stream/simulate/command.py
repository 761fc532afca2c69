"""`swerve simulate`: labelled traffic to a file or to standard output."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from stream.simulate.scenarios import SCENARIOS, tell
from stream.simulate.story import Story
from stream.simulate.write import Lines, opened


def records(
    scenario: str, seed: int = 1, *, accounts: int | None = None, days: float | None = None, real: bool = False,
    scale: float | None = None,
) -> Iterator[tuple[int, str, bytes]]:  # fmt: skip
    """The scenario's records in order: (timestamp in ms, account id, the JSON line without its newline).

    Memory holds about an hour of traffic. Raises UsageError for an unknown scenario.
    """
    story = tell(scenario, seed, accounts=accounts, days=days, real=real, scale=scale)
    lines = Lines(story.fleet, story.course, seed)
    for batch in story.traffic().hours():
        who = [lines.account_ids[index] for index in batch.account.tolist()]
        for at_ms, account_id, line in zip(batch.at_ms.tolist(), who, lines.of(batch), strict=True):
            yield at_ms, account_id, line[:-1]


def simulate(
    scenario: Annotated[str, typer.Option(help="Which story to tell; see --list.")] = "pivot",
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.", min=0)] = 1,
    accounts: Annotated[int | None, typer.Option(help="Honest accounts, instead of the scenario's.", min=200)] = None,
    days: Annotated[float | None, typer.Option(help="Length of the log in days, instead of the scenario's.")] = None,
    background: Annotated[
        str, typer.Option(help="`synthetic`, or `real`: everybody follows a production client.")
    ] = "synthetic",
    output: Annotated[
        str | None, typer.Option(help="Where the records go: a file (.gz, .zst by ending), or `-`.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(help="Writes who is who, as JSON.")] = None,
    releases: Annotated[
        Path | None, typer.Option(help="Writes the releases, as `backtest --releases` reads them.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Lists the scenarios and ends.")] = False,
) -> None:
    """Writes the labelled traffic of a simulated fleet."""
    if list_:
        for name, one in SCENARIOS.items():
            typer.echo(f"{name:20} {one.about}")
        return
    story = tell(scenario, seed, accounts=accounts, days=days, real=background == "real")
    lines = Lines(story.fleet, story.course, seed)
    _write_labels(story, lines, truth, releases)
    if output is not None:
        _write_log(story, lines, output)


def _write_labels(story: Story, lines: Lines, truth: Path | None, releases: Path | None) -> None:
    if truth is not None:
        truth.write_bytes(orjson.dumps(truth_of(story, lines), option=orjson.OPT_INDENT_2))
    if releases is not None:
        releases.write_bytes(orjson.dumps(story.truth.releases, option=orjson.OPT_INDENT_2))


def truth_of(story: Story, lines: Lines) -> dict[str, Any]:
    """The document that --truth writes."""
    head = {"scenario": story.name, "seed": story.seed, "start_ms": story.start_ms, "end_ms": story.end_ms}
    return head | story.truth.document(lines.account_ids)


def _write_log(story: Story, lines: Lines, output: str) -> None:
    hours = (story.end_ms - story.start_ms) // 3_600_000
    began = time.perf_counter()
    with opened(output) as write, _progress() as progress:
        task = progress.add_task(story.name, total=hours)
        written = 0
        for batch in story.traffic().hours():
            write(b"".join(lines.of(batch)))
            written += len(batch)
            rate = written / (time.perf_counter() - began)
            progress.update(task, advance=1, description=f"{story.name}: {written:,} records, {rate:,.0f}/s")


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
                    console=console, disable=not sys.stderr.isatty(), transient=True)  # fmt: skip
