"""Is it one operator's hand? Log-odds from the traits of a group, learnt on fleets drawn at random.

Each trait adds nats by its own curve; curves were fitted together, so that what two traits have in common is counted
once, and none may decide alone. A page and a ticket are lines on the sum, found from their budgets. The numbers stand
in `learnt`, which `make learn` writes. What people found out since moves the sum, boundedly: `Lessons`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.judgement.learnt import BASE, LINES, TRAITS
from detectors.parameters import Parameters

CLOCK_TRAITS = frozenset({"night_share", "clock_likeness"})
LESSONS = "verdicts"  # the trait under which it is told what verdicts add
LESSONS_MAX = 1.0  # nats: the furthest that verdicts move a network, for whoever may give one may err, or lie
CROWD_NATS = 2.5  # that a crowd in one place or around one thing must speak more: what makes them alike is that
SMOOTH = 0.5  # how fast the log-odds follow what this hour says: one odd hour is no operator


@dataclass(frozen=True, slots=True)
class Vote:
    """One trait of a group: its value, and by how many nats it speaks for one hand (below 0: against)."""

    trait: str
    value: float
    nats: float
    one_hand: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the traits say. log_odds: for one operator's hand, in nats, over the last hours; log_odds_now: the votes of
    this hour and the base added up. page, ticket: the lines on it.

    looks_like: an honest kind of network, where it does not page. crowd: see `Coordination.crowd`.
    """

    votes: tuple[Vote, ...]
    log_odds: float
    log_odds_now: float
    page: float
    ticket: float
    looks_like: str | None
    crowd: str | None = None

    @property
    def one_hand(self) -> bool:
        """Whether it is taken for one operator's."""
        return self.log_odds >= self.page

    @property
    def worth_a_ticket(self) -> bool:
        """Whether somebody should look at it."""
        return self.log_odds >= self.ticket

    @property
    def votes_for(self) -> int:
        """How many traits speak for one hand."""
        return sum(vote.one_hand for vote in self.votes)


@dataclass(frozen=True, slots=True)
class Lessons:
    """What verdicts on earlier alerts add to the log-odds of a network.

    verdicts: how many there were. base: nats for every network. weights: by trait, what each of its nats counts more.

    >>> Lessons(4, -0.5, {"moved": 0.1}).nats({"moved": 2.0})
    -0.3
    """

    verdicts: int = 0
    base: float = 0.0
    weights: Mapping[str, float] = field(default_factory=dict)

    def nats(self, votes: Mapping[str, float]) -> float:
        """For one operator's hand, of a network whose traits say so many nats each; within LESSONS_MAX."""
        moved = self.base + sum(self.weights.get(trait, 0.0) * nats for trait, nats in votes.items())
        return round(max(-LESSONS_MAX, min(LESSONS_MAX, moved)), 3)


NO_LESSONS = Lessons()


def curve(points: Sequence[tuple[float, float]], value: float) -> float:
    """Nats of a value on a piecewise linear curve, level beyond its ends.

    >>> curve(((0.0, -1.0), (1.0, 1.0)), 0.75)
    0.5
    """
    return float(np.interp(value, [x for x, _ in points], [y for _, y in points]))


def hand_of(
    traits: Mapping[str, float], parameters: Parameters, before: float = 0.0, lessons: Lessons = NO_LESSONS,
    crowd: str | None = None,
) -> Verdict:  # fmt: skip
    """Ask whether one hand works a group with these traits. A trait that is missing says nothing. O(traits).

    before: the log-odds an hour ago; 0 where it was not asked. lessons: what verdicts taught; a vote of its own. crowd:
    what they are gathered around, for which both lines are higher.
    """
    votes = []
    for trait, points in TRAITS.items():
        if trait in traits and (parameters.clock_vote or trait not in CLOCK_TRAITS):
            nats = round(curve(points, traits[trait]), 3)
            votes.append(Vote(trait, traits[trait], nats, nats > 0))
    if lessons.verdicts:
        nats = lessons.nats({vote.trait: vote.nats for vote in votes})
        votes.append(Vote(LESSONS, float(lessons.verdicts), nats, nats > 0))
    now = round(BASE + sum(vote.nats for vote in votes), 3)
    log_odds = round(before + SMOOTH * (now - before), 3)
    page, ticket = lines_of(parameters)
    looks_like = None if log_odds >= page else _looks_like(votes)
    verdict = Verdict(tuple(votes), log_odds, now, page, ticket, looks_like)
    return verdict if crowd is None else of_crowd(verdict, crowd)


def of_crowd(verdict: Verdict, crowd: str) -> Verdict:
    """The same of a network that is a crowd, or a part of one: both of its lines are higher.

    >>> of_crowd(Verdict((), 3.0, 3.0, 2.0, 1.0, None), "one_place").one_hand
    False
    """
    page, ticket = round(verdict.page + CROWD_NATS, 3), round(verdict.ticket + CROWD_NATS, 3)
    looks_like = None if verdict.log_odds >= page else crowd
    return replace(verdict, page=page, ticket=ticket, looks_like=looks_like, crowd=crowd)


def lines_of(parameters: Parameters) -> tuple[float, float]:
    """(page, ticket): the log-odds that the budgets of false pages and false warnings a month allow, in nats.

    >>> page, ticket = lines_of(Parameters())
    >>> page > ticket
    True
    """
    page = _line(parameters.false_pages_per_month)
    return page, min(page, _line(parameters.false_warnings_per_month))


def _line(a_month: float) -> float:
    """Between the budgets that were measured, straight in their logarithm."""
    budgets = [np.log(budget) for budget, _ in LINES]
    return round(float(np.interp(np.log(max(a_month, 1e-3)), budgets, [line for _, line in LINES])), 3)


def _looks_like(votes: Sequence[Vote]) -> str:
    """The honest kind of network that it resembles most."""
    value = {vote.trait: vote.value for vote in votes}
    against = {vote.trait for vote in votes if vote.nats < 0}
    if value.get("prefix_dominance", 0.0) > 0.4:
        return "course" if "template_cover" in against else "vpn"
    if "template_cover" in against:
        return "prompt_pack" if "mix_likeness" in against else "product"
    return "agency" if against & {"kit_spread", "load_spread"} else "prompt_pack"
