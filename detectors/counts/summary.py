"""What do the shards tell the fleet? The columns of one tick: counts of cohorts, and of every active account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import Sets

FLEET: Final = ("", "")  # the cohort of everybody
# Columns of `AccountColumns` that refer to no table, and those of what an account says of itself, by `names`.
ALONE: Final = ("keys", "shards", "first_seen_ms", "n", "nb", "hours", "bins")
SAID: Final = ("org", "country", "signup_week")


@dataclass(frozen=True, slots=True)
class CohortCounts:
    """Exact counts of one 5-minute tick for the fleet and for declared cohorts, in sparse columns.

    cohorts: (dimension, value), sorted; FLEET is one of them. targets: names, sorted.
    requests, accounts: of each cohort in the tick (int64).
    at: index into cohorts, target: index into targets, count: requests (int64); sorted by (at, target).
    """

    cohorts: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]
    requests: NDArray[np.int64]
    accounts: NDArray[np.int64]
    at: NDArray[np.int64]
    target: NDArray[np.int64]
    count: NDArray[np.int64]

    def of_fleet(self) -> dict[str, dict[str, int]]:
        """The fleet's requests by kind of target ("model", "capability") and name. O(targets)."""
        counts: dict[str, dict[str, int]] = {"model": {}, "capability": {}}
        if FLEET not in self.cohorts:
            return counts
        mine = self.at == self.cohorts.index(FLEET)
        for target, requests in zip(self.target[mine].tolist(), self.count[mine].tolist(), strict=True):
            kind, _, name = self.targets[target].partition(":")
            counts[kind][name] = requests
        return counts


@dataclass(frozen=True, slots=True)
class AccountColumns:
    """Every account with a request in the fast window, sorted by id; emitted when a network tick closes.

    ids, keys, shards: who. org, country, signup_week: index into `names`, -1 where the attribute was never seen.
    first_seen_ms: event time of the first request.
    n: requests in the fast window (24 h); x: their counts by target (`fast` sets of index into targets, `fast_count`).
    nb: requests in the baseline, decayed by a half-life of 7 days, fed only by what left the fast window (float32);
    `slow` and `slow_count` (float32) are its counts by target.
    hours: requests of the fast window by hour of day UTC, uint16 [accounts, 24].
    bins: requests of this network tick by its 5-minute ticks, uint16 [accounts, ticks per network tick].
    values: table of (dimension, value) carried in this network tick, sorted, with value_keys;
    carried: sets of index into values, carried_count: requests that carried it in this network tick (uint32).
    """

    ids: tuple[str, ...]
    keys: NDArray[np.uint64]
    shards: NDArray[np.uint8]
    names: tuple[str, ...]
    org: NDArray[np.int32]
    country: NDArray[np.int32]
    signup_week: NDArray[np.int32]
    first_seen_ms: NDArray[np.int64]
    targets: tuple[str, ...]
    n: NDArray[np.int64]
    fast: Sets
    fast_count: NDArray[np.uint32]
    nb: NDArray[np.float32]
    slow: Sets
    slow_count: NDArray[np.float32]
    hours: NDArray[np.uint16]
    bins: NDArray[np.uint16]
    values: tuple[tuple[str, str], ...]
    value_keys: NDArray[np.uint64]
    carried: Sets
    carried_count: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Summary:
    """One tick of some shards: a pure function of (shards, tick, records, configuration).

    tick: number of the 5-minute tick: it covers [tick * tick_ms, (tick + 1) * tick_ms). shards: those covered, sorted.
    counters: requests `accepted` into this tick, and repeats (`duplicate_event`) of them that were dropped.
    accounts: on the last 5-minute tick of a network tick, else None.
    """

    tick: int
    shards: tuple[int, ...]
    counters: dict[str, int]
    cohorts: CohortCounts
    accounts: AccountColumns | None
