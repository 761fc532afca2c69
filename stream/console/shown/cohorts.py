"""What did each declared cohort use, hour by hour? Counts of the last days, in arrays."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.counts.summary import Summary

HOUR_MS = 3_600_000
HOURS_KEPT = 168
ENTRIES_MAX = 3_000_000  # (cohort, target) an hour, 16 bytes each: 48 MB


@dataclass(slots=True)
class _Hour:
    """One hour. pair: cohort number * 65536 + target number, sorted; requests: of a cohort, by its number."""

    hour: int
    pair: NDArray[np.int64]
    count: NDArray[np.int64]
    cohort: NDArray[np.int64]
    requests: NDArray[np.int64]


@dataclass(slots=True)
class CohortHistory:
    """Requests of every cohort by hour and target, of at most seven days; the oldest hours go where it grows large."""

    tick_ms: int
    _cohorts: dict[tuple[str, str], int] = field(default_factory=dict)
    _targets: dict[str, int] = field(default_factory=dict)
    _kept: deque[_Hour] = field(default_factory=lambda: deque(maxlen=HOURS_KEPT))

    def see(self, summary: Summary) -> None:
        """Add the counts of one summary. O(entries of its hour)."""
        columns = summary.cohorts
        if not len(columns.cohorts):
            return
        cohort = np.array([self._cohorts.setdefault(one, len(self._cohorts)) for one in columns.cohorts], np.int64)
        target = np.array([self._targets.setdefault(one, len(self._targets)) for one in columns.targets], np.int64)
        pair = cohort[columns.at] << 16 | target[columns.target] if len(columns.at) else np.zeros(0, np.int64)
        hour = summary.tick * self.tick_ms // HOUR_MS
        now = _Hour(hour, pair, columns.count.astype(np.int64), cohort, columns.requests.astype(np.int64))
        before = self._kept.pop() if self._kept and self._kept[-1].hour == hour else _nothing(hour)
        self._kept.append(_added(before, now))
        while len(self._kept) > 1 and sum(len(one.pair) for one in self._kept) > ENTRIES_MAX:
            self._kept.popleft()

    def dimensions(self) -> dict[str, int]:
        """How many cohorts of each dimension were seen."""
        counted: dict[str, int] = {}
        for dimension, _ in self._cohorts:
            counted[dimension] = counted.get(dimension, 0) + 1
        return {name: counted[name] for name in sorted(counted) if name}

    def course(self, dimension: str, value: str) -> tuple[dict[int, int], dict[str, dict[int, int]]]:
        """(requests by hour, requests by target and hour) of one cohort; both empty where it was never seen."""
        number = self._cohorts.get((dimension, value))
        hours: dict[int, int] = {}
        counts: dict[str, dict[int, int]] = {}
        if number is None:
            return hours, counts
        names = list(self._targets)
        for one in self._kept:
            at = int(np.searchsorted(one.cohort, number))
            if at < len(one.cohort) and one.cohort[at] == number:
                hours[one.hour] = int(one.requests[at])
            first, last = np.searchsorted(one.pair, [number << 16, (number + 1) << 16])
            for pair, count in zip(one.pair[first:last].tolist(), one.count[first:last].tolist(), strict=True):
                counts.setdefault(names[pair & 0xFFFF], {})[one.hour] = count
        return hours, counts

    def first_users(self, target: str, most: int) -> list[tuple[str, str, int]]:
        """(dimension, value, hour since 1970) of the cohorts that used a target first, as far back as is kept."""
        found: dict[int, int] = {}
        number = self._targets.get(target)
        for one in self._kept if number is not None else ():
            for cohort in (one.pair[(one.pair & 0xFFFF) == number] >> 16).tolist():
                found.setdefault(cohort, one.hour)
            if len(found) > most:  # the whole fleet is one of them
                break
        names = list(self._cohorts)
        rows = [(*names[cohort], hour) for cohort, hour in found.items() if names[cohort][0]]
        return sorted(rows, key=lambda one: (one[2], one[0], one[1]))[:most]

    @property
    def first_hour(self) -> int | None:
        """The oldest hour that is kept, since 1970."""
        return self._kept[0].hour if self._kept else None


def _nothing(hour: int) -> _Hour:
    none = np.zeros(0, np.int64)
    return _Hour(hour, none, none, none, none)


def _added(before: _Hour, now: _Hour) -> _Hour:
    pair, count = _summed(before.pair, before.count, now.pair, now.count)
    cohort, requests = _summed(before.cohort, before.requests, now.cohort, now.requests)
    return _Hour(now.hour, pair, count, cohort, requests)


def _summed(
    key: NDArray[np.int64], count: NDArray[np.int64], other: NDArray[np.int64], more: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    keys, place = np.unique(np.concatenate([key, other]), return_inverse=True)
    sums = np.zeros(len(keys), np.int64)
    np.add.at(sums, place, np.concatenate([count, more]))
    return keys, sums
