"""Into which parts does a weighted graph fall? Communities by modularity."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from detectors.comparison.population import Ints

SWEEPS_MAX = 20


def communities(graph: csr_array, resolution: float) -> Ints:
    """Parts of a weighted graph by modularity: sequential moves, then the parts as nodes, until nothing improves.

    Deterministic: nodes move in their order. O(sweeps x edges). Source: Blondel et al. 2008, Fast unfolding of
    communities in large networks; resolution after Reichardt and Bornholdt 2006.

    >>> two = csr_array(np.kron(np.eye(2), np.ones((3, 3)) - np.eye(3)))
    >>> communities(two, 1.0).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    label = np.arange(graph.shape[0])
    while True:
        moved = _moves(graph, resolution)
        label = moved[label]
        count = int(moved.max()) + 1
        if count == graph.shape[0]:
            return label
        merge = csr_array((np.ones(len(moved)), (np.arange(len(moved)), moved)), shape=(len(moved), count))
        graph = csr_array(merge.T @ graph @ merge)


def _moves(graph: csr_array, resolution: float) -> Ints:
    """One level: each node goes where it gains most, until none moves."""
    size = graph.shape[0]
    sums = np.asarray(graph.sum(axis=1)).ravel()
    degree, total = sums.tolist(), max(float(sums.sum()), 1e-12)
    # Lists: a node has a few dozen neighbours, for which the overhead of an array is most of the work.
    near, weight, start = graph.indices.tolist(), graph.data.tolist(), graph.indptr.tolist()
    links = [[(near[at], weight[at]) for at in range(start[v], start[v + 1]) if near[at] != v] for v in range(size)]
    label = list(range(size))
    weight_of = list(degree)
    for _ in range(SWEEPS_MAX):
        moves = 0
        for v in range(size):
            best = _best(label[v], label, links[v], weight_of, degree[v], resolution / total)
            if best != label[v]:
                weight_of[label[v]] -= degree[v]
                weight_of[best] += degree[v]
                label[v] = best
                moves += 1
        if not moves:
            break
    return np.unique(np.array(label), return_inverse=True)[1].astype(np.int64)


def _best(
    home: int,
    label: list[int],
    links: list[tuple[int, float]],
    weight_of: list[float],
    own: float,
    resolution: float,
) -> int:
    """The part with the largest gain for a node of part `home`, the first of equals; it stays where none is better."""
    if not links:
        return home
    tied: dict[int, float] = {}
    for other, weight in links:
        part = label[other]
        tied[part] = tied.get(part, 0.0) + weight
    pull = resolution * own
    now = tied.get(home, 0.0) - pull * (weight_of[home] - own)
    best, most = home, now + 1e-9
    for part, weight in tied.items():
        if part != home:
            gain = weight - pull * weight_of[part]
            if gain > most or (gain == most and best != home and part < best):
                best, most = part, gain
    return best
