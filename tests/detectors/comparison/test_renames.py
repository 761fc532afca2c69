"""A renamed tag is the same accounts doing the same; a viral feature and a campaign add to what accounts do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.comparison.population import population_of
from tests.detectors.fleets import HOUR, PARAMETERS, columns_of, still_fleet

OLD, NEW = "capability:coding", "capability:code"


def renamed(fleet, part=1.0, seed=2):
    """The same requests, of which this part now carries the new name."""
    rng = np.random.default_rng(seed)
    out = []
    for one in fleet:
        moved = int(rng.binomial(one.now.get(OLD, 0), part))
        now = {**one.now, OLD: one.now.get(OLD, 0) - moved, NEW: moved}
        out.append(dataclasses.replace(one, now={name: count for name, count in now.items() if count}))
    return out


def added(fleet, part, who=slice(None)):
    """The same requests; this part of them carries the new tag besides."""
    rng = np.random.default_rng(3)
    chosen = {one.id for one in fleet[who]}
    return [
        dataclasses.replace(one, now={**one.now, NEW: int(rng.binomial(one.n, part)) + 1}) if one.id in chosen else one
        for one in fleet
    ]


def found(fleet, known=None):
    """What a tick of this fleet knows of renames."""
    names = dict(known or {})
    population_of(columns_of(fleet), HOUR, PARAMETERS, names)
    return names


FLEET = still_fleet(500)


@pytest.mark.parametrize("part", [0.4, 1.0])
def test_a_renamed_capability_is_seen_while_and_after_it_rolls_out(part):
    assert found(renamed(FLEET, part)) == {NEW: OLD}


def test_a_viral_feature_is_no_rename():
    assert found(added(FLEET, 0.2)) == {}


def test_a_campaign_on_a_new_tag_is_no_rename():
    assert found(added(FLEET, 0.6, slice(0, 50))) == {}


def test_a_still_fleet_renames_nothing():
    assert found(FLEET) == {}


def test_what_is_known_stays_known_while_the_new_name_is_used():
    assert found(renamed(FLEET), {NEW: OLD}) == {NEW: OLD}


def test_after_a_rename_nobody_has_moved():
    columns = columns_of(renamed(FLEET))
    one = population_of(columns, HOUR, PARAMETERS, {})
    k = one.targets.index(NEW)
    assert abs(float(np.average(one.change[:, k], weights=one.n))) < 0.02
    assert one.X[:, one.targets.index(OLD)].sum() == 0


def test_an_old_name_goes_to_one_new_name_and_no_second_takes_its_counts():
    both = [
        dataclasses.replace(one, now={**one.now, "capability:codex": one.now.get(NEW, 0) * 2 // 3})
        for one in renamed(FLEET)
    ]
    assert found(both) == {NEW: OLD}
    assert found(both, {NEW: OLD}) == {NEW: OLD}
