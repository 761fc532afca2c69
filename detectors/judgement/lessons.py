"""What have people's verdicts taught of one operator's hand, here? A correction of what was learnt on other fleets.

A logistic regression that begins where `make learn` ended: its prior is that every trait counts as it was learnt, and
that a network is as likely an operator's as it was there. Verdicts move it from that, a few of them little, and
`hand.LESSONS_MAX` bounds what they may add to any network. It is learnt anew from all verdicts whenever one is added,
so that there is no state that could drift, and their order does not matter.

Source: Bayesian logistic regression with a normal prior, its mode by Newton's method; Bishop, Pattern Recognition and
Machine Learning, 4.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from detectors.judgement.hand import NO_LESSONS, Lessons
from detectors.judgement.learnt import BASE, TRAITS

BASE_SD = 0.4  # nats: how far a platform's networks may be from those of the fleets learnt on, before anybody said so
TRAIT_SD = 0.2  # of what a trait counts: a fifth more, or less
STEPS = 25
NATS_MAX = 20.0

Votes = Mapping[str, float]  # nats of each trait, as the alert told them


def lessons_of(judged: Iterable[tuple[Votes, bool]]) -> Lessons:
    """What follows from (votes of an alert, whether it was a campaign) of every alert that somebody judged.

    Traits that are not learnt, as what earlier verdicts added, teach nothing. O(verdicts x traits^2).

    >>> lessons_of([({"moved": 0.4}, False)] * 3).base < 0
    True
    """
    known = [({trait: votes[trait] for trait in sorted(votes) if trait in TRAITS}, mine) for votes, mine in judged]
    known = [one for one in known if one[0]]
    if not known:
        return NO_LESSONS
    known.sort(key=lambda one: (one[1], sorted(one[0].items())))
    names = sorted({trait for votes, _ in known for trait in votes})
    nats = np.array([[votes.get(name, 0.0) for name in names] for votes, _ in known])
    nats = np.clip(nats, -NATS_MAX, NATS_MAX)
    moved = _mode(np.column_stack([np.ones(len(known)), nats]), np.array([mine for _, mine in known], float))
    weights = {name: round(float(weight), 3) for name, weight in zip(names, moved[1:], strict=True)}
    return Lessons(len(known), round(float(moved[0]), 3), weights)


def _mode(x: NDArray[np.float64], mine: NDArray[np.float64]) -> NDArray[np.float64]:
    """The likeliest correction: base first, then what each nat of a trait counts more."""
    before = BASE + x[:, 1:].sum(axis=1)
    precision = np.array([BASE_SD**-2, *[TRAIT_SD**-2] * (x.shape[1] - 1)])
    moved = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(before + x @ moved, -NATS_MAX, NATS_MAX)))
        slope = x.T @ (mine - p) - precision * moved
        curvature = (x * (p * (1.0 - p))[:, None]).T @ x + np.diag(precision)
        moved = moved + np.linalg.solve(curvature, slope)
    return moved
