"""Who takes up a model, and how fast? The first of them, and what earlier releases let one expect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.counts.summary import AccountColumns
from stream.report.history import FleetHistory, Seen

HOUR_MS = 3_600_000
FIRST_SHOWN = 10
AFTER_H = (6, 24, 72, 168)  # hours after a release at which adoption is compared
WINDOW_H = 6


@dataclass(frozen=True, slots=True)
class Taker:
    """An account that used the model, with the first hour in which it did, and its share in the last that is kept."""

    account_id: str
    at_ms: int
    share: float


@dataclass(frozen=True, slots=True)
class Step:
    """Adoption so many hours after a release: this one's, and the least, the middle and the most of earlier ones.

    share: None where it is not so old. earlier: empty where none that old was seen whole.
    """

    after_h: int
    share: float | None
    earlier: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median of the earlier ones."""
        return float(np.median(self.earlier))


def first_takers(
    kept: Sequence[Seen], model: str, columns: AccountColumns | None, most: int = FIRST_SHOWN
) -> list[Taker]:
    """The active accounts whose first request to the model is the earliest, the largest share first in an hour.

    O(ticks until there are so many x their entries): who comes later is not looked at.
    """
    found: list[Taker] = []
    known = np.zeros(0, np.uint64)
    if columns is None:
        return found
    for seen in kept:
        keys, count = _users(seen, model)
        new = np.flatnonzero(~np.isin(keys, known))
        known = np.union1d(known, keys)
        found += _named(seen.at_ms, keys[new], count[new], columns, kept[-1], model)
        if len(found) >= most:
            break
    return found[:most]


def _users(seen: Seen, model: str) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """(keys, shares) of the accounts that sent the model something in the day before this tick."""
    if f"model:{model}" not in seen.targets:
        return np.zeros(0, np.uint64), np.zeros(0)
    hit = seen.target == seen.targets.index(f"model:{model}")
    row = np.repeat(np.arange(len(seen.keys)), seen.length)[hit]
    return seen.keys[row], seen.count[hit] / np.maximum(seen.requests[row], 1)


def _named(
    at_ms: int, keys: NDArray[np.uint64], shares: NDArray[np.float64], columns: AccountColumns, last: Seen, model: str
) -> list[Taker]:
    now = dict(zip(*(column.tolist() for column in _users(last, model)), strict=True)) if len(keys) else {}
    at = np.flatnonzero(np.isin(columns.keys, keys)).tolist()
    share = dict(zip(keys.tolist(), shares.tolist(), strict=True))
    rows = sorted(at, key=lambda row: (-share[int(columns.keys[row])], columns.ids[row]))
    return [Taker(columns.ids[row], at_ms, now.get(int(columns.keys[row]), 0.0)) for row in rows]


def expected(fleet: FleetHistory, released: Mapping[str, int], model: str) -> list[Step]:
    """How far this release is after some hours, beside earlier ones that were seen from their begin. O(hours)."""
    begun = released[model]
    earlier = [name for name, at_ms in released.items() if at_ms < begun and name != model and _is_whole(fleet, at_ms)]
    steps = []
    for after_h in AFTER_H:
        others = (_share(fleet, name, released[name], after_h) for name in earlier)
        told = tuple(sorted(one for one in others if one is not None))
        steps.append(Step(after_h, _share(fleet, model, begun, after_h), told))
    return steps


def _is_whole(fleet: FleetHistory, released_ms: int) -> bool:
    return bool(fleet.hours) and min(fleet.hours) <= released_ms // HOUR_MS


def _share(fleet: FleetHistory, model: str, released_ms: int, after_h: int) -> float | None:
    """Of all requests in the last six of these hours; None where they are not all over, or were not seen."""
    end = released_ms // HOUR_MS + after_h
    if not fleet.hours or end > max(fleet.hours) + 1 or end - WINDOW_H < min(fleet.hours):
        return None
    return fleet.share_between(f"model:{model}", end - WINDOW_H, end)
