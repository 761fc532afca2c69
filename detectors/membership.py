"""Who belongs to this group? Log-odds of each candidate from the rare values it shares and how it moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.carriers import Carried
from detectors.movement import Movement
from detectors.population import Floats, Ints, Population
from detectors.ties import Ties

# Nats that one value may add, by dimension; further values of a prompt-side dimension count 0.6 each.
VALUE_NATS_MAX = {"payment": 6.0, "ip_prefix": 3.0, "template": 5.0}
OTHER_NATS_MAX = 3.0
FURTHER = {"template": 0.6}
KEEP_SCORE = 2.0
NAME_SCORE = 4.0
ROUNDS = 3


class Holdings:
    """The rare values of each account, by row: a view of the tick's memberships that groups are scored against."""

    def __init__(self, population: Population, carried: Carried, organisations_max: int) -> None:
        rare = (carried.organisations >= 2) & (carried.organisations <= organisations_max) & (carried.dimension >= 0)
        chosen = np.flatnonzero(rare[carried.value])
        order = chosen[np.lexsort((carried.value[chosen], carried.row[chosen]))]
        self.value: Ints = carried.value[order]
        self.count: Floats = carried.count[order]
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


def log_odds(
    holdings: Holdings,
    movement: Movement,
    group: Ints,
    candidates: Ints,
    top_targets: Ints,
    prior_size: int | None = None,
) -> Floats:
    """ln odds that each candidate belongs to the group, by naive Bayes over rare values, movement and size.

    A value speaks for a candidate by how much more of the group (the candidate's own organisation left out) carries
    it than of all others. prior_size: accounts that the group is thought to have, where it is more than `group`.
    """
    population = holdings.population
    size, everyone = len(group), len(population)
    _, group_value, group_org, group_count = _carriers_by_org(holdings, group)
    position, value, _ = holdings.of(candidates)
    inside = np.bincount(group_value, weights=group_count, minlength=len(holdings.accounts))
    own = _own(group_value, group_org, group_count, value, population.org[candidates][position])
    carry = inside[value] - own
    odds = (carry / size) / ((holdings.accounts[value] - carry + 1.0) / (everyone - size + 1.0))
    nats = np.where(carry >= 2, np.log(np.maximum(odds, 1e-9)), 0.0)
    score = np.full(len(candidates), _prior(max(size, prior_size or 0), everyone))
    dimension = holdings.carried.dimension[value]
    for d, name in enumerate(holdings.carried.dimensions):
        mine = dimension == d
        capped = np.clip(nats[mine], 0.0, VALUE_NATS_MAX.get(name, OTHER_NATS_MAX))
        best = np.zeros(len(candidates))
        np.maximum.at(best, position[mine], capped)
        total = np.bincount(position[mine], weights=capped, minlength=len(candidates))
        score += best + FURTHER.get(name, 0.0) * (total - best)
    score += _moved(movement, candidates, top_targets)
    return score - np.log(np.maximum(1.0, population.org_size[population.org[candidates]] / 5.0))


def _prior(size: int, everyone: int) -> float:
    return float(np.log(size / max(everyone - size, 1)))


def _moved(movement: Movement, candidates: Ints, top_targets: Ints) -> Floats | float:
    if not len(top_targets):
        return 0.0
    u = movement.u[candidates][:, top_targets].max(axis=1)
    moved: Floats = np.clip(u - np.log(len(top_targets)) - 1.0, -1.0, 2.0)
    return moved


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


def candidates_of(population: Population, ties: Ties, part: Ints, taken: NDArray[np.bool_]) -> Ints:
    """The part, and accounts with near-ties into at least two of its organisations that belong to no other part."""
    inside = np.zeros(len(population), bool)
    inside[part] = True
    near = ties.near
    a, b = ties.a[near], ties.b[near]
    outward = np.concatenate((b[inside[a] & ~inside[b]], a[inside[b] & ~inside[a]]))
    inward = np.concatenate((a[inside[a] & ~inside[b]], b[inside[b] & ~inside[a]]))
    pairs = np.unique(outward * np.int64(population.organisations + 1) + population.org[inward])
    reach = np.bincount(pairs // (population.organisations + 1), minlength=len(population))
    return np.sort(np.concatenate((part, np.flatnonzero((reach >= 2) & ~taken & ~inside))))


def cleaned(
    holdings: Holdings, movement: Movement, part: Ints, candidates: Ints, top_targets: Ints
) -> tuple[Ints, Floats]:
    """The group after up to three rounds of scoring, and the score of each of its members."""
    group = part
    for _ in range(ROUNDS):
        score = log_odds(holdings, movement, group, candidates, top_targets)
        kept = candidates[score >= KEEP_SCORE]
        if len(kept) < 5:
            return kept, score[score >= KEEP_SCORE]
        if len(kept) == len(group) and (kept == group).all():
            break
        group = kept
    score = log_odds(holdings, movement, group, group, top_targets)
    return group, score
