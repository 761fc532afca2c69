"""Do all targets of a group have the same movers? Who moved toward what, split into shifts of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Ints

OTHERS_CORRELATION = -0.1
NOISE_SD = 2.5  # of the correlation of two unrelated sets of movers, 1 / sqrt(members)
MOVERS_MIN = 8


def stories_of(moved: NDArray[np.bool_], strong: Ints) -> list[tuple[Ints, NDArray[np.bool_]]]:
    """The shifts of one group: (targets, members) each, by the order of `strong`, which is strongest first.

    moved: members x targets. A target joins the shift whose movers are the same accounts, or unrelated to its own
    (early in a shift few have moved yet); movers that avoid each other are a story of their own. Where there is one
    story every member is in it; else each has those who moved most toward its targets.

    >>> same = np.array([[1, 1]] * 20 + [[0, 0]] * 20, bool)
    >>> [targets.tolist() for targets, _ in stories_of(same, np.array([0, 1]))]
    [[0, 1]]
    >>> apart = np.array([[1, 0]] * 20 + [[0, 1]] * 20, bool)
    >>> [(targets.tolist(), int(who.sum())) for targets, who in stories_of(apart, np.array([0, 1]))]
    [([0], 20), ([1], 20)]
    """
    line = -max(-OTHERS_CORRELATION, NOISE_SD / np.sqrt(max(len(moved), 1)))
    stories: list[list[int]] = []
    for k in strong.tolist():
        likeness = [_correlation(moved[:, k], np.asarray(moved[:, story].any(axis=1))) for story in stories]
        best = int(np.argmax(likeness)) if likeness else -1
        if best >= 0 and likeness[best] > line:
            stories[best].append(k)
        elif moved[:, k].sum() >= MOVERS_MIN:
            stories.append([k])
        elif stories:
            stories[0].append(k)
    if len(stories) < 2:
        return [(strong, np.ones(len(moved), bool))]
    weight = np.stack([moved[:, story].mean(axis=1) for story in stories], axis=1)
    first = weight.argmax(axis=1)
    return [(np.array(story, np.int64), (first == i) & (weight[:, i] > 0)) for i, story in enumerate(stories)]


def _correlation(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Phi coefficient of two sets of accounts; 1 where one of them is everybody."""
    if a.all() or b.all() or not a.any() or not b.any():
        return 1.0
    return float(np.corrcoef(a, b)[0, 1])
