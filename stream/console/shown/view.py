"""What does the console show? A read model, fed by whoever judges and read by the pages.

It is fed in the thread that judges and read in the event loop. What is short is done under a lock; the courses of
accounts, whose update takes long in a large fleet, are only ever replaced or appended to, and read as copies.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from detectors.comparison.drift import Release
from detectors.counts.summary import Summary
from detectors.fleet import joined
from detectors.parameters import Parameters
from detectors.triage.watchlist import Watched
from stream.alerts.case import Involved
from stream.console.shown.cohorts import CohortHistory
from stream.contract.alert import SEVERITIES, Alert
from stream.pipeline.composition import Fleet, Judged
from stream.report.history import AlertHistory, FleetHistory
from stream.report.network import NETWORKS_MAX, Lately, Networks

RECORDS_MAX = 100  # changes of one alert that stay on its page
ALERTS_MAX = 20_000  # remembered: about 5 kB each, and their members; those that ended first go first
CHANGES_MAX = 1_000  # that a page which was away may still catch up with
DAY_MS = 86_400_000
REMEMBERED_MS = 90 * DAY_MS
KEPT_EVIDENCE = ("change", "why", "share_after")  # of an older record; the other numbers are those of the last one


@dataclass(slots=True)
class Known:
    """One alert: its records, oldest first, and its members of now. Only the last record has accounts and evidence."""

    records: tuple[Alert, ...] = ()
    members: tuple[Involved, ...] = ()
    _by_account: Mapping[str, Involved] | None = None

    @property
    def last(self) -> Alert:
        """As it is now."""
        return self.records[-1]

    @property
    def worst(self) -> str:
        """The highest severity that it ever had."""
        return max((one.severity for one in self.records), key=SEVERITIES.index)

    @property
    def told(self) -> Alert:
        """Its last record of while it fired: what a list says of it, its sentence and its number of accounts."""
        return next((one for one in reversed(self.records) if one.status == "firing"), self.last)

    @property
    def said(self) -> str:
        """What it says while it fires; once it is over, what it said last."""
        return self.told.summary

    def member(self, account_id: str) -> Involved | None:
        """One of its members."""
        if self._by_account is None:
            self._by_account = {one.account_id: one for one in self.members}
        return self._by_account.get(account_id)

    def take(self, alert: Alert) -> None:
        """Add a record; older ones keep what the timeline says."""
        kept = [_thin(one) for one in self.records[-RECORDS_MAX + 1 :]]
        self.records = (*kept, alert)

    def named(self, members: tuple[Involved, ...]) -> None:
        """Its members of now."""
        if members is not self.members:
            self.members, self._by_account = members, None


def _thin(alert: Alert) -> Alert:
    if not alert.accounts and len(alert.evidence) <= len(KEPT_EVIDENCE):
        return alert
    evidence = {key: alert.evidence[key] for key in KEPT_EVIDENCE if key in alert.evidence}
    return msgspec.structs.replace(alert, accounts=(), evidence=evidence)


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an alert, for pages that are open. number: counts up from 1."""

    number: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Pulse:
    """The fleet in its last tick. accounts: active in the last 24 hours; None before the first network tick."""

    at_ms: int = 0
    requests_per_s: float = 0.0
    accounts: int | None = None


