"""Do the accounts of a group have lives of their own beside what they share? Honest ones have; an operator's have not.

An honest customer has an exit, a prompt, a history and working hours that nobody else has, whatever product, course or
agency it shares the rest with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.carriers import Carried
from detectors.holdings import Holdings
from detectors.likeness import likeness
from detectors.movement import RATE_BASELINE_MIN, usual_requests
from detectors.population import Floats, Ints, Population

BLOCK_H = 4  # of the day: who works when
FRESH_H = 24
KNOWN_H = 48  # of history, before anybody can say that something is new
KNOWN_MIN = 3  # accounts of which it must be known


@dataclass(slots=True)
class Lives:
    """Of every account, by link dimension: requests that carried any value of it; those under values that nobody but
    its own organisation carries; how many values. usual: how many values its like carries. clock: likeness of the
    working hours in the fleet, by block of the day."""

    requests: list[Floats]
    private: list[Floats]
    values: list[Floats]
    usual: list[Floats]
    clock: Floats


def lives_of(population: Population, carried: Carried) -> Lives:
    """The lives of all accounts in this tick. O(memberships + accounts)."""
    size = len(population)
    dimension = carried.dimension[carried.value]
    alone = carried.organisations[carried.value] < 2
    lives = Lives([], [], [], [], _clock(population, np.flatnonzero(population.n >= 3)))
    like = np.maximum(np.bincount(population.stratum, minlength=population.strata), 1.0)
    for d in range(len(carried.dimensions)):
        mine = dimension == d
        row, count = carried.row[mine], carried.count[mine]
        lives.requests.append(np.bincount(row, count, size).astype(float))
        lives.private.append(np.bincount(row, count * alone[mine], size).astype(float))
        values = np.bincount(row, minlength=size).astype(float)
        lives.values.append(values)
        mean = np.bincount(population.stratum, values, population.strata) / like
        lives.usual.append(mean[population.stratum])
    return lives


def life_traits(population: Population, carried: Carried, lives: Lives, rows: Ints) -> dict[str, float]:
    """What the accounts in `rows` have of their own; what cannot be known is left out. O(rows).

    private_exits, private_prompts: part of an account's requests under values of its own organisation alone, mean,
    less the fleet's. more_exits, more_prompts: ln of how many values an account carries, against its like. more_volume:
    ln of its requests against its own rate before, mean. young: part of the accounts that are new. clock_likeness: how
    much the accounts differ in their working hours, against the fleet: 0 where all work the same.
    """
    found = {"young": float(population.young[rows].mean())}
    for name, dimension in (("exits", "ip_prefix"), ("prompts", "template")):
        if dimension in carried.dimensions:
            found |= _own(lives, carried.dimensions.index(dimension), rows, name)
    known = rows[population.nb[rows] >= RATE_BASELINE_MIN]
    if len(known) >= KNOWN_MIN:
        usual = usual_requests(population)[known]
        found["more_volume"] = float(np.log((population.n[known] + 1.0) / (usual + 1.0)).mean())
    spread = lives.clock.sum()
    if spread > 0:
        found["clock_likeness"] = float(_clock(population, rows).sum() / spread)
    return found


def _own(lives: Lives, dimension: int, rows: Ints, name: str) -> dict[str, float]:
    requests, private = lives.requests[dimension], lives.private[dimension]
    known = rows[requests[rows] > 0]
    if len(known) < KNOWN_MIN:
        return {}
    everybody = requests > 0
    usual = float((private[everybody] / requests[everybody]).mean())
    values, expected = lives.values[dimension][known].mean(), lives.usual[dimension][known].mean()
    return {
        f"private_{name}": float((private[known] / requests[known]).mean()) - usual,
        f"more_{name}": float(np.log((values + 0.5) / (expected + 0.5))),
    }


def _clock(population: Population, rows: Ints) -> Floats:
    hours = population.columns.hours[rows].astype(float)
    blocks = hours.reshape(len(rows), 24 // BLOCK_H, BLOCK_H).sum(axis=2)
    total = blocks.sum(axis=1)
    share = blocks.sum(axis=0) / max(total.sum(), 1.0)
    return np.array([share[k] * (1 - share[k]) * likeness(blocks[:, k], total) for k in range(blocks.shape[1])])


def fresh_part(holdings: Holdings, rows: Ints, mine: NDArray[np.bool_]) -> float | None:
    """Part of what the rows carry of these values that they began to carry in the last day; None if they carry none."""
    at, _ = holdings.places(rows)
    at = at[mine[holdings.value[at]]]
    return float((holdings.began[at] > holdings.population.hour - FRESH_H).mean()) if len(at) else None
