"""Whom should a person look at, though no alert can name them? Accounts that lastingly grow and turn to other work.

A campaign that shares nothing and adopts as everybody does is no network, and nothing here makes it one: among the
accounts that moved furthest, it is only more frequent than among others. So this is a list to read, and never an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc

from detectors.comparison.movement import RATE_BASELINE_MIN, Movement, usual_requests
from detectors.comparison.population import Floats, Ints, Population
from detectors.parameters import Parameters
from detectors.ties.carriers import Carried
from detectors.triage.oddity import Oddity

HALF_LIFE_H = 24.0  # what lasted for days outweighs what was strong for an hour
KEPT_MAX = 20_000  # accounts whose evidence is remembered, strongest first: 24 bytes each, 480 kB
KEPT_MIN = 0.1  # nats: less is forgotten
SINCE_NATS = 3.0  # an account is on its way from the tick in which its evidence reached this
CROWD_PRIOR = 5.0  # accounts: below it, who moved to a target is no crowd
CANDIDATES = 5  # times the rows of the list: who is scored by the trees, and may be told under another's row
CANDIDATES_SHARE = 0.1  # of the fleet, at most
SAMPLE = 400  # accounts a tick from which the trees learn what is usual
TOGETHER_MIN = 3  # candidates that carry one value
TOGETHER_CHANCE = 0.01  # of any value at all being carried by so many candidates, if they carried as everybody does
TRAITS = ("growth", "work", "model", "width", "largest", "hours", "evenness")
MOVED, GREW, ODD = range(3)


@dataclass(slots=True)
class Watched:
    """One row of the list, with the numbers that put it there.

    score: moved + grew + odd, each a mean over the last days of nats beyond what accounts like it do. since_ms: the
    tick in which the score first reached SINCE_NATS. target: what it moved toward most, with its share before and in
    the fast window; p: part of comparable accounts that moved as far or further toward it. requests: in the fast
    window; requests_usual: at its own rate before, None where it has none yet. others: accounts of one organisation or
    carrying one value that moved with it and are told here; because: which, as "dimension=value".
    """

    account_id: str
    score: float
    moved: float
    grew: float
    odd: float
    since_ms: int
    target: str
    share_before: float
    share_after: float
    p: float
    requests: int
    requests_usual: float | None
    others: int = 0
    because: str | None = None


@dataclass(slots=True)
class Nats:
    """What one tick says of every account, in nats: moved (the larger of work and model), grew.

    width: how many capabilities it uses more than before. strongest: column of the target that it moved toward most.
    An account that takes up a feature moves toward one capability; one that is put to other work, toward all that this
    work exercises. So nats are added over capabilities, less the one that chance gives each; models exclude each other,
    and the stronger kind of target speaks.
    """

    moved: Floats
    grew: Floats
    work: Floats
    model: Floats
    width: Floats
    strongest: Ints


@dataclass(slots=True)
class WatchList:
    """The list, strongest first, and what is remembered of the accounts that may come onto it.

    It begins after `warm_up_h` hours of history, before which nothing has a past to move from, and has `watch_rows`
    rows at most. An account with fewer than `requests_min` requests in the fast window has no mix, and no row.
    """

    parameters: Parameters
    rows: tuple[Watched, ...] = ()
    _oddity: Oddity = field(default_factory=lambda: Oddity(TRAITS))
    _keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    _evidence: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    _since: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def learn(
        self, population: Population, movement: Movement, carried: Carried, history_h: int, named: Collection[str]
    ) -> None:
        """Take a network tick in, and draw the list up anew. named: accounts that have their alert, left out.

        O(accounts x targets); the trees cost some 30 ms however large the fleet.
        """
        if history_h < self.parameters.warm_up_h:
            return
        nats = nats_of(population, movement)
        candidates = self._highest(nats.moved + nats.grew, population)
        traits = _traits_of(population, nats)
        odd = np.zeros(len(population))
        odd[candidates] = self._oddity.nats(traits(candidates))
        self._oddity.learn(traits(_sampled(len(population), population.hour)))
        at = self._remember(population, np.stack([nats.moved, nats.grew, odd], axis=1))
        self.rows = self._drawn_up(population, movement, carried, nats, at, named)

    def _highest(self, score: Floats, population: Population) -> Ints:
        """Rows of the candidates: the highest scores above 0, highest first, ties by key. O(accounts)."""
        most = min(CANDIDATES * self.parameters.watch_rows, max(1, int(CANDIDATES_SHARE * len(population))))
        rows = np.flatnonzero((score > 0) & (population.n >= self.parameters.requests_min))
        if len(rows) > most:
            line = np.partition(score[rows], -most)[-most]
            rows = rows[score[rows] >= line]
        return rows[np.lexsort((population.columns.keys[rows], -score[rows]))][:most].astype(np.int64)

    def _remember(self, population: Population, now: Floats) -> Ints:
        """Add this tick to the evidence, which halves in a day; gives each active account's place, -1 where none."""
        keys = np.union1d(self._keys, population.columns.keys)
        evidence = np.zeros((len(keys), now.shape[1]))
        since = np.full(len(keys), -1, np.int64)
        stay = 0.5 ** (1.0 / HALF_LIFE_H)
        known = np.searchsorted(keys, self._keys)
        evidence[known], since[known] = stay * self._evidence, self._since
        evidence[np.searchsorted(keys, population.columns.keys)] += (1.0 - stay) * now
        score = evidence.sum(axis=1)
        since = np.where(score < SINCE_NATS, -1, np.where(since < 0, population.at_ms, since))
        kept = np.lexsort((keys, -score))[:KEPT_MAX]
        kept = np.sort(kept[score[kept] >= KEPT_MIN])
        self._keys, self._since = keys[kept], since[kept]
        self._evidence = evidence[kept].astype(np.float32)
        at = np.searchsorted(self._keys, population.columns.keys)
        found = at < len(self._keys)
        found[found] = self._keys[at[found]] == population.columns.keys[found]
        return np.where(found, at, -1)

    def _drawn_up(
        self, population: Population, movement: Movement, carried: Carried, nats: Nats, at: Ints,
        named: Collection[str],
    ) -> tuple[Watched, ...]:  # fmt: skip
        """The list: one row for accounts that one organisation or one value explains together."""
        score = np.where(at >= 0, self._evidence.sum(axis=1)[at] if len(self._keys) else 0.0, 0.0)
        ids = population.columns.ids
        ranked = [r for r in self._highest(score, population).tolist() if ids[r] not in named]
        labels = _labels_of(population, carried, np.array(ranked, np.int64))
        usual = usual_requests(population)
        rows: list[Watched] = []
        told: dict[str, Watched] = {}
        for row, mine in zip(ranked, labels, strict=True):
            spoken = next((label for label in mine if label in told), None)
            if spoken is not None:
                one = told[spoken]
                one.others, one.because = one.others + 1, one.because or spoken
            elif len(rows) < self.parameters.watch_rows:
                one = self._row(population, movement, nats, row, int(at[row]), float(usual[row]))
                rows.append(one)
            else:
                continue
            told.update(dict.fromkeys((label for label in mine if label not in told), one))
        return tuple(rows)

    def _row(self, population: Population, movement: Movement, nats: Nats, row: int, at: int, usual: float) -> Watched:
        k = int(nats.strongest[row])
        moved, grew, odd = (round(float(one), 2) for one in self._evidence[at])
        return Watched(
            account_id=population.columns.ids[row],
            score=round(float(self._evidence[at].sum()), 2),
            moved=moved,
            grew=grew,
            odd=odd,
            since_ms=int(self._since[at]) if self._since[at] >= 0 else population.at_ms,
            target=population.targets[k],
            share_before=round(float(population.before[row, k]), 4),
            share_after=round(float(population.now[row, k]), 4),
            p=round(float(np.exp(-movement.u[row, k])), 4),
            requests=int(population.n[row]),
            requests_usual=round(usual, 1) if population.nb[row] >= RATE_BASELINE_MIN else None,
        )

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        return {
            "rows": [asdict(one) for one in self.rows],
            "oddity": self._oddity.state(),
            "keys": self._keys,
            "evidence": self._evidence,
            "since": self._since,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.rows = tuple(Watched(**one) for one in state["rows"])
        self._oddity.restore(state["oddity"])
        self._keys, self._evidence, self._since = state["keys"], state["evidence"], state["since"]


def nats_of(population: Population, movement: Movement) -> Nats:
    """How far each account moved beyond what chance and the crowd explain. O(accounts x targets).

    Where many moved toward a target, moving there says less: ln of how many times more accounts use it more than
    chance would have is taken off each. A release and a viral feature so explain themselves.
    """
    size, width = len(population), len(population.targets)
    work, model, used_more, best = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    strongest = movement.u[:, :width].argmax(axis=1)
    for k, target in enumerate(population.targets):
        moved = population.used_more[:, k].sum()
        by_chance = moved - population.breadth[:, k].sum()
        crowd = max(0.0, float(np.log((moved + CROWD_PRIOR) / (by_chance + CROWD_PRIOR))))
        nats = np.maximum(movement.u[:, k] - 1.0 - crowd, 0.0)
        if target.startswith("capability:"):
            work += nats
            used_more += population.used_more[:, k]
        else:
            model += nats
        strongest = np.where(nats > best, k, strongest)
        best = np.maximum(nats, best)
    return Nats(np.maximum(work, model), movement.growth, work, model, used_more, strongest)


def _traits_of(population: Population, nats: Nats) -> Callable[[Ints], Floats]:
    """What the trees see of the accounts in some rows, each from 0 to 1, in the order of TRAITS."""
    capability = np.flatnonzero([name.startswith("capability:") for name in population.targets])

    def traits(rows: Ints) -> Floats:
        hours = population.columns.hours[rows].astype(float)
        part = hours / np.maximum(hours.sum(axis=1, keepdims=True), 1.0)
        evenness = -(part * np.log(np.maximum(part, 1e-12))).sum(axis=1) / np.log(24.0)
        largest = population.now[np.ix_(rows, capability)].max(axis=1, initial=0.0)
        told = [
            nats.grew[rows] / 5.0,
            nats.work[rows] / 20.0,
            nats.model[rows] / 10.0,
            nats.width[rows] / max(len(capability), 1),
            largest,
            (hours > 0).mean(axis=1),
            evenness,
        ]
        clipped: Floats = np.clip(np.stack(told, axis=1), 0.0, 1.0)
        return clipped

    return traits


def _sampled(size: int, seed: int) -> Ints:
    """Rows of which the trees learn, drawn anew each tick."""
    drawn: Ints = np.random.default_rng(seed).choice(size, min(SAMPLE, size), replace=False)
    return drawn


def _labels_of(population: Population, carried: Carried, ranked: Ints) -> Sequence[Sequence[str]]:
    """What may explain each of the ranked accounts together with others: its organisation, and values that it carries
    with far more of the ranked than chance would have."""
    labels: list[list[str]] = [[] for _ in range(len(ranked))]
    for i, row in enumerate(ranked.tolist()):
        org = int(population.columns.org[row])
        if org >= 0:
            labels[i].append(f"org={population.columns.names[org]}")
    place = np.full(len(population), -1, np.int64)
    place[ranked] = np.arange(len(ranked))
    mine = (place[carried.row] >= 0) & (carried.dimension[carried.value] >= 0)
    carriers = np.bincount(carried.value, minlength=len(carried.key))
    here = np.bincount(carried.value[mine], minlength=len(carried.key))
    # P(X >= here) for a binomial X of all carriers is the regularised incomplete beta function.
    part = len(ranked) / max(len(population), 1)
    asked = here >= TOGETHER_MIN
    chance = np.where(asked, betainc(np.maximum(here, 1), carriers - np.maximum(here, 1) + 1, part), 1.0)
    telling = mine & (chance * max(int(asked.sum()), 1) <= TOGETHER_CHANCE)[carried.value]
    for row, value in zip(carried.row[telling].tolist(), carried.value[telling].tolist(), strict=True):
        labels[int(place[row])].append("=".join(carried.name(value)))
    return labels
