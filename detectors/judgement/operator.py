"""How do the accounts of a group work? Traits that tell one operator's hand from an agency, a course, a product.

What the traits say together is `hand`'s to tell: it learnt it from fleets drawn at random.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.movement import RATE_BASELINE_MIN, usual_requests
from detectors.comparison.population import Floats, Ints, Population
from detectors.counts.summary import AccountColumns
from detectors.ties.carriers import Carried
from detectors.ties.holdings import Holdings

NIGHT_HOURS = 8
BLOCK_H = 4  # of the day: who works when
RATES_MIN = 3  # accounts that have a rate of their own
GIANT = 5.0  # times the group's median requests
DETREND_BINS = 25  # two hours of 5 minutes


class Activity:
    """Requests per 5 minutes of every account over the last two days: 32 bytes an account and hour with traffic."""

    def __init__(self, keep_h: int = 48) -> None:
        self.keep_h = keep_h
        self.hours: deque[tuple[int, NDArray[np.uint64], NDArray[np.uint16]]] = deque()

    def learn(self, columns: AccountColumns, hour: int) -> None:
        """Take an hour in."""
        busy = np.flatnonzero(columns.bins.any(axis=1))
        order = busy[np.argsort(columns.keys[busy])]
        self.hours.append((hour, columns.keys[order], columns.bins[order]))
        while self.hours and self.hours[0][0] <= hour - self.keep_h:
            self.hours.popleft()

    def of(self, keys: NDArray[np.uint64]) -> Floats:
        """Requests by account and 5-minute bin, oldest first; zeros where an account was silent."""
        width = self.hours[0][2].shape[1] if self.hours else 12
        out = np.zeros((len(keys), width * len(self.hours)))
        for i, (_, known, bins) in enumerate(self.hours):
            at = np.searchsorted(known, keys)
            found = at < len(known)
            found[found] = known[at[found]] == keys[found]
            out[found, i * width : (i + 1) * width] = bins[at[found]]
        return out

    def state(self) -> list[Any]:
        """All of it, for a snapshot."""
        return [list(one) for one in self.hours]

    def restore(self, state: list[Any]) -> None:
        """Continue from what `state` gave."""
        self.hours = deque((hour, keys, bins) for hour, keys, bins in state)


@dataclass(slots=True)
class Ordinary:
    """What is ordinary in this tick, to hold a group against.

    requests: by link dimension and account, those that carried any value of it, rare or not. clock: how much accounts
    differ in their working hours, by block of the day.
    """

    volume_spread: float
    mix: Floats
    night: NDArray[np.bool_]
    night_share: Floats
    clock: Floats
    requests: list[Floats]


def ordinary_of(population: Population, carried: Carried, capabilities: Ints) -> Ordinary:
    """The fleet's own traits. O(accounts x capabilities + memberships)."""
    country = population.columns.country.astype(np.int64) + 1
    profile = np.zeros((int(country.max(initial=0)) + 1, 24))
    hours = population.columns.hours.astype(float)
    # Each account speaks once for its country: a giant's cron must not set a country's night.
    per_account = hours / np.maximum(hours.sum(axis=1, keepdims=True), 1.0)
    np.add.at(profile, country, per_account)
    quiet = np.argsort(profile, axis=1, kind="stable")[:, :NIGHT_HOURS]
    night = np.zeros(profile.shape, bool)
    np.put_along_axis(night, quiet, True, axis=1)
    share = (profile * night).sum(axis=1) / np.maximum(profile.sum(axis=1), 1e-9)
    enough = population.n >= 3
    return Ordinary(
        volume_spread=float(np.std(np.log(population.n[enough]))) if enough.any() else 1.0,
        mix=np.array([likeness(population.X[enough, k], population.n[enough]) for k in capabilities]),
        night=night,
        night_share=share,
        clock=_hours_apart(population, np.flatnonzero(enough)),
        requests=_requests(carried, len(population)),
    )


