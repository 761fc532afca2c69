"""Who belongs to this group? Log-odds of each candidate from the rare values it shares and how it moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Floats, Ints, Population
from detectors.ties.carriers import Carried

VALUE_NATS_MAX = 5.0  # that one value may add
DIMENSION_NATS_MAX = 7.0  # that all values of a dimension may add
TURNED = 2.0  # nats of evidence from which an account counts as one that turned
USUAL_MIN, USUAL_MAX = 0.01, 0.4  # part of the fleet that turns as well
TOP = 12  # accounts that share most with the group: what members do
ODDS_MIN = 0.02
KEEP_SCORE = 1.5  # four in five
ROUNDS = 3
CONCENTRATED = 5.0  # times as often as everybody else: a value that is the group's


class Holdings:
    """The rare values of each account, by row: a view of the tick's memberships that groups are scored against."""

    def __init__(self, population: Population, carried: Carried, organisations_max: int) -> None:
        rare = (carried.organisations >= 2) & (carried.organisations <= organisations_max) & (carried.dimension >= 0)
        chosen = np.flatnonzero(rare[carried.value])
        order = chosen[np.lexsort((carried.value[chosen], carried.row[chosen]))]
        self.value: Ints = carried.value[order]
        self.count: Floats = carried.count[order]
        self.row: Ints = carried.row[order]
        self.start: Ints = np.searchsorted(carried.row[order], np.arange(len(population) + 1))
        self.accounts: Ints = np.bincount(self.value, minlength=len(carried.key))
        self.carried = carried
        self.population = population
        self._by_dimension: list[Floats] | None = None

    def requests_by_dimension(self) -> list[Floats]:
        """For each link dimension, the requests of each account that carried any value of it, rare or not."""
        if self._by_dimension is None:
            carried, size = self.carried, len(self.population)
            dimension = carried.dimension[carried.value]
            self._by_dimension = [
                np.bincount(carried.row[dimension == d], carried.count[dimension == d], size).astype(float)
                for d in range(len(carried.dimensions))
            ]
        return self._by_dimension

    def of(self, rows: Ints) -> tuple[Ints, Ints, Floats]:
        """(position in rows, value, requests) of everything that the rows carry."""
        length = self.start[rows + 1] - self.start[rows]
        position = np.repeat(np.arange(len(rows)), length)
        first = np.cumsum(length) - length
        at = self.start[rows][position] + np.arange(int(length.sum())) - first[position]
        return position, self.value[at], self.count[at]


def log_odds(holdings: Holdings, evidence: Floats, group: Ints, candidates: Ints) -> Floats:
    """ln odds that each candidate belongs to the group, by what it shares with it and by whether it turned.

    How much sharing makes a member is measured in the fleet at hand: of the accounts that share so much with the group,
    the part that turned rises from what is usual in the fleet (strangers) to what it is among those who share most
    (members); in between, both are mixed in proportion. The part is isotonic in what is shared. evidence: of every
    account's turn to what the group turned to, in nats. O(memberships + accounts log accounts).

    Source: the two-groups model, Efron 2008; pooled adjacent violators, Barlow et al. 1972.
    """
    from scipy.optimize import isotonic_regression  # heavy, and only the worker that judges needs it

    population = holdings.population
    near = np.union1d(np.flatnonzero(carried_of(holdings, group)), candidates)
    shared = shared_nats(holdings, group, near)
    turned = evidence[near] >= TURNED
    elsewhere = np.ones(len(population), bool)
    elsewhere[near] = False
    usual = float(np.clip((evidence[elsewhere] >= TURNED).mean() if elsewhere.any() else 0.0, USUAL_MIN, USUAL_MAX))
    order = np.argsort(shared, kind="stable")
    part = np.empty(len(near))
    part[order] = isotonic_regression(turned[order].astype(float), weights=_spoken(population, near[order])).x
    members = max(float(np.quantile(part, 1.0 - min(TOP / len(near), 0.5))), 2.0 * usual)
    belongs = np.clip((part - usual) / (members - usual), 0.0, 1.0)
    likely = np.where(turned, members / usual, (1.0 - min(members, 0.95)) / (1.0 - usual))
    odds = np.clip(belongs, ODDS_MIN, 1.0 - ODDS_MIN)
    nats = np.log(odds / (1.0 - odds)) + np.log(likely)
    place = np.searchsorted(near, candidates)
    found: Floats = nats[place]
    return found


