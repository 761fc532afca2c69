"""Did one cohort's share of a target drift? Any of river's drift detectors, put on a series by configuration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from detectors.comparison.drift import change_point
from detectors.comparison.findings import Finding, Level, Phase, Subject, Target
from detectors.counts.summary import CohortCounts
from detectors.parameters import HOUR_MS, Series


def _of_river(name: str) -> Callable[..., Any]:
    def made(**settings: Any) -> Any:
        from river import drift  # a second of CPU and 60 MB, with SciPy's statistics: for the worker that judges alone

        return getattr(drift, name)(**settings)

    return made


DETECTORS: Mapping[str, Callable[..., Any]] = {name: _of_river(name) for name in ("ADWIN", "KSWIN", "PageHinkley")}
DRAWN = {"KSWIN": {"seed": 1}}  # of detectors that draw: the same records must give the same alerts
VALUES_MAX = 720  # hours that a series remembers: 30 days
VALUES_KEPT = 168
SAID_H = 24  # a drift is told for a day


def detector_of(series: Series) -> Any:
    """The detector of river that a series asks for. Raises ValueError in words where it does not exist or will not be
    built with these settings."""
    made = DETECTORS.get(series.detector)
    if made is None:
        raise ValueError(f"detector {series.detector!r}: expected one of {', '.join(sorted(DETECTORS))}")
    settings = dict(DRAWN.get(series.detector, {})) | dict(series.settings)
    try:
        built = made(**settings)
        built.update(0.5)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueError(f"settings: {series.detector} of river says: {error}") from None
    return made(**settings)


@dataclass(slots=True)
class _Followed:
    """One series: the hourly shares that its detector was fed with, the counts of this hour, and what was found last.

    said: (hour of the drift, hour of its onset, share before, share after, requests of that hour), None before any.
    """

    series: Series
    values: list[float] = field(default_factory=list)
    requests: int = 0
    count: int = 0
    said: list[float] | None = None
    detector: Any = None

    def __post_init__(self) -> None:
        self.rebuild()

    def rebuild(self) -> None:
        """The detector anew, fed with what is remembered: that is all its state."""
        self.detector = detector_of(self.series)
        for value in self.values:
            self.detector.update(value)

    def close(self, hour: int) -> None:
        """The hour is over. One without a request says nothing."""
        requests, count, self.requests, self.count = self.requests, self.count, 0, 0
        if not requests:
            return
        if len(self.values) >= VALUES_MAX:
            self.values = self.values[-VALUES_KEPT:]
            self.rebuild()
        self.values.append(count / requests)
        self.detector.update(self.values[-1])
        if self.detector.drift_detected and len(self.values) > 1:
            at = change_point(self.values)
            before, after = (math.fsum(part) / len(part) for part in (self.values[:at], self.values[at:]))
            self.values = self.values[at:]
            self.said = [hour, hour - len(self.values) + 1, round(before, 4), round(after, 4), requests]
            self.rebuild()


class DriftWatch:
    """The configured series. Counts are summed as integers over partitions; a tick costs O(series).

    target_of: the target of an inner name, as "model:atlas-4". tick_ms: length of a tick, which divides an hour.
    """

    def __init__(self, series: Sequence[Series], target_of: Callable[[str], Target], tick_ms: int) -> None:
        self._target_of = target_of
        self._tick_ms = tick_ms
        self._followed = [_Followed(one) for one in series]

    def judge(self, parts: Sequence[CohortCounts], tick: int) -> list[Finding]:
        """Take one tick in; gives a finding of level info for every series that drifted in the last day."""
        if not self._followed:
            return []
        for part in parts:
            self._count(part)
        at_ms = (tick + 1) * self._tick_ms
        if at_ms % HOUR_MS == 0:
            for one in self._followed:
                one.close(at_ms // HOUR_MS - 1)
        said = [one for one in self._followed if one.said is not None and at_ms <= (one.said[0] + 1 + SAID_H) * HOUR_MS]
        return [self._finding(one, at_ms) for one in said]

    def _count(self, part: CohortCounts) -> None:
        place = {cohort: i for i, cohort in enumerate(part.cohorts)}
        for one in self._followed:
            at = place.get((one.series.dimension, one.series.value))
            if at is None:
                continue
            one.requests += int(part.requests[at])
            if one.series.target in part.targets:
                mine = (part.at == at) & (part.target == part.targets.index(one.series.target))
                one.count += int(part.count[mine].sum())

    def _finding(self, one: _Followed, at_ms: int) -> Finding:
        assert one.said is not None
        hour, onset, before, after, requests = one.said
        series = one.series
        return Finding(
            key=f"drift:{series.dimension}={series.value} {series.target} {series.detector}",
            kind="drift",
            subject=Subject("cohort", series.value, series.dimension),
            targets=(self._target_of(series.target),),
            level=Level.INFO,
            phase=Phase.MOVING,
            at_ms=at_ms,
            onset_ms=int(onset) * HOUR_MS,
            members=(),
            evidence={
                "requests": int(requests),
                "window_h": 1,
                "share_before": before,
                "share_after": after,
                "detector": series.detector,
                "found_ms": (int(hour) + 1) * HOUR_MS,
                "ticks": max(2, int((at_ms - (hour + 1) * HOUR_MS) // self._tick_ms) + 2),
            },
            why="configured_series",
        )

    def state(self) -> list[Any]:
        """All of it, for a snapshot: what a detector was fed with is the detector."""
        return [[_name(one.series), one.values, one.requests, one.count, one.said] for one in self._followed]

    def restore(self, state: Sequence[Any]) -> None:
        """Continue from what `state` gave; a series that is configured otherwise now begins anew."""
        known = {tuple(name): rest for name, *rest in state}
        for one in self._followed:
            kept = known.get(tuple(_name(one.series)))
            if kept is not None:
                one.values, one.requests, one.count, one.said = list(kept[0]), kept[1], kept[2], kept[3]
                one.rebuild()


def _name(series: Series) -> list[str]:
    return [series.dimension, series.value, series.target, series.detector, repr(series.settings)]
