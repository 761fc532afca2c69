"""Did this group's traffic move? One test for cohorts and networks: difference in differences per target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.comparison.population import Floats, Ints, Population, breadth_of, used_more_of
from detectors.parameters import Parameters

UNREST = 0.03  # points of share by which any two groups of a fleet differ, beyond chance
HEAVY_BASELINE = 30.0  # a heavy account does not speak for all of its group
GROUP_PRIOR = 10.0  # requests that the fleet's baseline weighs inside a group's own past
VARIANCE_MIN = 1e-4


@dataclass(slots=True)
class Moments:
    """Per stratum and target: accounts, sum and sum of squares of one measure of the comparison accounts."""

    count: Floats
    total: Floats
    square: Floats

    def without(self, stratum: Ints, values: Floats) -> tuple[Floats, Floats]:
        """(mean, variance) per stratum and target, the given accounts left out."""
        strata = len(self.count)
        count = np.maximum(self.count - np.bincount(stratum, minlength=strata), 1.0)[:, None]
        total = self.total - summed(values, stratum, strata)
        square = self.square - summed(values * values, stratum, strata)
        mean = total / count
        everywhere = total.sum(axis=0) / count.sum()
        # A stratum that the group all but fills says little: it is shrunk to the fleet.
        mean = (mean * count + everywhere * 20.0) / (count + 20.0)
        variance = square / count - (total / count) ** 2
        overall = square.sum(axis=0) / count.sum() - everywhere**2
        return mean, np.maximum((variance * count + overall * 20.0) / (count + 20.0), VARIANCE_MIN)


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
    """Sums of a measure by stratum. O(accounts x targets)."""
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


def _differences(
    population: Population,
    comparison: Comparison,
    rows: Ints,
    change: Floats | None = None,
    breadth: Floats | None = None,
) -> tuple[Floats, Floats, Floats, Floats]:
    """(D, V) of share and of breadth over the group's organisations; each organisation speaks once."""
    stratum = population.stratum[rows]
    org, member_of = np.unique(population.org[rows], return_inverse=True)
    size = np.bincount(member_of)[:, None]
    out: list[Floats] = []
    for moments, fleet, own in (
        (comparison.change, population.change, change),
        (comparison.breadth, population.breadth, breadth),
    ):
        mean, variance = moments.without(stratum, fleet[rows])
        values = fleet[rows] if own is None else own
        excess = summed(values - mean[stratum], member_of, len(org)) / size
        spread = summed(variance[stratum], member_of, len(org)) / size
        # Noisy accounts speak softly, but no quiet stratum speaks for all: one odd account there would.
        weight = 1.0 / (spread + spread.mean(axis=0))
        weight /= weight.sum(axis=0)
        out += [(weight * excess).sum(axis=0), (weight**2 * spread).sum(axis=0)]
    return out[0], out[1], out[2], out[3]


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
    nb, xb = population.nb[rows], population.XB[rows]
    weight = np.minimum(nb, HEAVY_BASELINE)
    share = xb / np.maximum(nb, 1e-9)[:, None]
    weighted = weight[:, None] * share
    rest = weighted.sum(axis=0) - weighted
    prior = (rest + GROUP_PRIOR * population.fleet) / (weight.sum() - weight + GROUP_PRIOR)[:, None]
    shrink = parameters.shrink_requests
    before: Floats = (xb + shrink * prior) / (nb + shrink)[:, None]
    return before


def shift_of(population: Population, comparison: Comparison, rows: Ints, parameters: Parameters) -> Shift:
    """Test a group of accounts, given in rows. O(members x targets + strata x targets)."""
    before = own_past(population, rows, parameters)
    change = population.now[rows] - before
    used_more = used_more_of(population.now[rows], before)
    breadth = breadth_of(population.n[rows], population.now[rows], before)
    d, v, db, vb = _differences(population, comparison, rows, change, breadth)
    n = population.n[rows]
    org = np.unique(population.org[rows], return_inverse=True)[1]
    moved = (summed(used_more, org, int(org.max()) + 1) > 0).astype(float)
    mean, _ = comparison.change.without(population.stratum[rows], population.change[rows])
    return Shift(
        rows=rows,
        organisations=len(moved),
        z_share=d / np.sqrt(v + UNREST**2),
        z_breadth=db / np.sqrt(vb + UNREST**2),
        excess=d,
        excess_breadth=db,
        share_before=(n[:, None] * before).sum(axis=0) / n.sum(),
        share_now=population.X[rows].sum(axis=0) / n.sum(),
        comparable=(n[:, None] * mean[population.stratum[rows]]).sum(axis=0) / n.sum(),
        moved=moved.mean(axis=0),
        change=change,
        used_more=used_more,
    )
