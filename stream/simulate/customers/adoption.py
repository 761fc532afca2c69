"""How do honest customers take up a new release? By alias at once, all together, slowly, on trial, or never."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.simulate.chance.catalogue import HOUR_MS
from stream.simulate.chance.draws import Floats, Ints
from stream.simulate.chance.ranges import AdoptionDraw
from stream.simulate.customers.fleet import Fleet
from stream.simulate.customers.shifts import Shift, onto_one

NEVER, ALIAS, EARLY, MIGRATES, SLOW, TRIES = range(6)
MANNERS = np.array([0.36, 0.12, 0.12, 0.12, 0.20, 0.08])
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Mood:
    """How a fleet takes a release. manners: part of the customers in each; pace: times the usual speed."""

    manners: Floats
    pace: float = 1.0

    @classmethod
    def drawn(cls, draw: AdoptionDraw) -> Mood:
        """As a random world has it; half of whoever is left moves at once, half in the weeks after."""
        left = max(0.1, 1 - draw.never - draw.alias - draw.slow - draw.tries) / 2
        manners = np.array([draw.never, draw.alias, left, left, draw.slow, draw.tries])
        return cls(manners / manners.sum(), draw.pace)


USUAL = Mood(MANNERS)


def adopt(
    fleet: Fleet, rng: np.random.Generator, stream: Ints, model: int, supersedes: int, released_ms: int,
    mood: Mood = USUAL,
) -> list[Shift]:  # fmt: skip
    """The shifts of honest streams toward a model released at released_ms.

    An organisation of three and more mostly agrees on one manner and one day. ALIAS: `atlas-latest` points to the new
    model within minutes. EARLY and MIGRATES: nearly everything moves within hours, in the first day or in the weeks
    after. SLOW: an S-curve over days, to its own depth. TRIES: some requests, which fade.
    """
    org = fleet.accounts.org[fleet.streams.account[stream]]
    manner, onset_ms = _agreed(rng, org, fleet.orgs, released_ms, mood)
    count = len(stream)
    ramp_ms = np.select(
        [manner == ALIAS, (manner == EARLY) | (manner == MIGRATES), manner == TRIES],
        [rng.integers(1, 15, count) * MINUTE_MS, _hours(rng, count, 2.5, 1.2), _hours(rng, count, 1.0, 0.5)],
        _hours(rng, count, 30.0, 0.8),
    )
    depth = np.select(
        [manner == ALIAS, (manner == EARLY) | (manner == MIGRATES), manner == TRIES],
        [np.ones(count), rng.beta(4, 1.2, count), rng.beta(2, 4, count)],
        rng.beta(1.6, 1.8, count),
    )
    return [
        _toward(model, stream, onset_ms, ramp_ms, depth, manner == ALIAS, leaving=(supersedes,)),
        _toward(model, stream, onset_ms, ramp_ms, depth, (manner == EARLY) | (manner == MIGRATES) | (manner == SLOW)),
        _toward(model, stream, onset_ms, ramp_ms, depth, manner == TRIES, half_life_ms=14 * HOUR_MS),
    ]


def _agreed(rng: np.random.Generator, org: Ints, orgs: int, released_ms: int, mood: Mood) -> tuple[Ints, Ints]:
    """(manner, onset) of each stream; members of an organisation follow it with a chance of .7."""
    with_org = rng.random(len(org)) < 0.7
    manner = np.where(with_org, rng.choice(6, orgs, p=mood.manners)[org],
                      rng.choice(6, len(org), p=mood.manners))  # fmt: skip
    lag = np.where(with_org, rng.random(orgs)[org], rng.random(len(org)))
    jitter_ms = (rng.exponential(2.0, len(org)) * HOUR_MS).astype(np.int64)
    days = np.select([manner == ALIAS, manner == EARLY, manner == TRIES], [0.01 * lag, 1.1 * lag, 1.6 * lag],
                     -3.2 * np.log1p(-0.999 * lag)) / mood.pace  # fmt: skip
    return manner, released_ms + (days * 24 * HOUR_MS).astype(np.int64) + np.where(manner == ALIAS, 0, jitter_ms)


def _hours(rng: np.random.Generator, count: int, median: float, sd_ln: float) -> Ints:
    return (median * np.exp(sd_ln * rng.standard_normal(count)) * HOUR_MS).astype(np.int64)


def _toward(
    model: int, stream: Ints, onset_ms: Ints, ramp_ms: Ints, depth: Floats, who: Ints, *,
    leaving: tuple[int, ...] = (), half_life_ms: float | None = None,
) -> Shift:  # fmt: skip
    chosen = np.flatnonzero(who)
    onto = onto_one(len(chosen), model)
    return Shift("model", stream[chosen], onset_ms[chosen], ramp_ms[chosen], depth[chosen], onto, leaving=leaving,
                 half_life_ms=half_life_ms)  # fmt: skip
