"""From a budget of false pages to the line that a shift must pass. Calibrated on groups that are known to be ordinary.

Placebo groups are cohorts of the fleet itself of which nobody thinks that they are one operator's: the carriers of a
value that neither few nor most use, accounts of one place and signup week, and accounts drawn by hash. They are tested
hour by hour exactly as networks are. The day's highest statistic that lasted as long as an alert must is one draw from
"nothing happened here"; the tail of these draws says how often a network would pass a line by itself.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detectors.parameters import Parameters
from detectors.tracks import Track

DRAWS_MIN = 60  # placebo days before their tail is believed
DRAWS_MAX = 1_440  # two months of 24 placebos
TAIL = 0.2  # of the draws: the tail
SCALE_MIN = 0.25  # of the tail: few draws may lie closer together than chance would have them
LINE_MAX = 8.0  # above, nothing would ever page
# Part of the honest networks that the operator test takes for one hand: 2 of 53 that it was measured on, and one more.
HONEST_PASS = 3 / 55
DAYS_A_MONTH = 30
HOURS_A_DAY = 24
WORTH_KEEPING = 0.5  # a statistic below it is none: a placebo's usual value is a median
SMOOTH = 1.0 / HOURS_A_DAY


class Budget:
    """The lines of every hour, and what they cost.

    line: standard errors that a page needs, warning_line: that a warning needs, which no operator test stands before.
    Both are `page_z` at least, and until DRAWS_MIN placebo days are known. The tail above the upper fifth of the draws
    is taken as exponential (the Gumbel domain, in which maxima of normal and of exponential-tailed statistics are), its
    scale the mean excess. Source: Pickands 1975 (peaks over a threshold); Embrechts et al. 1997, section 6.5.
    O(placebos x targets) an hour.

    >>> budget = Budget(Parameters())
    >>> budget.line
    4.0
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self.draws: deque[float] = deque(maxlen=DRAWS_MAX)
        self.networks = 1.0
        self.spent: deque[float] = deque(maxlen=DAYS_A_MONTH * HOURS_A_DAY)
        self._tracks: dict[int, Track] = {}
        self._day: int | None = None
        self._highest: dict[int, float] = {}

    @property
    def calibrated(self) -> bool:
        """Whether enough placebo days are known for their tail to be believed."""
        return len(self.draws) >= DRAWS_MIN

    @property
    def line(self) -> float:
        """What z must reach, for as many pages on honest networks as the budget allows."""
        return self._line(self._parameters.false_pages_per_month, HONEST_PASS)

    @property
    def warning_line(self) -> float:
        """What z must reach for as many warnings as their budget allows; never below the line."""
        return max(self.line, self._line(self._parameters.false_warnings_per_month, 1.0))

    @property
    def expected(self) -> float:
        """False pages to be expected in 30 days like today at the line in force; the budget until that is known."""
        if not self.calibrated:
            return self._parameters.false_pages_per_month
        start, scale = self._tail()
        return self._a_month(math.exp(-max(self.line - start, 0.0) / scale), HONEST_PASS)

    @property
    def spent_in_month(self) -> float:
        """Expected false pages of the last 30 days, each hour at the line that was in force."""
        return sum(self.spent)

    def learn(self, hour: int, placebos: Mapping[int, Mapping[str, float]], networks: int) -> None:
        """Take an hour in. placebos: by key, the statistic of each target that rose by enough to matter.

        networks: how many keep the rules of coordination now, and so could page.
        """
        day = hour // HOURS_A_DAY
        if self._day is not None and day != self._day:
            self.draws.extend(self._highest[key] for key in sorted(self._highest))
            self._highest = {}
            self._tracks = {key: track for key, track in self._tracks.items() if track.last >= hour - HOURS_A_DAY}
        self._day = day
        self.networks += SMOOTH * (networks - self.networks)
        self.spent.append(self.expected / (DAYS_A_MONTH * HOURS_A_DAY))
        for key in sorted(placebos):
            self._follow(hour, key, placebos[key])

    def _follow(self, hour: int, key: int, z: Mapping[str, float]) -> None:
        """The highest statistic of the day that lasted, less what is usual for this placebo."""
        track = self._tracks.setdefault(key, Track(0, hour, hour))
        before = track.z[-1][1] if track.z and track.last == hour - 1 else {}
        lasted = [
            min(value, before[target]) - track.past(hour, target) for target, value in z.items() if target in before
        ]
        self._highest[key] = max([self._highest.get(key, 0.0), *lasted])
        track.seen(hour, (), {target: value for target, value in z.items() if value >= WORTH_KEEPING})

    def _line(self, a_month: float, passing: float) -> float:
        """The line that so many networks a month pass by themselves, if the part `passing` of them is believed."""
        if not self.calibrated:
            return self._parameters.page_z
        start, scale = self._tail()
        line = start + scale * math.log(self._a_month(1.0, passing) / a_month)
        return round(min(max(line, self._parameters.page_z), max(LINE_MAX, self._parameters.page_z)), 3)

    def _a_month(self, part_of_tail: float, passing: float) -> float:
        """Networks in 30 days if so much of the tail passes the line, and so many of those the operator test."""
        return DAYS_A_MONTH * max(self.networks, 1.0) * TAIL * part_of_tail * passing

    def _tail(self) -> tuple[float, float]:
        """Where the tail of the draws begins, and its scale."""
        draws = np.sort(np.array(self.draws))
        start = float(np.quantile(draws, 1.0 - TAIL))
        above = draws[draws > start] - start
        return start, max(float(above.mean()) if len(above) else 0.0, SCALE_MIN)

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        tracks = [[key, track.born, track.last, [list(one) for one in track.z]] for key, track in self._tracks.items()]
        return {
            "draws": list(self.draws), "networks": self.networks, "spent": list(self.spent), "day": self._day,
            "highest": list(self._highest.items()), "tracks": tracks,
        }  # fmt: skip

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.draws, self.spent = deque(state["draws"], DRAWS_MAX), deque(state["spent"], self.spent.maxlen)
        self.networks, self._day = state["networks"], state["day"]
        self._highest = dict(state["highest"])
        self._tracks = {key: _track(born, last, seen) for key, born, last, seen in state["tracks"]}


def _track(born: int, last: int, seen: Sequence[Sequence[Any]]) -> Track:
    track = Track(0, born, last)
    track.z.extend((hour, z) for hour, z in seen)
    return track
