"""How is chance drawn, for hundreds of thousands of owners at once, and the same in every run of a seed?"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOTHING = -1  # what is drawn for an owner that has nothing to choose from


def chance(seed: int, *purpose: str | int) -> np.random.Generator:
    """A generator of its own for each purpose: what one part draws never moves what another part draws.

    >>> chance(1, "fleet").integers(100) == chance(1, "fleet").integers(100)
    True
    """
    words = [word if isinstance(word, int) else zlib.crc32(word.encode()) for word in purpose]
    return np.random.default_rng(np.random.SeedSequence([seed, *words]))


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
    return draws / draws.sum(axis=1, keepdims=True)


def heavy(rng: np.random.Generator, count: int, mean: float, sd_ln: float) -> Floats:
    """Lognormal draws with the given mean and standard deviation of the logarithm."""
    return mean * np.exp(sd_ln * rng.standard_normal(count) - sd_ln**2 / 2)


def zipf(count: int, power: float = 1.0) -> Floats:
    """Weights 1, 1/2^power, 1/3^power, ... that sum to 1."""
    weight = np.arange(1, count + 1, dtype=np.float64) ** -power
    return weight / weight.sum()


def some_of(rng: np.random.Generator, owners: int, pool: Sequence[int] | NDArray[Any], each: NDArray[Any]) -> Any:
    """For each owner `each` distinct items of the pool: (owner, item) pairs. O(owners x pool).

    >>> owner, item = some_of(chance(1, "x"), 2, [5, 6, 7], np.array([1, 3]))
    >>> owner.tolist(), sorted(item[1:].tolist())
    ([0, 1, 1, 1], [5, 6, 7])
    """
    pool = np.asarray(pool)
    each = np.minimum(each, len(pool))
    rank = np.argsort(rng.random((owners, len(pool))), axis=1)
    taken = np.arange(len(pool))[None, :] < each[:, None]
    owner = np.repeat(np.arange(owners), each)
    return owner, pool[rank[taken]]
