"""Which tied accounts form one network? Cores over organisations, components, and their parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from detectors.parameters import Parameters
from detectors.population import Ints, Population
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
    for part in sorted(tied):
        gain = tied[part] - pull * weight_of[part] if part != home else now
        if gain > most:
            best, most = part, gain
    return best
