"""Is it one operator, or an agency, a course, a product? Votes on how a group's accounts work."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.membership import Holdings
from detectors.population import Floats, Ints, Population
from detectors.summary import AccountColumns

# Limit of each trait, and the unit of its margin: about the spread of the trait among groups of one kind. Measured on
# parts of simulated fleets, campaigns against honest networks; each has a reason of its own.
LIMITS = {
    "load_spread": (0.82, 0.15),  # uneven load costs an operator capacity; honest customers differ freely
    "mix_likeness": (0.56, 0.12),  # one kit means one mix
    "shift_dispersion": (0.25, 0.10),  # everybody moves a bit, instead of some altogether
    "synchrony": (0.95, 0.10),  # pauses and waves in common
    "kit_spread": (0.22, 0.03),  # honest accounts have private traffic besides, to different degrees
    "template_dominance": (0.05, 0.02),  # an operator rotates its templates; a pack or course has a favourite
    "template_cover": (0.30, 0.08),
    "prefix_dominance": (0.15, 0.10),  # an office has one exit
    "night_share": (0.08, 0.03),  # machines do not sleep; an operator who wants to can keep office hours
}
CLOCK_TRAITS = ("load_spread", "mix_likeness", "shift_dispersion", "kit_spread", "prefix_dominance")
SCORE_MIN, SCORE_CLEAR, CLOCK_SCORE_MIN = 0.75, 1.0, 0.3  # mean margins
KIT_MARGIN_MIN = -0.5
VOTES_MIN_SHARE = 5 / 7
CLOCK_VOTES_MIN_SHARE = 3 / 5
VOTES_AVAILABLE_MIN = 4
NIGHT_HOURS = 8
ONE_EXIT = 0.4
GIANT = 5.0  # times the group's median requests
DETREND_BINS = 25  # two hours of 5 minutes


@dataclass(frozen=True, slots=True)
class Vote:
    """One trait of a group: its value, the limit, whether it speaks for one hand, and how clearly.

    margin: distance from the limit in units of how much the trait varies among groups of one kind, -2 to 2.
    """

    trait: str
    value: float
    limit: float
    one_hand: bool
    margin: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the votes say. one_hand: they pass. clearly: by so much that one tick is enough.

    looks_like: an honest kind of network, where they do not pass.
    """

    votes: tuple[Vote, ...]
    one_hand: bool
    clearly: bool
    looks_like: str | None

    @property
    def votes_for(self) -> int:
        """How many votes speak for one hand."""
        return sum(vote.one_hand for vote in self.votes)


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
    """What is ordinary in this tick, to hold a group against."""

    volume_spread: float
    mix: Floats
    night: NDArray[np.bool_]
    night_share: Floats


def ordinary_of(population: Population, capabilities: Ints) -> Ordinary:
    """The fleet's own traits. O(accounts x capabilities)."""
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
    )


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


def verdict_of(
    population: Population, ordinary: Ordinary, holdings: Holdings, activity: Activity, rows: Ints,
    capabilities: Ints, target: int, *, clock: bool,
) -> Verdict:  # fmt: skip
    """Ask whether one hand works the accounts in `rows`. target: column of the strongest shift."""
    load = _at_most("load_spread", _load_spread(population, ordinary, rows))
    rows = _typical(population, rows)
    votes = [
        load,
        _at_most("mix_likeness", _mix(population, ordinary, rows, capabilities)),
        _at_most("shift_dispersion", likeness(population.X[rows, target], population.n[rows])),
        _at_least("synchrony", synchrony(activity.of(population.columns.keys[rows]))),
        *_template_votes(population, holdings, rows),
    ]
    favour = sum(vote.one_hand for vote in votes)
    score = _mean_margin(votes)
    enough = len(votes) >= VOTES_AVAILABLE_MIN and favour >= math.ceil(VOTES_MIN_SHARE * len(votes))
    passed = enough and score >= SCORE_MIN
    clearly = enough and score >= SCORE_CLEAR
    if clock:
        votes += [*_prefix_vote(holdings, rows), _at_least("night_share", _night_excess(population, ordinary, rows))]
        by_clock = _score_by_the_clock(votes)
        passed |= by_clock >= CLOCK_SCORE_MIN
        clearly |= by_clock >= SCORE_CLEAR
    return Verdict(tuple(votes), passed, clearly, None if passed else _looks_like(votes))


def _score_by_the_clock(votes: list[Vote]) -> float:
    """Mean margin of five other votes where accounts work round the clock, most of the five agree, and no private
    traffic differs between the accounts; else minus infinity."""
    by_trait = {vote.trait: vote for vote in votes}
    five = [by_trait[trait] for trait in CLOCK_TRAITS if trait in by_trait]
    favour = sum(vote.one_hand for vote in five)
    kit = by_trait.get("kit_spread")
    holds = (
        by_trait["night_share"].one_hand
        and favour >= math.ceil(CLOCK_VOTES_MIN_SHARE * len(five))
        and (kit is None or kit.margin >= KIT_MARGIN_MIN)
    )
    return _mean_margin(five) if holds else -math.inf


def _mean_margin(votes: list[Vote]) -> float:
    return sum(vote.margin for vote in votes) / max(len(votes), 1)


def _at_most(trait: str, value: float) -> Vote:
    limit, unit = LIMITS[trait]
    return _vote(trait, value, limit, (limit - value) / unit)


