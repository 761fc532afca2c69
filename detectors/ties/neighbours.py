"""Who moved, and in whose company? Each account's evidence, and that of those it shares rare values with.

An account that moved says little; that everybody with whom it shares a payment, an exit or a prompt moved in the same
hours says much, even where each of these values has two or three carriers. What company comes by chance is measured:
the evidence is dealt anew among accounts that are alike, and the same is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from detectors.comparison.movement import kl_up, nats_of_rank
from detectors.comparison.population import Floats, Ints, Population, strata_of
from detectors.counts.sparse import distinct
from detectors.parameters import Parameters
from detectors.ties.carriers import Carried

LEVELS = (2.0, 3.5)  # nats of its own evidence from which an account counts as one that moved
COMPANY = (2.5, 5.0, 8.0)  # nats of the others' evidence from which it moved in company
DIMENSION_NATS_MAX = 7.0  # one dimension alone, however many of its values agree
VALUE_NATS_MAX = 5.0
DEALS = 2
EVIDENCE_MAX = 7.0
CHANCE_MIN = 1e-3


@dataclass(slots=True)
class Evidence:
    """Of one window: -ln of each account's upper-tail rank among its like, by target; accounts that asked nothing in
    the window have none. stratum: who is like whom in it."""

    hours: int
    n: Floats
    now: Floats
    nats: Floats
    stratum: Ints
    strata: int


def evidence_of(population: Population, counts: Floats, requests: Floats, hours: int) -> Evidence:
    """Evidence that each account turned to each target in the window. O(accounts x targets x log accounts).

    counts: requests in the window by target. requests: of the window.
    """
    now = counts / np.maximum(requests, 1.0)[:, None]
    stratum, strata = strata_of(requests, population.nb)
    score = kl_up(requests[:, None], now, population.before)
    nats = [nats_of_rank(score[:, k], stratum, strata, EVIDENCE_MAX) for k in range(score.shape[1])]
    return Evidence(hours, requests, now, np.stack(nats, axis=1) if nats else score, stratum, strata)


class Neighbours:
    """Who shares rare values with whom, organisation by organisation. O(memberships log memberships) to build."""

    def __init__(self, population: Population, carried: Carried, parameters: Parameters) -> None:
        most = parameters.popular_max(population.organisations)
        known = (carried.organisations >= 2) & (carried.organisations <= most) & (carried.dimension >= 0)
        chosen = np.flatnonzero(known[carried.value])
        chosen = chosen[np.argsort(carried.row[chosen], kind="stable")]
        row, value = carried.row[chosen], carried.value[chosen]
        names, value = np.unique(value, return_inverse=True)
        width = np.int64(max(population.organisations, 1))
        pair, seat = np.unique(value * width + population.org[row], return_inverse=True)
        self.population = population
        self.names = names
        self.row: Ints = row
        self.value: Ints = value.astype(np.int64)
        # An organisation has one seat at a value, however many of its accounts carry it.
        self.seat: Ints = seat.astype(np.int64)
        self.part_of_seat: Floats = 1.0 / np.bincount(seat, minlength=len(pair))[seat]
        self.seats = len(pair)
        self.start: Ints = np.searchsorted(row, np.arange(len(population) + 1))
        self._at_value = csr_array(
            (np.ones(len(pair)), (pair // width, np.arange(len(pair)))), shape=(len(names), len(pair))
        )
        self.dimension: Ints = carried.dimension[names]
        self.dimensions = len(carried.dimensions)
        self.organisations: Floats = np.bincount(pair // width, minlength=len(names)).astype(float)
        self.accounts: Ints = np.bincount(self.value, minlength=len(names))

    def values_of(self, rows: Ints) -> csr_array:
        """Which of the rows carry which value, 1 or 0: len(rows) x values. O(values that they carry)."""
        at, position = self.memberships(rows)
        return csr_array((np.ones(len(at)), (position, self.value[at])), shape=(len(rows), len(self.names)))

    def memberships(self, rows: Ints) -> tuple[Ints, Ints]:
        """Places of all that the rows carry, and the position in rows of each. O(values that they carry)."""
        length = self.start[rows + 1] - self.start[rows]
        position = np.repeat(np.arange(len(rows)), length)
        first = np.cumsum(length) - length
        return self.start[rows][position] + np.arange(int(length.sum())) - first[position], position

    def chance(self, stratum: Ints, parts: Floats) -> tuple[Floats, Floats]:
        """What each seat, and each value, is expected to hold, by column.

        stratum: of each account. parts: strata x columns, the part of each stratum that moved.
        O(memberships + seats x strata held x columns).
        """
        by_seat = csr_array((self.part_of_seat, (self.seat, stratum[self.row])), shape=(self.seats, len(parts)))
        seats: Floats = by_seat @ parts
        values: Floats = self._at_value @ seats
        return seats, values

    def company(self, rows: Ints, columns: Ints, chance: tuple[Floats, Floats]) -> Floats:
        """Nats that those who share values with it speak for each account's having moved in company.

        rows, columns: who moved toward what, a pair each. chance: of `chance`. Of each value that an account carries,
        the other organisations are held against their own chance (n x KL upwards), capped; the values of a dimension
        add up to DIMENSION_NATS_MAX. O(values that the movers carry).
        """
        at, pair = self.memberships(rows)
        width = chance[0].shape[1]
        seat = self.seat[at] * width + columns[pair]
        value = self.value[at] * width + columns[pair]
        held = np.bincount(seat, self.part_of_seat[at], self.seats * width)
        everybody = np.bincount(value, self.part_of_seat[at], len(self.names) * width)
        others = np.maximum(self.organisations[self.value[at]] - 1.0, 1.0)
        moved = np.clip((everybody[value] - held[seat]) / others, 0.0, 1.0)
        expected = np.maximum((chance[1].ravel()[value] - chance[0].ravel()[seat]) / others, CHANCE_MIN)
        nats = np.minimum(kl_up(others, moved, expected), VALUE_NATS_MAX)
        dimension = self.dimension[self.value[at]]
        by_dimension = np.bincount(pair * self.dimensions + dimension, nats, len(rows) * self.dimensions)
        total: Floats = np.minimum(by_dimension.reshape(len(rows), self.dimensions), DIMENSION_NATS_MAX).sum(axis=1)
        return total


@dataclass(slots=True)
class Company:
    """Who moved in company, toward one target in one window, at each pair of LEVELS and COMPANY.

    organisations: that have an account in company; by_chance: as many as come when the evidence is dealt anew.
    """

    target: int
    organisations: Floats
    by_chance: Floats


@dataclass(slots=True)
class Heard:
    """All that was heard of one window, by level: rows that moved, the column of each, and its company in nats."""

    window: int
    rows: list[Ints]
    columns: list[Ints]
    company: list[Floats]
    found: list[Company]

    def crowd(self, column: int, level: int, line: int) -> Ints:
        """The accounts that moved in company toward one of the targets."""
        chosen = (self.columns[level] == column) & (self.company[level] >= COMPANY[line])
        rows: Ints = self.rows[level][chosen]
        return rows


def hear(neighbours: Neighbours, evidence: Evidence, targets: Ints, seed: int) -> Heard:
    """Count who moved in company, and how many do by chance. O(levels x deals x values that the movers carry)."""
    population = neighbours.population
    rng = np.random.default_rng(seed)
    deals = [_dealt(evidence.stratum, rng) for _ in range(DEALS)]
    counts = np.zeros((len(targets), len(LEVELS), len(COMPANY)))
    chance = np.zeros_like(counts)
    heard = Heard(evidence.hours, [], [], [], [])
    for at, level in enumerate(LEVELS):
        moved = evidence.nats[:, targets] >= level
        expected = neighbours.chance(evidence.stratum, _by_stratum(moved, evidence))
        rows, columns = np.nonzero(moved)
        company = neighbours.company(rows, columns, expected)
        counts[:, at] = _organisations(population, rows, columns, company, len(targets))
        for deal in deals:
            dealt, toward = np.nonzero(moved[deal])
            alone = neighbours.company(dealt, toward, expected)
            chance[:, at] += _organisations(population, dealt, toward, alone, len(targets)) / DEALS
        heard.rows.append(rows)
        heard.columns.append(columns)
        heard.company.append(company)
    heard.found.extend(Company(int(k), counts[j], chance[j]) for j, k in enumerate(targets.tolist()))
    return heard


def _by_stratum(moved: NDArray[np.bool_], evidence: Evidence) -> Floats:
    """The part of each stratum that moved, by column."""
    size = np.maximum(np.bincount(evidence.stratum, minlength=evidence.strata), 1.0)
    sums = [np.bincount(evidence.stratum, moved[:, k], evidence.strata) / size for k in range(moved.shape[1])]
    return np.stack(sums, axis=1)


def _dealt(stratum: Ints, rng: np.random.Generator) -> Ints:
    """For each account, whose evidence it gets: somebody's of its stratum."""
    shuffled = rng.permutation(len(stratum))
    out = np.empty(len(stratum), np.int64)
    out[np.argsort(stratum, kind="stable")] = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    return out


def _organisations(population: Population, rows: Ints, columns: Ints, company: Floats, width: int) -> Floats:
    """Organisations with an account in company: columns x COMPANY."""
    out = np.zeros((width, len(COMPANY)))
    for i, line in enumerate(COMPANY):
        together = company >= line
        pairs = distinct(population.org[rows[together]] * width + columns[together])
        out[:, i] = np.bincount(pairs % width, minlength=width)
    return out
