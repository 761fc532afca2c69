"""How odd is what an account does, as the whole fleet goes? One anomaly model (river) over a few traits of accounts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TREES = 15
HEIGHT = 6
WINDOW = 1_000  # accounts whose traits are one picture of the fleet; the next window replaces it
REFERENCE = 2_000  # scores of sampled accounts, against which a score is ranked: no rarer than 1 in 2,000
SEED = 1


class Oddity:
    """River's half-space trees, learnt from a sample of the fleet, and how rare a score is in it.

    A trait is a number from 0 to 1. The trees never see who an account is, and nobody is judged by them alone: they
    say which *combinations* of traits hardly anybody has. Learning and scoring cost about 20 us an account.
    Source: Tan, Ting and Liu 2011, Fast anomaly detection for streaming data.

    >>> odd = Oddity(("growth", "work"))
    >>> plain = np.random.default_rng(1).beta(2, 12, (3_000, 2))
    >>> odd.learn(plain)
    >>> nats = odd.nats(np.array([[0.1, 0.1], [0.9, 0.95]]))
    >>> bool(nats[0] < 2.0 < 5.0 < nats[1])
    True
    """

    def __init__(self, traits: Sequence[str]) -> None:
        self.traits = tuple(traits)
        self._trees = _trees()
        # The window that the trees score by, and the one that they learn now: what they are can be built anew from it.
        self._learnt: list[list[float]] = []
        self._scores: deque[float] = deque(maxlen=REFERENCE)

    def learn(self, sample: Floats) -> None:
        """Take the traits of sampled accounts in, in this order. O(accounts x trees x height)."""
        for values in sample.tolist():
            told = dict(zip(self.traits, values, strict=True))
            if len(self._learnt) >= WINDOW:  # a window is full: the trees know what is usual
                self._scores.append(float(self._trees.score_one(told)))
            self._trees.learn_one(told)
            self._learnt.append(values)
            if len(self._learnt) == 2 * WINDOW:
                del self._learnt[:WINDOW]

    def nats(self, traits: Floats) -> Floats:
        """-ln of the part of the sampled accounts that are as odd or odder; 0 before a window is full."""
        if not self._scores:
            return np.zeros(len(traits))
        usual = np.sort(np.array(self._scores))
        scores = [float(self._trees.score_one(dict(zip(self.traits, one, strict=True)))) for one in traits.tolist()]
        as_odd = len(usual) - np.searchsorted(usual, np.array(scores), side="left")
        told: Floats = -np.log((as_odd + 1.0) / (len(usual) + 1.0))
        return told

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot: the traits that the trees are made of, 56 kB at most, and the reference."""
        learnt = np.array(self._learnt).reshape(-1, len(self.traits))
        return {"learnt": learnt, "scores": np.array(self._scores)}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave: trees of the same seed, fed with the same traits, are the same trees."""
        self._trees = _trees()
        self._learnt = state["learnt"].tolist()
        self._scores = deque(state["scores"].tolist(), maxlen=REFERENCE)
        for values in self._learnt:
            self._trees.learn_one(dict(zip(self.traits, values, strict=True)))


def _trees() -> Any:
    from river.anomaly import HalfSpaceTrees  # heavy, and only the worker that judges needs it

    return HalfSpaceTrees(n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=SEED)
