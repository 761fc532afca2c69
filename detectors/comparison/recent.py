"""What did each account ask for in the last few hours? Counts of each hour, from how the fast window moved on."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Floats, Population
from detectors.comparison.renames import newest_name
from detectors.counts.rows import Sets
from detectors.counts.summary import AccountColumns
from detectors.parameters import Parameters

UNUSED_MAX = 1_024  # targets of which nothing is counted may stay


@dataclass(slots=True)
class Counts:
    """Requests by account and target: key of the account, number of the target, count; sorted by key, then target."""

    key: NDArray[np.uint64]
    target: NDArray[np.int64]
    count: Floats


class Recent:
    """The requests of the last hours, hour by hour.

    A summary holds sums alone, of the fast window and of the baseline. This hour's requests are the fast window's sum,
    less that of an hour ago, plus what left it for the baseline meanwhile: the baseline's sum, less that of an hour ago
    as it has decayed. An account that was not there an hour ago asked for all that its window holds in this hour; where
    that is more than its requests of the hour, its shards were left out of a tick, and the hour counts as none.
    O(entries log entries) an hour; memory is 24 bytes for each (account, target) and (recent hour, account, target).
    """

    def __init__(self, parameters: Parameters, kept_h: int) -> None:
        self.kept_h = kept_h
        self.decay = 0.5 ** (1.0 / parameters.slow_half_life_h)
        self.targets: dict[str, int] = {}
        self.fast = _none()
        self.slow = _none()
        self.hours: deque[tuple[int, Counts]] = deque()

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in. After hours of which nothing was told nobody was there an hour ago."""
        if self.hours and self.hours[-1][0] != hour - 1:
            self.fast, self.slow = _none(), _none()
        number = np.array([self.targets.setdefault(name, len(self.targets)) for name in columns.targets], np.int64)
        fast = _counts(columns, columns.fast, columns.fast_count, number)
        slow = _counts(columns, columns.slow, columns.slow_count, number)
        before, now = np.unique(self.fast.key), np.unique(fast.key)
        left = [_of(slow, before), _times(_of(self.slow, now), -self.decay)]
        this = _sum([fast, _times(_of(self.fast, now), -1.0), *left])
        while self.hours and self.hours[0][0] <= hour - self.kept_h:
            self.hours.popleft()
        self.hours.append((hour, _possible(this, columns, self._models())))
        self.fast, self.slow = fast, slow
        if len(self.targets) > 2 * len(columns.targets) + UNUSED_MAX:
            self._forget_unused()

    def _forget_unused(self) -> None:
        """Renumber the targets that something is counted of."""
        held = [self.fast, self.slow, *(counts for _, counts in self.hours)]
        used = np.unique(np.concatenate([one.target for one in held]))
        names = list(self.targets)
        self.targets = {names[i]: place for place, i in enumerate(used.tolist())}
        for one in held:
            one.target = np.searchsorted(used, one.target)

    def _models(self) -> NDArray[np.bool_]:
        """By number of the target, whether it is a model: of these a request has exactly one."""
        return np.array([name.startswith("model:") for name in self.targets], bool)

    def of(self, population: Population, hours: int) -> Floats:
        """Requests of each row and target of the population in the last so many hours. O(entries log accounts)."""
        column = np.full(len(self.targets) + 1, -1, np.int64)
        for k, name in enumerate(population.targets):
            if name in self.targets:
                column[self.targets[name]] = k
        for old in population.renamed.values():
            new = newest_name(old, population.renamed)
            if new in population.targets and old in self.targets:
                column[self.targets[old]] = population.targets.index(new)
        out = np.zeros((len(population), len(population.targets)))
        for at, counts in self.hours:
            if at > population.hour - hours:
                row, active = population.places(counts.key)
                toward = column[counts.target]
                known = active & (toward >= 0)
                np.add.at(out, (row[known], toward[known]), counts.count[known])
        return out

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        return {
            "targets": list(self.targets),
            "fast": _plain(self.fast),
            "slow": _plain(self.slow),
            "hours": [[hour, *_plain(counts)] for hour, counts in self.hours],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.targets = {name: i for i, name in enumerate(state["targets"])}
        self.fast, self.slow = Counts(*state["fast"]), Counts(*state["slow"])
        self.hours = deque((hour, Counts(*counts)) for hour, *counts in state["hours"])


def _none() -> Counts:
    return Counts(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0))


def _counts(columns: AccountColumns, sets: Sets, count: NDArray[Any], number: NDArray[np.int64]) -> Counts:
    row = np.repeat(np.arange(len(columns)), np.diff(sets.start))
    return Counts(columns.keys[row], number[sets.items], count.astype(np.float64))


def _plain(counts: Counts) -> list[Any]:
    return [counts.key, counts.target, counts.count]


def _times(counts: Counts, factor: float) -> Counts:
    return Counts(counts.key, counts.target, factor * counts.count)


def _of(counts: Counts, keys: NDArray[np.uint64]) -> Counts:
    """The counts of these accounts, given sorted."""
    if not len(keys):
        return _none()
    mine = keys[np.minimum(np.searchsorted(keys, counts.key), len(keys) - 1)] == counts.key
    return Counts(counts.key[mine], counts.target[mine], counts.count[mine])


def _sum(parts: list[Counts]) -> Counts:
    """The sum of several counts, in whole requests, without what is 0."""
    key = np.concatenate([one.key for one in parts])
    target = np.concatenate([one.target for one in parts])
    count = np.concatenate([one.count for one in parts])
    if not len(key):
        return _none()
    order = np.lexsort((target, key))
    key, target, count = key[order], target[order], count[order]
    first = np.flatnonzero(np.concatenate(([True], (key[1:] != key[:-1]) | (target[1:] != target[:-1]))))
    sums = np.round(np.add.reduceat(count, first))
    kept = first[sums != 0]
    return Counts(key[kept], target[kept], sums[sums != 0])


def _possible(counts: Counts, columns: AccountColumns, models: NDArray[np.bool_]) -> Counts:
    """Without the accounts of which more, or less than nothing, would have been asked than was in this hour."""
    if not len(counts.key):
        return counts
    keys, place = np.unique(counts.key, return_inverse=True)
    asked = np.bincount(place, np.where(models[counts.target], counts.count, 0), len(keys))
    order = np.argsort(columns.keys)
    at = order[np.minimum(np.searchsorted(columns.keys[order], keys), len(order) - 1)]
    requests = np.where(columns.keys[at] == keys, columns.bins[at].sum(axis=1, dtype=np.int64), 0)
    wrong = (asked > requests) | (np.bincount(place, counts.count < 0, len(keys)) > 0)
    kept = ~wrong[place]
    return Counts(counts.key[kept], counts.target[kept], counts.count[kept])
