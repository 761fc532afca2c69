"""What is this fleet like, of all that there may be? One draw from every range, under a seed of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np

from stream.simulate.draws import chance
from stream.simulate.ranges import (
    GROUPS,
    REGIMES,
    AdoptionDraw,
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
    regime = regime or str(_value(REGIMES, chance(seed, "world", "regime"), thin=False))
    groups = {}
    for name, group in GROUPS.items():
        values = {}
        for column in fields(group):
            rng = chance(seed, "world", name, column.name)
            values[column.name] = _value(column.metadata["range"], rng, thin=regime == "thin")
        groups[name] = group(**values)
    return World(seed, regime, **groups)


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
