"""What speaks for one operator's hand, what against it, and what nobody knows? An alert's traits, in plain words.

Pure: evidence in, text out. The terminal, the console and the report of a backtest say the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from detectors.judgement import learnt
from detectors.judgement.hand import CLOCK_TRAITS, LESSONS, LESSONS_MAX, Lessons
from stream.alerts.evidence import number, votes_of
from stream.spoken import percent

TOLD_WEIGHT = 0.1  # a tenth more, or less: below it nobody would see the difference
TRAITS_TOLD = 5
ALMOST_NOTHING = 0.005  # nats: written with two digits it is 0


def nats(value: float) -> str:
    """Evidence for one operator's hand; below 0 it is evidence against.

    >>> nats(1.236), nats(-0.5), nats(-0.001)
    ('+1.24 nats', '-0.50 nats', '0 nats')
    """
    return "0 nats" if abs(value) < ALMOST_NOTHING else f"{value:+.2f} nats"


def _decimal(value: float) -> str:
    return f"{value:.2f}"


def _points(value: float) -> str:
    return f"{100 * value:+.1f} points"


def _many(log10: float) -> str:
    """
    >>> _many(2.0), _many(0.2)
    ('100', '1.6')
    """
    return _count(10.0 ** min(log10, 12.0))


def _times(ln: float) -> str:
    """
    >>> _times(3.0)
    '20 times'
    """
    return f"{_count(math.exp(min(ln, 30.0)))} times"


def _count(many: float) -> str:
    return f"{many:,.0f}" if many >= 9.95 else f"{many:.2g}"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class Trait:
    """What a trait is called, how its value is written, what it measures, and the attribute that it is read from."""

    words: str
    written: Callable[[float], str]
    measures: str
    attribute: str = ""


# Which values speak for one hand was learnt, and may bend: no row here says "the lower the better".
TRAITS: Mapping[str, Trait] = {
    "load_spread": Trait(
        "unevenness of the load", _decimal, "of requests over accounts; 0: all have as many, 1: as the whole fleet"
    ),
    "shared_spread": Trait(
        "unevenness of the use of what they share", _decimal,
        "spread of ln of the requests of each through shared values; 0: all send as many",
    ),
    "standing": Trait(
        "test of all who are tied to them", _decimal,
        "in standard errors, of everybody tied by what they share, moved or not: nobody there was chosen",
    ),
    "mix_likeness": Trait(
        "difference of the mixes", _decimal, "of capabilities over accounts; 0: all work alike, 1: as the whole fleet"
    ),
    "shift_dispersion": Trait(
        "unevenness of the shift", _decimal, "0: everybody moved a bit, 1: some moved altogether and others did not"
    ),
    "synchrony": Trait(
        "pauses and waves in common", _decimal, "variance of the total per 5 min / sum of the accounts'; 1: independent"
    ),
    "night_share": Trait(
        "work in the night", _points, "of its requests, in the quiet hours of its countries, beyond its compatriots'"
    ),
    "kit_spread": Trait(
        "unevenness of the kit's use", _decimal,
        "0: shared prompts are as much of each account's work; honest accounts have private ones besides", "template",
    ),
    "template_cover": Trait(
        "reach of the widest prompt", percent, "of its organisations, under the template that most of them use",
        "template",
    ),
    "prefix_dominance": Trait(
        "the favourite exit", percent, "of its requests, through the IP prefix used most; an office has one",
        "ip_prefix",
    ),
    "more_volume": Trait("growth of their traffic", _times, "as many requests as at their own rate before, mean"),
    "clock_likeness": Trait(
        "difference of working hours", _decimal, "over accounts; 0: all work the same hours, 1: as the whole fleet"
    ),
    "fresh": Trait("shared since yesterday", percent, "of what its accounts share, began in the last day"),
    "two_kinds": Trait(
        "shares two kinds of things", percent, "of its accounts, share values of two attributes, as payment and exit"
    ),
    "widest": Trait(
        "reach of the widest payment or exit", percent, "of its organisations, under the one that most of them use"
    ),
    "carriers": Trait("accounts on a shared value", _many, "of the group, mean over the values that it shares"),
    "exclusive": Trait(
        "shared with nobody else", percent, "of all accounts that carry its shared values, belong to the group"
    ),
    "turned": Trait(
        "others on its values turned too", percent, "of all accounts of the fleet that carry two of its values, moved"
    ),
    "strength": Trait("strength of the shift", _decimal, "z, in standard errors"),
    "moved": Trait("organisations that moved", percent, "of its organisations, use the target more"),
    "rise": Trait("rise beyond accounts like them", _points, "of the target's share, mean over organisations"),
    "uptake": Trait("rise of accounts like them", _points, "of the target's share: what everybody adopts, they do too"),
    "company": Trait("moved in company", _times, "as many organisations as chance and habit bring"),
    "organisations": Trait("organisations", _many, "nobody says that they belong together"),
    "per_organisation": Trait("accounts of an organisation", _many, "mean"),
    LESSONS: Trait(
        "your verdicts on others like it", _whole,
        f"verdicts on networks were given; together they move no network by more than {LESSONS_MAX:g} nat",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """What one trait of an alert says. nats: for one operator's hand; None where the record does not tell how much.

    said: that in words; value: what was measured; measures: what the value is of, or why there is none.
    """

    words: str
    nats: float | None
    said: str
    value: str
    measures: str


def said_by_traits(evidence: Mapping[str, Any]) -> list[Said]:
    """What every trait says, the strongest first, for and against; then those that could not be known."""
    votes = votes_of(evidence)
    known = [_said(vote) for vote in votes]
    known.sort(key=lambda one: -abs(one.nats or 0.0))
    told = {str(vote.get("trait")) for vote in votes}
    return [*known, *_unknown(told)] if any(one.nats is not None for one in known) else known


def words_of(trait: str) -> str:
    """What a trait is called; one that this version does not know, by its own name.

    >>> words_of("two_kinds"), words_of("shoe_size")
    ('shares two kinds of things', 'shoe size')
    """
    return TRAITS[trait].words if trait in TRAITS else trait.replace("_", " ") or "?"


def _said(vote: Mapping[str, Any]) -> Said:
    name, value, weight = str(vote.get("trait")), number(vote, "value"), number(vote, "nats")
    trait = TRAITS.get(name)
    written = "?" if value is None else trait.written(value) if trait else f"{value:.3g}"
    side = "for" if vote.get("one_hand") else "against"
    if weight is not None:
        side = "says nothing" if abs(weight) < ALMOST_NOTHING else f"{nats(weight)}, {side}"
    return Said(words_of(name), weight, side, written, trait.measures if trait else "")


def _unknown(told: set[str]) -> Iterator[Said]:
    for name in learnt.TRAITS:
        if name not in told:
            attribute = TRAITS[name].attribute if name in TRAITS else ""
            because = f"no {attribute} is told of these accounts" if attribute else "too little is known of them"
            if name in CLOCK_TRAITS:
                because = "left out: [detection] clock_vote = false"
            yield Said(words_of(name), None, "not known", "", because)


def before_any_trait(evidence: Mapping[str, Any]) -> float | None:
    """Nats with which every network begins: what this hour says in all, less what its traits say."""
    weights = [number(vote, "nats") for vote in votes_of(evidence)]
    now = number(evidence, "log_odds_now")
    if now is None or not weights or any(weight is None for weight in weights):
        return None
    return round(now - sum(weight for weight in weights if weight is not None), 3)


def taught(lessons: Lessons) -> str:
    """What verdicts add to the log-odds of a network, in a sentence or two.

    >>> print(taught(Lessons(3, -0.42, {"moved": 0.05, "fresh": -0.31})))
    3 verdicts on networks: before its traits are read, each begins 0.42 nats lower.
    Counted otherwise: shared since yesterday 0.69 times. Together they move no network by more than 1 nat.
    """
    if not lessons.verdicts:
        return "No verdict is about a network: what their traits say is as it was learnt."
    far = sorted(lessons.weights.items(), key=lambda one: (-abs(one[1]), one[0]))
    counted = [f"{words_of(trait)} {1 + weight:.2f} times" for trait, weight in far if abs(weight) >= TOLD_WEIGHT]
    verdicts = "1 verdict on a network" if lessons.verdicts == 1 else f"{lessons.verdicts} verdicts on networks"
    side = "lower" if lessons.base < 0 else "higher"
    begins = f"{verdicts}: before its traits are read, each begins {abs(lessons.base):.2f} nats {side}."
    otherwise = f"Counted otherwise: {', '.join(counted[:TRAITS_TOLD])}. " if counted else ""
    return f"{begins}\n{otherwise}Together they move no network by more than {LESSONS_MAX:g} nat."
