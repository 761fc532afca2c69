"""Which parts of the networks are pieces of one? Parts whose accounts draw on the same values, taken as wholes.

Two accounts of one operator may share too little to be tied: one exit in ten, and another payment. Two hundred of them
beside two hundred others show that both groups use the same exits, ten times as often as anybody else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.coordination import concentrated
from detectors.membership import Holdings
from detectors.population import Ints

Part = tuple[Ints, int]  # rows, and the number of their component

CARRIED_SHARE_MIN = 0.1  # of the accounts of a part, for a value to be the part's
CARRIERS_MIN = 3
COMMON_VALUES_MIN = 5
COMMON_SHARE_MIN = 0.5  # of the values of the part that has fewer
PARTS_MAX = 400  # the largest ones: 80,000 pairs of sorted arrays of some dozens


def rejoined(known: Holdings, parts: Sequence[Part]) -> list[Part]:
    """The parts, those that draw on the same values as one, with the component of the largest.

    A value is a part's where a tenth of its accounts carry it, five times as often as everybody else. Two parts are
    one where they have five such values in common, half of those of the one with fewer: two agencies have kits of
    their own. O(parts^2 x values of a part) for at most PARTS_MAX parts.
    """
    ordered = sorted(parts, key=lambda part: (-len(part[0]), part[0].tolist()))
    values = [_values_of(known, rows) for rows, _ in ordered[:PARTS_MAX]]
    root = list(range(len(ordered)))
    for i in range(len(values)):
        for j in range(i):
            if root[i] == i and _are_one(values[i], values[j]):
                root[i] = root[j]
    wholes: dict[int, list[Ints]] = {}
    for i, (rows, _) in enumerate(ordered):
        wholes.setdefault(root[i], []).append(rows)
    return [(np.sort(np.concatenate(pieces)), ordered[first][1]) for first, pieces in sorted(wholes.items())]


def _values_of(known: Holdings, rows: Ints) -> Ints:
    """The values that are the part's, sorted."""
    _, value, _ = known.of(rows)
    accounts = np.bincount(value, minlength=len(known.accounts))
    often = accounts >= max(CARRIERS_MIN, CARRIED_SHARE_MIN * len(rows))
    return np.flatnonzero(often & concentrated(known, accounts, len(rows)))


def _are_one(mine: Ints, others: Ints) -> bool:
    common = len(np.intersect1d(mine, others, assume_unique=True))
    return common >= max(COMMON_VALUES_MIN, COMMON_SHARE_MIN * min(len(mine), len(others)))
