"""`swerve verdict`: say what an alert turned out to be. `swerve verdicts report`: how often it was right."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from stream.alerts.hand import taught
from stream.alerts.verdicts import Precision, lessons_from, precision_by_kind
from stream.commands.arguments import Config
from stream.commands.on_call import quiet, reach
from stream.commands.on_call.records import alerts_in, last_of_each, lines_of
from stream.configuration.settings import load
from stream.contract.alert import decode
from stream.contract.reading.refusal import Refusal
from stream.contract.verdict import Verdict, decode_verdict
from stream.errors import UsageError
from stream.oncall.silence import typed
from stream.terminal import shown

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


class Word(StrEnum):
    """What can be said."""

    CAMPAIGN = "campaign"
    HARMLESS = "harmless"
    UNSURE = "unsure"


def command(
    alert_id: Annotated[str, typer.Argument(help="Which alert.")],
    verdict: Annotated[Word, typer.Argument(help="What it turned out to be.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What you found. Harmless needs it.")] = "",
    by: reach.By = None,
    confirm: reach.Confirm = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Into this JSON array instead.")] = None,
    kafka: reach.Kafka = False,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Say what an alert turned out to be. Harmless: it resolves, and its group stays silent. The last word counts.

    Harmless says what it would have covered; a page that is open must be typed to confirm.
    """
    settings = load(config)
    if verdict is Word.HARMLESS and file is None:
        note = typed.reason_or_ask(note, "--note")
        quiet.meant(settings, url, kafka, str(verdict), alert_id, confirm)
    record: dict[str, Any] = {
        "alert_id": alert_id,
        "verdict": str(verdict),
        "by": reach.who(by),
        "at": int(1000 * time.time()),
        "note": note,
    }
    if file is not None:
        reach.put_in_file(file, "alert_id", record)
    elif kafka:
        reach.publish(settings, settings.kafka.topics.verdicts, alert_id, record)
    else:
        reach.ask(settings, url, "POST", "/api/v1/verdicts", record)
    typer.echo(f"{alert_id}: {verdict}, says {record['by']}")


@app.callback()
def verdicts() -> None:
    """What the on-call engineers found out."""


@app.command()
def report(
    alerts: Annotated[Path | None, typer.Option("--alerts", metavar="FILE", help="Alert records, NDJSON.")] = None,
    said: Annotated[
        Path | None, typer.Option("--verdicts", metavar="FILE", help="Verdicts: NDJSON, or a JSON array.")
    ] = None,
    kafka: Annotated[bool, typer.Option("--kafka", help="Read both from their topics.")] = False,
    config: Config = None,
) -> None:
    """How often an alert was right, by kind and month: campaigns among those that somebody judged.

    Below it, what the verdicts taught: by how much they move what the traits of other networks say.
    """
    if kafka:
        settings = load(config)
        where = settings.kafka.topics.verdicts, settings.kafka.topics.alerts
        spoken, told = (reach.records(settings, topic) for topic in where)
        last = last_of_each(decode(raw) for raw in told)
    elif alerts is not None and said is not None:
        last, spoken, where = last_of_each(alerts_in(alerts)), lines_of(said), (str(said), str(alerts))
    else:
        raise UsageError("name --alerts FILE and --verdicts FILE, or --kafka, which reads both from their topics")
    verdicts = _verdicts(spoken, where[0])
    rows = precision_by_kind(last.values(), verdicts)
    if not rows:
        raise UsageError(f"{where[0]}: no verdict about an alert of {where[1]}")
    shown.console().print(_table(rows))
    shown.console().print(f"\n{taught(lessons_from(last.get, verdicts))}")


def _verdicts(raws: list[bytes], where: str) -> list[Verdict]:
    verdicts = []
    for number, raw in enumerate(raws, 1):
        try:
            verdicts.append(decode_verdict(raw))
        except Refusal as refusal:
            raise UsageError(f"{where}:{number}: {refusal.detail}") from None
    return verdicts


def _table(rows: list[Precision]) -> Table:
    table = Table("kind", "month", "told", "judged", "campaign", "harmless", "precision", box=None)
    for row in rows:
        right = "-" if row.precision is None else f"{100 * row.precision:.0f}%"
        table.add_row(row.kind, row.month, *map(str, (row.told, row.judged, row.campaigns, row.harmless)), right)
    return table
