"""How does the page of a backtest come about? What the run saw, put into the template; nothing from another host."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2
from markupsafe import Markup

from detectors.judgement.hand import lines_of
from detectors.parameters import Parameters
from detectors.triage.watchlist import Watched
from stream import spoken
from stream.alerts.figures import is_mostly_new
from stream.alerts.hand import nats, said_by_traits
from stream.contract.alert import Alert
from stream.report import charts
from stream.report.charts import Line, Mark
from stream.report.history import AlertHistory, Course, FleetHistory
from stream.report.matrix import matrix
from stream.report.network import Network

DAYS_A_MONTH = 30
DAY_MS = 86_400_000
SIGNS = {"critical": "●", "warning": "▲", "info": "○"}
ORDER = ("critical", "warning", "info")
DRAWN = ("series", "change")  # parts of the evidence that the page shows otherwise
ROWS_SHOWN = 8  # of a table of the evidence; the others unfold
MEANING = {
    "not_utf8": "bytes that are no UTF-8",
    "not_json": "not JSON, or cut off",
    "not_an_object": "JSON, and not an object",
    "too_large": "over 1 MiB",
    "too_deep": "nested too deeply",
    "missing_field": "a required field is not there",
    "wrong_type": "a field of another type",
    "out_of_range": "a length, sign or number of entries beyond the contract",
    "bad_timestamp": "a time that cannot be read",
    "impossible_time": "before 2015, or far ahead of its neighbours",
    "duplicate_event": "a repeat of a request that was counted",
    "late_event": "too late to be counted",
}


@dataclass(slots=True)
class Told:
    """What a run saw. Times in ms of event time; None where no record was read."""

    inputs: Sequence[str]
    parameters: Parameters
    fleet: FleetHistory
    courses: AlertHistory
    releases: Sequence[tuple[str, int]] = ()
    records: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    from_ms: int | None = None
    until_ms: int | None = None
    seconds: float = 0.0
    changes: list[Alert] = field(default_factory=list)
    watched: Sequence[Watched] = ()
    networks: Mapping[str, Network] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One alert on the page: its last record, what it said while it fired, the highest severity, and every change.

    lines: these accounts first.
    """

    last: Alert
    said: str
    severity: str
    changes: Sequence[tuple[str, str]]
    lines: Sequence[Line]
    marks: Sequence[Mark]
    facts: Sequence[tuple[str, str]]
    tables: Sequence[Table]

    @property
    def sign(self) -> str:
        """The severity as a shape, for whoever cannot tell the colours apart."""
        return SIGNS[self.severity]

    @property
    def chart(self) -> Markup:
        """How the accounts moved; these accounts are drawn last, above the others."""
        return charts.shares(self.lines[::-1], self.marks, title=f"Share of {self.last.target.id} over time")

    @property
    def legend(self) -> list[tuple[Markup, str]]:
        """(sample, name) of each line."""
        return [(charts.swatch(line.style), line.name) for line in self.lines]


@dataclass(frozen=True, slots=True)
class Table:
    """A part of the evidence that has rows: values that are shared, traits."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def render(told: Told) -> str:
    """The whole page. O(records of alerts + hours x targets)."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("stream.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=spoken.seen,
    )
    environment.filters.update(moment=spoken.moment, span=spoken.span, count=spoken.count, percent=spoken.percent)
    cases = list(cases_of(told.changes, told.courses.courses, told.releases))
    return environment.get_template("page.html.j2").render(
        told=told,
        matrix=matrix,
        cases=[case for case in cases if case.severity != "info"],
        kept=[case for case in cases if case.severity == "info"],
        by_severity={name: sum(case.severity == name for case in cases) for name in ORDER},
        models=_fleet_chart(told, "model", "Share of requests by model"),
        capabilities=_fleet_chart(told, "capability", "Share of requests by capability"),
        refused=sorted(told.refused.items(), key=lambda entry: (-entry[1], entry[0])),
        meaning=MEANING,
        budget=budget_of(told, cases),
        fingerprint=fingerprint(told.parameters),
        values=dataclasses.asdict(told.parameters),
        rows_shown=ROWS_SHOWN,
        watched=[(place, one, one.target.partition(":")[2]) for place, one in enumerate(told.watched, 1)],
        version=importlib.metadata.version("swerve"),
    )


