"""Do unrelated organisations share enough to be one network, and not one event, customer or office?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Ints, Population
from detectors.ties.coverage import organisations_known
from detectors.ties.holdings import Holdings
from detectors.ties.membership import concentrated

ORGANISATIONS_MIN = 8
VALUE_ORGANISATIONS_MIN = 3
RARE_MAX = 60
PLACE_MIN = 15.0  # organisations behind one exit, times the part of the requests through it: no rotation comes to this
BESIDES_MIN = 0.3  # of the organisations, that share something besides the one value that most of them share
ACCOUNTS_PAID_MAX = 20  # by one card, on average, of strangers: a large customer has fewer cards


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

    told: the platform says who belongs to whom. unrelated: it does, or these pay in so many ways that they are no one
    customer's. behind: organisations behind the one exit that most of them use. besides: part of them that shares
    anything but the one value that most of them share.
    """

    organisations: int
    shared: tuple[SharedValue, ...]
    values: int
    cover: float
    why: str
    told: bool = True
    unrelated: bool = True
    behind: int = 0
    besides: float = 1.0

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return self.why == "coordinated"

    def crowd(self, prefix_dominance: float) -> str | None:
        """What they are gathered around, if it is one thing: "one_place" where much of what they ask comes through one
        exit with many others, "one_value" where most share nothing but one value. None for what is bound in more ways.

        prefix_dominance: part of the requests through the favourite exit.
        """
        if self.behind * prefix_dominance > PLACE_MIN:
            return "one_place"
        return "one_value" if self.besides < BESIDES_MIN else None


def without_one_customer(population: Population, rows: Ints) -> Ints:
    """The group without organisations that hold more than max(10, a tenth) of it: one customer is no network."""
    _, index, count = np.unique(population.org[rows], return_inverse=True, return_counts=True)
    return rows[count[index] <= max(10, len(rows) // 10)]


def _pay_apart(holdings: Holdings, rows: Ints, payers_min: int) -> bool:
    """Whether a group pays in so many ways that it is no one customer's, who has a card, or one a department.

    A card of more than max(10, a tenth) of them counts for nothing, as such an organisation does. O(memberships).
    """
    carried, payment = holdings.carried, holdings.place("payment")
    if payment < 0:
        return False
    paid = (carried.dimension == payment)[carried.value] & np.isin(carried.row, rows)
    count = np.unique(carried.value[paid], return_counts=True)[1]
    payers = int((count <= max(10, len(rows) // 10)).sum())
    return payers >= max(payers_min, len(rows) / ACCOUNTS_PAID_MAX)


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
    tight = concentrated(holdings, accounts, len(rows))
    binds = (reach >= VALUE_ORGANISATIONS_MIN) & ((holdings.carried.organisations <= rare_max) | tight)
    shared = np.flatnonzero(binds)
    told = organisations_known(population.columns)
    exits = holdings.carried.dimension == holdings.place("ip_prefix")
    besides = _besides(pairs, reach, tight, shared)
    return Coordination(
        organisations=organisations,
        shared=_strongest(holdings, shared, accounts, reach),
        values=len(shared),
        cover=float(reach[binds].max(initial=0) / max(organisations, 1)),
        why="few_organisations" if organisations < organisations_min else "coordinated",
        told=told,
        unrelated=told or _pay_apart(holdings, rows, organisations_min),
        behind=int(reach[exits].max(initial=0)),
        besides=besides / max(organisations, 1),
    )


def _besides(pairs: Ints, reach: Ints, tight: NDArray[np.bool_], shared: Ints) -> int:
    """How many organisations share a value of the group's with another, but for the one that most of them share.

    pairs: values above, organisations below. tight: values that are concentrated in the group. shared: that bind it.
    """
    ties = (reach >= 2) & tight
    if len(shared):
        ties[shared[np.argmax(reach[shared])]] = False
    return len(np.unique(pairs[1][ties[pairs[0]]]))


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
