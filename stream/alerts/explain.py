"""Why does this alert exist? Its evidence in sections that a person can read and recompute.

Pure: records in, text out. The terminal (`swerve explain`) and the console show the same sections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stream.alerts.evidence import number
from stream.alerts.figures import is_mostly_new, judged_of
from stream.alerts.hand import before_any_trait, nats, said_by_traits
from stream.alerts.sentence import name, span
from stream.contract.alert import Alert
from stream.spoken import percent

SHARED_MAX = 20
ONE_OPERATOR = "Is it one operator?"
TESTED = "What was tested: all that were judged together"


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. note: its formula, its limit, or what an ordinary value is."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Facts about one question."""

    title: str
    rows: tuple[Row, ...]


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"


def _exact(value: float) -> str:
    return f"{100 * value:.4f} %"


def _decimal(value: float) -> str:
    return f"{value:,.2f}"


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"


# Figures with their formula and inputs: (key, label, how it is written, note).
Figures = tuple[tuple[str, str, Callable[[float], str], str], ...]

# Why the lines of a crowd are higher than those of others.
RAISED = {
    "one_place": "both higher, since much of it comes through one exit",
    "one_value": "both higher, since most share one value alone",
}

# These are said everywhere.
SAID: Figures = (
    ("requests", "requests", _plain, "of the accounts that are named, in the window"),
    ("window_h", "window", span, "shares are of requests in this window"),
    ("organisations", "organisations", _plain, "unrelated customers; one operator should not need so many"),
    ("new_accounts", "new accounts", _plain, "first seen less than a day before the onset: they have no past"),
    ("share_before", "share before", percent, "of the strongest target, in their requests before the window"),
    ("share_after", "share now", percent, "of the strongest target, in the window"),
    (
        "share_expected",
        "share expected",
        percent,
        "what accounts of like volume and age would do: own past + their change",
    ),
    ("comparable_change", "change of comparable accounts", _points, "accounts of like volume and age, group left out"),
    ("ticks", "ticks above the line", _plain, "in a row"),
    ("votes_for", "traits for one operator", _plain, "each is listed with its nats, as are those against"),
    ("log_odds", "log-odds of one operator", nats, "over the last hours; 0 is even odds, 1 more is 2.7 times the odds"),
    ("log_odds_now", "log-odds in this hour", nats, "the nats of all traits, and those that every network begins with"),
    ("log_odds_page", "log-odds that a page needs", nats, "follow from false_pages_per_month"),
    ("log_odds_ticket", "log-odds that a ticket needs", nats, "follow from false_warnings_per_month"),
    ("shared_values_total", "rare values shared", _plain, "each by three organisations or more"),
    (
        "largest_value_covers",
        "largest value covers",
        percent,
        "of the organisations; one employer or course covers most",
    ),
)

# What the test was made on: the whole group that was judged together, each organisation counting once.
JUDGED: Figures = (
    ("accounts", "accounts judged", _plain, "in the last hour; those that surely belong are named as members"),
    ("organisations", "organisations judged", _plain, "of these"),
    ("requests", "requests judged", _plain, "of these, in the window"),
    ("moved_accounts", "accounts that moved", _plain, "use the strongest target more than their own past explains"),
    (
        "organisations_moved_share",
        "organisations that moved",
        percent,
        "part of the organisations with such an account",
    ),
    ("share_before", "tested: before", percent, "each organisation counting once, own past shrunk to the group's"),
    ("share_after", "tested: now", percent, "each organisation counting once"),
    ("comparable_change", "change of comparable accounts", _points, "accounts of like volume and age, group left out"),
    ("share_expected", "tested: expected", percent, "tested before + change of comparable accounts"),
)
TEST: Figures = (
    (
        "statistic",
        "test statistic z",
        _plain,
        "(now - expected) / sqrt(variance over organisations + what any two groups differ by, squared)",
    ),
    ("threshold", "threshold of z", _plain, "on two ticks; a weaker shift is asked nothing more"),
)
PAST = (("own_past", "taken off for its own past", _plain, "median of the group's own z 24 to 120 h ago"),)

