"""Do unrelated organisations share enough to be one network, and not one event, customer or office?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.coverage import organisations_known
from detectors.membership import Holdings
from detectors.population import Ints, Population

ORGANISATIONS_MIN = 8
VALUE_ORGANISATIONS_MIN = 3
VALUES_MIN = 5
DIMENSIONS_MIN = 2
COVER_MAX = 0.6  # a hackathon has one prefix, a framework one template, an agency one payment


@dataclass(frozen=True, slots=True)
class SharedValue:
    """One rare value of a group: carried by so many of its accounts and organisations, and by so many others."""

    dimension: str
    value: str
    accounts: int
    organisations: int
    elsewhere: int


@dataclass(frozen=True, slots=True)
class Coordination:
    """What a group shares. why: the first rule that it breaks, or "coordinated".

    unrelated: the platform says who belongs to whom, so that these are known to be organisations of their own.
    """

    organisations: int
    shared: tuple[SharedValue, ...]
    values: int
    cover: float
    why: str
    unrelated: bool = True

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return self.why == "coordinated"


def without_one_customer(population: Population, rows: Ints) -> Ints:
    """The group without organisations that hold more than max(10, a tenth) of it: one customer is no network."""
    _, index, count = np.unique(population.org[rows], return_inverse=True, return_counts=True)
    return rows[count[index] <= max(10, len(rows) // 10)]


def coordination_of(
    population: Population, holdings: Holdings, rows: Ints, organisations_min: int = ORGANISATIONS_MIN
) -> Coordination:
    """Hold a group against the rules. O(values that it carries)."""
    position, value, _ = holdings.of(rows)
    organisations = len(np.unique(population.org[rows]))
    width = np.int64(population.organisations + 1)
    pairs = np.unique(value * width + population.org[rows][position])
    reach = np.bincount(pairs // width, minlength=len(holdings.accounts))
    accounts = np.bincount(value, minlength=len(holdings.accounts))
    shared = np.flatnonzero(reach >= VALUE_ORGANISATIONS_MIN)
    dimensions = len(np.unique(holdings.carried.dimension[shared]))
    cover = float(reach.max(initial=0)) / max(organisations, 1)
    return Coordination(
        organisations=organisations,
        shared=_strongest(holdings, shared, accounts, reach),
        values=len(shared),
        cover=cover,
        why=_why(organisations, len(shared), dimensions, cover, organisations_min),
        unrelated=organisations_known(population.columns),
    )


def _why(organisations: int, values: int, dimensions: int, cover: float, organisations_min: int) -> str:
    if organisations < organisations_min:
        return "few_organisations"
    if values < VALUES_MIN:
        return "few_shared_values"
    if dimensions < DIMENSIONS_MIN:
        return "one_dimension"
    return "one_value_covers" if cover > COVER_MAX else "coordinated"


def _strongest(
    holdings: Holdings, shared: Ints, accounts: Ints, reach: Ints, limit: int = 20
) -> tuple[SharedValue, ...]:
    """The values that most organisations of the group share and fewest others carry."""
    elsewhere = holdings.accounts[shared] - accounts[shared]
    order = np.lexsort((holdings.carried.key[shared], elsewhere - accounts[shared]))[:limit]
    found = []
    for v, other in zip(shared[order].tolist(), elsewhere[order].tolist(), strict=True):
        dimension, name = holdings.carried.name(v)
        found.append(SharedValue(dimension, name, int(accounts[v]), int(reach[v]), int(other)))
    return tuple(found)