def _at_least(trait: str, value: float) -> Vote:
    limit, unit = LIMITS[trait]
    return _vote(trait, value, limit, (value - limit) / unit)


def _vote(trait: str, value: float, limit: float, margin: float) -> Vote:
    return Vote(trait, round(float(value), 4), limit, margin >= 0, round(float(np.clip(margin, -2.0, 2.0)), 4))


def _typical(population: Population, rows: Ints) -> Ints:
    """The group without its giants: one heavy account's exit, favourite template or rhythm is not the group's."""
    n = population.n[rows]
    typical = rows[n <= GIANT * np.median(n)]
    return typical if 2 * len(typical) > len(rows) else rows


def _load_spread(population: Population, ordinary: Ordinary, rows: Ints) -> float:
    n = population.n[rows]
    n = n[n >= 3] if (n >= 3).sum() >= 5 else n
    return float(np.std(np.log(n)) / max(ordinary.volume_spread, 1e-9))


def _mix(population: Population, ordinary: Ordinary, rows: Ints, capabilities: Ints) -> float:
    if not len(capabilities):
        return 1.0
    n = population.n[rows]
    share = population.X[np.ix_(rows, capabilities)].sum(axis=0) / n.sum()
    weight = share * (1 - share)
    mine = np.array([likeness(population.X[rows, k], n) for k in capabilities])
    return float((weight * mine).sum() / max((weight * ordinary.mix).sum(), 1e-9))


def synchrony(bins: Floats) -> float:
    """Variance of the group's total per bin, its slow trend taken out, over the sum of the accounts' variances.

    Independent accounts give 1 less what their own days and sessions add to the divisor; common waves give more.
    """
    total = bins.sum(axis=0)
    if len(total) < 2 * DETREND_BINS:
        return 0.0
    window = np.ones(DETREND_BINS)
    trend = np.convolve(total, window, "same") / np.convolve(np.ones_like(total), window, "same")
    # The trend holds a 1/25 of each bin itself, which shrinks what is left by as much.
    left = (total - trend).var() / (1.0 - 1.0 / DETREND_BINS)
    return float(left / max(bins.var(axis=1).sum(), 1e-9))


def _template_votes(population: Population, holdings: Holdings, rows: Ints) -> list[Vote]:
    dimension = _place(holdings, "template")
    if dimension is None:
        return []
    position, value, count = holdings.of(rows)
    mine = holdings.carried.dimension[value] == dimension
    position, value, count = position[mine], value[mine], count[mine]
    if not len(value):
        return []
    org = population.org[rows][position]
    pairs = np.unique(value * np.int64(population.organisations + 1) + org)
    reach = np.bincount(pairs // (population.organisations + 1), minlength=len(holdings.accounts))
    shared = reach[value] >= 3
    total = _template_requests(holdings, rows, dimension)
    kit = np.bincount(position[shared], weights=count[shared], minlength=len(rows))
    used = total >= 3
    spread = float(np.std(kit[used] / total[used])) if used.sum() >= 3 else 1.0
    requests = np.bincount(value, weights=count)
    organisations = len(np.unique(population.org[rows]))
    return [
        _at_most("kit_spread", spread),
        _at_most("template_dominance", float(requests.max() / max(total.sum(), 1.0))),
        _at_most("template_cover", float(reach.max() / organisations)),
    ]


def _template_requests(holdings: Holdings, rows: Ints, dimension: int) -> Floats:
    """Requests of each account that carried any template, rare or not."""
    per_account = holdings.requests_by_dimension()
    return per_account[dimension][rows]


def _place(holdings: Holdings, name: str) -> int | None:
    names = holdings.carried.dimensions
    return names.index(name) if name in names else None


def _prefix_vote(holdings: Holdings, rows: Ints) -> list[Vote]:
    dimension = _place(holdings, "ip_prefix")
    if dimension is None:
        return []
    total = holdings.requests_by_dimension()[dimension][rows].sum()
    _, value, count = holdings.of(rows)
    mine = holdings.carried.dimension[value] == dimension
    if total <= 0 or not mine.any():
        return []
    dominance = float(np.bincount(value[mine], weights=count[mine]).max() / total)
    return [_at_most("prefix_dominance", dominance)]


def _night_excess(population: Population, ordinary: Ordinary, rows: Ints) -> float:
    """Share of the group's requests in the night of its members' countries, less what their compatriots do."""
    country = population.columns.country[rows].astype(np.int64) + 1
    hours = population.columns.hours[rows].astype(float)
    night = (hours * ordinary.night[country]).sum()
    expected = (hours.sum(axis=1) * ordinary.night_share[country]).sum()
    return float((night - expected) / max(hours.sum(), 1.0))


def _looks_like(votes: list[Vote]) -> str:
    """The honest kind of network that the votes against resemble most."""
    value = {vote.trait: vote.value for vote in votes}
    against = {vote.trait for vote in votes if not vote.one_hand}
    if value.get("prefix_dominance", 0.0) > ONE_EXIT:
        return "course" if "template_cover" in against else "vpn"
    if "template_cover" in against:
        return "prompt_pack" if "mix_likeness" in against else "product"
    return "agency" if "kit_spread" in against or "load_spread" in against else "prompt_pack"
