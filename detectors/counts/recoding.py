"""What do codes mean once other targets are told apart? After some were forgotten, and under another `targets_max`.

A code is `row * width + target`, with width the `targets_max` that it was written under: read with another width it
would name another account and another target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.known import UNNAMED, accounts_weighed, strongest
from detectors.counts.sparse import reduced
from detectors.counts.ticks import (
    Entries,
    Int64s,
    TickCounts,
    counts_from,
    entries_from,
    plain_counts,
    plain_entries,
)


def recoded(
    accounts: Mapping[str, Any], ticks: Mapping[str, Any], was: int, width: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The states of accounts and open ticks, written under a width of `was`, as `width` columns hold them.

    Where there are fewer, the strongest targets keep their names; the counts of the others go to the column that has
    no name, and out of what is judged. Where there are more, nothing is lost. O(state).
    """
    targets, *others = accounts["interned"]
    kept = strongest(accounts_weighed(was, [accounts["fast"], accounts["slow"]]), targets, width - UNNAMED)
    columns = Columns(was, width, kept)
    hours = [[hour, *columns.judged(codes, counts)] for hour, codes, counts in accounts["ring"]]
    moved = {
        **accounts,
        **{name: list(columns.judged(*accounts[name])) for name in ("fast", "slow")},
        "ring": hours,
        "interned": [[targets[i] for i in kept.tolist()], *others],
        "hour_counts": [plain_counts(columns.closed(counts_from(plain))) for plain in accounts["hour_counts"]],
    }
    opened = [
        [*tick[:-1], [plain_entries(columns.opened(entries_from(plain))) for plain in tick[-1]]]
        for tick in ticks["ticks"]
    ]
    return moved, {**ticks, "ticks": opened}


class Columns:
    """The way of a code into columns in which only the `kept` targets (rising) have a name, in the same order."""

    def __init__(self, was: int, width: int, kept: Int64s) -> None:
        self.was, self.width = was, width
        self._column = np.full(was, width - UNNAMED, np.int64)
        self._column[kept] = np.arange(len(kept))
        self._column[was - 1] = width - 1

    def of(self, codes: Int64s) -> Int64s:
        """Each code, in its order."""
        moved: Int64s = codes // self.was * self.width + self._column[codes % self.was]
        return moved

    def counted(self, codes: Int64s, counts: NDArray[Any]) -> tuple[Int64s, NDArray[Any]]:
        """Sorted codes with their counts; several targets may have come to one column."""
        return reduced(self.of(codes), counts)

    def judged(self, codes: Int64s, counts: NDArray[Any]) -> tuple[Int64s, NDArray[Any]]:
        """Sorted codes with their counts, of targets that still have a name: no other is ever judged."""
        moved = self.of(codes)
        named = moved % self.width < self.width - UNNAMED
        return moved[named], counts[named]

    def closed(self, one: TickCounts) -> TickCounts:
        """The counts of a closed tick."""
        return replace(
            one,
            account_target=self.counted(*one.account_target),
            cohort_target=self.counted(*one.cohort_target),
        )

    def opened(self, one: Entries) -> Entries:
        """What some requests added to an open tick."""
        return replace(one, account_target=self.of(one.account_target), cohort_target=self.of(one.cohort_target))
