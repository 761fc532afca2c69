"""`swerve explain`: everything that is known about one alert."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import msgspec
import orjson
import typer
from rich.table import Table

from stream.alerts.explain import Section, explain
from stream.commands.arguments import Config
from stream.commands.on_call import reach
from stream.commands.on_call.records import alerts_in
from stream.configuration.settings import Settings, load
from stream.contract.alert import Alert, MalformedAlertError, decode
from stream.errors import SwerveError, UsageError
from stream.sinks.catalogue import links_of
from stream.sinks.sink import Links
from stream.spoken import harmless
from stream.terminal import shown


def command(
    alert_id: Annotated[str, typer.Argument(help="Which alert; its first characters are enough with --alerts.")],
    alerts: Annotated[
        Path | None, typer.Option("--alerts", metavar="FILE", help="Its records in a file, such as backtest writes.")
    ] = None,
    kafka: reach.Kafka = False,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Everything that is known about one alert: every figure with its formula, and what would excuse it."""
    settings = load(config)
    if alerts is not None:
        records = _chosen(alerts_in(alerts), alert_id, str(alerts))
        last, sections = records[-1], explain(records)
    elif kafka:
        topic = settings.kafka.topics.alerts
        records = _chosen([decode(raw) for raw in reach.records(settings, topic)], alert_id, topic)
        last, sections = records[-1], explain(records)
    else:
        last, sections = _asked(settings, url, alert_id)
    console = shown.console()
    console.print(harmless(last.summary), style="bold")
    for section in sections:
        console.print(shown.whole(_table(section), console.width))
    links = links_of(settings) if url is None else Links(url)
    console.print(f"Page: {links.page(last)}", soft_wrap=True)  # an address that is cut leads nowhere
    console.print(f"What to do: {links.runbook(last)}", soft_wrap=True)


def _asked(settings: Settings, url: str | None, alert_id: str) -> tuple[Alert, list[Section]]:
    """What a running Swerve knows; its own explanation has the whole timeline."""
    answer = reach.ask(settings, url, "GET", f"/api/v1/alerts/{quote(alert_id, safe='')}")
    try:
        last = decode(orjson.dumps(answer.get("alert", answer)))
        given = msgspec.convert(answer.get("explanation", []), list[Section])
    except (AttributeError, MalformedAlertError, msgspec.ValidationError) as error:
        raise SwerveError(f"expected an alert from Swerve, got something else: {error}") from None
    return last, given or explain([last])


def _chosen(records: list[Alert], alert_id: str, where: str) -> list[Alert]:
    found = sorted({one.alert_id for one in records if one.alert_id.startswith(alert_id)})
    if alert_id in found:
        found = [alert_id]
    if not found:
        raise SwerveError(f"{where}: no alert {alert_id}; it has {len({one.alert_id for one in records})} others")
    if len(found) > 1:
        raise UsageError(f"{alert_id} begins the ids of {len(found)} alerts: {', '.join(found[:5])}")
    return [one for one in records if one.alert_id == found[0]]


def _table(section: Section) -> Table:
    table = Table(title=section.title, title_justify="left", title_style="bold", box=None, show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_column(style="dim")
    for row in section.rows:
        table.add_row(row.label, row.value, row.note)
    return table
