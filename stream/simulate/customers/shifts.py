"""What changes in time: streams that take up something else (shifts), and send more or less (swells)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.draws import Choices, Floats, Ints
from stream.simulate.customers.fleet import FOREVER_MS


@dataclass(frozen=True, slots=True)
class Shift:
    """From its onset on, a stream draws a part of its requests' `column` from `onto` instead.

    column: model, task, client or template. streams: sorted, distinct. onset_ms, ramp_ms, depth: one entry a stream;
    the part grows from 0 to depth within the ramp, in a line. onto: owner i belongs to streams[i]. leaving: only
    requests that would otherwise have one of these items shift (empty: all). until_ms: when everything is as before.
    half_life_ms: fades by half in this time after the ramp, None: stays.
    """

    column: str
    streams: Ints
    onset_ms: Ints
    ramp_ms: Ints
    depth: Floats
    onto: Choices
    leaving: tuple[int, ...] = ()
    until_ms: int = FOREVER_MS
    half_life_ms: float | None = None

    def part(self, entry: Ints, at_ms: Ints) -> Floats:
        """The part that has shifted, for entries of `streams` at their times."""
        since = at_ms - self.onset_ms[entry]
        part = self.depth[entry] * np.clip(since / np.maximum(self.ramp_ms[entry], 1), 0.0, 1.0)
        if self.half_life_ms is not None:
            part = part * 0.5 ** (np.maximum(since - self.ramp_ms[entry], 0) / self.half_life_ms)
        return np.where(at_ms < self.until_ms, part, 0.0)


def onto_one(count: int, item: int) -> Choices:
    """For `count` streams the same single item."""
    return Choices.of(count, np.arange(count), np.full(count, item), np.ones(count))


@dataclass(frozen=True, slots=True)
class Swell:
    """The streams send `factor` times as much from from_ms until until_ms."""

    streams: Ints
    from_ms: int
    until_ms: int
    factor: float


@dataclass(frozen=True, slots=True)
class Rotation:
    """In every period the streams draw a part of their requests' `column` from another one of their sets of values.

    streams: sorted, distinct. sets: how many a stream has, used in turn. onto: owner i * sets + j is set j of
    streams[i].
    """

    column: str
    streams: Ints
    period_ms: int
    sets: int
    onto: Choices
    part: float

    def owner(self, entry: Ints, at_ms: Ints) -> Ints:
        """The set in use, for entries of `streams` at their times."""
        return entry * self.sets + (at_ms // self.period_ms + entry) % self.sets


@dataclass(slots=True)
class Course:
    """All that happens in one log, by time. rename_ms: when one capability gets another name, rolled out in an hour."""

    shifts: list[Shift] = field(default_factory=list)
    swells: list[Swell] = field(default_factory=list)
    rename_ms: int = FOREVER_MS
    rotations: list[Rotation] = field(default_factory=list)
    gaps: dict[str, float] = field(default_factory=dict)  # part of the requests that lack payment, network, ...
    hidden: frozenset[str] = frozenset()  # dimensions that this platform does not record

    def factor(self, streams: int, hour_ms: int) -> NDArray[np.float64]:
        """How much each stream swells in the hour that begins at hour_ms; parts of an hour count in part."""
        factor = np.ones(streams)
        for swell in self.swells:
            inside = min(swell.until_ms, hour_ms + 3_600_000) - max(swell.from_ms, hour_ms)
            if inside > 0:
                factor[swell.streams] *= 1 + (swell.factor - 1) * inside / 3_600_000
        return factor