# Of `evidence.named`: plain sums over the accounts that the alert names, each to be had from the log by counting.
SUMS: Figures = (
    ("accounts", "accounts named", _plain, "all that the alert names"),
    ("active", "active", _plain, "of them, with a request in the last 24 h; what follows is of these"),
    ("new", "new", _plain, "of the active ones, first seen less than a day before the onset: they have no past"),
    ("organisations", "organisations", _plain, "distinct latest org of each; an account without one is its own"),
    ("requests", "requests", _plain, "in the last 24 h"),
    ("target_requests", "toward the target", _plain, "of these requests"),
    ("share_after", "share now", _exact, "toward the target / requests"),
    (
        "baseline",
        "requests before",
        _decimal,
        "older than 24 h, each weighing 0.5 ^ (whole hours since it left the 24 h / 168)",
    ),
    ("share_before", "share before", _exact, "the same sum of those toward the target / requests before"),
    ("fleet_share_after", "fleet's share now", _exact, "of all accounts active in the last 24 h, by the same sums"),
    ("fleet_share_before", "fleet's share before", _exact, "of the same accounts"),
)

HARMLESS_IF = {
    "account": ("the customer says so: one account moved its own traffic", "a new product of this customer went live"),
    "cohort": (
        "one customer migrated: ask its account team, then `swerve expect`",
        "a default of a client or a region changed: ask the platform team",
    ),
    "cluster": (
        "an agency or a product moved its clients: ask sales who serves these organisations",
        "a course or a hackathon shares prompts and rooms: it ends within days",
        "a migration was announced to customers, and nobody told Swerve: `swerve expect`",
    ),
}


def explain(records: Sequence[Alert]) -> list[Section]:
    """Everything that is known about one alert. records: its records, oldest first, at least the last one."""
    last = records[-1]
    sections = [
        _state(last),
        Section("Numbers", tuple(_numbers(last.evidence))),
        Section("To recompute from the log", tuple(_sums(last.evidence))),
        Section(TESTED, tuple(_tested(last.evidence))),
        Section("Toward what", tuple(_targets(last))),
        Section(ONE_OPERATOR, tuple(_votes(last.evidence))),
        Section("What they share", tuple(_shared(last.evidence))),
        Section("Harmless if", tuple(Row("", text) for text in _harmless_if(last))),
        Section("Timeline (UTC)", tuple(_timeline(records))),
    ]
    return [section for section in sections if section.rows]


def utc(at_ms: int) -> str:
    """
    >>> utc(1_770_260_400_000)
    '2026-02-05 03:00'
    """
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def _state(alert: Alert) -> Section:
    ended = [] if alert.resolved_at is None else [Row("resolved", utc(alert.resolved_at), alert.resolved_reason or "")]
    expected = alert.evidence.get("expected") or ()
    rows = [
        Row("status", f"{alert.status}, {alert.severity}", str(alert.evidence.get("why", "")).replace("_", " ")),
        Row("onset", utc(alert.started_at), "estimated begin of the shift"),
        Row("told", utc(alert.detected_at), f"{span((alert.detected_at - alert.started_at) / 3_600_000)} after it"),
        *ended,
        Row(
            "who",
            f"{alert.subject.kind} {name(alert.subject.id, 80)}",
            "" if alert.subject.dimension is None else f"dimension {name(alert.subject.dimension, 60)}",
        ),
        Row("accounts", f"{alert.accounts_total:,} named", ", ".join(name(one) for one in alert.accounts[:5])),
        Row("looks like", str(alert.evidence.get("looks_like") or "one operator"), ""),
        Row("announced by", ", ".join(name(str(one), 60) for one in expected)),
        Row("before it", str(alert.evidence.get("previous_alert") or ""), "an earlier alert of the same group"),
    ]
    is_network = alert.subject.kind == "cluster"
    return Section("Alert", tuple(row for row in rows if row.value and (is_network or row.label != "looks like")))


def _figures(evidence: Mapping[str, Any], figures: Figures) -> list[Row]:
    shown = [(label, number(evidence, key), written, note) for key, label, written, note in figures]
    return [Row(label, written(value), note) for label, value, written, note in shown if value is not None]


def _numbers(evidence: Mapping[str, Any]) -> list[Row]:
    """What is said everywhere; and the test with it, where nothing else was judged than what is said."""
    rows = _figures(evidence, SAID)
    if is_mostly_new(evidence):
        rows.insert(0, Row("share before", "new", "most of the accounts have no past"))
    return rows if "judged" in evidence else rows + _figures(evidence, TEST)


def _tested(evidence: Mapping[str, Any]) -> list[Row]:
    judged = evidence.get("judged")
    if not isinstance(judged, Mapping):
        return []
    return _figures(judged, JUDGED) + _figures(evidence, TEST) + _figures(judged, PAST)


