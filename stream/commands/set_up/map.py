"""`swerve map`: what a mapping makes of a sample, a proposal for one, and those that are shipped."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from stream.commands.arguments import Config, Dialect, MapFile, ended_by
from stream.configuration import settings
from stream.contract.reading.arrays import records_of
from stream.errors import SwerveError, UsageError
from stream.mapping import presets
from stream.mapping.named import mapping_named
from stream.samples.check import Sample, findings, rows
from stream.samples.guess import looks_like
from stream.samples.suggest import proposal
from stream.sources.open import Batch, open_input
from stream.spoken import harmless
from stream.terminal import shown

SAMPLE_RECORDS = 10_000

app = typer.Typer(help="Read records of another platform.", no_args_is_help=True, add_completion=False)
File = Annotated[str, typer.Argument(metavar="FILE|-", help="A sample of the log; - is standard input.")]


@app.command(epilog="Example: [bold]swerve map check calls.ndjson --dialect litellm --map ours.toml[/bold]")
def check(file: File, dialect: Dialect = None, mapping: MapFile = None, config: Config = None) -> None:
    """What each field of a sample becomes, from where, and what can be found with it. Exit 1 where nothing is read.

    Without a dialect and a mapping it is read as our own form.
    """
    configured = settings.load(config).speaking(dialect, mapping)
    ready = mapping_named(configured.sources.dialect, configured.map)
    sample = Sample()
    raws = _records(file)
    if ready is None:
        sample.take_ours(raws)
    else:
        sample.take(ready, raws)
    terminal = shown.console()
    _show(sample, terminal)
    if not sample.requests:
        raise SwerveError(f"{file}: none of {sample.records:,} records is read as a request; {looks_like(raws)}")
    for line in findings(sample, configured.parameters):
        terminal.print(harmless(line))


@app.command(epilog="Example: [bold]swerve map suggest calls.ndjson > ours.toml[/bold]")
def suggest(file: File) -> None:
    """Propose a mapping for a sample, as TOML, with what a person must decide marked."""
    raws = _records(file)
    known = looks_like(raws)
    if "--dialect" in known:
        typer.echo(f"swerve: {known}; a mapping of your own is needed for what differs alone", err=True)
    for line in proposal(raws):
        typer.echo(line)


@app.command(epilog="Example: [bold]swerve map show litellm --sample > calls.ndjson[/bold]")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            autocompletion=ended_by(presets.NAMES),
            help=f"A shipped mapping: {', '.join(presets.NAMES)}.",
        ),
    ],
    sample: Annotated[bool, typer.Option("--sample", help="Print records that it reads instead.")] = False,
) -> None:
    """Print a shipped mapping, to write one of your own by; or a sample of what it reads."""
    if name not in presets.NAMES:
        raise UsageError(f"no mapping {name!r}; expected one of {', '.join(presets.NAMES)}")
    if sample:
        for record in presets.sample_of(name):
            typer.echo(record)
    else:
        typer.echo(presets.file_of(name).read_text("utf-8"), nl=False)


def _records(file: str) -> list[bytes]:
    """The first records of a file, an array in a line taken apart."""
    with open_input(file) as opened:
        return list(islice((raw for batch in opened.records() for raw in _of(batch)), SAMPLE_RECORDS))


def _of(batch: Batch) -> list[bytes]:
    return [one for raw in batch[0] for one in (records_of(raw) or [raw])]


def _show(sample: Sample, terminal: Console) -> None:
    none, refused = f"{sample.no_request.total():,} no requests", f"{sample.reasons.total():,} refused"
    terminal.print(f"{sample.records:,} records: {sample.requests:,} requests, {none}, {refused}")
    for name, count in sample.no_request.most_common():
        terminal.print(harmless(f"  no request by {name}: {count:,}"))
    for record, detail in sample.refused:
        terminal.print(harmless(f"  record {record:,}: {detail}"))
    if not sample.requests:
        return
    table = Table("field", "from", "lack it", "for example", box=None)
    for row in rows(sample):
        table.add_row(*row)
    terminal.print(shown.whole(table, terminal.width))
