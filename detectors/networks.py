"""Which tied accounts form one network? Cores over organisations, components, and their parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from detectors.parameters import Parameters
from detectors.population import Floats, Ints, Population
from detectors.ties import Ties

SPLIT_FROM = 20  # a component with fewer accounts is one part
SWEEPS_MAX = 20


def core_of(population: Population, ties: Ties, organisations_min: int) -> NDArray[np.bool_]:
    """Accounts tied into at least so many other organisations of the core; the largest such set."""
    alive = np.ones(len(population), bool)
    a, b = ties.a[ties.tied], ties.b[ties.tied]
    while True:
        keep = alive[a] & alive[b]
        a, b = a[keep], b[keep]
        reach = _organisations_reached(population, a, b)
        next_alive = alive & (reach >= organisations_min)
        if (next_alive == alive).all():
            return alive
        alive = next_alive


def _organisations_reached(population: Population, a: Ints, b: Ints) -> Ints:
    """For each account, how many distinct organisations its pairs lead into."""
    account = np.concatenate((a, b))
    other = population.org[np.concatenate((b, a))]
    pairs = np.unique(account * np.int64(population.organisations + 1) + other)
    return np.bincount(pairs // (population.organisations + 1), minlength=len(population))


def parts_of(population: Population, ties: Ties, parameters: Parameters) -> list[tuple[Ints, int]]:
    """Parts of the core's components, each (rows, number of its component), with enough organisations.

    A component of at least 20 accounts is split by modularity at a low resolution, on shared information only:
    movement must not be in the weight, since after a release everybody who moves is alike.
    """
    core = core_of(population, ties, parameters.core_organisations_min)
    rows = np.flatnonzero(core)
    if not len(rows):
        return []
    place = np.full(len(population), -1, np.int64)
    place[rows] = np.arange(len(rows))
    inside = ties.tied & core[ties.a] & core[ties.b]
    a, b, weight = place[ties.a[inside]], place[ties.b[inside]], ties.link[inside]
    graph = csr_array((np.concatenate((weight, weight)), (np.append(a, b), np.append(b, a))), shape=(len(rows),) * 2)
    count, label = connected_components(graph, directed=False)
    parts = []
    for component in range(count):
        mine = np.flatnonzero(label == component)
        split = communities(graph[mine][:, mine], parameters.split_resolution) if len(mine) >= SPLIT_FROM else None
        labels = np.zeros(len(mine), np.int64) if split is None else split
        for part in np.unique(labels):
            members = rows[mine[labels == part]]
            if len(np.unique(population.org[members])) >= parameters.group_organisations_min:
                parts.append((members, component))
    return parts


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
    degree = np.asarray(graph.sum(axis=1)).ravel()
    total = max(float(degree.sum()), 1e-12)
    label = np.arange(size)
    weight_of = degree.copy()
    for _ in range(SWEEPS_MAX):
        moves = 0
        for v in range(size):
            at, end = graph.indptr[v], graph.indptr[v + 1]
            near, weight = graph.indices[at:end], graph.data[at:end]
            best = _best(v, label, near[near != v], weight[near != v], weight_of, degree, resolution / total)
            if best != label[v]:
                weight_of[label[v]] -= degree[v]
                weight_of[best] += degree[v]
                label[v] = best
                moves += 1
        if not moves:
            break
    return np.unique(label, return_inverse=True)[1].astype(np.int64)


def _best(v: int, label: Ints, near: Ints, weight: Floats, weight_of: Floats, degree: Floats, resolution: float) -> int:
    """The part with the largest gain for node v; it stays where nothing is clearly better."""
    if not len(near):
        return int(label[v])
    parts, index = np.unique(label[near], return_inverse=True)
    tied = np.bincount(index, weights=weight)
    others = weight_of[parts] - np.where(parts == label[v], degree[v], 0.0)
    gain = tied - resolution * degree[v] * others
    stay = np.flatnonzero(parts == label[v])
    now = gain[stay[0]] if len(stay) else -resolution * degree[v] * (weight_of[label[v]] - degree[v])
    top = int(np.argmax(gain))
    return int(parts[top]) if gain[top] > now + 1e-9 else int(label[v])