def _sums(evidence: Mapping[str, Any]) -> list[Row]:
    named = evidence.get("named")
    if not isinstance(named, Mapping):
        return []
    until, target, newer = number(named, "until_ms"), named.get("target"), named.get("renamed_to")
    older = [*(named.get("renamed_from") or ()), *([newer] if newer else ())]
    toward = f"{target.get('kind')} {name(str(target.get('id')), 60)}" if isinstance(target, dict) else ""
    also = f"and by its other name, {', '.join(name(str(one), 60) for one in older)}" if older else ""
    rows = [Row("target", toward, also), Row("until", "" if until is None else utc(int(until)), "the end of the 24 h")]
    said = tuple(one for one in SUMS if not (one[0] == "share_before" and is_mostly_new(evidence)))
    return [row for row in [*rows, *_figures(named, said)] if row.value]


def _targets(alert: Alert) -> list[Row]:
    rows = []
    for one in judged_of(alert.evidence).get("per_target") or ():
        target, shares = (
            one.get("target"),
            [number(one, key) for key in ("share_before", "share_after", "share_expected")],
        )
        label = f"{target['kind']} {name(target['id'], 60)}" if isinstance(target, dict) else name(str(target), 60)
        before, after, expected = ("?" if share is None else percent(share) for share in shares)
        z = number(one, "statistic")
        rows.append(
            Row(
                label,
                f"{before} -> {after}",
                f"of all that were judged; expected {expected}" + ("" if z is None else f", z {z:.1f}"),
            )
        )
    return rows or [Row(f"{target.kind} {name(target.id, 60)}", "", "") for target in alert.targets]


def _votes(evidence: Mapping[str, Any]) -> list[Row]:
    """What is for one operator and what against, and what it comes to."""
    found = said_by_traits(evidence)
    rows = [Row(one.words, one.said, f"{one.value}: {one.measures}") for one in found if one.value]
    missing = [Row(one.words, one.said, one.measures) for one in found if not one.value]
    begun, now = before_any_trait(evidence), number(evidence, "log_odds_now")
    if begun is not None and now is not None:
        rows += [Row("before any trait", nats(begun), "where every network begins; with the traits it makes"),
                 Row("this hour in all", nats(now), "the sum of these")]  # fmt: skip
    return [*_in_all(evidence), *rows, *missing]


def _in_all(evidence: Mapping[str, Any]) -> list[Row]:
    log_odds, page, ticket = (number(evidence, key) for key in ("log_odds", "log_odds_page", "log_odds_ticket"))
    if log_odds is None:
        return []
    needed = [] if page is None else [f"a page needs {nats(page)}"]
    needed += [] if ticket is None else [f"a ticket {nats(ticket)}"]
    needed += [RAISED[looks_like]] if (looks_like := evidence.get("looks_like")) in RAISED else []
    return [Row("over the last hours", nats(log_odds), ", ".join(needed)), *_swing(evidence)]


def _swing(evidence: Mapping[str, Any]) -> list[Row]:
    """One operator's accounts stand out on any day: whether the shift is more than a swing of some of them."""
    others, line = number(evidence, "unchosen_statistic"), number(evidence, "unchosen_threshold")
    if others is None or line is None:
        return []
    needed = f"needed: {line:g}, or half a day for a ticket; else it is a swing"
    return [Row("those whom nobody chose", f"z {others:.1f}", needed)]


def _shared(evidence: Mapping[str, Any]) -> list[Row]:
    values = [one for one in evidence.get("shared_values") or () if isinstance(one, dict)]
    rows = [
        Row(
            f"{name(str(one.get('dimension')), 20)} {name(str(one.get('value')), 24)}",
            f"{one.get('accounts', '?')} accounts of {one.get('organisations', '?')} organisations",
            _elsewhere(one),
        )
        for one in values[:SHARED_MAX]
    ]
    more = len(values) - len(rows)
    return [*rows, Row("", f"and {more} more")] if more > 0 else rows


def _elsewhere(value: Mapping[str, Any]) -> str:
    total = number(value, "organisations_total")
    every = "" if total is None else f"; in all {total:,.0f} organisations, in 72 h"
    return f"{value.get('elsewhere', '?')} accounts elsewhere{every}"


def _harmless_if(alert: Alert) -> Sequence[str]:
    given = alert.evidence.get("harmless_if")
    return [str(one) for one in given] if given else HARMLESS_IF.get(alert.subject.kind, ())


def _timeline(records: Sequence[Alert]) -> list[Row]:
    return [
        Row(
            utc(alert.updated_at),
            f"{alert.evidence.get('change', alert.status)} ({alert.severity})",
            f"{alert.accounts_total:,} accounts. {alert.summary}",
        )
        for alert in records
    ]
