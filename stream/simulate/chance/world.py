"""What is this fleet like, of all that there may be? One draw from every range, under a seed of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from stream.simulate.chance.draws import chance
from stream.simulate.chance.ranges import (
    ACCOUNTS_MIN,
    ANY,
    GROUPS,
    LIMITS,
    REGIMES,
    AdoptionDraw,
    Deck,
    FleetDraw,
    HonestDraw,
    LifeDraw,
    Odds,
    OperatorDraw,
    RecordsDraw,
    Span,
)


@dataclass(frozen=True, slots=True)
class World:
    """The constants of one fleet. regime: `thin`, where ranges that have a thin part are drawn from it, or `wide`."""

    seed: int
    regime: str
    fleet: FleetDraw
    honest: HonestDraw
    records: RecordsDraw
    adoption: AdoptionDraw
    life: LifeDraw
    operator: OperatorDraw

    def resized(self, accounts: int | None, days: float | None, scale: float | None) -> World:
        """The same world with another number of accounts, or another length; each account sends as much as before."""
        fleet = self.fleet
        count = accounts or int(fleet.accounts * (scale or 1.0))
        length = days or fleet.days
        records = round(fleet.records * count / fleet.accounts * length / fleet.days)
        median = fleet.median_requests * length / fleet.days
        return replace(self, fleet=replace(fleet, accounts=count, days=length, records=records, median_requests=median))

    def force(self, kind: str, of: int = 1) -> tuple[int, float]:
        """Accounts of a campaign, and their requests in a day. of: how many campaigns there are in the log."""
        limits, draw = LIMITS.get(kind, ANY), self.operator
        a_day = self.fleet.records / self.fleet.days * float(np.clip(draw.prevalence, *limits.prevalence)) / of
        if kind == "low_prevalence":  # evenly over its range, not at its end
            part = (draw.prevalence - 0.012) / 0.068
            a_day = self.fleet.records / self.fleet.days * np.interp(part, (0, 1), limits.prevalence) / of
        per_day = float(np.clip(draw.per_day, *limits.per_day))
        accounts = min(draw.accounts // of, int(limits.accounts_part * self.fleet.accounts))
        over = max(1.0, accounts * per_day / a_day)  # what is too much comes off both
        accounts = max(ACCOUNTS_MIN, int(accounts / over**0.75))
        if a_day / accounts < limits.per_day[0]:  # less work is no campaign of the kind: then fewer accounts
            accounts = max(ACCOUNTS_MIN, int(a_day / limits.per_day[0]))
        return accounts, max(limits.per_day[0], min(per_day, a_day / accounts))

    def document(self) -> dict[str, Any]:
        """For `truth.json`: numbers to four digits."""
        groups = {name: {key: _short(value) for key, value in asdict(getattr(self, name)).items()} for name in GROUPS}
        return {"seed": self.seed, "regime": self.regime} | groups

    def sentences(self) -> list[str]:
        """What was drawn, a line for each group."""
        lines = [f"world {self.seed}, {self.regime}"]
        for name in GROUPS:
            drawn = asdict(getattr(self, name))
            lines.append(f"  {name}: " + ", ".join(f"{key} {_short(value)}" for key, value in drawn.items()))
        return lines


def draw(seed: int, regime: str | None = None) -> World:
    """The world of a seed; what one range draws never moves what another one draws. regime: instead of drawing it.

    >>> draw(3) == draw(3), draw(3) == draw(4)
    (True, False)
    """
    regime = regime or _dealt(REGIMES, seed, "regime")
    groups = {}
    for name, group in GROUPS.items():
        values: dict[str, Any] = {}
        for column in fields(group):
            of = column.metadata["range"]
            if isinstance(of, Deck):
                values[column.name] = _dealt(of, seed, column.name)
            else:
                rng = chance(seed, "world", name, column.name)
                values[column.name] = _value(of, rng, thin=regime == "thin")
        groups[name] = group(**values)
    return World(seed, regime, **groups)


def _dealt(deck: Deck, seed: int, name: str) -> str:
    """The card of this seed, of the hand that it is dealt with."""
    cards = [card for card, many in deck.cards.items() for _ in range(many)]
    order = chance(seed // len(cards), "world", "deck", name).permutation(len(cards))
    return str(cards[int(order[seed % len(cards)])])


def _value(of: Span | Odds, rng: np.random.Generator, *, thin: bool) -> str | float | int:
    if isinstance(of, Odds):
        weight = np.array(list(of.of.values()))
        return list(of.of)[int(rng.choice(len(weight), p=weight / weight.sum()))]
    low, high = of.thin if thin and of.thin is not None else (of.low, of.high)
    if of.whole:
        low, high = low - 0.5 * (low > 0.5 or not of.log), high + 0.499
    value = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if of.log else float(rng.uniform(low, high))
    return round(value) if of.whole else value


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
