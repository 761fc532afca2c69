"""Did this group's traffic move? One test for cohorts and networks: difference in differences per target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from detectors.comparison.population import Floats, Ints, Population, breadth_of, used_more_of
from detectors.counts.sparse import distinct
from detectors.parameters import Parameters

UNREST = 0.03  # points of share by which any two groups of a fleet differ, beyond chance
HEAVY_BASELINE = 30.0  # a heavy account does not speak for all of its group
GROUP_PRIOR = 10.0  # requests that the fleet's baseline weighs inside a group's own past
VARIANCE_MIN = 1e-4
AT_ONCE = 4_096  # accounts of several groups: 8 bytes each for every target in a dozen tables


@dataclass(slots=True)
class Moments:
    """Per stratum and target: accounts, sum and sum of squares of one measure of the comparison accounts."""

    count: Floats
    total: Floats
    square: Floats

    def without(self, stratum: Ints, values: Floats) -> tuple[Floats, Floats]:
        """(mean, variance) per stratum and target, the given accounts left out."""
        mean, variance = self.without_each(stratum, values, np.zeros(len(stratum), np.int64), 1)
        return mean[0], variance[0]

    def without_each(self, stratum: Ints, values: Floats, group: Ints, groups: int) -> tuple[Floats, Floats]:
        """`without` the accounts of each of several groups: groups x strata x targets. group: of each account."""
        strata = len(self.count)
        cell, shape = group * strata + stratum, (groups, strata, self.total.shape[1])
        left = self.count - np.bincount(cell, minlength=groups * strata).reshape(groups, strata)
        count = np.maximum(left, 1.0)[:, :, None]
        total = self.total - summed(values, cell, groups * strata).reshape(shape)
        square = self.square - summed(values * values, cell, groups * strata).reshape(shape)
        mean = total / count
        everybody = count.sum(axis=1)
        everywhere = total.sum(axis=1) / everybody
        # A stratum that the group all but fills says little: it is shrunk to the fleet.
        shrunk = (mean * count + everywhere[:, None] * 20.0) / (count + 20.0)
        overall = square.sum(axis=1) / everybody - everywhere**2
        variance = ((square / count - mean**2) * count + overall[:, None] * 20.0) / (count + 20.0)
        return shrunk, np.maximum(variance, VARIANCE_MIN)


@dataclass(slots=True)
class Comparison:
    """What comparable accounts did in this tick."""

    change: Moments
    breadth: Moments


@dataclass(slots=True)
class Shift:
    """One group against its like, by target. All shares are of requests, 0 to 1.

    z: the larger of the statistics of share and of breadth. excess: mean over organisations of the change beyond that
    of comparable accounts; excess_breadth alike. share_before (of the group's own past), share_now: of all its
    requests. comparable: the change of comparable accounts. moved: part of the organisations that use the target more.
    change, used_more: of each member and target, with the group's own past as prior.
    """

    rows: Ints
    organisations: int
    z_share: Floats
    z_breadth: Floats
    excess: Floats
    excess_breadth: Floats
    share_before: Floats
    share_now: Floats
    comparable: Floats
    moved: Floats
    change: Floats
    used_more: Floats

    @property
    def z(self) -> Floats:
        """The statistic of each target."""
        return np.maximum(self.z_share, self.z_breadth)


def moments_of(population: Population, values: Floats) -> Moments:
    """Sums of a measure by stratum. values: accounts x targets. O(accounts x targets)."""
    strata = population.strata
    count = np.bincount(population.stratum, minlength=strata).astype(float)
    total = np.zeros((strata, values.shape[1]))
    square = np.zeros_like(total)
    for s in range(strata):
        mine = values[population.stratum == s]
        total[s] = mine.sum(axis=0)
        square[s] = (mine * mine).sum(axis=0)
    return Moments(count, total, square)


def comparison_of(population: Population) -> Comparison:
    """The comparison of one tick. O(accounts x targets)."""
    return Comparison(moments_of(population, population.change), moments_of(population, population.breadth))


def _difference(beyond: Floats, variance: Floats, member_of: Ints, of_group: Ints) -> tuple[Floats, Floats]:
    """(D, V) of each group over its organisations; each organisation speaks once.

    beyond: how much further than comparable accounts each member went. member_of: its organisation; of_group: the group
    of each of these.
    """
    groups = int(of_group[-1]) + 1
    size = np.bincount(member_of)[:, None].astype(float)
    excess = summed(beyond, member_of, len(size)) / size
    spread = summed(variance, member_of, len(size)) / size
    # Noisy accounts speak softly, but no quiet stratum speaks for all: one odd account there would.
    usual = summed(spread, of_group, groups) / np.bincount(of_group)[:, None]
    weight = 1.0 / (spread + usual[of_group])
    weight /= summed(weight, of_group, groups)[of_group]
    return summed(weight * excess, of_group, groups), summed(weight**2 * spread, of_group, groups)


def summed(values: Floats, group: Ints, groups: int) -> Floats:
    """Sums of the rows of each group, in the order of the rows. O(rows x columns).

    >>> summed(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), np.array([1, 0, 1]), 2).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    width = values.shape[1]
    place = group[:, None] * width + np.arange(width)
    weights = values.astype(float, copy=False).ravel()
    sums: Floats = np.bincount(place.ravel(), weights, groups * width).reshape(groups, width).astype(float, copy=False)
    return sums