def fingerprint(parameters: Parameters) -> str:
    """Twelve hexadecimal digits that are the same exactly when all parameters are.

    >>> fingerprint(Parameters()) == fingerprint(Parameters(page_z=4.5))
    False
    """
    text = json.dumps(dataclasses.asdict(parameters), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def budget_of(told: Told, cases: Sequence[Case]) -> Mapping[str, str]:
    """The stated budget of false pages, its part for the days of this log, what was raised; what an alert needs."""
    page, ticket = lines_of(told.parameters)
    days = ((told.until_ms or 0) - (told.from_ms or 0)) / DAY_MS
    return {
        "per_month": spoken.count(told.parameters.false_pages_per_month),
        "days": spoken.count(round(days, 1)),
        "allowed": spoken.count(told.parameters.false_pages_per_month * days / DAYS_A_MONTH),
        "raised": spoken.count(sum(case.severity == "critical" for case in cases)),
        "page": nats(page),
        "ticket": nats(ticket),
        "z": spoken.count(told.parameters.page_z),
    }


def cases_of(
    changes: Sequence[Alert], courses: Mapping[str, Course], releases: Sequence[tuple[str, int]]
) -> Iterator[Case]:
    """Each alert once: critical ones first, then by time and id."""
    by_id: dict[str, list[Alert]] = {}
    for change in changes:
        by_id.setdefault(change.alert_id, []).append(change)
    worst = {key: min((change.severity for change in those), key=ORDER.index) for key, those in by_id.items()}
    for key in sorted(by_id, key=lambda k: (ORDER.index(worst[k]), by_id[k][0].detected_at, k)):
        last = by_id[key][-1]
        firing = [change for change in by_id[key] if change.status == "firing"]
        facts, tables = evidence_of(last.evidence)
        yield Case(
            last, (firing or [last])[-1].summary, worst[key], list(_timeline(by_id[key])),
            _alert_lines(last, courses.get(key)), _alert_marks(by_id[key], releases), facts, tables,
        )  # fmt: skip


def _timeline(changes: Sequence[Alert]) -> Iterator[tuple[str, str]]:
    """(when, what changed) in words, for each record of an alert."""
    before: Alert | None = None
    for change in changes:
        yield spoken.moment(change.updated_at), _changed(before, change)
        before = change


def _changed(before: Alert | None, now: Alert) -> str:
    if now.status == "resolved":
        return f"resolved: {now.resolved_reason}"
    if before is None:
        return f"opened as {now.severity}" + (f", {now.accounts_total:,} accounts" if now.accounts_total else "")
    parts = []
    if before.severity != now.severity:
        parts.append(f"{before.severity} → {now.severity}")
    if before.accounts_total != now.accounts_total:
        more = now.accounts_total - before.accounts_total
        parts.append(f"{more:+,} account" + ("s" if abs(more) != 1 else ""))
    parts += _shares_told(before, now)
    came = [target.id for target in now.targets if target not in (*before.targets, now.target)]
    if came:
        parts.append("also toward " + ", ".join(came))
    return " · ".join(parts) or "evidence updated"


def _shares_told(before: Alert, now: Alert) -> list[str]:
    """How much more goes to the target that leads; where another leads, its share alone: two targets have no course."""
    records = (before, now) if before.target == now.target else (now,)
    shares = [share for record in records if isinstance(share := record.evidence.get("share_after"), float)]
    if len(set(shares)) != len(records):
        return []
    return [" → ".join(map(spoken.percent, shares)) + f" of their requests to {now.target.id}"]


def evidence_of(evidence: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[Table]]:
    """Numbers as (name, value), and what has rows as tables; in the order of the record."""
    facts, tables = [], []
    for key, given in evidence.items():
        if key in DRAWN or (given is None and key != "share_before"):
            continue
        if key == "named" and is_mostly_new(evidence):
            given = {name: one for name, one in given.items() if name != "share_before"}  # of a past that is none
        rows = _as_rows(given)
        if key == "votes" and rows:
            tables.append(_traits(evidence))
        elif rows:
            tables.append(_table(key, rows))
        else:
            facts.append((spoken.label(key), spoken.value(key, given)))
    return facts, tables


def _as_rows(given: Any) -> list[Mapping[str, Any]]:
    """A list of objects as it is; an object of objects with the outer key as the first column, one of plain values
    row by row; else nothing."""
    if isinstance(given, list | tuple) and given and all(isinstance(one, Mapping) for one in given):
        return [] if all(set(one) == {"kind", "id"} for one in given) else list(given)
    if isinstance(given, Mapping) and given and all(isinstance(one, Mapping) for one in given.values()):
        return [{"name": spoken.label(name), **one} for name, one in given.items()]
    if isinstance(given, Mapping) and given and set(given) != {"kind", "id"}:
        return [{"name": spoken.label(name), "value": spoken.value(name, one)} for name, one in given.items()]
    return []


def _table(key: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[spoken.value(column, row[column]) if column in row else "" for column in columns] for row in rows]
    return Table(spoken.label(key), [spoken.label(column) for column in columns], cells)


def _traits(evidence: Mapping[str, Any]) -> Table:
    """What speaks for one operator and what against, the strongest first."""
    rows = [(one.words, one.said, one.value, one.measures) for one in said_by_traits(evidence)]
    return Table(spoken.label("votes"), ("trait", "says of one operator", "value", "of what"), rows)


def _fleet_chart(told: Told, kind: str, title: str) -> Mapping[str, Any]:
    """The chart of the strongest targets of a kind, and its legend: (sample, name, first and last share)."""
    names = told.fleet.strongest(kind, charts.STYLES)
    lines = [Line(name.partition(":")[2], told.fleet.shares(name), style) for style, name in enumerate(names)]
    marks = [Mark(at, f"{model} released") for model, at in told.releases] if kind == "model" else []
    marks += [Mark(change.started_at, "onset") for change in _pages(told.changes)]
    legend = [
        (charts.swatch(line.style), line.name, spoken.percent(line.points[0][1]), spoken.percent(line.points[-1][1]))
        for line in lines
        if line.points
    ]
    return {"chart": charts.shares(lines, marks, title=title), "legend": legend}


def _pages(changes: Sequence[Alert]) -> list[Alert]:
    """The first critical record of each alert."""
    first: dict[str, Alert] = {}
    for change in changes:
        if change.is_page:
            first.setdefault(change.alert_id, change)
    return list(first.values())


def _alert_lines(last: Alert, course: Course | None) -> list[Line]:
    """These accounts, what was expected of their like, and everybody else; what nobody measured is left out."""
    noted = _noted(last.evidence)
    theirs = sorted(course.theirs.items()) if course is not None else []
    lines = [
        Line("these accounts", theirs or [(at, share) for at, share, _ in noted], 0),
        Line("expected of accounts like them", [(at, expected) for at, _, expected in noted], 1),
        Line("everybody else", sorted(course.others.items()) if course is not None else [], "other"),
    ]
    return [line for line in lines if line.points]


def _noted(evidence: Mapping[str, Any]) -> list[tuple[int, float, float]]:
    """(time, share, share expected of comparable accounts) tick by tick, where the detectors noted it."""
    series = evidence.get("series")
    rows = series if isinstance(series, list | tuple) else []
    return [(int(at), float(share), float(expected)) for at, share, expected in rows]


def _alert_marks(changes: Sequence[Alert], releases: Sequence[tuple[str, int]]) -> list[Mark]:
    last = changes[-1]
    marks = [Mark(last.started_at, "onset")]
    marks += [Mark(at, f"{model} released") for model, at in releases if model == last.target.id]
    return marks + [Mark(change.updated_at, "page") for change in _pages(changes)[:1]]
