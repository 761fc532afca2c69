"""What did the accounts that an alert names do? Plain sums, for whoever has nothing but the alert and the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Floats, Ints, Population
from detectors.comparison.renames import newest_name, older_names
from detectors.parameters import HOUR_MS

PAST_H = 24  # before the onset: who is younger began with the shift, and has no past that it could be held against


def rows_of(population: Population, keys: Sequence[int]) -> Ints:
    """Rows of those of the accounts that are active in this tick, in the order of their keys. O(keys log accounts)."""
    at, known = population.places(np.array(sorted(keys), np.uint64))
    rows: Ints = at[known]
    return rows


def is_new(population: Population, rows: Ints, onset: int) -> NDArray[np.bool_]:
    """Which accounts have no past: first seen later than a day before the shift began, at hour `onset`."""
    new: NDArray[np.bool_] = population.columns.first_seen_ms[rows] > (onset - PAST_H) * HOUR_MS
    return new


def named_of(population: Population, keys: Sequence[int], target: str, onset: int) -> dict[str, Any]:
    """Sums over exactly these accounts (by key), without prior, weight or correction. O(accounts).

    until_ms: end of the fast window; what is later is not counted. accounts: all of them; active: those with a
    request in the window, of which everything else is. new: those without a past before the onset, an hour since 1970.
    organisations: theirs. requests, target_requests: in the
    window, and those to the target. baseline: requests before the window, each weighing half after the half-life.
    share_after, share_before: part of the target in either. fleet_*: the same shares of all active accounts.
    renamed_from: older names of the target, where there are any; requests to these count as well. renamed_to: its
    newest name, where the target is told under an older one.
    """
    rows = rows_of(population, keys)
    everybody = np.arange(len(population))
    newest = newest_name(target, population.renamed)
    column = population.targets.index(newest) if newest in population.targets else None
    requests, toward = _sums(population.n, population.X, rows, column)
    baseline, toward_before = _sums(population.nb, population.XB, rows, column)
    sums: dict[str, Any] = {
        "until_ms": population.at_ms,
        "target": target,
        "accounts": len(keys),
        "active": len(rows),
        "new": int(is_new(population, rows, onset).sum()),
        "organisations": len(np.unique(population.org[rows])),
        "requests": int(requests),
        "target_requests": int(toward),
        "share_after": _share(toward, requests),
        "baseline": round(baseline, 2),
        "share_before": _share(toward_before, baseline),
        "fleet_share_after": _share(*_sums(population.n, population.X, everybody, column)[::-1]),
        "fleet_share_before": _share(*_sums(population.nb, population.XB, everybody, column)[::-1]),
    }
    older = [_plain(name) for name in older_names(newest, population.renamed) if name != target]
    newer = {} if newest == target else {"renamed_to": _plain(newest)}
    return sums | ({"renamed_from": older} if older else {}) | newer


def _plain(name: str) -> str:
    return name.partition(":")[2]


def _sums(requests: Floats, by_target: Floats, rows: Ints, column: int | None) -> tuple[float, float]:
    """All requests of the rows, and those to the target."""
    return float(requests[rows].sum()), 0.0 if column is None else float(by_target[rows, column].sum())


def _share(part: float, whole: float) -> float:
    return round(part / whole, 6) if whole > 0 else 0.0
