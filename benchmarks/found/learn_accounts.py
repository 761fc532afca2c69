"""Which accounts are a campaign's? The curves of an account's traits, for `make learn`.

Of every network that somebody might be told of, every few hours, all accounts near it with their traits and the
truth. Each fleet weighs the same, and in it each hour of each network. How much a trait says is learnt, not whether it
speaks for or against: that follows from what it is, and holds in fleets that are made otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.found.additive import Curves, Floats, calibrated, fitted, one_way, scored
from detectors.judgement.belonging import NAME_ODDS, SCORE_PACE

FOLDS = 6
WEIGHT = 100.0  # accounts that a fleet counts for: against them stands the ridge
KNOTS = (-4.0, -2.0, -1.0, 0.0, 0.6, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
MOST = 0.995
# By trait (see `belonging.account_traits`): 1 where more of it can only speak for, -1 where only against.
DIRECTIONS: Mapping[str, int] = {
    "score": 1, "shared": 1, "second": 1, "kinds": 1, "values": 1, "part": 1, "company": 1, "fresh": 1, "stand": 1,
    "turned": 1, "mix": 1, "clock": 1, "hand": 1, "rare": -1, "around": -1,
    "alike_age": 1, "alike_before": 1, "alike_fresh": 1, "alike_rare": 1, "alike_stand": 1, "alike_values": 1,
    "alike_volume": 1,
}  # fmt: skip


@dataclass(slots=True)
class Accounts:
    """Accounts near networks, an hour each. fleet: a number. who: one account near one network. mine: a campaign's."""

    fleet: NDArray[np.int64]
    who: NDArray[np.int64]
    hour: NDArray[np.int64]
    traits: dict[str, Floats]
    mine: NDArray[np.bool_]
    weight: Floats


@dataclass(slots=True)
class Told:
    """Accounts near networks, once each. score: the highest over the last hours of any hour. mine: a campaign's."""

    score: Floats
    mine: NDArray[np.bool_]
    weight: Floats


@dataclass(frozen=True, slots=True)
class Belonging:
    """What was found. loss: log-loss of accounts of left-out fleets. told: (bin, said, right) of those named there, by
    the highest that was said of each."""

    curves: Curves
    base: float
    named: list[tuple[float, float]]
    loss: float
    told: list[tuple[str, float, float]]


def belonging(fleets: Sequence[Mapping[str, Any]]) -> Belonging:
    """Fit the curves, and find how those who are named turn out in fleets that were left out."""
    samples = gathered(fleets)
    left_out = np.zeros(len(samples.mine))
    for fold in range(FOLDS):
        held = samples.fleet % FOLDS == fold
        if held.any() and not held.all():
            curves, base = _fitted(samples, ~held)
            left_out[held] = scored({name: one[held] for name, one in samples.traits.items()}, curves, base)
    told = _highest(samples, _lasting(samples, left_out))
    named = calibrated(told.score, told.mine, told.weight, KNOTS, MOST)
    curves, base = _fitted(samples, np.ones(len(samples.mine), bool))
    loss = np.logaddexp(0.0, left_out) - samples.mine * left_out
    return Belonging(curves, base, named, float(np.average(loss, weights=samples.weight)), _right(told, named))


def gathered(fleets: Sequence[Mapping[str, Any]]) -> Accounts:
    """All near accounts of all fleets; of each fleet they weigh WEIGHT together."""
    rows = [(i, one) for i, fleet in enumerate(fleets) for one in fleet["samples"] if one.get("near")]
    size = [len(one["near"]["mine"]) for _, one in rows]
    hours = np.bincount([i for i, _ in rows], minlength=len(fleets))
    keys = [f"{i} {one['network']} {key}" for i, one in rows for key in one["near"]["keys"]]
    names = sorted(rows[0][1]["near"]["traits"])
    return Accounts(
        np.repeat([i for i, _ in rows], size),
        np.unique(keys, return_inverse=True)[1].astype(np.int64),
        np.repeat([one["hour"] for _, one in rows], size),
        {name: np.concatenate([np.asarray(one["near"]["traits"][name], float) for _, one in rows]) for name in names},
        np.concatenate([np.asarray(one["near"]["mine"], bool) for _, one in rows]),
        np.concatenate([np.full(n, WEIGHT / n / hours[i]) for n, (i, _) in zip(size, rows, strict=True)]),
    )


def _fitted(samples: Accounts, chosen: NDArray[np.bool_]) -> tuple[Curves, float]:
    traits = {name: values[chosen] for name, values in samples.traits.items()}
    curves, base = fitted(traits, samples.mine[chosen], samples.weight[chosen])
    return one_way(curves, DIRECTIONS), base


def _lasting(samples: Accounts, score: Floats) -> Floats:
    """What the judge goes by: the score of each account near one network, smoothed over the hours."""
    out = np.empty(len(score))
    order = np.lexsort((samples.hour, samples.who))
    who, at, level = -1, 0, 0.0
    for i in order.tolist():
        if samples.who[i] != who:
            who, level = int(samples.who[i]), score[i]
        else:
            level += (1.0 - (1.0 - SCORE_PACE) ** (samples.hour[i] - at)) * (score[i] - level)
        at, out[i] = int(samples.hour[i]), level
    return out


def _highest(samples: Accounts, lasting: Floats) -> Told:
    """Each account near each network once, with the highest of its scores: it is what is told of it in the end."""
    who, first = np.unique(samples.who, return_index=True)
    score = np.full(len(who), -np.inf)
    np.maximum.at(score, samples.who, lasting)
    fleet = samples.fleet[first]
    return Told(score, samples.mine[first], WEIGHT / np.bincount(fleet)[fleet])


def _right(told: Told, named: Sequence[tuple[float, float]]) -> list[tuple[str, float, float]]:
    said = 1.0 / (1.0 + np.exp(-np.interp(told.score, *zip(*named, strict=True))))
    found = []
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 0.99), (0.99, 1.0)):
        chosen = (told.score >= NAME_ODDS) & (said >= low) & (said < high)
        if chosen.any():
            weight = told.weight[chosen]
            right = float(np.average(told.mine[chosen], weights=weight))
            found.append((f"{low:g} to {high:g}", float(np.average(said[chosen], weights=weight)), right))
    return found
