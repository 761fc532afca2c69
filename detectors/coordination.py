"""Do unrelated organisations share enough to be one network, and not one event, customer or office?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.coverage import organisations_known
from detectors.holdings import Holdings
from detectors.membership import concentrated
from detectors.population import Ints, Population

ORGANISATIONS_MIN = 8
VALUE_ORGANISATIONS_MIN = 3
RARE_MAX = 60


@dataclass(frozen=True, slots=True)
class SharedValue:
    """One rare value of a group: carried by so many of its accounts and organisations, and by so many others.

    accounts + elsewhere: all active accounts that carried it in the last `carried_h` hours; organisations_total:
    theirs, those of the group among them.
    """

    dimension: str
    value: str
    accounts: int
    organisations: int
    elsewhere: int
    organisations_total: int


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
    population: Population,
    holdings: Holdings,
    rows: Ints,
    organisations_min: int = ORGANISATIONS_MIN,
    rare_max: int = RARE_MAX,
) -> Coordination:
    """Hold a group against the rules. O(values that it carries).

    rare_max: organisations that may use a value which binds wherever it is shared; a more popular one binds where the
    group carries it five times as often as everybody else.
    """
    position, value = holdings.of(rows)
    organisation = np.unique(population.org[rows], return_inverse=True)[1]
    organisations = int(organisation.max(initial=-1)) + 1
    pairs = np.unique(np.stack((value, organisation[position])), axis=1)
    reach = np.bincount(pairs[0], minlength=len(holdings.accounts))
    accounts = np.bincount(value, minlength=len(holdings.accounts))
    binds = (reach >= VALUE_ORGANISATIONS_MIN) & (
        (holdings.carried.organisations <= rare_max) | concentrated(holdings, accounts, len(rows))
    )
    shared = np.flatnonzero(binds)
    return Coordination(
        organisations=organisations,
        shared=_strongest(holdings, shared, accounts, reach),
        values=len(shared),
        cover=float(reach[binds].max(initial=0) / max(organisations, 1)),
        why="few_organisations" if organisations < organisations_min else "coordinated",
        unrelated=organisations_known(population.columns),
    )


def _strongest(
    holdings: Holdings, shared: Ints, accounts: Ints, reach: Ints, limit: int = 20
) -> tuple[SharedValue, ...]:
    """The values that most organisations of the group share and fewest others carry."""
    elsewhere = holdings.accounts[shared] - accounts[shared]
    order = np.lexsort((holdings.carried.key[shared], elsewhere - accounts[shared]))[:limit]
    found = []
    for v, other in zip(shared[order].tolist(), elsewhere[order].tolist(), strict=True):
        dimension, name = holdings.carried.name(v)
        total = int(holdings.carried.organisations[v])
        found.append(SharedValue(dimension, name, int(accounts[v]), int(reach[v]), int(other), total))
    return tuple(found)
