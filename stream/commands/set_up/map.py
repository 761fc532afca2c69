"""`swerve map`: what a mapping makes of a sample, and a proposal for one."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer
from rich.table import Table

from stream.commands.arguments import Config, Dialect, MapFile
from stream.configuration import settings
from stream.contract.reading.arrays import records_of
from stream.errors import SwerveError, UsageError
from stream.mapping.named import mapping_named
from stream.samples.check import Sample, findings, rows
from stream.samples.guess import looks_like
from stream.samples.suggest import proposal
from stream.sources.open import Batch, open_input
from stream.terminal import shown

SAMPLE_RECORDS = 10_000

app = typer.Typer(help="Read records of another platform.", no_args_is_help=True, add_completion=False)
File = Annotated[str, typer.Argument(metavar="FILE|-", help="A sample of the log; - is standard input.")]


@app.command(epilog="Example: [bold]swerve map check calls.ndjson --dialect litellm --map ours.toml[/bold]")
def check(file: File, dialect: Dialect = None, mapping: MapFile = None, config: Config = None) -> None:
    """What each field of a sample becomes, from where, and what can be found with it. Exit 1 where nothing is read."""
    configured = settings.load(config).speaking(dialect, mapping)
    ready = mapping_named(configured.sources.dialect, configured.map)
    if ready is None:
        raise UsageError("no mapping: expected --dialect NAME, --map FILE, or [map] in the configuration")
    sample = Sample()
    raws = _records(file)
    sample.take(ready, raws)
    _show(sample)
    if not sample.requests:
        raise SwerveError(f"{file}: none of {sample.records:,} records is read as a request; {looks_like(raws)}")
    for line in findings(sample, configured.parameters):
        typer.echo(line)


@app.command(epilog="Example: [bold]swerve map suggest calls.ndjson > ours.toml[/bold]")
def suggest(file: File) -> None:
    """Propose a mapping for a sample, as TOML, with what a person must decide marked."""
    raws = _records(file)
    known = looks_like(raws)
    if "--dialect" in known:
        typer.echo(f"swerve: {known}; a mapping of your own is needed for what differs alone", err=True)
    for line in proposal(raws):
        typer.echo(line)


def _records(file: str) -> list[bytes]:
    """The first records of a file, an array in a line taken apart."""
    with open_input(file) as opened:
        return list(islice((raw for batch in opened.records() for raw in _of(batch)), SAMPLE_RECORDS))


def _of(batch: Batch) -> list[bytes]:
    return [one for raw in batch[0] for one in (records_of(raw) or [raw])]


def _show(sample: Sample) -> None:
    refused = sample.reasons.total()
    none = sample.no_request.total()
    typer.echo(f"{sample.records:,} records: {sample.requests:,} requests, {none:,} no requests, {refused:,} refused")
    for name, count in sample.no_request.most_common():
        shown.say(f"  no request by {name}: {count:,}")
    for record, detail in sample.refused:
        shown.say(f"  record {record:,}: {detail}")
    table = Table("field", "from", "lack it", "for example", box=None)
    for row in rows(sample):
        table.add_row(*row)
    shown.console().print(table)
