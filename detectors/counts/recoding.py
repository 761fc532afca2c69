"""What do the codes of a stored state mean where another number of targets is told apart now?

A stored code is `row * width + target`, with width the `targets_max` that it was written under: read with another
width it would name another account and another target. Works on the states that snapshots hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.sparse import reduced
from detectors.counts.ticks import Entries, Int64s, TickCounts

UNNAMED = 2  # the last two columns: what came after the limit, and the request itself


def recoded(
    accounts: Mapping[str, Any], ticks: Mapping[str, Any], was: int, width: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The states of accounts and open ticks, written under a width of `was`, as `width` columns hold them.

    Where there are fewer, targets seen first keep their names, as when they are counted; the counts of the others go
    to the column that has no name, and out of what is judged. Where there are more, nothing is lost. O(state).
    """
    targets, *others = accounts["interned"]
    columns = _Columns(was, width)
    hours = [[hour, *columns.judged(codes, counts)] for hour, codes, counts in accounts["ring"]]
    moved = {
        **accounts,
        **{name: list(columns.judged(*accounts[name])) for name in ("fast", "slow")},
        "ring": hours,
        "interned": [targets[: width - UNNAMED], *others],
        "hour_counts": [_closed(plain, columns) for plain in accounts["hour_counts"]],
    }
    opened = [[*tick[:-1], [_open(plain, columns) for plain in tick[-1]]] for tick in ticks["ticks"]]
    return moved, {**ticks, "ticks": opened}


class _Columns:
    """The way of a code from one width into another."""

    def __init__(self, was: int, width: int) -> None:
        self.was, self.width = was, width

    def of(self, codes: Int64s) -> Int64s:
        """Each code, in its order."""
        row, target = codes // self.was, codes % self.was
        named = target < self.was - UNNAMED
        column = np.where(named, np.minimum(target, self.width - UNNAMED), target + (self.width - self.was))
        moved: Int64s = row * self.width + column
        return moved

    def counted(self, codes: Int64s, counts: NDArray[Any]) -> tuple[Int64s, NDArray[Any]]:
        """Sorted codes with their counts; several targets may have come to one column."""
        return reduced(self.of(codes), counts)

    def judged(self, codes: Int64s, counts: NDArray[Any]) -> tuple[Int64s, NDArray[Any]]:
        """Sorted codes with their counts, of targets that still have a name: no other is ever judged."""
        moved = self.of(codes)
        named = moved % self.width < self.width - UNNAMED
        return moved[named], counts[named]


def _closed(plain: Sequence[Any], columns: _Columns) -> list[Any]:
    one = dict(zip(TickCounts.__slots__, plain, strict=True))
    for name in ("account_target", "cohort_target"):
        one[name] = list(columns.counted(*one[name]))
    return list(one.values())


def _open(plain: Sequence[Any], columns: _Columns) -> list[Any]:
    one = dict(zip(Entries.__slots__, plain, strict=True))
    for name in ("account_target", "cohort_target"):
        one[name] = columns.of(one[name])
    return list(one.values())
