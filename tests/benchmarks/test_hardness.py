"""Random worlds are as hard as fleets by other hands: light accounts, few carriers, shared prompts everywhere."""

from __future__ import annotations

import pytest

from benchmarks.hardness import BOUNDS, measured, outside, thin
from stream.simulate.chance.world import draw


@pytest.mark.slow
def test_thin_worlds_are_as_thin_as_fleets_by_other_hands():
    """Eight of the twenty that `make hardness` measures. How long they take says how quick the machine is."""
    rows = [measured(seed) | {"seconds": 0.0} for seed in thin(1, 8)]

    assert outside(rows) == []


def test_a_median_that_leaves_its_bounds_is_said_with_what_was_seen_elsewhere():
    row = {name: bound.least for name, bound in BOUNDS.items()}
    easy = row | {"exit": 11.0}

    assert outside([row, row, easy]) == []
    assert outside([row, easy, easy]) == [
        "exit: 11 is not from 2 to 3 (campaign accounts on an exit that they share: 2)"
    ]


def test_thin_seeds_are_of_worlds_that_record_what_ties_accounts():
    seeds = list(thin(1, 10))

    assert len(seeds) == len(set(seeds)) == 10
    for seed in seeds:
        assert draw(seed).regime == "thin"
        assert draw(seed).records.templates == "recorded"
