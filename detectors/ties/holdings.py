"""Which rare values does each account hold? The memberships of a tick, by account."""

from __future__ import annotations

import numpy as np

from detectors.comparison.population import Floats, Ints, Population
from detectors.ties.carriers import Carried


class Holdings:
    """Values that at least two and at most so many organisations carry, by account: sorted by row, then value.

    row, value, count, began: of each membership: index of the account, of the value in `carried`, requests, and the
    hour in which it was first seen. accounts: that carry each value. O(memberships log memberships) to build.
    """

    def __init__(self, population: Population, carried: Carried, organisations_max: int) -> None:
        rare = (carried.organisations >= 2) & (carried.organisations <= organisations_max) & (carried.dimension >= 0)
        chosen = np.flatnonzero(rare[carried.value])
        # Memberships come sorted by value, then row: a stable sort by row leaves them sorted by both.
        order = chosen[np.argsort(carried.row[chosen], kind="stable")]
        self.row: Ints = carried.row[order]
        self.value: Ints = carried.value[order]
        self.count: Floats = carried.count[order]
        self.began: Ints = carried.began[order]
        self.start: Ints = np.searchsorted(self.row, np.arange(len(population) + 1))
        self.accounts: Ints = np.bincount(self.value, minlength=len(carried.key))
        self.carried = carried
        self.population = population

    def places(self, rows: Ints) -> tuple[Ints, Ints]:
        """Places of all that the rows hold, and the position in rows of each. O(values that they hold)."""
        length = self.start[rows + 1] - self.start[rows]
        position = np.repeat(np.arange(len(rows)), length)
        first = np.cumsum(length) - length
        return self.start[rows][position] + np.arange(int(length.sum())) - first[position], position

    def place(self, role: str) -> int:
        """Index of the link dimension that plays this role; -1 where none does."""
        roles = self.carried.roles
        return roles.index(role) if role in roles else -1

    def of(self, rows: Ints) -> tuple[Ints, Ints]:
        """(position in rows, value) of everything that the rows hold. O(values that they hold)."""
        at, position = self.places(rows)
        return position, self.value[at]
