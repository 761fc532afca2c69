"""`swerve simulate`: labelled traffic to a file, to standard output, or to Kafka."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from stream.commands.arguments import Config, ended_by
from stream.errors import UsageError
from stream.oncall.moment import moment_ms
from stream.simulate.chance.catalogue import HOUR_MS, START_MS
from stream.simulate.events.story import Story
from stream.simulate.labelled import blocks, truth_of
from stream.simulate.scenarios import SCENARIOS, tell
from stream.simulate.writing.describe import describe, sentences
from stream.simulate.writing.destination import opened, write_label
from stream.simulate.writing.write import Block, Lines
from stream.terminal import shown

SLEEP_MIN_S = 0.01
Named = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        autocompletion=ended_by(SCENARIOS),
        help="Which story to tell; --list names them.",
    ),
]


class Background(StrEnum):
    """What the honest accounts' rhythms are."""

    SYNTHETIC = "synthetic"
    REAL = "real"


def simulate(
    scenario: Named = "pivot",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same bytes.")] = 1,
    world: Annotated[
        int | None, typer.Option(min=0, metavar="SEED", help="Tell it in a random world; else in the usual one.")
    ] = None,
    accounts: Annotated[int | None, typer.Option(min=200, help="Honest accounts; else the scenario's number.")] = None,
    days: Annotated[float | None, typer.Option(min=1.0, help="Length of the log; else the scenario's.")] = None,
    scale: Annotated[float | None, typer.Option(min=0.001, help="Times the accounts; at_scale: all of them.")] = None,
    start: Annotated[
        str | None, typer.Option(metavar="WHEN", help="First hour of the log: RFC 3339, or `-7d`; else 2026-03-02.")
    ] = None,
    background: Annotated[
        Background, typer.Option(help="`real`: every account of the background follows a production client.")
    ] = Background.SYNTHETIC,
    output: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Where the records go; .gz and .zst by ending, `-` is stdout.")
    ] = None,
    kafka: Annotated[bool, typer.Option("--kafka", help="Send them to Kafka, the releases to their topic.")] = False,
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="Write who is who, as JSON.")] = None,
    releases: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the releases, for backtest.")] = None,
    expected: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write what was announced, for backtest.")
    ] = None,
    dirty: Annotated[bool, typer.Option("--dirty", help="With repeats, late and broken records.")] = False,
    pace: Annotated[float | None, typer.Option(min=0.001, help="Times real time, 1.0 as it happens; else at once.")] = (
        None
    ),
    describe_: Annotated[bool, typer.Option("--describe", help="Say how hard the scenario is.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="List the scenarios, and end.")] = False,
    config: Config = None,
) -> None:
    """Write the labelled traffic of a simulated fleet: honest customers, honest shocks and networks, campaigns."""
    if list_:
        _list()
        return
    if output is None and not (kafka or truth or releases or expected or describe_):
        raise UsageError("nothing to do: name --output FILE (or -), --kafka, --truth FILE, or --describe")
    real, start_ms = background is Background.REAL, _whole_hour_ms(start)
    story = tell(scenario, seed, accounts=accounts, days=days, real=real, scale=scale, start_ms=start_ms,
                 world=world)  # fmt: skip
    lines = Lines(story.fleet, story.course, seed)
    _write_labels(story, lines, truth, releases, expected)
    if describe_:
        for sentence in sentences(story, describe(story)):
            typer.echo(sentence, err=output == "-")
    if output is None and not kafka:
        return
    with _shown(story, blocks(story, lines, dirty=dirty)) as log:
        log = log if pace is None else _paced(log, story.start_ms, pace)
        if output is not None:
            _write(log, output, at_once=pace is not None)
        else:
            _send(config, story, lines, log)


def _whole_hour_ms(start: str | None) -> int:
    if start is None:
        return START_MS
    return moment_ms(start, int(time.time() * 1000), "--start") // HOUR_MS * HOUR_MS


def _list() -> None:
    for name, one in SCENARIOS.items():
        for line in textwrap.wrap(f"{name:20} {one.about}", shown.console().width, subsequent_indent=" " * 21):
            typer.echo(line)


def _write_labels(story: Story, lines: Lines, truth: Path | None, releases: Path | None, expected: Path | None) -> None:
    for path, option, content in (
        (truth, "--truth", lambda: truth_of(story, lines)),
        (releases, "--releases", lambda: story.truth.releases),
        (expected, "--expected", lambda: story.truth.expected),
    ):
        if path is not None:
            write_label(path, orjson.dumps(content(), option=orjson.OPT_INDENT_2), option)


def _write(log: Iterator[Block], output: str, *, at_once: bool) -> None:
    with opened(output, at_once=at_once) as write:
        for block in log:
            write(b"".join(block.lines))


def _send(config: Path | None, story: Story, lines: Lines, log: Iterator[Block]) -> None:
    from stream.configuration.settings import load
    from stream.simulate.writing.to_kafka import send  # Kafka's client is loaded only by who uses it

    send(load(config).kafka, story, lines.account_ids, log)


def _paced(log: Iterator[Block], start_ms: int, pace: float) -> Iterator[Block]:
    """Each record when it is due, `pace` times as fast as it happened."""
    began_s = time.monotonic()
    for block in log:
        first = 0
        while first < len(block.lines):
            upto_ms = start_ms + (time.monotonic() - began_s) * 1000 * pace
            last = first
            while last < len(block.lines) and block.at_ms[last] <= upto_ms:
                last += 1
            if last > first:
                yield Block(block.at_ms[first:last], block.account[first:last], block.lines[first:last])
            else:
                time.sleep(max(SLEEP_MIN_S, min(1.0, (block.at_ms[first] - upto_ms) / 1000 / pace)))
            first = last


@contextmanager
def _shown(story: Story, log: Iterator[Block]) -> Iterator[Iterator[Block]]:
    """The same blocks, with a bar on standard error where a person watches, and silence where nobody does."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        yield _counted(story, log, progress)


def _counted(story: Story, log: Iterator[Block], progress: Progress) -> Iterator[Block]:
    task = progress.add_task(story.name, total=story.end_ms - story.start_ms)
    written, began_s = 0, time.monotonic()
    for block in log:
        yield block
        written += len(block.lines)
        rate = written / max(time.monotonic() - began_s, 1e-3)
        done_ms = block.at_ms[-1] - story.start_ms if block.at_ms else 0
        progress.update(task, completed=done_ms, description=f"{written:,} records  {rate:,.0f}/s")
