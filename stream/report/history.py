"""What happened over time that a page should draw? Shares of the fleet, and of the accounts of each alert.

Bounded: the fleet takes one row an hour and target; of the accounts at most the last 96 network ticks are kept, fewer
where 12 million entries (account, target) are reached (below 150 MB), and of alerts the first 200.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import key_of
from detectors.counts.summary import FLEET, AccountColumns, Summary
from stream.contract.alert import Alert

HOUR_MS = 3_600_000
TICKS_KEPT = 96  # four days of hourly ticks: the day before an onset, and three for the shift
ENTRIES_MAX = 12_000_000  # 6 bytes each, and 14 an account, of which each has some eight: below 150 MB
ALERTS_DRAWN_MAX = 200


@dataclass(slots=True)
class FleetHistory:
    """Requests of the whole fleet by hour and target."""

    tick_ms: int
    hours: dict[int, int] = field(default_factory=dict)
    counts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def see(self, summary: Summary) -> None:
        """Add one summary's fleet-wide counts. O(targets)."""
        columns = summary.cohorts
        if FLEET not in columns.cohorts:
            return
        fleet = columns.cohorts.index(FLEET)
        hour = summary.tick * self.tick_ms // HOUR_MS
        self.hours[hour] = self.hours.get(hour, 0) + int(columns.requests[fleet])
        for kind, counts in columns.of_fleet().items():
            for name, requests in counts.items():
                of_target = self.counts[f"{kind}:{name}"]
                of_target[hour] = of_target.get(hour, 0) + requests

    def strongest(self, kind: str, most: int) -> list[str]:
        """Names of one kind ("model", "capability") by requests, most first, ties by name."""
        named = [(-sum(hours.values()), name) for name, hours in self.counts.items() if name.startswith(f"{kind}:")]
        return [name for _, name in sorted(named)[:most]]

    def shares(self, target: str, smooth_h: int = 6) -> list[tuple[int, float]]:
        """(time in ms, share of the fleet's requests in the `smooth_h` hours before it), hour by hour."""
        recent: deque[tuple[int, int]] = deque(maxlen=smooth_h)
        points = []
        for hour in sorted(self.hours):
            recent.append((self.counts[target].get(hour, 0), self.hours[hour]))
            total = sum(requests for _, requests in recent)
            if total:
                points.append(((hour + 1) * HOUR_MS, sum(x for x, _ in recent) / total))
        return points

    def share_between(self, target: str, from_hour: int, until_hour: int) -> float | None:
        """The target's share of the fleet's requests in [from_hour, until_hour), hours since 1970; None: no request."""
        total = sum(self.hours.get(hour, 0) for hour in range(from_hour, until_hour))
        of_target = self.counts.get(target, {})
        return sum(of_target.get(hour, 0) for hour in range(from_hour, until_hour)) / total if total else None


@dataclass(frozen=True, slots=True)
class Seen:
    """Who sent what in the fast window that ends at at_ms; sorted by key."""

    at_ms: int
    keys: NDArray[np.uint64]
    requests: NDArray[np.uint32]
    targets: tuple[str, ...]
    length: NDArray[np.uint16]
    target: NDArray[np.uint16]
    count: NDArray[np.uint32]

    @classmethod
    def of(cls, columns: AccountColumns, at_ms: int) -> Seen:
        """What of a tick's account columns is kept."""
        return cls(
            at_ms=at_ms,
            keys=columns.keys,
            requests=columns.n.astype(np.uint32),
            targets=columns.targets,
            length=np.diff(columns.fast.start).astype(np.uint16),
            target=columns.fast.items.astype(np.uint16),
            count=columns.fast_count,
        )

    def share(self, members: NDArray[np.uint64], target: str) -> tuple[float | None, float | None]:
        """Of the requests of the members, and of everybody else, the share that went to the target."""
        if target not in self.targets:
            ours = np.zeros(len(self.keys), np.int64)
        else:
            hit = self.target == self.targets.index(target)
            account = np.repeat(np.arange(len(self.keys)), self.length)
            ours = np.bincount(account[hit], self.count[hit], len(self.keys)).astype(np.int64)
        is_member = np.isin(self.keys, members)
        return _ratio(ours, self.requests, is_member), _ratio(ours, self.requests, ~is_member)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.uint32], where: NDArray[np.bool_]) -> float | None:
    total = int(whole[where].sum())
    return int(part[where].sum()) / total if total else None


@dataclass(slots=True)
class Course:
    """How the accounts of one alert moved, beside everybody else: (time in ms, share) of the last 24 h each."""

    target: str
    members: NDArray[np.uint64]
    theirs: dict[int, float] = field(default_factory=dict)
    others: dict[int, float] = field(default_factory=dict)
    is_open: bool = True

    def see(self, seen: Seen) -> None:
        """Add a point."""
        for share, points in zip(seen.share(self.members, self.target), (self.theirs, self.others), strict=True):
            if share is not None:
                points[seen.at_ms] = share


@dataclass(slots=True)
class AlertHistory:
    """The course of every alert: from before its first record, as far back as is kept, to its end."""

    tick_ms: int
    kept: deque[Seen] = field(default_factory=lambda: deque(maxlen=TICKS_KEPT))
    courses: dict[str, Course] = field(default_factory=dict)

    def see(self, summary: Summary) -> None:
        """Remember a network tick, and continue what is open. O(active accounts) an open alert."""
        if summary.accounts is None or not len(summary.accounts):
            return
        seen = Seen.of(summary.accounts, (summary.tick + 1) * self.tick_ms)
        self.kept.append(seen)
        while len(self.kept) > 1 and sum(len(one.count) for one in self.kept) > ENTRIES_MAX:
            self.kept.popleft()
        for course in self.courses.values():
            if course.is_open:
                course.see(seen)

    def changed(self, alerts: Iterable[Alert], members_of: Callable[[str], Sequence[str]] | None = None) -> None:
        """Begin, redraw for the members and the target of now, or end the course of each alert.

        members_of: all accounts of an alert, of which a record lists only the first 1,000.
        """
        for alert in alerts:
            course = self.courses.get(alert.alert_id)
            if course is None and len(self.courses) < ALERTS_DRAWN_MAX and alert.target.kind != "mix":
                course = Course("", np.zeros(0, np.uint64))
                self.courses[alert.alert_id] = course
            if course is not None:
                accounts = alert.accounts if members_of is None else members_of(alert.alert_id) or alert.accounts
                self._redraw(course, accounts, f"{alert.target.kind}:{alert.target.id}")
                course.is_open = alert.status == "firing"

    def _redraw(self, course: Course, accounts: Sequence[str], target: str) -> None:
        members = np.sort(np.array([key_of(account) for account in accounts], np.uint64))
        is_other = target != course.target or not np.array_equal(members, course.members)
        course.target = target
        if is_other and len(members):
            course.members = members
            course.theirs.clear()
            course.others.clear()
            for seen in self.kept:
                course.see(seen)
