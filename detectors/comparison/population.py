"""What did the fleet do in this tick? Every active account's mix now and before, and who is like whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from detectors.comparison.renames import renames_of
from detectors.counts.summary import AccountColumns
from detectors.parameters import HOUR_MS, Parameters

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

VOLUME_STEPS = (2, 3, 6, 12, 25, 60, 200, 1_000)  # requests in the fast window
AGE_STEPS = (5.0, 40.0, 200.0)  # requests in the baseline
STRATUM_MIN = 40  # a stratum with fewer accounts is merged with its neighbours


@dataclass(slots=True)
class Population:
    """Active accounts in rows, sorted by id; targets in columns, sorted by name.

    org: index of the account's organisation, 0 to organisations - 1; an account without one is its own.
    n, nb: requests now (fast window) and before (decayed baseline). X, XB: the same by target.
    fleet: share of each target in the fleet's baseline. before: expected share of each account and target, its own
    baseline shrunk to the fleet's by `shrink_requests`. now: share in the fast window. change = now - before.
    used_more: 1 where the account uses the target clearly more than before. breadth: that less its chance under the
    share before, so that neither few requests nor a level alone make it. stratum: index of comparable accounts.
    renamed: new name -> old name of the capabilities whose old column was counted under the new one. by_key: rows in
    the order of the accounts' keys.
    """

    hour: int
    at_ms: int
    columns: AccountColumns
    targets: tuple[str, ...]
    org: Ints
    organisations: int
    n: Floats
    nb: Floats
    X: Floats
    XB: Floats
    fleet: Floats
    before: Floats
    now: Floats
    change: Floats
    used_more: Floats
    breadth: Floats
    stratum: Ints
    strata: int
    age_h: Floats
    young: NDArray[np.bool_]
    renamed: Mapping[str, str]
    by_key: Ints

    def __len__(self) -> int:
        return len(self.n)

    def places(self, keys: NDArray[np.uint64]) -> tuple[Ints, NDArray[np.bool_]]:
        """(row of each account, given by key; whether it is active: of others the row means nothing).

        O(keys x log accounts).
        """
        ordered = self.columns.keys[self.by_key]
        at = self.by_key[np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)]
        return at, self.columns.keys[at] == keys


def population_of(columns: AccountColumns, hour: int, parameters: Parameters, renamed: dict[str, str]) -> Population:
    """The population of one network tick. O(accounts x targets).

    renamed: new name -> old name of capabilities, known so far; what this tick shows is added to it.
    """
    X = _dense(columns.fast.start, columns.fast.items, columns.fast_count, len(columns.targets))
    XB = _dense(columns.slow.start, columns.slow.items, columns.slow_count, len(columns.targets))
    n = columns.n.astype(float)
    nb = columns.nb.astype(float)
    renamed.update(renames_of(columns.targets, X, XB, n, nb, renamed))
    targets = _one_name_each(columns.targets, X, XB, renamed)
    org = _organisations(columns)
    fleet = (XB.sum(axis=0) + 1e-3) / (nb.sum() + 1.0)
    weight = parameters.shrink_requests
    before = (XB + weight * fleet) / (nb + weight)[:, None]
    now = X / np.maximum(n, 1.0)[:, None]
    at_ms = (hour + 1) * HOUR_MS
    age_h = (at_ms - columns.first_seen_ms) / HOUR_MS
    stratum, strata = strata_of(n, nb)
    return Population(
        hour=hour,
        at_ms=at_ms,
        columns=columns,
        targets=targets,
        org=org,
        organisations=int(org.max()) + 1 if len(org) else 0,
        n=n,
        nb=nb,
        X=X,
        XB=XB,
        fleet=fleet,
        before=before,
        now=now,
        change=now - before,
        used_more=used_more_of(now, before),
        breadth=breadth_of(n, now, before),
        stratum=stratum,
        strata=strata,
        age_h=age_h,
        young=_young(columns, age_h),
        renamed=dict(renamed),
        by_key=np.argsort(columns.keys),
    )


def _one_name_each(
    targets: tuple[str, ...], counts: Floats, base: Floats, renamed: Mapping[str, str]
) -> tuple[str, ...]:
    """Count a renamed capability under its newest name, in place. The old column stays, empty."""
    place = {name: i for i, name in enumerate(targets)}
    for new, old in renamed.items():
        if new in place and old in place:
            for matrix in (counts, base):
                matrix[:, place[new]] += matrix[:, place[old]]
                matrix[:, place[old]] = 0.0
    return targets


def used_more_of(now: Floats, before: Floats) -> Floats:
    """1 where the share now is above 1.5 times and 4 points over the share before, else 0."""
    return (now > _clearly_above(before)).astype(float)


def _clearly_above(before: Floats) -> Floats:
    line: Floats = np.maximum(1.5 * before, before + 0.04)
    return line


def breadth_of(n: Floats, now: Floats, before: Floats) -> Floats:
    """`used_more_of` less the chance of it for n independent requests at the share before: 0 on average if nothing
    moved, whatever the level and however few the requests.

    >>> breadth_of(np.array([10.0]), np.array([[0.0]]), np.array([[0.3]])).round(2).tolist()
    [[-0.15]]
    """
    line = _clearly_above(before)
    most = np.floor(line * n[:, None] + 1e-9)
    # P(X > most) for a binomial X is the regularised incomplete beta function I_p(most + 1, n - most).
    inside = most < n[:, None]
    chance = np.where(inside, betainc(most + 1.0, np.maximum(n[:, None] - most, 1e-9), before), 0.0)
    breadth: Floats = (now > line) - chance
    return breadth


def _dense(start: Ints, items: NDArray[np.uint32], counts: NDArray[Any], width: int) -> Floats:
    matrix = np.zeros((len(start) - 1, width))
    row = np.repeat(np.arange(len(start) - 1), np.diff(start))
    matrix[row, items] = counts
    return matrix


def _organisations(columns: AccountColumns) -> Ints:
    """Index of each account's organisation; an account that never said one is an organisation of its own."""
    org = columns.org.astype(np.int64)
    alone = org < 0
    org[alone] = len(columns.names) + np.flatnonzero(alone)
    return np.unique(org, return_inverse=True)[1].astype(np.int64)


