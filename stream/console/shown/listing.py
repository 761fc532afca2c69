"""Which alerts and which members does a page show? Filters, order and pages, the same for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from detectors.triage.watchlist import Watched
from stream.alerts.case import Involved
from stream.console.shown.view import Known
from stream.contract.alert import SEVERITIES
from stream.errors import UsageError

LIMIT, LIMIT_MAX = 50, 1_000
QUERY_MAX = 300
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Asked:
    """Filters as they stand in an address; "" is whatever it is. sort: a column, with "-" for falling."""

    status: str = ""
    severity: str = ""
    kind: str = ""
    target: str = ""
    q: str = ""
    sort: str = ""
    offset: int = 0
    limit: int = LIMIT

    def address(self, path: str, **other: Any) -> str:
        """The address of the same question with some answers changed."""
        values = {name: getattr(self, name) for name in ("status", "severity", "kind", "target", "q", "sort")}
        values |= {"offset": self.offset, "limit": self.limit} | other
        kept = {name: value for name, value in values.items() if value not in ("", 0, LIMIT)}
        return f"{path}?{urlencode(kept)}" if kept else path


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows of all. next, before: offsets of the pages beside this, None where there is none."""

    rows: Sequence[Row]
    total: int
    offset: int
    limit: int

    @property
    def next(self) -> int | None:
        """The offset of the page after this one, in rows; None on the last."""
        return self.offset + self.limit if self.offset + self.limit < self.total else None

    @property
    def before(self) -> int | None:
        """The offset of the page before this one, in rows; None on the first."""
        return max(0, self.offset - self.limit) if self.offset else None


def asked(query: Mapping[str, str], sorts: Iterable[str], limit: int = LIMIT) -> Asked:
    """The question in an address. Raises UsageError that names what was expected.

    >>> asked({"severity": "critical", "limit": "5"}, ["since"]).limit
    5
    """
    sort = query.get("sort", "")
    if sort.removeprefix("-") not in ("", *sorts):
        raise UsageError(f"sort: expected one of {', '.join(sorts)}, - before it for falling, got {sort[:40]!r}")
    return Asked(
        status=_one_of(query, "status", ("firing", "resolved")),
        severity=_one_of(query, "severity", SEVERITIES),
        kind=query.get("kind", "")[:QUERY_MAX],
        target=query.get("target", "")[:QUERY_MAX],
        q=query.get("q", "").strip()[:QUERY_MAX],
        sort=sort,
        offset=_whole(query, "offset", 0, 0, 10**9),
        limit=_whole(query, "limit", limit, 1, LIMIT_MAX),
    )


def _one_of(query: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    value = query.get(name, "")
    if value and value not in known:
        raise UsageError(f"{name}: expected one of {', '.join(known)}, got {value[:40]!r}")
    return value


def _whole(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    given = query.get(name)
    if given is None or given == "":
        return default
    if not (given.isascii() and given.isdigit() and least <= int(given[:12]) <= most):
        raise UsageError(f"{name}: expected a whole number from {least} to {most}, got {given[:40]!r}")
    return int(given)


ALERT_SORTS: Mapping[str, Callable[[Known], Any]] = {
    "severity": lambda one: (SEVERITIES.index(one.last.severity), one.last.detected_at),
    "since": lambda one: one.last.detected_at,
    "updated": lambda one: one.last.updated_at,
    "accounts": lambda one: one.told.accounts_total,
    "kind": lambda one: one.last.kind,
}


def alerts(known: Iterable[Known], question: Asked) -> Page[Known]:
    """One page of the alerts that match; loudest first, then newest, unless asked otherwise."""
    found = [one for one in known if _matches(one, question)]
    found.sort(key=lambda one: one.last.alert_id)
    name = question.sort or "-severity"
    found.sort(key=ALERT_SORTS[name.removeprefix("-")], reverse=name.startswith("-"))
    if not question.sort:
        found.sort(key=lambda one: one.last.status != "firing")
    return paged(found, question)


def _matches(one: Known, question: Asked) -> bool:
    last = one.last
    return (
        question.status in ("", last.status)
        and question.severity in ("", last.severity)
        and question.kind in ("", last.kind)
        and (not question.target or any(question.target == target.id for target in last.targets))
        and (not question.q or _speaks_of(one, question.q))
    )


def _speaks_of(one: Known, words: str) -> bool:
    last = one.last
    low = words.lower()
    if last.alert_id.startswith(low) or low in last.summary.lower() or low in last.subject.id.lower():
        return True
    return any(low in target.id.lower() for target in last.targets) or one.member(words) is not None


MEMBER_SORTS: Mapping[str, Callable[[Involved], Any]] = {
    "account": lambda one: one.account_id,
    "score": lambda one: one.score,
    "requests": lambda one: one.requests,
    "before": lambda one: -1.0 if one.share_before is None else one.share_before,
    "after": lambda one: one.share_after,
    "since": lambda one: one.since_ms,
}


def members(of: Sequence[Involved], question: Asked) -> Page[Involved]:
    """One page of an alert's members that have the words in their id; most involved first unless asked otherwise."""
    found = [one for one in of if question.q.lower() in one.account_id.lower()] if question.q else list(of)
    if question.sort:
        found.sort(key=MEMBER_SORTS[question.sort.removeprefix("-")], reverse=question.sort.startswith("-"))
    return paged(found, question)


WATCH_SORTS: Mapping[str, Callable[[tuple[int, Watched]], Any]] = {
    "place": lambda one: one[0],
    "account": lambda one: one[1].account_id,
    "score": lambda one: one[1].score,
    "toward": lambda one: one[1].target.partition(":")[2],
    "before": lambda one: one[1].share_before,
    "after": lambda one: one[1].share_after,
    "requests": lambda one: one[1].requests,
    "since": lambda one: one[1].since_ms,
}


def watched(of: Sequence[Watched], question: Asked) -> list[tuple[int, Watched]]:
    """The rows of the watch list, each with its place, that have the words in what they name; by place unless asked."""
    words = question.q.lower()
    found = [(place, one) for place, one in enumerate(of, 1)
             if any(words in text.lower() for text in (one.account_id, one.target, one.because or ""))]  # fmt: skip
    name = question.sort or "place"
    found.sort(key=WATCH_SORTS[name.removeprefix("-")], reverse=name.startswith("-"))
    return found


def paged(rows: Sequence[Row], question: Asked) -> Page[Row]:
    """The part of the rows that was asked for."""
    return Page(rows[question.offset : question.offset + question.limit], len(rows), question.offset, question.limit)
