"""How is chance drawn, for hundreds of thousands of owners at once, and the same in every run of a seed?"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOTHING = -1  # what is drawn for an owner that has nothing to choose from


def chance(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator of its own for each purpose: what one part draws never moves what another part draws.

    >>> int(chance(1, "fleet").integers(100)) == int(chance(1, "fleet").integers(100))
    True
    """
    words = [word if isinstance(word, int) else zlib.crc32(word.encode()) for word in purpose]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


def scrambled(number: NDArray[Any], seed: int) -> NDArray[np.uint64]:
    """Different 64-bit numbers for different numbers (splitmix64, a bijection), unlike from one another."""
    with np.errstate(over="ignore"):
        z = number.astype(np.uint64) + (np.uint64(seed % 65_521) << np.uint64(44))
        z = z * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x632BE59BD9B4E019)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def scattered(seed: int, number: NDArray[Any]) -> Floats:
    """A uniform draw in [0, 1) that belongs to each number: the same number, the same draw.

    >>> a, b = scattered(1, np.array([5, 5])).tolist()
    >>> a == b and 0 <= a < 1
    True
    """
    drawn: Floats = (scrambled(number, seed) >> np.uint64(11)).astype(np.float64) / 2.0**53
    return drawn


@dataclass(frozen=True, slots=True)
class Choices:
    """For each owner 0, 1, ... a weighted list of items; draws are vectorised over owners.

    Owner i holds items[start[i]:start[i + 1]]; edge[j] is i plus the cumulated weight up to and with item j, so that
    one binary search over `edge` draws for all owners at once. O(log items) a draw.
    """

    start: Ints
    items: NDArray[np.int32]
    edge: Floats

    @classmethod
    def of(cls, owners: int, owner: NDArray[Any], item: NDArray[Any], weight: NDArray[Any]) -> Choices:
        """From triples in any order; weights are relative within an owner. O(n log n)."""
        order = np.argsort(owner, kind="stable")
        owner, item, weight = owner[order], item[order], weight[order].astype(np.float64)
        start = np.searchsorted(owner, np.arange(owners + 1)).astype(np.int64)
        total = np.bincount(owner, weight, owners)
        running = np.cumsum(weight)
        before = np.concatenate(([0.0], running))[start[:-1]]
        return cls(start, item.astype(np.int32), owner + (running - before[owner]) / total[owner])

    def draw(self, owner: NDArray[Any], u: Floats) -> NDArray[np.int32]:
        """One item for each entry of owner, by u in [0, 1); NOTHING for an owner without items.

        >>> two = Choices.of(3, np.array([0, 0, 2]), np.array([7, 8, 9]), np.array([1.0, 3.0, 1.0]))
        >>> two.draw(np.array([0, 0, 2, 1]), np.array([0.2, 0.3, 0.99, 0.5])).tolist()
        [7, 8, 9, -1]
        """
        first, last = self.start[owner], self.start[owner + 1]
        if not len(self.items):
            return np.full(len(owner), NOTHING, np.int32)
        at = np.clip(np.searchsorted(self.edge, owner + u, side="right"), first, np.maximum(last - 1, first))
        return np.where(first == last, NOTHING, self.items[np.minimum(at, len(self.items) - 1)]).astype(np.int32)


def shares(rng: np.random.Generator, alpha: Floats) -> Floats:
    """One Dirichlet draw for each row of alpha (all entries > 0). Rows sum to 1."""
    draws = rng.standard_gamma(alpha) + 1e-12
    total: Floats = draws.sum(axis=1, keepdims=True)
    return draws / total


def heavy(rng: np.random.Generator, count: int, mean: float, sd_ln: float) -> Floats:
    """Lognormal draws with the given mean and standard deviation of the logarithm."""
    return mean * np.exp(sd_ln * rng.standard_normal(count) - sd_ln**2 / 2)


def zipf(count: int, power: float = 1.0) -> Floats:
    """Weights 1, 1/2^power, 1/3^power, ... that sum to 1."""
    weight = np.arange(1, count + 1, dtype=np.float64) ** -power
    part: Floats = weight / weight.sum()
    return part


def some_of(rng: np.random.Generator, pool: NDArray[Any], each: NDArray[Any]) -> tuple[Ints, NDArray[Any]]:
    """Draws for owner i up to `each[i]` different items of the pool: (owner, item) pairs. O(number of draws).

    >>> owner, item = some_of(chance(1, "x"), np.array([5, 6, 7]), np.array([1, 0, 2]))
    >>> sorted(set(owner.tolist())), set(item.tolist()) <= {5, 6, 7}
    ([0, 2], True)
    """
    owner = np.repeat(np.arange(len(each)), each)
    pair = np.unique(owner * len(pool) + rng.integers(0, len(pool), len(owner)))
    return pair // len(pool), pool[pair % len(pool)]
