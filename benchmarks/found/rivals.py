"""What would simpler detectors say of the same traffic? Three of them, fed with what Swerve's shards count.

Each is updated every hour with every account that sent something. None of them knows networks, so the best use that an
on-call engineer could make of each is taken: per account, alarms of one target that come together make one page; and
the line from which they do is set for each target, after the fact, to a tenth more than the same detector reached in a
quiet fleet of the same seed, so that none of them is drowned in false pages there. Swerve gets no such help.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees
from river.drift import ADWIN

from detectors.counts.summary import AccountColumns

DAY_H = 24
Z_KEPT_MIN = 3.0  # cohorts below it are not worth remembering
WARM_UP_H = 72
SCORE_QUANTILE = 0.995
ADWIN_DELTA = 0.002  # river's default


@dataclass(slots=True)
class Track:
    """One possible page: the hours at which its strength reached a new maximum; and whom it named, when last."""

    records: list[tuple[int, float]] = field(default_factory=list)
    accounts: dict[str, int] = field(default_factory=dict)

    def reached(self, hour: int, strength: float) -> None:
        """Remember a new maximum."""
        if not self.records or strength > self.records[-1][1]:
            self.records.append((hour, round(strength, 3)))


class Rival(Protocol):
    """A detector of hourly account columns."""

    name: str
    tracks: dict[str, Track]

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in."""


class _Together:
    """Alarms of accounts, counted by target over a day: many at once are a page, and name these accounts."""

    def __init__(self) -> None:
        self.tracks: dict[str, Track] = {}
        self._day: deque[tuple[int, dict[str, set[str]]]] = deque()

    def count(self, hour: int, alarms: Mapping[str, set[str]]) -> None:
        self._day.append((hour, dict(alarms)))
        while self._day[0][0] <= hour - DAY_H:
            self._day.popleft()
        for target in alarms:
            lately = set().union(*(one.get(target, ()) for _, one in self._day))
            track = self.tracks.setdefault(target, Track())
            track.reached(hour, float(len(lately)))
            track.accounts.update(dict.fromkeys(alarms[target], hour))


class AdwinPerAccount:
    """river's ADWIN on every account's share of every target over its last 24 hours; alarms upwards only."""

    name = "ADWIN per account"

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], ADWIN] = {}
        self._together = _Together()
        self.tracks = self._together.tracks

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in."""
        alarms: dict[str, set[str]] = {}
        start, items = columns.fast.start.tolist(), columns.fast.items.tolist()
        counts, n = columns.fast_count.tolist(), columns.n.tolist()
        for row in np.flatnonzero(columns.bins.any(axis=1)).tolist():
            account = columns.ids[row]
            for at in range(start[row], start[row + 1]):
                target = columns.targets[items[at]]
                window = self._windows.get((account, target))
                if window is None:
                    window = self._windows[account, target] = ADWIN(delta=ADWIN_DELTA, clock=1)
                before = window.estimation
                window.update(counts[at] / n[row])
                if window.drift_detected and counts[at] / n[row] > before:
                    alarms.setdefault(target, set()).add(account)
        self._together.count(hour, alarms)


class ZScorePerCohort:
    """Every organisation, country and signup week: its share of every target over 24 hours against its own baseline,
    as a z-score of two proportions. Names all accounts of the cohort that used the target."""

    name = "z-score per cohort"

    def __init__(self) -> None:
        self.tracks: dict[str, Track] = {}

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in."""
        now, before = _by_target(columns)
        n, nb = columns.n.astype(float), columns.nb.astype(float)
        for dimension in ("org", "country", "signup_week"):
            cohort = getattr(columns, dimension).astype(np.int64)
            told = cohort >= 0
            z = _z(*(_summed(values[told], cohort[told], len(columns.names)) for values in (now, n, before, nb)))
            for at, k in zip(*np.nonzero(z >= Z_KEPT_MIN), strict=True):
                track = self.tracks.setdefault(f"{dimension}={columns.names[at]} {columns.targets[k]}", Track())
                if not track.records or z[at, k] > track.records[-1][1]:
                    members = np.flatnonzero((cohort == at) & (now[:, k] > 0))
                    track.accounts.update({columns.ids[row]: hour for row in members.tolist()})
                track.reached(hour, float(z[at, k]))


class HalfSpaceTreesPerAccount:
    """river's half-space trees over every account's mix of the last 24 hours: one model of the fleet, a score an
    account and hour. An alarm is a score above all but 1 in 200 of the first three days'."""

    name = "half-space trees per account"

    def __init__(self, seed: int = 1) -> None:
        self._trees = HalfSpaceTrees(n_trees=10, height=8, window_size=2_000, seed=seed)
        self._targets: tuple[str, ...] = ()
        self._first: int | None = None
        self._scores: list[float] = []
        self._line: float | None = None
        self._together = _Together()
        self.tracks = self._together.tracks

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in."""
        self._first = hour if self._first is None else self._first
        # The trees fix their features when they begin: those of the second day.
        if hour < self._first + DAY_H:
            return
        self._targets = self._targets or columns.targets
        if self._line is None and hour >= self._first + WARM_UP_H:
            self._line = float(np.quantile(self._scores, SCORE_QUANTILE)) if self._scores else 1.0
        alarmed = {columns.ids[row] for row, mix in self._mixes(columns) if self._is_odd(mix)}
        self._together.count(hour, {"*": alarmed} if alarmed else {})

    def _is_odd(self, mix: dict[str, float]) -> bool:
        score = self._trees.score_one(mix)
        self._trees.learn_one(mix)
        if self._line is None:
            self._scores.append(score)
            return False
        return score > self._line

    def _mixes(self, columns: AccountColumns) -> Any:
        start, items = columns.fast.start.tolist(), columns.fast.items.tolist()
        counts, n = columns.fast_count.tolist(), columns.n.tolist()
        nothing = dict.fromkeys(self._targets, 0.0)
        for row in np.flatnonzero(columns.bins.any(axis=1) & (columns.n >= 3)).tolist():
            mix = dict(nothing)
            for at in range(start[row], start[row + 1]):
                name = columns.targets[items[at]]
                if name in mix:
                    mix[name] = counts[at] / n[row]
            yield row, mix


def _by_target(columns: AccountColumns) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    dense = []
    for sets, counts in ((columns.fast, columns.fast_count), (columns.slow, columns.slow_count)):
        matrix = np.zeros((len(columns), len(columns.targets)))
        matrix[np.repeat(np.arange(len(columns)), np.diff(sets.start)), sets.items] = counts
        dense.append(matrix)
    return dense[0], dense[1]


def _summed(values: NDArray[np.float64], cohort: NDArray[np.int64], cohorts: int) -> NDArray[np.float64]:
    out = np.zeros((cohorts, *values.shape[1:]))
    np.add.at(out, cohort, values)
    return out


def _z(x: Any, n: Any, xb: Any, nb: Any) -> NDArray[np.float64]:
    """z-score of two proportions, with a request of either kind added to each side; 0 below 20 requests."""
    n, nb = n[:, None], nb[:, None]
    p, q = (x + 0.5) / (n + 1), (xb + 0.5) / (nb + 1)
    pooled = (x + xb + 1) / (n + nb + 2)
    z = (p - q) / np.sqrt(pooled * (1 - pooled) * (1 / (n + 1) + 1 / (nb + 1)))
    return np.where((n >= 20) & (nb >= 20), z, 0.0)


RIVALS: dict[str, type[Any]] = {
    one.name: one for one in (AdwinPerAccount, ZScorePerCohort, HalfSpaceTreesPerAccount)
}  # fmt: skip
