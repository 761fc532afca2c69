"""Which networks stand, whoever moves? Organisations tied by the rare values that they share, before anything happens.

Who is in a crowd was chosen by moving, so a group of the crowd has moved by construction. These networks know nothing
of movement: what such a network did is evidence of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from detectors.comparison.population import Ints, Population
from detectors.counts.sparse import distinct
from detectors.ties.holdings import Holdings
from detectors.ties.networks import communities

CARRIERS_MAX = 30  # organisations: what more of them share binds nobody to anybody
# Two organisations are held apart unless they share more than the product of what each shares with everybody, in nats,
# over this. A measure of its own and not of the fleet's sum, so that networks do not grow with the fleet.
APART_NATS = 30_000.0
NONE = -1
Seats = tuple[Ints, Ints, Ints]
EVERY_H = 3


class Standing:
    """The networks of a tick. label: of each account, the number of its network, or NONE where it shares nothing with
    it. org: of each account."""

    def __init__(self, label: Ints, org: Ints) -> None:
        self.label = label
        self.org = org

    def parts(self, organisations_min: int) -> list[Ints]:
        """The accounts of each network of so many organisations, in the order of their numbers. O(accounts)."""
        order = np.argsort(self.label, kind="stable")
        edges = np.searchsorted(self.label[order], np.arange(int(self.label.max(initial=NONE)) + 2))
        parts = [order[edges[i] : edges[i + 1]] for i in range(len(edges) - 1)]
        return [part for part in parts if len(distinct(self.org[part])) >= organisations_min]

    def of(self, rows: Ints) -> Ints:
        """All accounts of the network to which most of the rows belong; none where half of them belong to none."""
        mine = self.label[rows]
        mine = mine[mine != NONE]
        if 2 * len(mine) < len(rows):
            return np.zeros(0, np.int64)
        return np.flatnonzero(self.label == int(np.argmax(np.bincount(mine))))


class Standings:
    """The networks that stand, found anew every EVERY_H hours: they change as slowly as what accounts carry.

    Memory is 16 bytes an account that was active then.
    """

    def __init__(self) -> None:
        self.hour: int | None = None
        self.keys: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self.label: Ints = np.zeros(0, np.int64)

    def of(self, known: Holdings, may_matter: bool = True) -> Standing:
        """The networks of this tick. O(pairs that share a value) where they are found anew, else O(accounts).

        may_matter: whether anything can fire before they are found anew; else there are none until then.
        """
        population = known.population
        keys = population.columns.keys
        if self.hour is None or population.hour >= self.hour + EVERY_H:
            label = _labels(known) if may_matter else np.full(len(keys), NONE, np.int64)
            order = np.argsort(keys)
            self.hour, self.keys, self.label = population.hour, keys[order], label[order]
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return Standing(np.where(self.keys[at] == keys, self.label[at], NONE), population.org)

    def state(self) -> list[Any]:
        """All of it, for a snapshot."""
        return [self.hour, self.keys, self.label]

    def restore(self, state: Sequence[Any]) -> None:
        """Continue from what `state` gave."""
        self.hour, self.keys, self.label = state


def _labels(known: Holdings) -> Ints:
    """The network of each account: its organisation's, where it carries a value that binds it; else NONE."""
    seats = _seats(known)
    organisation = _communities(known.population, seats)
    bound = np.zeros(len(known.population), bool)
    bound[known.row[_binding(seats, organisation)[known.value]]] = True
    label: Ints = np.where(bound, organisation[known.population.org], NONE)
    return label


def _communities(population: Population, of: Seats) -> Ints:
    """The network of each organisation, by modularity over the nats of the values that organisations share."""
    value, org, carriers = of
    few = (carriers[value] >= 2) & (carriers[value] <= CARRIERS_MAX)
    nats = np.log(max(population.organisations, 2) / np.maximum(carriers, 1.0)) / np.sqrt(
        np.maximum(carriers - 1.0, 1.0)
    )
    seats = csr_array(
        (np.ones(int(few.sum())), (org[few], value[few])), shape=(population.organisations, len(carriers))
    )
    graph = csr_array(seats @ diags_array(nats) @ seats.T)
    graph.setdiag(0.0)
    graph.eliminate_zeros()
    return communities(graph, float(graph.sum()) / APART_NATS)


def _seats(known: Holdings) -> Seats:
    """(value, organisation) of every seat, and how many seats each value has."""
    width = np.int64(max(known.population.organisations, 1))
    pairs = distinct(known.value * width + known.population.org[known.row])
    value, org = pairs // width, pairs % width
    return value, org, np.bincount(value, minlength=len(known.accounts))


def _binding(of: Seats, network: Ints) -> NDArray[np.bool_]:
    """Which values bind their network: most of the few organisations that carry it are of one."""
    value, org, carriers = of
    width = np.int64(network.max(initial=0) + 1)
    inside = np.zeros(len(carriers), np.int64)
    pairs, count = np.unique(value * width + network[org], return_counts=True)
    np.maximum.at(inside, pairs // width, count)
    binding: NDArray[np.bool_] = (carriers <= CARRIERS_MAX) & (inside >= 2) & (2 * inside >= carriers)
    return binding