def _young(columns: AccountColumns, age_h: Floats) -> NDArray[np.bool_]:
    """First seen less than three days ago, and signed up in the youngest weeks where weeks are told."""
    young = age_h < 72.0
    week = columns.signup_week
    told = week >= 0
    if told.any():
        # Weeks are names that sort by time, as 2026-W05 does; the youngest third of the active accounts.
        line = np.quantile(week[told], 0.65)
        young &= ~told | (week >= line)
    return young


def strata_of(n: Floats, nb: Floats) -> tuple[Ints, int]:
    """Stratum of each account: volume now x weight of the baseline, merged upwards where it is small.

    A small cell gives up its baseline's weight first, then joins the neighbouring volume.
    """
    volume = np.searchsorted(np.array(VOLUME_STEPS, float), n, side="right")
    age = np.searchsorted(np.array(AGE_STEPS), nb, side="right")
    cells = len(AGE_STEPS) + 1
    cell = volume * cells + age
    count = np.bincount(cell, minlength=(len(VOLUME_STEPS) + 1) * cells)
    name = np.arange(len(count))
    for v in range(len(VOLUME_STEPS) + 1):
        mine = np.arange(v * cells, (v + 1) * cells)
        small = mine[count[mine] < STRATUM_MIN]
        if len(small):
            # All small cells of a volume are one; where they are still small together, the largest takes them in.
            largest = mine[np.argmax(count[mine])]
            name[small] = small[0] if count[small].sum() >= STRATUM_MIN else largest
    merged = name[cell]
    return _join_small_volumes(merged, cells)


def _join_small_volumes(merged: Ints, cells: int) -> tuple[Ints, int]:
    """Join what is still small with the next lower stratum, lowest with the next higher."""
    while True:
        names, index, count = np.unique(merged, return_inverse=True, return_counts=True)
        small = np.flatnonzero(count < STRATUM_MIN)
        if not len(small) or len(names) == 1:
            return index.astype(np.int64), len(names)
        at = int(small[-1])
        merged = merged.copy()
        merged[merged == names[at]] = names[at - 1 if at else 1]
