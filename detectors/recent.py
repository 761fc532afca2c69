"""What did each account ask for in the last few hours? Counts of each hour, from how the fast window moved on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.population import Floats, Population
from detectors.summary import AccountColumns


@dataclass(slots=True)
class Counts:
    """Requests by account and target: key of the account, number of the target, count; sorted by key, then target."""

    key: NDArray[np.uint64]
    target: NDArray[np.int64]
    count: NDArray[np.int64]


class Recent:
    """The requests of the last hours, hour by hour.

    A summary holds sums over the fast window alone. This hour's requests are that sum, less the sum an hour ago, plus
    the hour that left meanwhile, which is known from when it was this hour. O(entries log entries) an hour; memory 24
    bytes a (hour, account, target) of the fast window.
    """

    def __init__(self, window_h: int) -> None:
        self.window_h = window_h
        self.targets: dict[str, int] = {}
        self.window = _none()
        self.hours: deque[tuple[int, Counts]] = deque()

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in."""
        number = np.array([self.targets.setdefault(name, len(self.targets)) for name in columns.targets], np.int64)
        row = np.repeat(np.arange(len(columns)), np.diff(columns.fast.start))
        now = Counts(columns.keys[row], number[columns.fast.items], columns.fast_count.astype(np.int64))
        left = [counts for at, counts in self.hours if at <= hour - self.window_h]
        this = _sum([now, _less(self.window), *left])
        self.window = _sum([now])
        while self.hours and self.hours[0][0] <= hour - self.window_h:
            self.hours.popleft()
        self.hours.append((hour, this))

    def of(self, population: Population, hours: int) -> Floats:
        """Requests of each row and target of the population in the last so many hours. O(entries log accounts)."""
        keys = population.columns.keys
        by_key = np.argsort(keys)
        column = np.full(len(self.targets) + 1, -1, np.int64)
        for k, name in enumerate(population.targets):
            if name in self.targets:
                column[self.targets[name]] = k
        for new, old in population.renamed.items():
            if new in population.targets and old in self.targets:
                column[self.targets[old]] = population.targets.index(new)
        out = np.zeros((len(keys), len(population.targets)))
        for at, counts in self.hours:
            if at > population.hour - hours:
                row = by_key[np.minimum(np.searchsorted(keys[by_key], counts.key), len(keys) - 1)]
                toward = column[counts.target]
                known = (keys[row] == counts.key) & (toward >= 0)
                np.add.at(out, (row[known], toward[known]), counts.count[known])
        return out

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        return {
            "targets": list(self.targets),
            "window": _plain(self.window),
            "hours": [[hour, *_plain(counts)] for hour, counts in self.hours],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.targets = {name: i for i, name in enumerate(state["targets"])}
        self.window = Counts(*state["window"])
        self.hours = deque((hour, Counts(*counts)) for hour, *counts in state["hours"])


def _none() -> Counts:
    return Counts(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64))


def _plain(counts: Counts) -> list[Any]:
    return [counts.key, counts.target, counts.count]


def _less(counts: Counts) -> Counts:
    return Counts(counts.key, counts.target, -counts.count)


def _sum(parts: list[Counts]) -> Counts:
    """The sum of several counts, without what is not above 0."""
    key = np.concatenate([one.key for one in parts])
    target = np.concatenate([one.target for one in parts])
    count = np.concatenate([one.count for one in parts])
    if not len(key):
        return _none()
    order = np.lexsort((target, key))
    key, target, count = key[order], target[order], count[order]
    first = np.flatnonzero(np.concatenate(([True], (key[1:] != key[:-1]) | (target[1:] != target[:-1]))))
    sums = np.add.reduceat(count, first)
    kept = first[sums > 0]
    return Counts(key[kept], target[kept], sums[sums > 0])
