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

from detectors.comparison.movement import kl_up, ranks_of
from detectors.comparison.population import Floats, Ints, Population, strata_of
from detectors.counts.sparse import distinct
from detectors.ties.holdings import Holdings

LEVELS = (2.0, 3.5)  # nats of its own evidence from which an account counts as one that moved
COMPANY = (2.5, 5.0, 8.0)  # nats of the others' evidence from which it moved in company
DIMENSION_NATS_MAX = 7.0  # one dimension alone, however many of its values agree
VALUE_NATS_MAX = 5.0
DEALS = 2
CHANCE_MIN = 1e-3


@dataclass(slots=True)
class Evidence:
    """Of one window: -ln of each account's upper-tail rank among its like, by target; accounts that asked nothing in
    the window have none. stratum: who is like whom in it."""

    hours: int
    nats: Floats
    stratum: Ints
    strata: int


def evidence_of(population: Population, counts: Floats, requests: Floats, hours: int) -> Evidence:
    """Evidence that each account turned to each target in a shorter window. O(accounts x targets x log accounts).

    counts: requests in the window by target. requests: of the window. Of the fast window, `Movement` has it.
    """
    stratum, strata = strata_of(requests, population.nb)
    score = kl_up(requests[:, None], counts / np.maximum(requests, 1.0)[:, None], population.before)
    return Evidence(hours, ranks_of(score, stratum, strata), stratum, strata)


class Neighbours:
    """Who shares rare values with whom, organisation by organisation. O(memberships log memberships) to build."""

    def __init__(self, known: Holdings) -> None:
        population = known.population
        names, value = np.unique(known.value, return_inverse=True)
        width = np.int64(max(population.organisations, 1))
        pair, seat = np.unique(value * width + population.org[known.row], return_inverse=True)
        self.population = population
        self.known = known
        self.names = names
        self.value: Ints = value.astype(np.int64)
        # An organisation has one seat at a value, however many of its accounts carry it.
        self.seat: Ints = seat.astype(np.int64)
        self.part_of_seat: Floats = 1.0 / np.bincount(seat, minlength=len(pair))[seat]
        self.seats = len(pair)
        self._at_value = csr_array(
            (np.ones(len(pair)), (pair // width, np.arange(len(pair)))), shape=(len(names), len(pair))
        )
        self.dimension: Ints = known.carried.dimension[names]
        self.dimensions = len(known.carried.dimensions)
        self.organisations: Floats = np.bincount(pair // width, minlength=len(names)).astype(float)
        self.accounts: Ints = np.bincount(self.value, minlength=len(names))

    def values_of(self, rows: Ints) -> csr_array:
        """Which of the rows carry which value, 1 or 0: len(rows) x values. O(values that they carry)."""
        at, position = self.known.places(rows)
        return csr_array((np.ones(len(at)), (position, self.value[at])), shape=(len(rows), len(self.names)))

    def chance(self, stratum: Ints, parts: Floats) -> tuple[Floats, Floats]:
        """What each seat, and each value, is expected to hold, by column.

        stratum: of each account. parts: strata x columns, the part of each stratum that moved.
        O(memberships + seats x strata held x columns).
        """
        by_seat = csr_array((self.part_of_seat, (self.seat, stratum[self.known.row])), shape=(self.seats, len(parts)))
        seats: Floats = by_seat @ parts
        values: Floats = self._at_value @ seats
        return seats, values

    def company(self, rows: Ints, columns: Ints, chance: tuple[Floats, Floats]) -> Floats:
        """Nats that those who share values with it speak for each account's having moved in company: pairs x (1 +
        dimensions), of all dimensions together and of each alone.

        rows, columns: who moved toward what, a pair each. chance: of `chance`. Of each value that an account carries,
        the other organisations are held against their own chance (n x KL upwards), capped; the values of a dimension
        add up to DIMENSION_NATS_MAX. O(values that the movers carry).
        """
        at, pair = self.known.places(rows)
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
        capped = np.minimum(by_dimension.reshape(len(rows), self.dimensions), DIMENSION_NATS_MAX)
        found: Floats = np.concatenate((capped.sum(axis=1, keepdims=True), capped), axis=1)
        return found


@dataclass(slots=True)
class Company:
    """Who moved in company, toward one target in one window: LEVELS x COMPANY x (1 + dimensions). Rings that share
    nothing but payments are few beside all who share a prompt, and many beside those who share a payment.

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

    def crowd(self, column: int, level: int, line: int, scope: int) -> Ints:
        """The accounts that moved in company toward one of the targets. scope: 0, or 1 + the dimension alone."""
        chosen = (self.columns[level] == column) & (self.company[level][:, scope] >= COMPANY[line])
        rows: Ints = self.rows[level][chosen]
        return rows


def hear(neighbours: Neighbours, evidence: Evidence, targets: Ints, seed: int) -> Heard:
    """Count who moved in company, and how many do by chance; seed: of the deals. targets: their columns.

    O(levels x deals x values that the movers carry).
    """
    population = neighbours.population
    rng = np.random.default_rng(seed)
    deals = [_dealt(evidence.stratum, rng) for _ in range(DEALS)]
    counts = np.zeros((len(targets), len(LEVELS), len(COMPANY), 1 + neighbours.dimensions))
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
    """Organisations with an account in company: columns x COMPANY x (1 + dimensions)."""
    out = np.zeros((width, len(COMPANY), company.shape[1]))
    place = population.org[rows] * width + columns
    for i, line in enumerate(COMPANY):
        for scope in range(company.shape[1]):
            pairs = distinct(place[company[:, scope] >= line])
            out[:, i, scope] = np.bincount(pairs % width, minlength=width)
    return out
