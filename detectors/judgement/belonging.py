"""Does this account belong to that network? Log-odds account by account, learnt on fleets drawn at random.

What an account shares with a network is held beside what it does: how rare the rarest of it is, since when it carries
it, what part of its requests goes through it, whether those with whom it shares it turned as well, and how alike its
age, volume and hours are to those of the network's core rather than to those of its honest neighbours. Each trait adds
nats by its own curve; the curves were fitted together (`make learn`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.population import Floats, Ints
from detectors.judgement.groups import Group, Tick, turned_to
from detectors.judgement.hand import curve
from detectors.judgement.learnt import ACCOUNT, ACCOUNT_BASE, HANDS, NAMED
from detectors.ties.membership import DIMENSION_NATS_MAX, TURNED, log_odds, nats_of, near_of, values_of

FRESH_H = 24  # before a network began to move: operators set accounts up and begin
CORE_MIN = 5  # accounts: with fewer that turned, the whole group says what is alike
KIND_NATS = 0.7  # twice as often as everybody else: a kind of value that is shared at all
ALIKE_PRIOR = 3.0  # accounts that the core, and its neighbours, are thought to have besides, spread evenly
UNKNOWN = -0.1
NAME_ODDS = 1.1  # nats of belonging, over the last hours, from which an account is named
LEARNT_PART = 0.35  # of the accounts near the networks that the curves were learnt on, that are a campaign's
PART, PART_ACCOUNTS = 0.5, 30.0  # what is thought of that part near a network beforehand, as so many accounts say it
PART_ROUNDS = 30
NEAR_USUAL = 300  # accounts near a network, beyond which each must speak more for itself: of many, more seem to belong
NEAR_NATS = 0.25  # for each e-fold of them
NAME_TICKS_MIN = 4  # hours in which an account was with its network; honest neighbours come and go
PRESENCE_MIN = 0.25  # of the ticks since an account was first seen
LATE_NATS = 0.6  # against an account, for each e-fold by which it was there in fewer hours than it could have been
SCORE_PACE = 0.3  # how fast an account's score follows what the tick says


@dataclass(slots=True)
class Evidence:
    """What an incident knows of one account (by key).

    score: log-odds of belonging, over the last hours; before: an hour ago. ticks: hours in which it was of the network
    or seemed to be; moved: of them, those in which it had turned; inside: those in which it was of it. late: nats that
    speak against it since it was not there in the others.
    """

    account_id: str
    ticks: int
    score: float
    first: int
    last: int
    named: bool
    since_tick: int
    moved: int = 0
    before: float = 0.0
    inside: int = 0
    late: float = 0.0

    @property
    def odds(self) -> float:
        """Log-odds of belonging, by what was said of it and by when it came."""
        return self.score - self.late

    def hear(self, hour: int, score: float, moved: bool, inside: bool, hours: int, lived: float) -> None:
        """What an hour says of the account. hours: of its incident so far; lived: since its first request."""
        if self.last == hour:  # near two groups of one incident: what speaks most for it counts
            self.score = max(self.score, self.before + SCORE_PACE * (score - self.before))
            self.inside = max(self.inside, int(inside))
            return
        self.ticks += 1
        self.last = hour
        self.before = self.score
        self.score += SCORE_PACE * (score - self.score)
        self.moved += moved
        self.inside += inside
        lasting = self.ticks >= min(NAME_TICKS_MIN, hours)
        often = lasting and self.ticks >= PRESENCE_MIN * (hours - self.since_tick)
        self.late = LATE_NATS * math.log(max(min(hours, lived) / self.ticks, 1.0))
        self.named = often and self.odds >= NAME_ODDS


def belonging_of(tick: Tick, group: Group, since: int) -> tuple[Ints, Floats]:
    """(rows near the group, log-odds of each that it belongs to one operator's campaign, as far as this hour says).

    since: the hour from which what an account began to carry is fresh. O(memberships + near accounts x dimensions).
    """
    near = near_of(tick.known, group.rows, group.rows)
    total = np.full(len(near), ACCOUNT_BASE)
    for trait, values in account_traits(tick, group, near, since).items():
        if trait in ACCOUNT:
            at, nats = zip(*ACCOUNT[trait], strict=True)
            total += np.interp(values, at, nats)
    crowded = NEAR_NATS * math.log(max(len(near) / NEAR_USUAL, 1.0))
    return near, (by_part(total) - crowded).round(4)


def by_part(odds: Floats) -> Floats:
    """The log-odds, where more of the accounts near a network are a campaign's than where the curves were learnt.

    All of a large network may be. How many are is estimated from what they say themselves, so that the same account is
    told more surely among many of its like. Where few are, the odds stay: those few of a hydra among hundreds who share
    its exits would fall below every line. O(PART_ROUNDS x accounts).

    Source: Saerens, Latinne and Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities,
    by expectation and maximisation; with a beta prior.

    >>> among, alone = (by_part(np.array([1.0] * many + [-4.0] * (100 - many)))[0] for many in (90, 1))
    >>> bool(among > alone == 1.0)
    True
    """
    likely = np.exp(odds - _logit(LEARNT_PART))
    part = LEARNT_PART
    for _ in range(PART_ROUNDS):
        belongs = part * likely / (part * likely + 1.0 - part)
        part = (PART * PART_ACCOUNTS + float(belongs.sum())) / (PART_ACCOUNTS + len(odds))
    adjusted: Floats = odds + max(_logit(part) - _logit(LEARNT_PART), 0.0)
    return adjusted


def _logit(part: float) -> float:
    return math.log(part / (1.0 - part))


def probability(score: float, hand: float) -> float:
    """That an account with this score belongs to one operator's campaign, as such accounts of random fleets turned out.

    It is a campaign's if its network is one, and it is of that network. score: what `belonging_of` said over the last
    hours. hand: the highest log-odds of one operator's that its network had. Rounded: the same on every machine.

    >>> probability(9.0, 0.0) < 0.5 < 0.9 < probability(9.0, 9.0) > probability(-9.0, 9.0)
    True
    """
    return round(_part_of(curve(NAMED, score)) * _part_of(curve(HANDS, hand)), 4)


def _part_of(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-odds))


def account_traits(tick: Tick, group: Group, near: Ints, since: int) -> Mapping[str, Floats]:
    """What speaks for and against each of the near accounts, by trait.

    score: two-groups log-odds of `membership`. shared, second: nats of what it shares with the group, and of the kind
    that is second. kinds: of values that it shares. values: ln of 1 + how many. fresh: part of them that it began to
    carry lately. part: of its requests, through what it shares, of the kind with most. company: part of the others that
    carry the same who turned. rare: ln of the accounts that carry the rarest. turned: its own evidence, nats. mix,
    clock: capabilities and hours, nats for the core's rather than the fleet's, for each square root of a request.
    stand: of the same standing network. alike_*: nats by which the core has such accounts oftener than the neighbours
    outside the group have. hand: log-odds of one operator. moved: part of the group that turned. around: ln of the
    near accounts for each of the group.
    """
    population = tick.population
    mine = np.isin(near, group.rows)
    turned = turned_to(tick, group.shift.z)
    core = mine & (turned[near] >= TURNED)
    core = core if core.sum() >= CORE_MIN else mine
    shares = _shared(tick, group, near, since)
    assert group.verdict is not None
    alike = {
        "age": population.age_h[near],
        "volume": population.n[near],
        "before": population.nb[near],
        "stand": np.isin(near, tick.standing.of(group.rows)).astype(float),
        "fresh": shares["fresh"],
        "values": shares["values"],
        "rare": shares["rare"],
    }
    return {
        "score": log_odds(tick.known, turned, group.rows, near),
        **shares,
        "turned": turned[near],
        "mix": _mix(tick, near, near[core]),
        "clock": _clock(tick, near, near[core]),
        "stand": alike["stand"],
        **{f"alike_{name}": alike_nats(values, core, ~mine) for name, values in alike.items()},
        "hand": np.full(len(near), group.verdict.log_odds),
        "moved": np.full(len(near), float((turned[group.rows] >= TURNED).mean())),
        "around": np.full(len(near), np.log(len(near) / len(group.rows))),
    }


def _shared(tick: Tick, group: Group, near: Ints, since: int) -> dict[str, Floats]:
    """What each shares with the rest of the group, its own organisation left out."""
    known, size = tick.known, len(near)
    kinds = len(known.carried.dimensions)
    at, position = known.places(near)
    value = known.value[at]
    nats = nats_of(known, group.rows, near)
    used = values_of(known, group.rows)[value] & (nats > 0)
    place = position * kinds + known.carried.dimension[value]
    by_kind = np.bincount(place, nats, size * kinds).reshape(size, kinds)
    through = np.bincount(place[used], known.count[at][used], size * kinds).reshape(size, kinds)
    asked = np.stack([requests[near] for requests in tick.ordinary.requests], axis=1)
    position, value, began = position[used], value[used], known.began[at][used]
    values = np.bincount(position, minlength=size).astype(float)
    fresh = np.bincount(position, began > since, size)
    rare = np.full(size, np.log(len(tick.population)))
    np.minimum.at(rare, position, np.log(known.accounts[value]))
    by_rank = np.sort(by_kind, axis=1)
    return {
        "shared": np.minimum(by_kind, DIMENSION_NATS_MAX).sum(axis=1),
        "second": by_rank[:, -2] if kinds >= 2 else np.zeros(size),
        "kinds": (by_kind > KIND_NATS).sum(axis=1).astype(float),
        "values": np.log1p(values),
        "fresh": np.where(values > 0, fresh / np.maximum(values, 1.0), UNKNOWN),
        "part": np.where(asked > 0, through / np.maximum(asked, 1.0), 0.0).max(axis=1),
        "company": _company(tick, group, near[position], position, value, size),
        "rare": rare,
    }


def _company(tick: Tick, group: Group, row: Ints, position: Ints, value: Ints, size: int) -> Floats:
    """Of the other accounts that carry what each shares, the part that turned."""
    known = tick.known
    turned = (tick.evidence[:, group.strong].max(axis=1) >= TURNED).astype(float)
    at_value = np.bincount(known.value, turned[known.row], len(known.accounts))
    moved = np.bincount(position, at_value[value] - turned[row], size)
    others = np.bincount(position, known.accounts[value] - 1.0, size)
    return np.where(others > 0, moved / np.maximum(others, 1.0), UNKNOWN)


def _mix(tick: Tick, near: Ints, core: Ints) -> Floats:
    counts, n = tick.population.X[:, tick.capabilities], tick.population.n
    asked = n[near][:, None]
    mine = counts[near]

    def fit(rows: Ints | slice) -> Floats:
        share = np.clip(counts[rows].sum(axis=0) / n[rows].sum(), 0.0, 1.0)
        nats: Floats = mine * np.log(share + 0.01) + (asked - mine) * np.log(1.01 - share)
        return nats

    found: Floats = (fit(core) - fit(slice(None))).sum(axis=1) / np.sqrt(np.maximum(n[near], 1.0))
    return found


def _clock(tick: Tick, near: Ints, core: Ints) -> Floats:
    hours = tick.population.columns.hours.astype(float)
    of_core = hours[core].sum(axis=0) / max(hours[core].sum(), 1.0)
    of_fleet = hours.sum(axis=0) / max(hours.sum(), 1.0)
    nats = hours[near] @ np.log((of_core + 0.002) / (of_fleet + 0.002))
    found: Floats = nats / np.sqrt(np.maximum(hours[near].sum(axis=1), 1.0))
    return found


def alike_nats(values: Floats, core: NDArray[np.bool_], others: NDArray[np.bool_], parts: int = 6) -> Floats:
    """Nats by which the core has such values oftener than the others have; each account itself is left out of both.

    Values are told apart by their quantiles, in so many parts. O(accounts log accounts).

    >>> young = np.array([True] * 8 + [False] * 8)
    >>> alike_nats(np.array([1.0] * 8 + [90.0] * 8), young, ~young).round(1).tolist()[::8]
    [2.4, -2.4]
    """
    bounds = np.unique(np.quantile(values, np.linspace(0, 1, parts + 1)[1:-1]))
    part = np.searchsorted(bounds, values, side="right")
    prior = ALIKE_PRIOR / (len(bounds) + 1)
    ours = np.bincount(part, core, len(bounds) + 1)[part] - core
    theirs = np.bincount(part, others, len(bounds) + 1)[part] - others
    found: Floats = np.log((ours + prior) / (core.sum() - core + ALIKE_PRIOR))
    found -= np.log((theirs + prior) / (others.sum() - others + ALIKE_PRIOR))
    return found
