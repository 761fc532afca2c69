"""Do unrelated organisations share enough to be one network, and not one event, customer or office?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.coverage import organisations_known
from detectors.membership import Holdings
from detectors.population import Floats, Ints, Population

ORGANISATIONS_MIN = 8
VALUE_ORGANISATIONS_MIN = 3
VALUES_MIN = 5
DIMENSIONS_MIN = 2
COVER_MAX = 0.6  # a hackathon has one prefix, a framework one template, an agency one payment
WEIGHT_MAX = 0.25  # of the requests: an office, or who pays for all; not one of forty exits that all pass through
BOUND_MIN = 0.5  # of the organisations, by shared payments and exits, each: then a prompt may be everybody's
CONCENTRATED = 5.0  # times as often as everybody else
RARE_MAX = 60
PROMPT_SIDE = frozenset({"template"})


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
    position, value, count = holdings.of(rows)
    organisation = np.unique(population.org[rows], return_inverse=True)[1]
    organisations = int(organisation.max(initial=-1)) + 1
    pairs = np.unique(np.stack((value, organisation[position])), axis=1)
    reach = np.bincount(pairs[0], minlength=len(holdings.accounts))
    accounts = np.bincount(value, minlength=len(holdings.accounts))
    binds = (reach >= VALUE_ORGANISATIONS_MIN) & (
        (holdings.carried.organisations <= rare_max) | concentrated(holdings, accounts, len(rows))
    )
    shared = np.flatnonzero(binds)
    weight = _weights(holdings, rows, position, value, count)
    covers = _covers(holdings, binds, pairs, reach, weight, organisations)
    return Coordination(
        organisations=organisations,
        shared=_strongest(holdings, shared, accounts, reach),
        values=len(shared),
        cover=max((cover.largest for cover in covers), default=0.0),
        why=_why(organisations, len(shared), covers, organisations_min),
        unrelated=organisations_known(population.columns),
    )


def concentrated(holdings: Holdings, accounts: Ints, size: int) -> NDArray[np.bool_]:
    """Which values a group of so many accounts carries at least five times as often as everybody else.

    accounts: of the group that carry each value.
    """
    others = len(holdings.population) - size
    elsewhere = (holdings.accounts - accounts + 1.0) / (others + 1.0)
    found: NDArray[np.bool_] = accounts / max(size, 1) >= CONCENTRATED * elsewhere
    return found


def _weights(holdings: Holdings, rows: Ints, position: Ints, value: Ints, count: Floats) -> Floats:
    """By value: its share of the requests that tell of its dimension, mean over the accounts of the group."""
    total = np.stack([requests[rows] for requests in holdings.requests_by_dimension()])
    share = count / np.maximum(total[holdings.carried.dimension[value], position], 1.0)
    telling = np.maximum((total > 0).sum(axis=1), 1)
    weight = np.bincount(value, weights=share, minlength=len(holdings.accounts))
    each: Floats = weight / telling[holdings.carried.dimension]
    return each


@dataclass(frozen=True, slots=True)
class _Cover:
    """One dimension of a group. largest: part of its organisations under the value that covers most of them, and
    heaviest: the largest share of the requests of its accounts under one that covers too many of them. bound: part of
    the organisations under any value that binds. All 0 to 1."""

    is_prompt: bool
    largest: float
    heaviest: float
    bound: float


def _covers(
    holdings: Holdings, binds: NDArray[np.bool_], pairs: Ints, reach: Ints, weight: Floats, organisations: int
) -> list[_Cover]:
    """Dimension by dimension, where anything binds. pairs: (value, organisation) of the group, each once."""
    value, organisation = pairs[:, binds[pairs[0]]]
    dimension = holdings.carried.dimension[value]
    covering = np.where(reach > COVER_MAX * organisations, weight, 0.0)
    found = []
    for d, name in enumerate(holdings.carried.dimensions):
        mine = dimension == d
        if mine.any():
            largest, bound = int(reach[value[mine]].max()), len(np.unique(organisation[mine]))
            heaviest = float(covering[value[mine]].max())
            found.append(_Cover(name in PROMPT_SIDE, largest / organisations, heaviest, bound / organisations))
    return found


def _why(organisations: int, values: int, covers: list[_Cover], organisations_min: int) -> str:
    if organisations < organisations_min:
        return "few_organisations"
    if values < VALUES_MIN:
        return "few_shared_values"
    if len(covers) < DIMENSIONS_MIN:
        return "one_dimension"
    hands = [cover for cover in covers if not cover.is_prompt]
    if max((cover.heaviest for cover in hands), default=0.0) > WEIGHT_MAX:
        return "one_value_covers"
    # Who pays together and leaves through the same exits besides is no public prompt, however few prompts there are.
    in_one_hand = len(hands) >= DIMENSIONS_MIN and min(cover.bound for cover in hands) >= BOUND_MIN
    prompt = max((cover.largest for cover in covers if cover.is_prompt), default=0.0)
    return "one_value_covers" if prompt > COVER_MAX and not in_one_hand else "coordinated"


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
