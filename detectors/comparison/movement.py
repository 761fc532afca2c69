"""How far has an account moved, given what accounts like it do now?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.comparison.population import Floats, Ints, Population

EVIDENCE_MAX = 7.0  # one account toward one target, beside the company that it moved in
NATS_MAX = 5.0  # one account never counts for more than a chance of 1 in 150 in one target
RATE_BASELINE_MIN = 5.0  # requests: below it an account has no rate of its own to grow from


@dataclass(slots=True)
class Movement:
    """-ln of each account's upper-tail rank among its like. evidence: by target, at most EVIDENCE_MAX; u: the same, at
    most NATS_MAX; growth: of its requests."""

    evidence: Floats
    u: Floats
    growth: Floats


def kl_up(n: Floats, now: Floats, before: Floats) -> Floats:
    """n x KL(now || before) of two Bernoulli shares where now is above before, else 0; in nats.

    The log-likelihood ratio of "this share" against "the share before" for n requests.

    >>> kl_up(np.array([10.0]), np.array([0.5]), np.array([0.5])).tolist()
    [0.0]
    """
    q = np.clip(before, 1e-6, 1 - 1e-6)
    p = np.clip(now, 0.0, 1.0)
    up = p > q
    p, q = p[up], q[up]
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = p * np.log(p / q) + np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    score = np.zeros(up.shape)
    score[up] = np.broadcast_to(n, up.shape)[up] * nats
    return score


def movement_of(population: Population) -> Movement:
    """Rank every account among its like, by target. O(accounts x targets x log accounts)."""
    score = kl_up(population.n[:, None], population.now, population.before)
    evidence = ranks_of(score, population.stratum, population.strata)
    growth = nats_of_rank(_growth(population), population.stratum, population.strata)
    return Movement(evidence, np.minimum(evidence, NATS_MAX), growth)


def ranks_of(score: Floats, stratum: Ints, strata: int) -> Floats:
    """`nats_of_rank` of each column, at most EVIDENCE_MAX: accounts x targets, as score. stratum: of each account.

    O(accounts x targets x log accounts).
    """
    columns = [nats_of_rank(score[:, k], stratum, strata, EVIDENCE_MAX) for k in range(score.shape[1])]
    return np.stack(columns, axis=1) if columns else score


def nats_of_rank(score: Floats, stratum: Ints, strata: int, most: float = NATS_MAX) -> Floats:
    """-ln of the upper-tail rank inside the stratum; ties take the larger p, a score of 0 takes p = 1.

    Under "this account is like its stratum" the value exceeds t with probability at most exp(-t).
    """
    nats = np.zeros(len(score))
    moved = np.flatnonzero(score > 0)  # most have not, in most targets: only the others are sorted
    order = moved[np.lexsort((score[moved], stratum[moved]))]
    if not len(order):
        return nats
    ordered, group = score[order], stratum[order]
    size = np.bincount(stratum, minlength=strata)
    end = np.cumsum(np.bincount(group, minlength=strata))
    # The first position in each run of equal scores counts all that are as large or larger.
    begins = np.concatenate(([True], (ordered[1:] != ordered[:-1]) | (group[1:] != group[:-1])))
    run = np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    nats[order] = np.minimum(-np.log((end[group] - run) / size[group]), most)
    return nats


def _growth(population: Population) -> Floats:
    """Poisson deviance of the requests now against the account's own hourly rate, where it has one."""
    known = population.nb >= RATE_BASELINE_MIN
    expected = usual_requests(population)
    n = population.n
    deviance = n * np.log(np.maximum(n, 1e-9) / expected) - (n - expected)
    return np.where(known & (n > expected), deviance, 0.0)


def usual_requests(population: Population) -> Floats:
    """Requests that each account would have sent in its fast window at its own hourly rate before.

    It means something from a baseline of RATE_BASELINE_MIN requests. O(accounts).
    """
    hours = np.clip(population.age_h - 24.0, 1.0, 240.0)
    # The baseline halves every week, so an old account's hours count for at most 240 of them.
    rate = (population.nb + 1.0) / (hours + 1.0)
    usual: Floats = rate * np.minimum(population.age_h, 24.0)
    return usual