def _requests(carried: Carried, accounts: int) -> list[Floats]:
    dimension = carried.dimension[carried.value]
    mine = [dimension == d for d in range(len(carried.dimensions))]
    return [np.bincount(carried.row[one], carried.count[one], accounts).astype(float) for one in mine]


def _hours_apart(population: Population, rows: Ints) -> Floats:
    hours = population.columns.hours[rows].astype(float)
    blocks = hours.reshape(len(rows), 24 // BLOCK_H, BLOCK_H).sum(axis=2)
    total = blocks.sum(axis=1)
    share = blocks.sum(axis=0) / max(total.sum(), 1.0)
    return np.array([share[k] * (1 - share[k]) * likeness(blocks[:, k], total) for k in range(blocks.shape[1])])


def likeness(x: Floats, n: Floats) -> float:
    """Intra-class correlation of a share over accounts, 0 (all alike) to 1 (each its own); from sums of x, n, x^2/n.

    Source: the analysis-of-variance estimator for proportions, Ridout et al. 1999.

    >>> round(likeness(np.array([5.0, 5.0, 5.0]), np.array([10.0, 10.0, 10.0])), 2)
    0.0
    >>> round(likeness(np.array([10.0, 0.0, 10.0]), np.array([10.0, 10.0, 10.0])), 2)
    1.0
    """
    use = n >= 2
    x, n = x[use], n[use]
    if len(n) < 3 or x.sum() <= 0 or x.sum() >= n.sum():
        return 0.0
    total, square = n.sum(), (n * n).sum()
    between = ((x * x / n).sum() - x.sum() ** 2 / total) / (len(n) - 1)
    within = (x - x * x / n).sum() / max(total - len(n), 1.0)
    size = (total - square / total) / (len(n) - 1)
    return float(np.clip((between - within) / max(between + (size - 1) * within, 1e-12), 0.0, 1.0))


def traits_of(
    population: Population, ordinary: Ordinary, holdings: Holdings, activity: Activity, rows: Ints,
    capabilities: Ints, target: int,
) -> dict[str, float]:  # fmt: skip
    """The traits of the accounts in `rows`; what cannot be known is left out. target: of the strongest shift.

    load_spread: of the volumes, against the fleet's: uneven load costs an operator capacity, customers differ freely.
    mix_likeness: of the capabilities, 0 where all are alike: one kit means one mix. shift_dispersion: 0 where all
    turned alike, 1 where some did altogether. synchrony: pauses and waves in common. kit_spread: honest accounts have
    private traffic besides, to different degrees. prefix_dominance: share of requests under the
    favourite. template_cover: part of the organisations under the widest. night_share: machines do not sleep.
    clock_likeness: of the working hours, 0 where all work the same. more_volume: ln of the requests against each
    account's own rate before, mean. O(members x (targets + bins) + values).
    """
    load = _load_spread(population, ordinary, rows)
    rows = _typical(population, rows)
    found = {
        "load_spread": load,
        **_mix(population, ordinary, rows, capabilities),
        "shift_dispersion": likeness(population.X[rows, target], population.n[rows]),
        **_synchrony(activity.of(population.columns.keys[rows])),
        "night_share": _night_excess(population, ordinary, rows),
        **_templates(population, ordinary, holdings, rows),
        **_prefixes(ordinary, holdings, rows),
        **_growth(population, rows),
        **_clock(population, ordinary, rows),
    }
    return {trait: round(float(value), 4) for trait, value in found.items()}


def _typical(population: Population, rows: Ints) -> Ints:
    """The group without its giants: one heavy account's exit, favourite template or rhythm is not the group's."""
    n = population.n[rows]
    typical = rows[n <= GIANT * np.median(n)]
    return typical if 2 * len(typical) > len(rows) else rows


def _load_spread(population: Population, ordinary: Ordinary, rows: Ints) -> float:
    n = population.n[rows]
    n = n[n >= 3] if (n >= 3).sum() >= 5 else n
    return float(np.std(np.log(n)) / max(ordinary.volume_spread, 1e-9))


def _mix(population: Population, ordinary: Ordinary, rows: Ints, capabilities: Ints) -> dict[str, float]:
    if not len(capabilities):
        return {}
    n = population.n[rows]
    share = population.X[np.ix_(rows, capabilities)].sum(axis=0) / n.sum()
    weight = share * (1 - share)
    mine = np.array([likeness(population.X[rows, k], n) for k in capabilities])
    return {"mix_likeness": float((weight * mine).sum() / max((weight * ordinary.mix).sum(), 1e-9))}


def _synchrony(bins: Floats) -> dict[str, float]:
    return {"synchrony": synchrony(bins)} if bins.shape[1] >= 2 * DETREND_BINS else {}


def synchrony(bins: Floats) -> float:
    """Variance of the group's total per bin, its slow trend taken out, over the sum of the accounts' variances.

    Independent accounts give 1 less what their own days and sessions add to the divisor; common waves give more.
    """
    total = bins.sum(axis=0)
    window = np.ones(DETREND_BINS)
    trend = np.convolve(total, window, "same") / np.convolve(np.ones_like(total), window, "same")
    # The trend holds a 1/25 of each bin itself, which shrinks what is left by as much.
    left = (total - trend).var() / (1.0 - 1.0 / DETREND_BINS)
    return float(left / max(bins.var(axis=1).sum(), 1e-9))


def _templates(population: Population, ordinary: Ordinary, holdings: Holdings, rows: Ints) -> dict[str, float]:
    dimension = holdings.place("template")
    if dimension < 0:
        return {}
    position, value, count = _of_dimension(holdings, rows, dimension)
    if not len(value):
        return {}
    org = population.org[rows][position]
    pairs = np.unique(value * np.int64(population.organisations + 1) + org)
    reach = np.bincount(pairs // (population.organisations + 1), minlength=len(holdings.accounts))
    shared = reach[value] >= 3
    total = ordinary.requests[dimension][rows]
    kit = np.bincount(position[shared], weights=count[shared], minlength=len(rows))
    used = total >= 3
    organisations = len(np.unique(population.org[rows]))
    spread = {"kit_spread": float(np.std(kit[used] / total[used]))} if used.sum() >= 3 else {}
    return {
        **spread,
        "template_cover": float(reach.max() / organisations),
    }


def _of_dimension(holdings: Holdings, rows: Ints, dimension: int) -> tuple[Ints, Ints, Floats]:
    """(position in rows, value, requests) of what the rows hold of one dimension."""
    at, position = holdings.places(rows)
    mine = holdings.carried.dimension[holdings.value[at]] == dimension
    return position[mine], holdings.value[at[mine]], holdings.count[at[mine]]


def _prefixes(ordinary: Ordinary, holdings: Holdings, rows: Ints) -> dict[str, float]:
    dimension = holdings.place("ip_prefix")
    if dimension < 0:
        return {}
    total = ordinary.requests[dimension][rows].sum()
    _, value, count = _of_dimension(holdings, rows, dimension)
    if total <= 0 or not len(value):
        return {}
    return {"prefix_dominance": float(np.bincount(value, weights=count).max() / total)}


def _night_excess(population: Population, ordinary: Ordinary, rows: Ints) -> float:
    """Share of the group's requests in the night of its members' countries, less what their compatriots do."""
    country = population.columns.country[rows].astype(np.int64) + 1
    hours = population.columns.hours[rows].astype(float)
    night = (hours * ordinary.night[country]).sum()
    expected = (hours.sum(axis=1) * ordinary.night_share[country]).sum()
    return float((night - expected) / max(hours.sum(), 1.0))


def _clock(population: Population, ordinary: Ordinary, rows: Ints) -> dict[str, float]:
    usual = ordinary.clock.sum()
    return {"clock_likeness": float(_hours_apart(population, rows).sum() / usual)} if usual > 0 else {}


def _growth(population: Population, rows: Ints) -> dict[str, float]:
    known = rows[population.nb[rows] >= RATE_BASELINE_MIN]
    if len(known) < RATES_MIN:
        return {}
    usual = usual_requests(population)[known]
    return {"more_volume": float(np.log((population.n[known] + 1.0) / (usual + 1.0)).mean())}
