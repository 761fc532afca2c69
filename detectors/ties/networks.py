"""Into which parts does a weighted graph fall? Communities by modularity."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from detectors.comparison.population import Floats, Ints
from detectors.ties import kernel

SWEEPS_MAX = 20
_compiled = kernel.compiled()


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
        moved = _numbered(_moves(graph, resolution))
        label = moved[label]
        count = int(moved.max()) + 1
        if count == graph.shape[0]:
            return label
        merge = csr_array((np.ones(len(moved)), (np.arange(len(moved)), moved)), shape=(len(moved), count))
        graph = csr_array(merge.T @ graph @ merge)


def _numbered(label: Ints) -> Ints:
    """The parts as 0, 1, 2 and so on, in the order of their numbers."""
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _moves(graph: csr_array, resolution: float) -> Ints:
    """One level: each node goes where it gains most, until none moves; the part of each, by one of its nodes."""
    degree = np.asarray(graph.sum(axis=1), np.float64).ravel()
    per_weight = resolution / max(float(degree.sum()), 1e-12)
    return (_compiled or _moves_plainly)(graph, degree, per_weight, SWEEPS_MAX)


def _moves_plainly(graph: csr_array, degrees: Floats, resolution: float, sweeps_max: int) -> Ints:
    """The same in Python, where moves.c is not compiled: to the bit, by test."""
    size, degree = graph.shape[0], degrees.tolist()
    # Lists: a node has a few dozen neighbours, for which the overhead of an array is most of the work.
    near, weight, start = graph.indices.tolist(), graph.data.tolist(), graph.indptr.tolist()
    links = [[(near[at], weight[at]) for at in range(start[v], start[v + 1]) if near[at] != v] for v in range(size)]
    label = list(range(size))
    weight_of = list(degree)
    for _ in range(sweeps_max):
        moves = 0
        for v in range(size):
            best = _best(label[v], label, links[v], weight_of, degree[v], resolution)
            if best != label[v]:
                weight_of[label[v]] -= degree[v]
                weight_of[best] += degree[v]
                label[v] = best
                moves += 1
        if not moves:
            break
    return np.array(label, np.int64)


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
