"""Which attributes does the traffic lack, and what does that cost? Said once in the log, and again where it changes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from detectors.comparison.population import Population
from detectors.parameters import RECORDED_MIN
from stream.pipeline.composition import Fleet, Judged
from stream.spoken import percent
from stream.telemetry.costs import LARGE_SHARE, costs_of

ACCOUNTS_MIN = 20  # with fewer, nothing is known of the platform yet


class Missing:
    """Follows a fleet. say: takes a line for a person, each at most once until it is no longer true."""

    def __init__(self, fleet: Fleet, say: Callable[[str], None]) -> None:
        self._fleet = fleet
        self._say = say
        self._absent: set[str] = set()
        self._large: set[str] = set()
        before = fleet.on_tick

        def judged(tick: Judged) -> None:
            before(tick)
            if tick.is_network:
                self._look()

        fleet.on_tick = judged

    def _look(self) -> None:
        judge = self._fleet.judge
        accounts = 0 if judge.last_tick is None else len(judge.last_tick.population)
        if judge.last_tick is None or accounts < ACCOUNTS_MIN:
            return
        self._look_for_one_that_is_many(judge.last_tick.population)
        parameters = self._fleet.parameters
        for name, part in sorted(judge.coverage.items()):
            absent = part < RECORDED_MIN
            if absent and name not in self._absent:
                self._absent.add(name)
                carry = f"{percent(part)} of {accounts:,} active accounts carry the attribute {name}"
                self._say(f"{carry}: {'; '.join(costs_of(name, parameters))}")
            elif not absent and name in self._absent:
                self._absent.remove(name)
                self._say(f"{percent(part)} of {accounts:,} active accounts carry the attribute {name} now")

    def _look_for_one_that_is_many(self, population: Population) -> None:
        total = float(population.n.sum())
        for row in np.flatnonzero(population.n > LARGE_SHARE * total).tolist():
            account = population.columns.ids[row]
            if account not in self._large:
                self._large.add(account)
                part = percent(float(population.n[row]) / total)
                self._say(
                    f"account {account} has {part} of all requests: if many customers are billed under it, say in "
                    "[map] who is billed"
                )
