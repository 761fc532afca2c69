"""Cores, components and parts: who is tied widely enough, and where one network ends and the next begins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from detectors.movement import movement_of
from detectors.networks import communities, core_of, parts_of
from detectors.ties import Ties, ties_of
from tests.detectors.fleets import (
    PARAMETERS,
    Account,
    carried,
    moving,
    operated,
    population,
    private_values,
    still_fleet,
)


def ties_between(pairs):
    a, b = (np.array([sorted(pair)[i] for pair in pairs], np.int64) for i in (0, 1))
    strong = np.full(len(pairs), 20.0)
    return Ties(a, b, strong, strong, 9.0)


def naive_core(org, pairs, least):
    alive = set(range(len(org)))
    while True:
        reach = {v: {org[w] for p in pairs if v in p for w in p if w != v and w in alive} for v in alive}
        keep = {v for v in alive if len(reach[v]) >= least}
        if keep == alive:
            return alive
        alive = keep


@settings(max_examples=60)
@given(st.lists(st.integers(0, 6), min_size=8, max_size=14), st.data())
def test_the_core_is_the_largest_set_tied_into_enough_organisations_of_itself(org, data):
    size = len(org)
    everything = [(a, b) for a in range(size) for b in range(a + 1, size) if org[a] != org[b]]
    pairs = data.draw(st.lists(st.sampled_from(everything), unique=True) if everything else st.just([]))
    one = population([Account(f"a{i:02}", f"o{o}") for i, o in enumerate(org)])
    core = core_of(one, ties_between(pairs), 3)
    assert set(np.flatnonzero(core).tolist()) == naive_core(org, [set(pair) for pair in pairs], 3)


def cliques(*sizes, bridges=(), weight=1.0):
    matrix = np.zeros((sum(sizes), sum(sizes)))
    at = 0
    for size in sizes:
        matrix[at : at + size, at : at + size] = 1.0
        at += size
    np.fill_diagonal(matrix, 0.0)
    for a, b in bridges:
        matrix[a, b] = matrix[b, a] = weight
    return csr_array(matrix)


def test_two_cliques_held_by_a_few_bridges_are_two_parts():
    label = communities(cliques(15, 12, bridges=[(0, 15), (1, 16)]), 0.3)
    assert len(set(label[:15].tolist())) == len(set(label[15:].tolist())) == 1
    assert label[0] != label[15]


def test_a_low_resolution_keeps_one_loose_operator_together():
    """Rings of accounts that share a value here and there: many pieces at 1.0, one or two at a lower resolution."""
    rng = np.random.default_rng(1)
    matrix = np.zeros((60, 60))
    for _ in range(30):
        members = rng.choice(60, 8, replace=False)
        matrix[np.ix_(members, members)] += 1.0
    np.fill_diagonal(matrix, 0.0)
    parts = [len(np.unique(communities(csr_array(matrix), resolution))) for resolution in (0.3, 1.0)]
    assert parts[0] <= 2 < parts[1]


@pytest.mark.parametrize("scale", [0.01, 1.0, 1e4])
def test_the_scale_of_weights_changes_no_part(scale):
    graph = cliques(9, 7, 5, bridges=[(0, 9), (10, 16)])
    assert communities(graph * scale, 0.3).tolist() == communities(graph, 0.3).tolist()


def test_accounts_without_a_tie_stay_alone():
    assert len(np.unique(communities(csr_array((4, 4)), 0.3))) == 4


def networks(fleet):
    one = population(fleet)
    ties = ties_of(one, movement_of(one), carried(one), PARAMETERS, seed=one.hour)
    return [{one.columns.ids[row] for row in rows.tolist()} for rows, _ in parts_of(one, ties, PARAMETERS)], one


def test_an_operator_is_found_whole_and_nobody_else_with_it():
    group = operated(still_fleet(60, prefix="z", orgs_of=1), each=5)
    fleet = private_values(still_fleet(500))
    found, _ = networks([*fleet, *moving(group, "model:atlas-4", 0.5)])
    assert len(found) == 1
    assert found[0] <= {one.id for one in group}
    assert len(found[0]) >= 50


def test_two_operators_with_pools_of_their_own_are_two_networks_though_both_move_to_one_model():
    """Movement is not in the weight of the split: after a release everybody who moves is alike."""
    first = operated(still_fleet(60, prefix="y", orgs_of=1), seed=1, each=5)
    second = operated(still_fleet(60, prefix="z", orgs_of=1), seed=2, each=5)
    second = [
        type(one)(**{**one.__dict__, "values": {(d, f"other {v}"): n for (d, v), n in one.values.items()}})
        for one in second
    ]
    group = moving([*first, *second], "model:atlas-4", 0.5)
    found, _ = networks([*private_values(still_fleet(500)), *group])
    assert len(found) == 2
    assert sorted({name[0] for name in part} for part in found) == [{"y"}, {"z"}]


def test_a_still_fleet_of_strangers_has_no_network():
    assert networks(private_values(still_fleet(500)))[0] == []


def test_fewer_organisations_than_a_network_needs_are_none():
    few = operated(still_fleet(40, prefix="z", orgs_of=10), each=6)
    assert networks([*private_values(still_fleet(500)), *moving(few, "model:atlas-4", 0.5)])[0] == []
