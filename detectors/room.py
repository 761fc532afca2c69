"""How much of an hour is judged, where there is not memory for all of it?

Judging holds a dozen tables of accounts x targets. Both are chosen by whoever sends requests: one account that asks
for hundreds of models makes the tables of all others wider. So the weakest targets are left out first, then accounts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from detectors.counts.known import accounts_weighed, first_to_go, strongest
from detectors.counts.rows import Sets
from detectors.counts.summary import ALONE, SAID, AccountColumns

TARGETS_MAX = 512  # that are judged at all: a platform has dozens
TARGETS_MIN = 32  # that are judged however little memory there is: below it accounts are left out
CELL_BYTES = 240  # a target of an account, in all tables while an hour is judged and in those of the hour before
ACCOUNT_BYTES = 1_500  # whatever else an account takes then; tests/detectors/test_room.py measures both
T = TypeVar("T")


@dataclass(slots=True)
class Room:
    """bytes_max: that memberships and the tables of an hour may take together. left_out: accounts so far, an hour each.
    unnamed: targets so far, likewise, of those that TARGETS_MAX would have let in."""

    bytes_max: float = math.inf
    left_out: int = 0
    unnamed: int = 0

    def within(self, columns: AccountColumns, memberships: int, requests_min: int) -> AccountColumns:
        """What is judged of these columns. memberships: bytes that they take. requests_min: below it an account is not
        judged, and goes first. O(entries)."""
        room = max(self.bytes_max - memberships, self.bytes_max / 4)
        targets = self._targets(room, len(columns))
        self.unnamed += max(min(len(columns.targets), TARGETS_MAX) - targets, 0)
        columns = of_strongest(columns, targets)
        most = room / (ACCOUNT_BYTES + CELL_BYTES * len(columns.targets))
        if len(columns) <= most:
            return columns
        self.left_out += len(columns) - int(most)
        none = np.zeros(len(columns), np.int64)
        going = first_to_go(none, columns.first_seen_ms, columns.n, columns.n >= requests_min, columns.keys)
        return of_rows(columns, np.sort(going[len(columns) - int(most) :]))

    @staticmethod
    def _targets(room: float, accounts: int) -> int:
        if room == math.inf:
            return TARGETS_MAX
        fitting = int((room / max(accounts, 1) - ACCOUNT_BYTES) / CELL_BYTES)
        return min(max(fitting, TARGETS_MIN), TARGETS_MAX)


def of_strongest(columns: AccountColumns, most: int) -> AccountColumns:
    """The same without the weakest targets, where there are more; an account weighs little in it. O(entries)."""
    if len(columns.targets) <= most:
        return columns
    counted: list[tuple[NDArray[np.int64], NDArray[Any]]] = [
        (columns.fast.items.astype(np.int64), columns.fast_count),
        (columns.slow.items.astype(np.int64), columns.slow_count),
    ]
    kept = strongest(accounts_weighed(len(columns.targets), counted), columns.targets, most)
    place = np.full(len(columns.targets), -1, np.int64)
    place[kept] = np.arange(len(kept))
    fast, fast_count = _of_targets(columns.fast, columns.fast_count, place)
    slow, slow_count = _of_targets(columns.slow, columns.slow_count, place)
    targets = tuple([columns.targets[i] for i in kept.tolist()])
    return replace(columns, targets=targets, fast=fast, fast_count=fast_count, slow=slow, slow_count=slow_count)


def _of_targets(sets: Sets, counts: NDArray[Any], place: NDArray[np.int64]) -> tuple[Sets, NDArray[Any]]:
    items = place[sets.items]
    keep = items >= 0
    start = np.concatenate(([0], np.cumsum(keep)))[sets.start]
    return Sets(start.astype(np.int64), items[keep].astype(np.uint32)), counts[keep]


def of_rows(columns: AccountColumns, rows: NDArray[np.int64]) -> AccountColumns:
    """These accounts, with tables that hold nothing else."""
    fast, fast_count = _taken(columns.fast, rows, columns.fast_count)
    slow, slow_count = _taken(columns.slow, rows, columns.slow_count)
    carried, carried_count = _taken(columns.carried, rows, columns.carried_count)
    targets, both = np.unique(np.concatenate((fast.items, slow.items)), return_inverse=True)
    values, value = np.unique(carried.items, return_inverse=True)
    said = np.concatenate([getattr(columns, name)[rows] for name in SAID])
    names = np.unique(said[said >= 0])
    place = np.where(said >= 0, np.searchsorted(names, said), -1).astype(np.int32).reshape(3, len(rows))
    return AccountColumns(
        ids=named(columns.ids, rows),
        names=named(columns.names, names),
        org=place[0],
        country=place[1],
        signup_week=place[2],
        targets=named(columns.targets, targets),
        fast=Sets(fast.start, both[: len(fast.items)].astype(np.uint32)),
        fast_count=fast_count,
        slow=Sets(slow.start, both[len(fast.items) :].astype(np.uint32)),
        slow_count=slow_count,
        values=named(columns.values, values),
        value_keys=columns.value_keys[values],
        carried=Sets(carried.start, value.astype(np.uint32)),
        carried_count=carried_count,
        **{name: getattr(columns, name)[rows] for name in ALONE},
    )


def _taken(sets: Sets, rows: NDArray[np.int64], counts: NDArray[Any]) -> tuple[Sets, NDArray[Any]]:
    """The sets of these rows, and the counts of their items."""
    position, items = sets.take(rows)
    _, at = Sets(sets.start, np.arange(len(sets.items), dtype=np.uint32)).take(rows)
    length = np.bincount(position, minlength=len(rows))
    return Sets(np.concatenate(([0], np.cumsum(length))), items), counts[at]


def named(names: Sequence[T], numbers: NDArray[np.integer]) -> tuple[T, ...]:
    """The names that have these numbers."""
    return tuple([names[number] for number in numbers.tolist()])
