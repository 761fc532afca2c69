"""What part of a campaign could anybody find by what it shares? The bound that its fleet sets to every recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detectors.fleet import Judge


class Tied:
    """Which accounts of each campaign ever carried a rare value together with another account of it.

    Rare as the judge takes it: of few organisations. Of the others no attribute says that they belong together.
    """

    def __init__(self, campaigns: Sequence[Mapping[str, Any]]) -> None:
        self._members = [set(one["accounts"]) for one in campaigns]
        self._tied: list[set[str]] = [set() for _ in campaigns]

    def seen(self, judge: Judge) -> None:
        """Take an hour in. O(accounts + memberships)."""
        tick = judge.last_tick
        if tick is None:
            return
        ids, known = tick.population.columns.ids, tick.known
        for members, tied in zip(self._members, self._tied, strict=True):
            mine = np.array([one in members for one in ids], bool)
            ours = np.bincount(known.value[mine[known.row]], minlength=len(known.accounts)) >= 2
            tied |= {ids[row] for row in np.unique(known.row[ours[known.value] & mine[known.row]]).tolist()}

    def parts(self) -> list[float]:
        """Of each campaign's accounts, the part that is tied."""
        sizes = (max(len(members), 1) for members in self._members)
        return [round(len(tied) / size, 4) for tied, size in zip(self._tied, sizes, strict=True)]
