"""Parts of a weighted graph: where one network ends and the next begins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from detectors.ties.networks import communities


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


def test_nodes_without_an_edge_stay_alone():
    assert len(np.unique(communities(csr_array((4, 4)), 0.3))) == 4