def _spoken(population: Population, rows: Ints) -> Floats:
    """Weight of each account: each organisation speaks once."""
    org = np.unique(population.org[rows], return_inverse=True)[1]
    return 1.0 / np.bincount(org)[org]


def shared_nats(holdings: Holdings, group: Ints, candidates: Ints) -> Floats:
    """What each candidate shares with the group, its own organisation left out, in nats.

    A value speaks by how much more of the group carries it than of all others; the values of a dimension add up to
    DIMENSION_NATS_MAX. O(values of the group and the candidates).
    """
    population = holdings.population
    size, everyone = len(group), len(population)
    _, group_value, group_org, group_count = _carriers_by_org(holdings, group)
    position, value, _ = holdings.of(candidates)
    inside = np.bincount(group_value, weights=group_count, minlength=len(holdings.accounts))
    own = _own(group_value, group_org, group_count, value, population.org[candidates][position])
    carry = inside[value] - own
    odds = (carry / size) / ((holdings.accounts[value] - carry + 1.0) / (everyone - size + 1.0))
    nats = np.clip(np.where(carry > 0, np.log(np.maximum(odds, 1e-9)), 0.0), 0.0, VALUE_NATS_MAX)
    dimensions = len(holdings.carried.dimensions)
    place = position * dimensions + holdings.carried.dimension[value]
    shared = np.bincount(place, nats, len(candidates) * dimensions).reshape(len(candidates), dimensions)
    total: Floats = np.minimum(shared, DIMENSION_NATS_MAX).sum(axis=1)
    return total


def _carriers_by_org(holdings: Holdings, group: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """(code, value, organisation, accounts) of each value and organisation in the group, sorted by code."""
    position, value, _ = holdings.of(group)
    width = np.int64(holdings.population.organisations + 1)
    code, count = np.unique(value * width + holdings.population.org[group][position], return_counts=True)
    return code, code // width, code % width, count.astype(float)


def _own(group_value: Ints, group_org: Ints, group_count: Floats, value: Ints, org: Ints) -> Floats:
    """Accounts of the candidate's own organisation that carry the value inside the group."""
    if not len(group_value):
        return np.zeros(len(value))
    width = np.int64(max(group_org.max(), org.max() if len(org) else 0) + 1)
    codes = group_value * width + group_org
    wanted = value * width + org
    at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where(codes[at] == wanted, group_count[at], 0.0)


def values_of(holdings: Holdings, group: Ints) -> NDArray[np.bool_]:
    """Which values are the group's: two of its accounts carry it, CONCENTRATED times as often as everybody else."""
    _, value, _ = holdings.of(group)
    inside = np.bincount(value, minlength=len(holdings.accounts))
    others = (holdings.accounts - inside + 1.0) / (len(holdings.population) - len(group) + 1.0)
    mine: NDArray[np.bool_] = (inside >= 2) & (inside / max(len(group), 1) >= CONCENTRATED * others)
    return mine


def carried_of(holdings: Holdings, group: Ints) -> Ints:
    """How many of the group's values each account of the fleet carries. O(memberships)."""
    mine = values_of(holdings, group)
    return np.bincount(holdings.row[mine[holdings.value]], minlength=len(holdings.population))


def candidates_of(holdings: Holdings, evidence: Floats, part: Ints, taken: NDArray[np.bool_]) -> Ints:
    """The part, and accounts of no other part that carry two values of it, or one and turned to what it turned to.
    O(memberships)."""
    carried = carried_of(holdings, part)
    free = ((carried >= 2) | ((carried >= 1) & (evidence >= TURNED))) & ~taken
    free[part] = True
    return np.flatnonzero(free)


def cleaned(holdings: Holdings, evidence: Floats, part: Ints, candidates: Ints) -> tuple[Ints, Floats]:
    """The group after up to three rounds of scoring, and the score of each of its members."""
    group = part
    for _ in range(ROUNDS):
        score = log_odds(holdings, evidence, group, candidates)
        kept = candidates[score >= KEEP_SCORE]
        if len(kept) < 5:
            return kept, score[score >= KEEP_SCORE]
        if len(kept) == len(group) and (kept == group).all():
            break
        group = kept
    return group, log_odds(holdings, evidence, group, group)
