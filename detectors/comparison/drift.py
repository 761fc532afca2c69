"""When did the fleet take something up? Drift of fleet-wide shares, and the releases that nobody announced."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from detectors.parameters import HOUR_MS

CONFIDENCE = 0.002  # of one cut; ADWIN's own default
SHARE_FLOOR = 0.001  # below it a share is noise: ln(share + floor) hardly moves
RISE_MIN = 0.5  # ln: a share that did not grow by two thirds did not rise
GRACE_H = 12  # hours before anything can be a change
MODELS_MAX = 4_096  # whose share is followed; over it those without a request in the hour go, but what had real traffic
VALUES_MAX = 720  # hours a series remembers: 30 days, 8 bytes each; 4,096 models are 24 MB
VALUES_KEPT = 168  # after a restart: a week
REAL_SHARE = 0.001  # of an hour's requests: real traffic, and not somebody's probe
REAL_REQUESTS = 3  # however small the fleet
HISTORY_H = 24  # a model with real traffic in the first day was there before the log
NEW_FOR_H = 336  # a model is new for two weeks: by then whoever wants it has it
PREVIEW_H = 48  # a model that rises longer than this after its first traffic was in preview until then


@dataclass(frozen=True, slots=True)
class Rise:
    """A share that went up. onset, found: numbers of hours since 1970; before, after: mean share of each side."""

    onset: int
    found: int
    before: float
    after: float


class SeriesDrift:
    """One hourly share of the fleet, and when it last rose.

    river's ADWIN on ln(share + 0.001) says that the window holds two levels; the split that explains most says since
    when. A daily rhythm of some tens of percent is no change; a rise tenfold is one after half a day. O(log hours) an
    hour. Source: Bifet and Gavaldà 2007, Learning from time-changing data with adaptive windowing.

    >>> series = SeriesDrift()
    >>> rises = [series.learn(hour, 0.002 if hour < 100 else 0.1) for hour in range(110)]
    >>> series.last.onset
    100
    """

    def __init__(self) -> None:
        self.values: list[float] = []
        self.hour: int | None = None
        self.last: Rise | None = None
        self._window = _window()

    def learn(self, hour: int, share: float) -> Rise | None:
        """Take the share of an hour in; the rise that it shows, if one. share: 0 to 1; hours must grow.

        Raises ValueError where time runs back.
        """
        if self.hour is not None and hour <= self.hour:
            raise ValueError(f"expected an hour after {self.hour}, got {hour}")
        self.hour = hour
        if len(self.values) >= VALUES_MAX:
            self._restart()
        value = math.log(share + SHARE_FLOOR)
        self.values.append(value)
        self._window.update(value)
        if not self._window.drift_detected:
            return None
        return self._changed(hour)

    def _changed(self, hour: int) -> Rise | None:
        """The window holds two levels: the old one is forgotten, the new one is what is normal from here on."""
        at = change_point(self.values)
        before, after = _mean(self.values[:at]), _mean(self.values[at:])
        self.values = self.values[at:]
        self._window = _window(self.values)
        if after - before < RISE_MIN:
            return None
        # Hours without traffic were not learnt: the onset counts back over those that were.
        rise = Rise(hour - len(self.values) + 1, hour, round(_share(before), 6), round(_share(after), 6))
        if self.last is not None and rise.onset <= self.last.found + GRACE_H:
            # A slow take-up is found in steps: it is one rise, and began when the first step did.
            rise = Rise(self.last.onset, hour, self.last.before, rise.after)
        self.last = rise
        return rise

    def _restart(self) -> None:
        self.values = self.values[-VALUES_KEPT:]
        self._window = _window(self.values)

    def state(self) -> list[Any]:
        """All of it, for a snapshot: the values that the window was fed with are the window."""
        last = self.last
        return [self.hour, self.values, None if last is None else [last.onset, last.found, last.before, last.after]]

    @classmethod
    def after_silence(cls, hours: int) -> SeriesDrift:
        """A series whose share was 0 for so many hours before its first."""
        return cls.restored([None, [math.log(SHARE_FLOOR)] * min(hours, VALUES_KEPT), None])

    @classmethod
    def restored(cls, state: Sequence[Any]) -> SeriesDrift:
        """Continue from what `state` gave. O(hours remembered)."""
        series = cls()
        series.hour, series.values = state[0], list(state[1])
        series.last = None if state[2] is None else Rise(*state[2])
        series._window = _window(series.values)
        return series


def _window(values: Sequence[float] = ()) -> Any:
    """ADWIN, fed with these. It empties itself after a change, so it is built anew from what it should keep."""
    from river.drift import ADWIN  # heavy, and only the worker that judges needs it

    window = ADWIN(delta=CONFIDENCE, clock=1, min_window_length=3, grace_period=GRACE_H)  # type: ignore[no-untyped-call]
    for value in values:
        window.update(value)  # type: ignore[no-untyped-call]
    return window


def change_point(values: Sequence[float]) -> int:
    """Where a series of two levels changes: both sides vary least around their means. Of two values or more, O(n).

    >>> change_point([1.0, 1.2, 0.9, 5.0, 5.1])
    3
    """
    total, count = sum(values), len(values)
    best, most, left = 1, -1.0, 0.0
    for at in range(1, count):
        left += values[at - 1]
        # What the two means explain: the larger it is, the less is left to vary.
        explained = left * left / at + (total - left) ** 2 / (count - at)
        if at == 1 or explained > most + 1e-12:
            best, most = at, explained
    return best


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _share(value: float) -> float:
    return max(math.exp(value) - SHARE_FLOOR, 0.0)


class Dated(Enum):
    """How a release was dated."""

    ANNOUNCED = "announced"  # by a release record
    FIRST_TRAFFIC = "first_traffic"  # nobody announced it; its first hour with real traffic
    DRIFT = "drift"  # nobody announced it; the hour from which the fleet's share rose, long after a preview


@dataclass(frozen=True, slots=True)
class Release:
    """When a model came out, and how that is known. released_ms: epoch ms."""

    model: str
    released_ms: int
    dated: Dated


class Releases:
    """Every model's release: announced, or dated by what the fleet did.

    A model that nobody announced is taken as released in the first hour in which it has 0.1 % of the fleet's requests;
    where it had been in preview for two days or more, when its share rose. Models that had traffic in the first day of
    the history were there before: nothing is said of them. O(models) an hour.

    >>> releases = Releases({"atlas-4": 1_772_409_600_000})
    >>> releases.released_ms("atlas-4"), releases.released_ms("brio-9")
    (1772409600000, None)
    """

    def __init__(self, announced: Mapping[str, int] | None = None) -> None:
        self.announced: Mapping[str, int] = announced or {}
        self.first_hour: int | None = None
        self.hour: int | None = None  # the last that was learnt
        self.first_seen: dict[str, int] = {}
        self.first_real: dict[str, int] = {}
        self.series: dict[str, SeriesDrift] = {}

    def learn(self, hour: int, requests_by_model: Mapping[str, int]) -> None:
        """Take the fleet's requests of an hour in, by model. An hour without any says nothing."""
        self.hour = hour
        total = sum(requests_by_model.values())
        if total <= 0:
            return
        if self.first_hour is None:
            self.first_hour = hour
        for model in sorted(requests_by_model.keys() | self.series.keys()):
            requests = requests_by_model.get(model, 0)
            if requests >= max(REAL_REQUESTS, REAL_SHARE * total):
                self.first_real.setdefault(model, hour)
            if model not in self.series:
                self.series[model] = SeriesDrift.after_silence(hour - self.first_hour)
            self.series[model].learn(hour, requests / total)
        if len(self.series) > MODELS_MAX:
            self._forget_probes(requests_by_model)

    def _forget_probes(self, requests_by_model: Mapping[str, int]) -> None:
        """Names that were asked for and are not any more, and never had real traffic: somebody makes them up."""
        for model in [name for name in self.series if name not in self.first_real and name not in requests_by_model]:
            del self.series[model]
        followed = self.series.keys() | requests_by_model.keys()
        self.first_seen = {name: hour for name, hour in self.first_seen.items() if name in followed}

    def seen(self, hour: int, models: Iterable[str]) -> None:
        """Note which models anybody used lately, however little. O(models)."""
        if self.first_hour is None:
            self.first_hour = hour
        for model in models:
            self.first_seen.setdefault(model, hour)

    def is_new(self, model: str, hour: int) -> bool:
        """Whether the model came out in the last two weeks, announced or not.

        One that was in use on the first day of the history is not, however rare it was, unless its release is dated.
        Before real traffic there is no date: it is new where nobody had used it before.
        """
        release = self.of(model)
        if release is not None:
            return hour - release.released_ms // HOUR_MS <= NEW_FOR_H
        first = self.first_seen.get(model)
        if first is None or self.first_hour is None or first < self.first_hour + HISTORY_H:
            return False
        return hour - first <= NEW_FOR_H

    def of(self, model: str) -> Release | None:
        """When the model came out; None where it was there before the history, or never had real traffic."""
        if model in self.announced:
            return Release(model, self.announced[model], Dated.ANNOUNCED)
        first = self.first_real.get(model)
        if first is None or self.first_hour is None:
            return None
        rise = self.series[model].last
        if rise is not None and rise.onset > first + PREVIEW_H and rise.before < 2 * REAL_SHARE + rise.after / 10:
            return Release(model, rise.onset * HOUR_MS, Dated.DRIFT)
        if first < self.first_hour + HISTORY_H:
            return None
        return Release(model, first * HOUR_MS, Dated.FIRST_TRAFFIC)

    def released_ms(self, model: str) -> int | None:
        """The time of `of`."""
        release = self.of(model)
        return None if release is None else release.released_ms

    def rise_of(self, model: str) -> Rise | None:
        """When the fleet's share of the model last rose, announced or not."""
        series = self.series.get(model)
        return None if series is None else series.last

    def unannounced(self) -> list[Release]:
        """What came out though nobody said so, by model."""
        known = (self.of(model) for model in sorted(self.first_real))
        return [release for release in known if release is not None and release.dated is not Dated.ANNOUNCED]

    def state(self) -> dict[str, Any]:
        """All that was learnt, for a snapshot."""
        series = {model: one.state() for model, one in sorted(self.series.items())}
        return {
            "first_hour": self.first_hour,
            "hour": self.hour,
            "first_seen": self.first_seen,
            "first_real": self.first_real,
            "series": series,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.first_hour, self.hour = state["first_hour"], state["hour"]
        self.first_seen, self.first_real = dict(state["first_seen"]), dict(state["first_real"])
        self.series = {model: SeriesDrift.restored(one) for model, one in state["series"].items()}
