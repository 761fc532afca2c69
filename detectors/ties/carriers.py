"""Who carried which rare value lately? Memberships of the last three days, in sorted arrays, bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Floats, Ints, Population
from detectors.counts.held import values_bytes
from detectors.counts.sparse import begins_of, distinct
from detectors.counts.summary import AccountColumns

MEMBERSHIP_BYTES = 32
MEMBERSHIPS_MAX = 30_000_000  # 960 MB
RECENT = 0.98  # an hour's requests weigh half after 34 hours: who uses a kit now, not who once did


@dataclass(slots=True)
class Carried:
    """Memberships of the active accounts in this tick: row carries value (both indexes), with how many requests.

    began: the hour in which it was first seen. dimension: index into `dimensions`, of each value. organisations: that
    carry each value. name: of each value. roles: what each dimension is to the judgement, by position. Sorted by value,
    then row.
    """

    row: Ints
    value: Ints
    count: Floats
    began: Ints
    key: NDArray[np.uint64]
    dimension: Ints
    dimensions: tuple[str, ...]
    organisations: Ints
    names: dict[int, tuple[str, str]]
    roles: tuple[str, ...]

    def name(self, value: int) -> tuple[str, str]:
        """(dimension, value) in words."""
        return self.names[int(self.key[value])]


class Carriers:
    """(value, account) memberships with their first and last hour and requests.

    Adding an hour costs O(memberships); memory is 32 bytes a membership and the name of each value.
    """

    def __init__(self, keep_h: int) -> None:
        self.keep_h = keep_h
        self.value: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self.account: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self.hour: NDArray[np.int32] = np.zeros(0, np.int32)
        self.began: NDArray[np.int32] = np.zeros(0, np.int32)
        self.count: NDArray[np.float32] = np.zeros(0, np.float32)
        self.names: dict[int, tuple[str, str]] = {}
        self._named: NDArray[np.uint64] = np.zeros(0, np.uint64)  # the keys of the names, sorted
        self._dimension: Ints = np.zeros(0, np.int64)  # of each, as an index into dimensions
        self._dimensions: list[str] = []
        self.bytes_max = math.inf  # of memory that memberships and names should hold
        self.dropped = 0

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take the values carried in this hour in, and forget those older than keep_h hours."""
        row = np.repeat(np.arange(len(columns)), np.diff(columns.carried.start))
        value = columns.value_keys[columns.carried.items]
        self._learn_names(columns.value_keys, columns.values)
        keep = self.hour > hour - self.keep_h
        value = np.concatenate((self.value[keep], value))
        account = np.concatenate((self.account[keep], columns.keys[row]))
        now = np.full(len(row), hour, np.int32)
        hours = np.concatenate((self.hour[keep], now))
        began = np.concatenate((self.began[keep], now))
        count = np.concatenate((self.count[keep] * np.float32(RECENT), columns.carried_count.astype(np.float32)))
        order = np.lexsort((account, value))  # which leaves a membership's hours in their order: the new one is last
        value, account, hours, began, count = value[order], account[order], hours[order], began[order], count[order]
        if len(value):
            first = np.flatnonzero(np.concatenate(([True], (value[1:] != value[:-1]) | (account[1:] != account[:-1]))))
            last = np.append(first[1:], len(value)) - 1
            value, account, count = value[first], account[first], np.add.reduceat(count, first)
            hours, began = hours[last], began[first]
        self.value, self.account, self.hour, self.began, self.count = value, account, hours, began, count
        self._bound()
        self._forget_names()

    def bytes_held(self) -> int:
        """Bytes of memberships and names, as `bytes_max` reckons them. O(512)."""
        return MEMBERSHIP_BYTES * len(self.value) + values_bytes(self.names)

    def _bound(self) -> None:
        over = len(self.value) - self._most()
        if over > 0:
            # Values of one account go first, for they tie nobody to anybody; then the oldest, whoever's they are: quiet
            # accounts keep theirs as long as busy ones.
            first = begins_of(self.value)
            carriers = np.diff(np.append(first, len(self.value)))
            gone = np.lexsort((self.hour, np.repeat(carriers > 1, carriers)))[:over]
            keep = np.ones(len(self.value), bool)
            keep[gone] = False
            self.value, self.account = self.value[keep], self.account[keep]
            self.hour, self.began, self.count = self.hour[keep], self.began[keep], self.count[keep]
            self.dropped += over

    def _most(self) -> int:
        """Memberships that may be held, by the names that those have which are held."""
        if self.bytes_max == math.inf or not len(self.value):
            return MEMBERSHIPS_MAX
        alive = len(begins_of(self.value)) / max(len(self.names), 1)  # some are of values that are forgotten already
        each = MEMBERSHIP_BYTES + values_bytes(self.names) * alive / len(self.value)
        return min(MEMBERSHIPS_MAX, int(self.bytes_max / each))

    def _learn_names(self, keys: NDArray[np.uint64], values: Sequence[tuple[str, str]]) -> None:
        """Names and dimensions of values; what is known costs a look-up."""
        at = np.minimum(np.searchsorted(self._named, keys), max(len(self._named) - 1, 0))
        new = np.flatnonzero(self._named[at] != keys) if len(self._named) else np.arange(len(keys))
        if not len(new):
            return
        new = new[np.argsort(keys[new])]
        pairs = [values[i] for i in new.tolist()]
        self.names.update(zip(keys[new].tolist(), pairs, strict=True))
        for dimension in {pair[0]: None for pair in pairs}:
            if dimension not in self._dimensions:
                self._dimensions.append(dimension)
        place = {dimension: i for i, dimension in enumerate(self._dimensions)}
        at = np.searchsorted(self._named, keys[new])
        self._named = np.insert(self._named, at, keys[new])
        self._dimension = np.insert(self._dimension, at, [place[pair[0]] for pair in pairs])

    def _forget_names(self) -> None:
        alive = self.value[begins_of(self.value)]
        if len(self.names) > 2 * len(alive) + 1_000:
            self.names = {k: self.names[k] for k in alive.tolist()}
            self._dimension = self._dimension[np.searchsorted(self._named, alive)]
            self._named = alive

    def of(self, population: Population, dimensions: tuple[str, ...], roles: tuple[str, ...] | None = None) -> Carried:
        """The memberships of this tick's accounts. roles: of the dimensions, their names where it is None.

        O(memberships x log accounts).
        """
        at, known = population.places(self.account)
        row = at[known].astype(np.int64)
        first = begins_of(self.value[known])
        key = self.value[known][first]
        value = np.repeat(np.arange(len(key)), np.diff(np.append(first, len(row))))
        place = {name: i for i, name in enumerate(dimensions)}
        places = np.array([place.get(name, -1) for name in self._dimensions], np.int64)
        dimension = places[self._dimension[np.searchsorted(self._named, key)]]
        pairs = distinct(value * np.int64(population.organisations + 1) + population.org[row])
        organisations = np.bincount(pairs // (population.organisations + 1), minlength=len(key))
        return Carried(
            row, value, self.count[known].astype(float), self.began[known].astype(np.int64), key, dimension,
            dimensions, organisations, self.names, dimensions if roles is None else roles,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        names = [[key, *pair] for key, pair in self.names.items()]
        return {
            "value": self.value, "account": self.account, "hour": self.hour, "began": self.began,
            "count": self.count, "names": names,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.value, self.account = state["value"], state["account"]
        self.hour, self.count = state["hour"], state["count"]
        self.began = state.get("began", self.hour)  # a snapshot of an earlier version does not know since when
        self.names, self._named, self._dimension = {}, np.zeros(0, np.uint64), np.zeros(0, np.int64)
        values = [(dimension, value) for _, dimension, value in state["names"]]
        self._learn_names(np.array([key for key, _, _ in state["names"]], np.uint64), values)