@dataclass(slots=True)
class View:
    """Everything that the pages and the API show.

    is_live: the stream's clock is about the wall's, so that a lag can be told. released: when each model came out.
    """

    parameters: Parameters
    is_live: bool = True
    is_active: bool = False
    released: Callable[[], Mapping[str, int]] = dict
    pulse: Pulse = Pulse()
    dated: tuple[Release, ...] = ()  # releases that nobody announced, dated by what the fleet did
    coverage: Mapping[str, float] = field(default_factory=dict)  # part of the accounts that carry each attribute
    watched: tuple[Watched, ...] = ()  # the watch list of the last network tick, strongest first
    fleet: FleetHistory = field(init=False)
    cohorts: CohortHistory = field(init=False)
    courses: AlertHistory = field(init=False)
    networks: Networks = field(init=False)
    lately: Lately | None = None  # None before the first tick, or with no past
    lock: threading.Lock = field(default_factory=threading.Lock)
    _known: dict[str, Known] = field(default_factory=dict)
    _changes: deque[Change] = field(default_factory=lambda: deque(maxlen=CHANGES_MAX))
    _number: int = 0

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.fleet = FleetHistory(self.parameters.tick_ms)
        self.cohorts = CohortHistory(self.parameters.tick_ms)
        self.courses = AlertHistory(self.parameters.tick_ms)
        self.networks = Networks()

    def follow(self, fleet: Fleet) -> None:
        """Show this fleet from now on: what it remembers of alerts, and every tick that it judges."""
        before = fleet.on_tick

        def judged(tick: Judged) -> None:
            before(tick)
            self.judged(tick, fleet)

        with self.lock:
            self._begin()
            self._known = {}
            self._see(fleet)
            for alert in reversed(fleet.life.alerts()):
                self._take(alert, fleet)
            self._tie()
        self.released = lambda: {one.model: one.released_ms for one in self.dated} | dict(fleet.judge.released_ms)
        self.is_active = True
        fleet.on_tick = judged

    def judged(self, tick: Judged, fleet: Fleet) -> None:
        """Take in one tick. O(targets + cohorts), and once an hour O(active accounts) for each alert that fires."""
        columns = [summary.accounts for summary in tick.summaries if summary.accounts is not None]
        whole = joined(columns) if len(columns) > 1 else columns[0] if columns else None
        with self.lock:
            for summary in tick.summaries:
                self.fleet.see(summary)
                self.cohorts.see(summary)
            self.pulse = Pulse(
                tick.at_ms,
                1000 * sum(one.counters.get("accepted", 0) for one in tick.summaries) / self.parameters.tick_ms,
                self.pulse.accounts if whole is None else len(whole),
            )
            for alert in tick.changed:
                self._take(alert, fleet)
            if tick.is_network:
                self._see(fleet)
                self._freshen(fleet)
                self._forget(tick.at_ms)
        if tick.is_network:
            self._tie()
        if whole is not None and tick.summaries:
            first = tick.summaries[0]
            self.courses.see(Summary(first.tick, first.shards, {}, first.cohorts, whole))
        told = [alert for alert in tick.changed if alert.severity != "info"]
        self.courses.changed(told, fleet.life.member_ids)

    def _see(self, fleet: Fleet) -> None:
        """What the judge knows besides its findings, of its last network tick."""
        self.watched = fleet.judge.watch.rows
        self.coverage = dict(fleet.judge.coverage)
        self.dated = tuple(fleet.judge.releases.unannounced())
        self.lately = Lately.of(fleet.at_ms, fleet.judge.carriers, fleet.judge.last_tick)

    def told(self, alerts: Sequence[Alert], fleet: Fleet) -> None:
        """Take in records that came between two ticks, such as those of a word that holds at once."""
        with self.lock:
            for alert in alerts:
                self._take(alert, fleet)

    def _take(self, alert: Alert, fleet: Fleet) -> None:
        known = self._known.setdefault(alert.alert_id, Known())
        known.take(alert)
        known.named(fleet.life.members(alert.alert_id))
        self._number += 1
        self._changes.append(Change(self._number, alert))

    def _freshen(self, fleet: Fleet) -> None:
        for alert_id, known in self._known.items():
            if known.last.status == "firing":
                known.named(fleet.life.members(alert_id))

    def _tie(self) -> None:
        """Who of each alert that fires carries what, of the loudest; the others stay as they were."""
        assert self.lately is not None
        live = [one for one in list(self._known.values()) if one.last.status == "firing"]
        live.sort(key=lambda one: (SEVERITIES.index(one.last.severity), one.last.detected_at))
        for known in live[-NETWORKS_MAX:]:
            self.networks.see(known.last, [one.account_id for one in known.members], self.lately)

    def _forget(self, at_ms: int) -> None:
        over = [(one.last.resolved_at, name) for name, one in self._known.items() if one.last.resolved_at is not None]
        over.sort()
        most = max(0, len(self._known) - ALERTS_MAX)
        for number, (ended_ms, name) in enumerate(over):
            if number < most or (ended_ms or 0) < at_ms - REMEMBERED_MS:
                del self._known[name]

    @property
    def number(self) -> int:
        """Of the last change; 0 before any."""
        return self._number

    def changes_since(self, number: int) -> list[Change]:
        """Changes after this one, oldest first."""
        with self.lock:
            return [one for one in self._changes if one.number > number]

    def alert(self, alert_id: str) -> Known | None:
        """One alert."""
        return self._known.get(alert_id)

    def alerts(self) -> list[Known]:
        """All that are remembered, in no order."""
        with self.lock:
            return list(self._known.values())

    def firing(self) -> list[Known]:
        """Those that fire, loudest first, then newest."""
        live = [one for one in self.alerts() if one.last.status == "firing"]
        return sorted(
            live, key=lambda one: (-SEVERITIES.index(one.last.severity), -one.last.detected_at, one.last.alert_id)
        )

    def naming(self, account_id: str) -> list[tuple[Known, Involved]]:
        """Alerts of which an account is a member, newest first."""
        found = [(known, member) for known in self.alerts() if (member := known.member(account_id)) is not None]
        return sorted(found, key=lambda one: (-one[0].last.detected_at, one[0].last.alert_id))

    def watching(self, account_id: str) -> tuple[int, Watched] | None:
        """An account's place on the watch list, from 1, and its row; None where it has none."""
        ranked = enumerate(self.watched, 1)
        return next(((place, one) for place, one in ranked if one.account_id == account_id), None)

    def similar(self, known: Known, most: int = 5) -> list[tuple[Known, int]]:
        """Other alerts of the same kind, with how many members they share; those of the same subject come first."""
        mine = {one.account_id for one in known.members}
        ranked = list(self._ranked(known, mine))
        ranked.sort(key=lambda one: (one[0], -one[1], -one[2].last.detected_at, one[2].last.alert_id))
        return [(other, common) for _, common, other in ranked[:most]]

    def _ranked(self, known: Known, mine: set[str]) -> Iterator[tuple[bool, int, Known]]:
        for other in self.alerts():
            if other.last.alert_id == known.last.alert_id or other.last.kind != known.last.kind:
                continue
            common = sum(one.account_id in mine for one in other.members)
            same = other.last.subject == known.last.subject
            if common or same:
                yield not same, common, other

    def pages_since(self, from_ms: int) -> int:
        """Alerts that became a page at or after this time."""
        return sum(any(one.is_page and one.updated_at >= from_ms for one in known.records) for known in self.alerts())
