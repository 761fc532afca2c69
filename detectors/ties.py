"""Which accounts of unrelated organisations belong together? Rare values shared, and moving alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from detectors.carriers import CARRIERS_MAX, Carried
from detectors.movement import Movement
from detectors.parameters import Parameters
from detectors.population import Floats, Ints, Population

# Nats that one shared value, and one dimension, may add to a link. Prompt-side values add up further: a campaign
# rotates over dozens of them, and sharing many is what two strangers never do.
VALUE_NATS_MAX = {"payment": 9.0, "ip_prefix": 6.0, "template": 9.0}
DIMENSION_NATS_MAX = {"payment": 9.0, "ip_prefix": 6.0, "template": 16.0}
OTHER_NATS_MAX = 6.0
AGREEING_DIMENSIONS = 2
NEAR_NATS = 2.5
RANDOM_PAIRS = 20_000
MOVE_NATS_MAX = 6.5
SIMILAR_TARGETS = 3
PAIRS_MAX = 20_000_000  # 24 bytes each while a tick is judged: 480 MB
CARRIERS_KEPT = (CARRIERS_MAX, 150, 100, 70, 50, 35, 20)  # with 20 a million values are 190 million pairs at most


@dataclass(slots=True)
class Ties:
    """Pairs a < b of account rows of different organisations that share a rare value.

    link: nats of the values shared, less what large organisations share by chance. strength: link + move (nats).
    tied: strength over the line. near: strength within 2.5 nats of it.
    """

    a: Ints
    b: Ints
    link: Floats
    strength: Floats
    line: float

    @property
    def tied(self) -> NDArray[np.bool_]:
        """Which pairs are ties."""
        return self.strength >= self.line

    @property
    def near(self) -> NDArray[np.bool_]:
        """Which pairs are ties, or nearly."""
        return self.strength >= self.line - NEAR_NATS


def ties_of(population: Population, movement: Movement, carried: Carried, parameters: Parameters, *, seed: int) -> Ties:
    """All pairs with a link, and which are ties: at most about 0.2 chance ties an account at any fleet size.

    Pairs are bounded: of a value with over CARRIERS_MAX accounts (fewer where there would be over PAIRS_MAX pairs) a
    sample by account hash is used, the same for every value: who is kept for one is kept for the others.
    """
    a, b, link = _links(population, carried, parameters)
    size = np.log(np.maximum(1.0, population.org_size / 5.0))
    different = population.org[a] != population.org[b]
    a, b, link = a[different], b[different], link[different]
    link = link - size[population.org[a]] - size[population.org[b]]
    keep = link > 0
    a, b, link = a[keep], b[keep], link[keep]
    line = np.log(max(population.organisations, 2)) + parameters.tie_excess
    within_reach = link + MOVE_NATS_MAX >= line - NEAR_NATS
    a, b, link = a[within_reach], b[within_reach], link[within_reach]
    move = _moving_alike(movement.u.astype(np.float32), a, b, seed)
    return Ties(a, b, link, link + move, line)


def _links(population: Population, carried: Carried, parameters: Parameters) -> tuple[Ints, Ints, Floats]:
    """Upper triangle of the sum over dimensions of capped information shared.

    A popular value counts only for a pair that shares a second dimension: users of one framework, or of one exit, are
    strangers; who has the framework's prompt and the exit and the payment in common is not.
    """
    rank = np.argsort(np.argsort(population.columns.keys))  # by hash of the account: the sample of every value
    is_rare = carried.organisations <= parameters.value_organisations_max
    known = (carried.organisations >= 2) & (carried.organisations <= parameters.popular_max(population.organisations))
    known &= carried.dimension >= 0
    most = carriers_kept(np.bincount(carried.value[known[carried.value]], minlength=len(known)))
    shape = (len(population),) * 2
    rare, shared, dimensions = csr_array(shape), csr_array(shape), csr_array(shape)
    for d in range(len(carried.dimensions)):
        mine = known & (carried.dimension == d)
        if not mine.any():
            continue
        of_rare = _shared(population, carried, mine & is_rare, d, rank, most)
        of_all = of_rare + _shared(population, carried, mine & ~is_rare, d, rank, most)
        of_all.data = np.minimum(of_all.data, DIMENSION_NATS_MAX.get(carried.dimensions[d], OTHER_NATS_MAX))
        rare, shared = rare + of_rare, shared + of_all
        dimensions = dimensions + _ones(of_all)
    agreeing = _ones(dimensions, dimensions.data >= AGREEING_DIMENSIONS)
    total = csr_array(shared * agreeing).maximum(rare).tocoo()
    return total.coords[0].astype(np.int64), total.coords[1].astype(np.int64), total.data


def carriers_kept(accounts: Ints) -> int:
    """How many carriers of each value are paired, so that all values together make at most PAIRS_MAX pairs.

    accounts: that carry each value.

    >>> carriers_kept(np.array([10, 5_000])), carriers_kept(np.full(100_000, 200))
    (200, 20)
    """
    for most in CARRIERS_KEPT:
        kept = np.minimum(accounts, most)
        if int((kept * (kept - 1) // 2).sum()) <= PAIRS_MAX:
            return most
    return CARRIERS_KEPT[-1]


def _shared(population: Population, carried: Carried, values: NDArray[np.bool_], d: int, rank: Ints, most: int) -> Any:
    """Upper triangle of the nats that pairs share in these values of dimension d, capped."""
    dimension, chosen = carried.dimensions[d], values[carried.value]
    row, value = _sampled(carried.row[chosen], carried.value[chosen], rank, most)
    value, names = _index(value)
    nats = np.log(np.maximum(population.organisations, 2) / carried.organisations[names])
    nats = np.clip(nats, 0.0, VALUE_NATS_MAX.get(dimension, OTHER_NATS_MAX))
    shape = (len(population), max(len(names), 1))
    plain = csr_array((np.ones(len(row)), (row, value)), shape=shape)
    weighted = csr_array((nats[value], (row, value)), shape=shape)
    shared = triu(weighted @ plain.T, k=1, format="csr")
    shared.data = np.minimum(shared.data, DIMENSION_NATS_MAX.get(dimension, OTHER_NATS_MAX))
    return shared


def _ones(matrix: Any, where: NDArray[np.bool_] | None = None) -> Any:
    """The same places with ones in them, or only those of `where`."""
    ones = matrix.copy()
    ones.data = np.ones(len(ones.data)) if where is None else where.astype(float)
    return ones


def _index(value: Ints) -> tuple[Ints, Ints]:
    """Values renumbered from 0, and the value of each number."""
    names, index = np.unique(value, return_inverse=True)
    return index.astype(np.int64), names


def _sampled(row: Ints, value: Ints, rank: Ints, most: int) -> tuple[Ints, Ints]:
    """At most so many rows of each value, those with the smallest account hash."""
    order = np.lexsort((rank[row], value))
    row, value = row[order], value[order]
    first = np.searchsorted(value, value)
    keep = np.arange(len(value)) - first < most
    return row[keep], value[keep]


def _moving_alike(u: NDArray[np.float32], a: Ints, b: Ints, seed: int) -> Floats:
    """Nats of evidence that pairs move alike: -ln of the chance among random pairs, less one, 0 to 6.5."""
    if not len(a):
        return np.zeros(0)
    random = np.random.default_rng(seed)
    left, right = random.integers(0, len(u), (2, RANDOM_PAIRS))
    null = np.sort(_similar(u, left, right))
    at_least = len(null) - np.searchsorted(null, _similar(u, a, b) - 1e-5)
    nats: Floats = np.clip(-np.log(np.maximum(at_least, 0.5) / len(null)) - 1.0, 0.0, MOVE_NATS_MAX)
    return nats


def _similar(u: NDArray[np.float32], a: Ints, b: Ints) -> Floats:
    """Sum of the largest min(u, u') over targets. In slices, so that memory does not grow with the pairs."""
    out = np.zeros(len(a))
    columns = np.ascontiguousarray(u.T)
    for at in range(0, len(a), 200_000):
        left, right = a[at : at + 200_000], b[at : at + 200_000]
        largest = [np.zeros(len(left), np.float32) for _ in range(min(SIMILAR_TARGETS, len(columns)))]
        for column in columns:
            # Each target finds its place among the largest so far; that is a tenth of the cost of sorting every pair.
            both = np.minimum(column[left], column[right])
            for place, so_far in enumerate(largest):
                largest[place], both = np.maximum(so_far, both), np.minimum(so_far, both)
        for place in range(len(largest) - 2, -1, -1):
            largest[place] += largest[place + 1]
        out[at : at + 200_000] = largest[0]
    return out
