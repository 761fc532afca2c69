"""Which small integer stands for this name?"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

RUN = 8_192  # names that are sorted in one call, which no other thread can interrupt: about 5 ms


def ordered(indexes: Sequence[int], names: Sequence[Any]) -> NDArray[np.int64]:
    """The indexes in the order of their names, as `sorted` gives them, but in many short calls. O(n log n).

    A million names sorted in one call would hold up every thread of the process for a second, heartbeats included.

    >>> ordered([0, 1, 2], ["b", "c", "a"]).tolist()
    [2, 0, 1]
    """
    if len(indexes) <= RUN:
        return np.array(sorted(indexes, key=names.__getitem__), np.int64)
    parts = len(indexes) // (RUN // 2)
    sample = sorted([names[i] for i in indexes[:: max(len(indexes) // (16 * parts), 1)]])
    splitters = sample[len(sample) // parts :: max(len(sample) // parts, 1)]
    buckets: list[list[int]] = [[] for _ in range(len(splitters) + 1)]
    for i in indexes:
        buckets[bisect_right(splitters, names[i])].append(i)
    return np.concatenate([np.array(sorted(bucket, key=names.__getitem__), np.int64) for bucket in buckets])


def in_order(names: Collection[str]) -> list[str]:
    """The names sorted, in short calls: see `ordered`.

    >>> in_order({"b", "a"})
    ['a', 'b']
    """
    listed = list(names)
    return [listed[i] for i in ordered(range(len(listed)), listed).tolist()]


def order_of(names: Sequence[Any], before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Indexes of names in their order; before: this order when the names ended earlier. O(1) where none is new.

    Else what is new is sorted and merged, block by block: O(names).

    >>> order_of(["b", "c", "a"], np.array([0, 1])).tolist()
    [2, 0, 1]
    """
    if len(before) == len(names):
        return before
    new = ordered(range(len(before), len(names)), names)
    blocks: list[NDArray[np.int64]] = []
    taken = 0
    for begin in range(0, len(before), RUN):
        block, following = before[begin : begin + RUN], before[begin + RUN : begin + RUN + 1]
        upto = bisect_left(new, names[following[0]], lo=taken, key=names.__getitem__) if len(following) else len(new)
        if upto > taken:
            both = [*block.tolist(), *new[taken:upto].tolist()]
            block = np.array(sorted(both, key=names.__getitem__), np.int64)
        blocks.append(block)
        taken = upto
    return np.concatenate([*blocks, new[taken:]])


def order_of_pairs(pairs: Sequence[tuple[str, str]]) -> list[int]:
    """Indexes of (dimension, value) pairs in their order. Dimension by dimension: Python sorts plain text quickest.

    >>> order_of_pairs([("org", "b"), ("asn", "c"), ("org", "a")])
    [1, 2, 0]
    """
    of_dimension: dict[str, list[int]] = {}
    for i, (dimension, _) in enumerate(pairs):
        of_dimension.setdefault(dimension, []).append(i)
    values = [value for _, value in pairs]
    return [i for dimension in sorted(of_dimension) for i in ordered(of_dimension[dimension], values).tolist()]


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

    def keep(self, kept: NDArray[np.int64]) -> NDArray[np.int64]:
        """Forget all but these, given rising; the new integer of each old one, -1 where it is forgotten. O(names).

        >>> names = Interned()
        >>> for one in ("b", "c", "a"):
        ...     _ = names.of(("org", one))
        >>> names.keep(np.array([0, 2])).tolist(), names.of(("org", "a"))
        ([0, -1, 1], 1)
        """
        new = np.full(len(self.names), -1, np.int64)
        new[kept] = np.arange(len(kept))
        self.hold([self.names[i] for i in kept.tolist()])
        return new

    def hold(self, names: Iterable[Sequence[str]]) -> None:
        """Begin anew with these names, as 0, 1, 2 and so on."""
        self.names = [(first, second) for first, second in names]
        self.index = {name: i for i, name in enumerate(self.names)}
        self._sorted = np.zeros(0, np.int64)