def own_past(population: Population, rows: Ints, parameters: Parameters) -> Floats:
    """The share before of each member, shrunk to the past of the rest of its group instead of the fleet's.

    What all members have always done is then no change; a member's own requests never count in its prior.
    """
    return _own_pasts(population, rows, np.array([0, len(rows)]), np.zeros(len(rows), np.int64), parameters)


def _own_pasts(population: Population, rows: Ints, start: Ints, group: Ints, parameters: Parameters) -> Floats:
    """`own_past` of the members of several groups: those of group i stand at start[i]:start[i + 1]."""
    nb, xb = population.nb[rows], population.XB[rows]
    weight = np.minimum(nb, HEAVY_BASELINE)
    share = xb / np.maximum(nb, 1e-9)[:, None]
    weighted = weight[:, None] * share
    # One by one: NumPy adds many numbers up in another order than few, and nobody's past may depend on the others.
    whole = np.array([weight[begin:end].sum() for begin, end in pairwise(start.tolist())])
    rest = summed(weighted, group, len(whole))[group] - weighted
    prior = (rest + GROUP_PRIOR * population.fleet) / (whole[group] - weight + GROUP_PRIOR)[:, None]
    shrink = parameters.shrink_requests
    before: Floats = (xb + shrink * prior) / (nb + shrink)[:, None]
    return before


@dataclass(slots=True)
class _Tested:
    """Several groups, tested. before, change, comparable: of each member, as in `Shift`; member_of: its organisation,
    by number over all groups. z_share, z_breadth, excess, excess_breadth: of each group."""

    before: Floats
    change: Floats
    comparable: Floats
    member_of: Ints
    z_share: Floats
    z_breadth: Floats
    excess: Floats
    excess_breadth: Floats


def _tested(population: Population, comparison: Comparison, groups: Sequence[Ints], parameters: Parameters) -> _Tested:
    """Test groups of accounts, none of them empty, each by itself: the same to the bit as one by one."""
    rows, start = np.concatenate(groups), np.cumsum([0, *map(len, groups)])
    group = np.repeat(np.arange(len(groups)), np.diff(start))
    before = _own_pasts(population, rows, start, group, parameters)
    now, stratum = population.now[rows], population.stratum[rows]
    change, breadth = now - before, breadth_of(population.n[rows], now, before)
    seats = group * np.int64(population.organisations) + population.org[rows]
    seat = distinct(seats)
    member_of, of_group = np.searchsorted(seat, seats), seat // population.organisations
    cell = group * population.strata + stratum

    def against(moments: Moments, of_fleet: Floats, beyond: Floats) -> tuple[Floats, Floats, Floats]:
        mean, variance = moments.without_each(stratum, of_fleet[rows], group, len(groups))
        comparable, unsure = (one.reshape(-1, one.shape[2])[cell] for one in (mean, variance))
        return comparable, *_difference(beyond - comparable, unsure, member_of, of_group)

    comparable, d, v = against(comparison.change, population.change, change)
    _, db, vb = against(comparison.breadth, population.breadth, breadth)
    z_share, z_breadth = d / np.sqrt(v + UNREST**2), db / np.sqrt(vb + UNREST**2)
    return _Tested(before, change, comparable, member_of, z_share, z_breadth, d, db)


def statistics_of(
    population: Population, comparison: Comparison, groups: Sequence[Ints], parameters: Parameters
) -> Floats:
    """`Shift.z` of many groups, none of them empty: groups x targets. For a fraction of the time of one by one.

    O(members x targets + groups x strata x targets).
    """
    found = [_tested(population, comparison, some, parameters) for some in _some_at_once(groups)]
    z = [np.maximum(one.z_share, one.z_breadth) for one in found]
    return np.concatenate(z) if z else np.zeros((0, len(population.targets)))


def _some_at_once(groups: Sequence[Ints]) -> Iterator[Sequence[Ints]]:
    some: list[Ints] = []
    for rows in groups:
        if some and sum(map(len, some)) + len(rows) > AT_ONCE:
            yield some
            some = []
        some.append(rows)
    if some:
        yield some


def shift_of(population: Population, comparison: Comparison, rows: Ints, parameters: Parameters) -> Shift:
    """Test a group of accounts, given in rows. O(members x targets + strata x targets)."""
    one = _tested(population, comparison, [rows], parameters)
    n = population.n[rows]
    used_more = used_more_of(population.now[rows], one.before)
    moved = summed(used_more, one.member_of, int(one.member_of.max()) + 1) > 0
    return Shift(
        rows=rows,
        organisations=len(moved),
        z_share=one.z_share[0],
        z_breadth=one.z_breadth[0],
        excess=one.excess[0],
        excess_breadth=one.excess_breadth[0],
        share_before=(n[:, None] * one.before).sum(axis=0) / n.sum(),
        share_now=population.X[rows].sum(axis=0) / n.sum(),
        comparable=(n[:, None] * one.comparable).sum(axis=0) / n.sum(),
        moved=moved.astype(float).mean(axis=0),
        change=one.change,
        used_more=used_more,
    )
