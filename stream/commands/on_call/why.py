"""`swerve why`: why an account, a cohort or a target did not fire."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Annotated

import typer
from rich.table import Table

from detectors.counts.summary import Summary
from detectors.why import Reason, why_account, why_cohort, why_target
from stream.alerts.explain import utc
from stream.commands.arguments import Config, Dialect, Expected, MapFile, Releases
from stream.configuration.settings import Settings, load
from stream.oncall.moment import moment_ms
from stream.pipeline.announced import read_catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, in_order
from stream.samples.nothing import refuse_nothing
from stream.sources.open import open_input
from stream.spoken import harmless
from stream.terminal import shown

SIGNS = {True: "yes", False: "NO", None: ""}


def command(
    subject: Annotated[str, typer.Argument(help="acct_1, org=org_7, model:atlas-4, or capability:coding.")],
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="The log, as for backtest.")],
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="As of this event time, RFC 3339. Else the log's end.")
    ] = None,
    releases: Releases = None,
    expected: Expected = None,
    dialect: Dialect = None,
    mapping: MapFile = None,
    config: Config = None,
) -> None:
    """Why it did not fire: every test between it and an alert, with its number and its limit.

    The log is read through the same detectors up to the time asked for.
    """
    configured = load(config).speaking(dialect, mapping)
    at_ms = None if at is None else moment_ms(at, int(1000 * time.time()), "--at")
    subject = configured.said_subject(subject)
    ask = _question(subject)
    catalogue = read_catalogue(releases, expected)
    fleet = Fleet(configured.parameters, catalogue.released_ms)
    fleet.expected = catalogue.announced(configured)
    _read(fleet, inputs, configured, at_ms)
    console = shown.console()
    console.print(f"{harmless(subject)} as of {utc(fleet.at_ms)} UTC", style="bold")
    console.print(shown.whole(_table(ask(fleet)), console.width))
    for alert in _alerts_about(fleet, subject):
        console.print(f"It did fire: {alert}")


class _Reached(Exception):  # noqa: N818 - the end of a reading, not a failure
    """The time that was asked for."""


def _read(fleet: Fleet, inputs: list[str], configured: Settings, at_ms: int | None) -> None:
    """Everything, or what was judged up to a time."""
    tick_ms = configured.parameters.tick_ms

    def stop(summary: Summary) -> None:
        if at_ms is not None and (summary.tick + 1) * tick_ms > at_ms:
            raise _Reached

    with ExitStack() as stack, suppress(_Reached):
        records = {path: stack.enter_context(open_input(path)).records() for path in inputs}
        embedded = Embedded(configured.parameters, list(records), fleet, on_summary=[stop], dialect=configured.reader())
        for _ in in_order(embedded, records):
            pass
        refuse_nothing(embedded.seen, configured.reader())


def _question(subject: str) -> Callable[[Fleet], list[Reason]]:
    kind, colon, _ = subject.partition(":")
    if colon and kind in ("model", "capability"):
        return lambda fleet: why_target(fleet.judge, subject)
    dimension, equals, value = subject.partition("=")
    if equals and dimension == "account":
        return lambda fleet: why_account(fleet.judge, value)
    if equals:
        return lambda fleet: why_cohort(fleet.judge, dimension, value)
    return lambda fleet: why_account(fleet.judge, subject)


def _table(reasons: list[Reason]) -> Table:
    table = Table("test", "number", "limit", "passed", box=None)
    for one in reasons:
        table.add_row(one.test, one.value, one.limit, SIGNS[one.holds])
    return table


def _alerts_about(fleet: Fleet, subject: str) -> list[str]:
    name = subject.partition("=")[2] if subject.startswith("account=") else subject
    ids = [alert_id for row in fleet.named_accounts() if row.account_id == name for alert_id in row.alert_ids]
    found = [fleet.life.alert(alert_id) for alert_id in ids]
    return [f"{one.alert_id} ({one.severity}, {one.status}): {one.summary}" for one in found if one is not None]
