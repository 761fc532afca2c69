"""Which small integer stands for this name?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def order_of(names: Sequence[Any], before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indexes of names in their order; before: this order when the names ended earlier. O(1) where none is new.

    Else the sort finds two runs, and merges them in O(names).

    >>> order_of(["b", "c", "a"], np.array([0, 1])).tolist()
    [2, 0, 1]
    """
    if len(before) == len(names):
        return before
    new = sorted(range(len(before), len(names)), key=names.__getitem__)
    return np.array(sorted(before.tolist() + new, key=names.__getitem__), np.int64)


def order_of_pairs(pairs: Sequence[tuple[str, str]]) -> list[int]:
    """Indexes of (dimension, value) pairs in their order. Dimension by dimension: Python sorts plain text quickest.

    >>> order_of_pairs([("org", "b"), ("asn", "c"), ("org", "a")])
    [1, 2, 0]
    """
    of_dimension: dict[str, list[int]] = {}
    for i, (dimension, _) in enumerate(pairs):
        of_dimension.setdefault(dimension, []).append(i)
    values = [value for _, value in pairs]
    return [i for dimension in sorted(of_dimension) for i in sorted(of_dimension[dimension], key=values.__getitem__)]


class Interned:
    """Names <-> small integers, in order of first sight. The order differs between replays, so it is never told.

    >>> names = Interned()
    >>> names.of(("org", "b")), names.of(("org", "a")), names.of(("org", "b"))
    (0, 1, 0)
    """

    __slots__ = ("_sorted", "index", "names")

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self.index: dict[tuple[str, str], int] = {}
        self._sorted: NDArray[np.int64] = np.zeros(0, np.int64)

    def of(self, name: tuple[str, str]) -> int:
        """The integer of a name, new or old."""
        found = self.index.get(name)
        if found is None:
            found = self.index[name] = len(self.names)
            self.names.append(name)
        return found

    def sorted(self) -> NDArray[np.int64]:
        """The integers in the order of their names. O(1) while no name is new, else O(names)."""
        self._sorted = order_of(self.names, self._sorted)
        return self._sorted
