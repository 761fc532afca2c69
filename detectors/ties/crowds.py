"""Which targets draw a crowd of accounts that moved in company, and into which networks does it fall?"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array

from detectors.comparison.population import Floats, Ints, Population
from detectors.parameters import Parameters
from detectors.ties.neighbours import Heard, Neighbours
from detectors.ties.networks import communities

PAST_FROM_H, PAST_TO_H = 120, 24  # what is usual for a target: this long ago
PAST_HOURS_MIN = 12
RATIO_AXES = 3  # a snapshot of an earlier version has two, and begins anew
UNREST = 0.25  # of what is expected: crowds of honest networks swing by so much from hour to hour
USUAL_MAX = 3.0  # ln: nobody's usual is more than twenty times what comes by chance
VALUE_NATS_MAX = 5.0
CARRIERS_MAX = 400  # of one value within the crowds: beyond, it says nothing about who belongs to whom


@dataclass(slots=True)
class Crowd:
    """Accounts that moved in company toward one target in one window.

    z: how far the number of their organisations is beyond what is expected. expected: by chance, times what is usual
    for the target. rows: the accounts.
    """

    target: int
    window: int
    z: float
    organisations: float
    expected: float
    rows: Ints


class Usual:
    """How many more move in company than by chance, where nothing happens: honest networks move as well.

    By target and window, ln of the ratio of each level, line and scope (see `Company`), hour by hour. A target without
    a past is held against what is usual for the others. Memory is 192 bytes a (hour, target, window).
    """

    def __init__(self) -> None:
        self.hours: deque[tuple[int, dict[tuple[str, int], Floats]]] = deque()

    def learn(self, hour: int, ratios: Mapping[tuple[str, int], Floats]) -> None:
        """Take an hour in: ln of the ratio by level, for each (target, window). hour: in hours since 1970."""
        self.hours.append((hour, dict(ratios)))
        while self.hours[0][0] < hour - PAST_FROM_H:
            self.hours.popleft()

    def of(self, hour: int, names: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Floats]:
        """The usual ratio of each (target, window), ln, at least 0. O(hours x targets)."""
        past: dict[tuple[str, int], list[Floats]] = {}
        for at, ratios in self.hours:
            if hour - PAST_FROM_H <= at <= hour - PAST_TO_H:
                for name, ratio in ratios.items():
                    past.setdefault(name, []).append(ratio)
        known = {name: _middle(seen) for name, seen in past.items() if len(seen) >= PAST_HOURS_MIN}
        by_window: dict[int, list[Floats]] = {}
        for (_, window), ratio in known.items():
            by_window.setdefault(window, []).append(ratio)
        others = {window: _middle(ratios) for window, ratios in by_window.items()}
        return {name: known.get(name, others.get(name[1], np.zeros(()))) for name in names}

    def state(self) -> list[Any]:
        """All of it, for a snapshot."""
        return [[hour, [[*name, ratio] for name, ratio in ratios.items()]] for hour, ratios in self.hours]

    def restore(self, state: Sequence[Any]) -> None:
        """Continue from what `state` gave."""
        self.hours = deque(
            (hour, {(target, window): ratio for target, window, ratio in ratios if ratio.ndim == RATIO_AXES})
            for hour, ratios in state
        )


def _middle(ratios: Sequence[Floats]) -> Floats:
    middle: Floats = np.clip(np.median(np.stack(ratios), axis=0), 0.0, USUAL_MAX)
    return middle


def crowds_of(population: Population, heard: Sequence[Heard], usual: Usual, line: float) -> list[Crowd]:
    """The crowds whose z reaches the line, one at most for each target, window and scope; teaches `usual` this hour."""
    names = [(population.targets[one.target], each.window) for each in heard for one in each.found]
    known = usual.of(population.hour, names)
    ratios, found = {}, []
    for each in heard:
        for column, one in enumerate(each.found):
            name = (population.targets[one.target], each.window)
            ratios[name] = np.log((one.organisations + 1.0) / (one.by_chance + 1.0))
            expected = (one.by_chance + 1.0) * np.exp(known[name])
            z = (one.organisations - expected) / np.sqrt(expected + (UNREST * expected) ** 2)
            for scope in np.flatnonzero(z.max(axis=(0, 1)) >= line).tolist():
                level, nats = divmod(int(np.argmax(z[:, :, scope])), z.shape[1])
                best = (level, nats, scope)
                found.append(
                    Crowd(one.target, each.window, float(z[best]), float(one.organisations[best]),
                          float(expected[best]), each.crowd(column, *best))
                )  # fmt: skip
    usual.learn(population.hour, ratios)
    return found


def parts_of(
    population: Population, neighbours: Neighbours, crowds: Sequence[Crowd], parameters: Parameters
) -> list[Ints]:
    """The networks into which everybody falls who is in a crowd toward one target: accounts that share what others
    there seldom do. Split by modularity over the nats of the values shared; those of few organisations are left out.
    """
    parts = []
    for target in sorted({crowd.target for crowd in crowds}):
        rows = np.unique(np.concatenate([crowd.rows for crowd in crowds if crowd.target == target]))
        parts += _split(population, neighbours, rows, parameters)
    return parts


def _split(population: Population, neighbours: Neighbours, rows: Ints, parameters: Parameters) -> list[Ints]:
    graph = _shared(population, neighbours, rows)
    label = communities(graph, parameters.split_resolution)
    parts = [rows[label == one] for one in np.unique(label)]
    return [part for part in parts if len(np.unique(population.org[part])) >= parameters.group_organisations_min]


def _shared(population: Population, neighbours: Neighbours, rows: Ints) -> csr_array:
    """Nats that each pair of the rows shares: of a value, by how much more often the rows carry it than everybody."""
    carried = neighbours.values_of(rows)
    inside = np.asarray(carried.sum(axis=0)).ravel()
    lift = (inside / max(len(rows), 1)) / ((neighbours.accounts + 1.0) / (len(population) + 1.0))
    nats = np.clip(np.log(np.maximum(lift, 1e-9)), 0.0, VALUE_NATS_MAX)
    nats[(inside < 2) | (inside > CARRIERS_MAX)] = 0.0
    graph = csr_array(carried @ diags_array(nats) @ carried.T)
    graph.setdiag(0.0)
    graph.eliminate_zeros()
    return graph
