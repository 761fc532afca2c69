"""Who belongs to this group? Log-odds of each candidate from the rare values it shares and how it moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Floats, Ints, Population
from detectors.ties.holdings import Holdings

VALUE_NATS_MAX = 5.0  # that one value may add
DIMENSION_NATS_MAX = 7.0  # that all values of a dimension may add
TURNED = 2.0  # nats of evidence from which an account counts as one that turned
USUAL_MIN, USUAL_MAX = 0.01, 0.4  # part of the fleet that turns as well
TOP = 12  # accounts that share most with the group: what members do
ODDS_MIN = 0.02
KEEP_SCORE = 1.5  # four in five
ROUNDS = 3
ACCOUNTS_MIN = 5  # fewer are no group to score anybody against
CONCENTRATED = 5.0  # times as often as everybody else: a value that is the group's


def log_odds(holdings: Holdings, evidence: Floats, group: Ints, candidates: Ints) -> Floats:
    """ln odds that each candidate belongs to the group, by what it shares with it and by whether it turned.

    How much sharing makes a member is measured in the fleet at hand: of the accounts that share so much with the group,
    the part that turned rises from what is usual in the fleet (strangers) to what it is among those who share most
    (members); in between, both are mixed in proportion. The part is isotonic in what is shared, in tenths of a nat.
    evidence: of every account's turn to what the group turned to, in nats. O(memberships + accounts log accounts).

    Source: the two-groups model, Efron 2008; pooled adjacent violators, Barlow et al. 1972.
    """
    population = holdings.population
    near = near_of(holdings, group, candidates)
    shared = shared_nats(holdings, group, near)
    turned = evidence >= TURNED
    level, part = _turned_by_level(population, shared, turned, near)
    usual = float(np.clip(part[0], USUAL_MIN, USUAL_MAX))
    place = np.searchsorted(near, candidates)
    mine = part[level[place]]
    members = max(float(np.quantile(part[level], 1.0 - min(TOP / len(near), 0.5))), 2.0 * usual)
    belongs = np.clip((mine - usual) / (members - usual), 0.0, 1.0)
    likely = np.where(turned[candidates], members / usual, (1.0 - min(members, 0.95)) / (1.0 - usual))
    odds = np.clip(belongs, ODDS_MIN, 1.0 - ODDS_MIN)
    found: Floats = np.log(odds / (1.0 - odds)) + np.log(likely)
    return found


def _turned_by_level(
    population: Population, shared: Floats, turned: NDArray[np.bool_], near: Ints
) -> tuple[Ints, Floats]:
    """(level of each of `near`, part that turned by level, rising): who shares as much is on one level; on the first
    is everybody who shares nothing, near or not. Each organisation speaks once."""
    from scipy.optimize import isotonic_regression  # heavy, and only the worker that judges needs it

    steps, level = np.unique(np.concatenate(([0.0], np.round(shared, 1))), return_inverse=True)
    level = level[1:]
    everywhere = np.ones(len(population), bool)
    everywhere[near[level > 0]] = False
    strangers = np.flatnonzero(everywhere)
    weight = np.bincount(level, _spoken(population, near), len(steps))
    moved = np.bincount(level, _spoken(population, near) * turned[near], len(steps))
    weight[0] = len(strangers) + 1e-9
    moved[0] = turned[strangers].sum()
    part: Floats = isotonic_regression(moved / weight, weights=weight).x
    return level, part


def _spoken(population: Population, rows: Ints) -> Floats:
    """Weight of each account: each organisation speaks once."""
    org = np.unique(population.org[rows], return_inverse=True)[1]
    return 1.0 / np.bincount(org)[org]


def shared_nats(holdings: Holdings, group: Ints, candidates: Ints) -> Floats:
    """What each candidate shares with the group, its own organisation left out, in nats.

    The values of a dimension add up to DIMENSION_NATS_MAX. O(values of the group and the candidates).
    """
    position, value = holdings.of(candidates)
    dimensions = len(holdings.carried.dimensions)
    place = position * dimensions + holdings.carried.dimension[value]
    shared = np.bincount(place, nats_of(holdings, group, candidates), len(candidates) * dimensions)
    total: Floats = np.minimum(shared.reshape(len(candidates), dimensions), DIMENSION_NATS_MAX).sum(axis=1)
    return total


def nats_of(holdings: Holdings, group: Ints, candidates: Ints) -> Floats:
    """Nats of each value that the candidates hold, in the order of `Holdings.places`, their own organisations left out.

    A value speaks by how much more of the group carries it than of all others. O(values of the group and candidates).
    """
    population = holdings.population
    size, everyone = len(group), len(population)
    group_value, group_org, group_count = _carriers_by_org(holdings, group)
    position, value = holdings.of(candidates)
    inside = np.bincount(group_value, weights=group_count, minlength=len(holdings.accounts))
    own = _own(group_value, group_org, group_count, value, population.org[candidates][position])
    carry = inside[value] - own
    odds = (carry / size) / ((holdings.accounts[value] - carry + 1.0) / (everyone - size + 1.0))
    nats: Floats = np.clip(np.where(carry > 0, np.log(np.maximum(odds, 1e-9)), 0.0), 0.0, VALUE_NATS_MAX)
    return nats


def _carriers_by_org(holdings: Holdings, group: Ints) -> tuple[Ints, Ints, Floats]:
    """(value, organisation, accounts) of each value and organisation in the group, sorted by both."""
    position, value = holdings.of(group)
    width = np.int64(holdings.population.organisations + 1)
    code, count = np.unique(value * width + holdings.population.org[group][position], return_counts=True)
    return code // width, code % width, count.astype(float)


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
    _, value = holdings.of(group)
    inside = np.bincount(value, minlength=len(holdings.accounts))
    mine: NDArray[np.bool_] = (inside >= 2) & concentrated(holdings, inside, len(group))
    return mine


def concentrated(holdings: Holdings, accounts: Ints, size: int) -> NDArray[np.bool_]:
    """Which values a group of so many accounts carries CONCENTRATED times as often as everybody else.

    accounts: of the group that carry each value.
    """
    elsewhere = (holdings.accounts - accounts + 1.0) / (len(holdings.population) - size + 1.0)
    found: NDArray[np.bool_] = accounts / max(size, 1) >= CONCENTRATED * elsewhere
    return found


def near_of(holdings: Holdings, group: Ints, besides: Ints) -> Ints:
    """Every account that carries a value of the group's (see `values_of`), and those besides, in order.
    O(memberships)."""
    return np.union1d(np.flatnonzero(carried_of(holdings, values_of(holdings, group))), besides)


def carried_of(holdings: Holdings, mine: NDArray[np.bool_]) -> Ints:
    """How many of these values each account of the fleet carries. O(memberships)."""
    return np.bincount(holdings.row[mine[holdings.value]], minlength=len(holdings.population))


def candidates_of(holdings: Holdings, evidence: Floats, part: Ints, taken: NDArray[np.bool_]) -> Ints:
    """The part, and accounts of no other part that carry two values of it, or one and turned to what it turned to.
    O(memberships)."""
    carried = carried_of(holdings, values_of(holdings, part))
    free = ((carried >= 2) | ((carried >= 1) & (evidence >= TURNED))) & ~taken
    free[part] = True
    return np.flatnonzero(free)


def cleaned(holdings: Holdings, evidence: Floats, part: Ints, candidates: Ints) -> Ints:
    """The candidates that belong to the group, after up to three rounds of scoring them against it."""
    group = part
    for _ in range(ROUNDS):
        kept = candidates[log_odds(holdings, evidence, group, candidates) >= KEEP_SCORE]
        settled = np.array_equal(kept, group)
        group = kept
        if settled or len(group) < ACCOUNTS_MIN:
            break
    return group
