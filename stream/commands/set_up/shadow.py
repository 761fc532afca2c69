"""`swerve shadow`: a second configuration judges beside the first and tells nobody; what would differ?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from detectors.counts.summary import Summary
from detectors.parameters import Parameters
from stream.alerts.explain import utc
from stream.alerts.life import Life
from stream.commands.arguments import Config, Dialect, Expected, MapFile, Releases
from stream.configuration.settings import Settings, load
from stream.contract.alert import Alert
from stream.errors import UsageError
from stream.pipeline.announced import read_catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, in_order
from stream.samples.nothing import refuse_nothing
from stream.sources.open import open_input
from stream.terminal import shown

ALIKE_MIN = 0.3  # part of the accounts of two alerts that are the same: from here on they are about one thing

# What the shards count by: both judge the same counts, so these must be equal.
COUNTED_BY = (
    "tick_ms", "network_tick_ms", "fast_window_h", "slow_half_life_h", "lateness_ms", "forget_after_h", "accounts_max",
    "targets_max", "cohorts_max", "link_dimensions", "cohort_dimensions", "org_dimension", "country_dimension",
    "signup_dimension",
)  # fmt: skip


def command(
    inputs: Annotated[list[str], typer.Argument(metavar="INPUT...", help="The log, as for backtest.")],
    beside: Annotated[Path, typer.Option("--beside", metavar="FILE", help="The configuration to compare with.")],
    releases: Releases = None,
    expected: Expected = None,
    dialect: Dialect = None,
    mapping: MapFile = None,
    config: Config = None,
) -> None:
    """Judge a log with two configurations at once, and show which alerts would differ. Nobody is told anything."""
    first, second = load(config).speaking(dialect, mapping), load(beside)
    refuse_other_counts(first.parameters, second.parameters)
    catalogue = read_catalogue(releases, expected)
    shadow = Shadow(Fleet(first.parameters, catalogue.released_ms), Fleet(second.parameters, catalogue.released_ms))
    shadow.first.expected, shadow.second.expected = catalogue.announced(first), catalogue.announced(second)
    _read(shadow, inputs, first)
    found = differences(shadow.first.life, shadow.second.life)
    shown.console().print(_table(found))
    typer.echo(closing_line(found))


def refuse_other_counts(first: Parameters, second: Parameters) -> None:
    """Raises UsageError where the two would not judge the same counts."""
    one, other = dataclasses.asdict(first), dataclasses.asdict(second)
    for key in COUNTED_BY:
        if one[key] != other[key]:
            raise UsageError(
                f"--beside: expected the same {key}, got {one[key]!r} and {other[key]!r}: both judge the same counts"
            )


@dataclass(slots=True)
class Shadow:
    """A fleet, and one beside it that nobody hears. Costs the judging of two, the counting of one."""

    first: Fleet
    second: Fleet

    def apply(self, summary: Summary) -> Sequence[Alert]:
        """What the first one says."""
        alerts = self.first.apply(summary)
        self.second.apply(summary)
        return alerts


@dataclass(frozen=True, slots=True)
class Difference:
    """One incident as both see it; None where one of them does not. common: accounts that both named."""

    first: Alert | None
    second: Alert | None
    common: int

    @property
    def is_same(self) -> bool:
        """Whether a person would be told the same: severity, and when."""
        one, other = self.first, self.second
        if one is None or other is None:
            return False
        return (one.severity, one.detected_at) == (other.severity, other.detected_at)


def differences(first: Life, second: Life) -> list[Difference]:
    """Alerts of severity warning or critical of both, paired by their accounts; oldest first. O(alerts^2)."""
    ours, theirs = _accounts(first), _accounts(second)
    pairs = sorted((-_alike(mine, yours), a, b) for a, mine in ours.items() for b, yours in theirs.items())
    found: list[Difference] = []
    paired: tuple[set[str], set[str]] = (set(), set())
    for unlike, a, b in pairs:
        if -unlike >= ALIKE_MIN and a not in paired[0] and b not in paired[1]:
            paired[0].add(a)
            paired[1].add(b)
            found.append(Difference(first.alert(a), second.alert(b), len(ours[a] & theirs[b])))
    found += [Difference(first.alert(a), None, 0) for a in ours if a not in paired[0]]
    found += [Difference(None, second.alert(b), 0) for b in theirs if b not in paired[1]]
    return sorted(found, key=_place)


def _place(one: Difference) -> tuple[int, str]:
    alert = one.first or one.second
    assert alert is not None
    return alert.detected_at, alert.alert_id


def _accounts(life: Life) -> Mapping[str, set[str]]:
    """Who each alert names; one that names nobody is known by its subject."""
    return {
        alert.alert_id: {one.account_id for one in life.members(alert.alert_id)} or {f"{alert.subject}"}
        for alert in life.alerts()
        if alert.severity != "info"
    }


def _alike(mine: set[str], yours: set[str]) -> float:
    return len(mine & yours) / len(mine | yours)


def _read(shadow: Shadow, inputs: Sequence[str], settings: Settings) -> None:
    with ExitStack() as stack:
        records = {path: stack.enter_context(open_input(path)).records() for path in inputs}
        embedded = Embedded(settings.parameters, list(records), shadow, dialect=settings.reader())
        for _ in in_order(embedded, records):
            pass
        refuse_nothing(embedded.seen, settings.reader())


def _table(found: Sequence[Difference]) -> Table:
    table = Table("", "this configuration", "the one beside", "common", box=None)
    for one in found:
        table.add_row("=" if one.is_same else "≠", _cell(one.first), _cell(one.second), f"{one.common:,}")
    return table


def _cell(alert: Alert | None) -> str:
    if alert is None:
        return "nothing"
    return f"{alert.severity} {utc(alert.detected_at)}: {alert.summary}"


def closing_line(found: Sequence[Difference]) -> str:
    """How many differ.

    >>> closing_line([])
    '0 the same, 0 different, 0 only here, 0 only beside'
    """
    same = sum(one.is_same for one in found)
    here, beside = (sum(getattr(one, name) is None for one in found) for name in ("second", "first"))
    return f"{same} the same, {len(found) - same - here - beside} different, {here} only here, {beside} only beside"
