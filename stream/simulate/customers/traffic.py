"""Which requests does the fleet send? Hour by hour, in columns; memory holds an hour and its sessions' tails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, TASKS
from stream.simulate.chance.draws import NOTHING, Choices, Floats, Ints, chance, scattered
from stream.simulate.customers.fleet import Fleet
from stream.simulate.customers.real_rates import Traces
from stream.simulate.customers.rhythm import WEEK_H, beats, profiles
from stream.simulate.customers.shifts import Course, Rotation, Shift

STICKY = 0.75  # part of the requests that keep their session's template and task
LEAK = 0.006  # part of a leaky organisation's records that lack `org`
_INPUT = np.array([task.input_tokens for task in TASKS], np.float64)
_OUTPUT = np.array([task.output_tokens for task in TASKS], np.float64)


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests in columns, sorted by time. serial: counts up over the log; org is -1 where it is missing."""

    at_ms: Ints
    serial: Ints
    stream: Ints
    account: Ints
    org: Ints
    model: NDArray[np.int32]
    task: NDArray[np.int32]
    payment: NDArray[np.int32]
    network: NDArray[np.int32]
    client: NDArray[np.int32]
    template: NDArray[np.int32]
    input_tokens: Ints
    output_tokens: Ints

    def __len__(self) -> int:
        return len(self.at_ms)

    def where(self, keep: NDArray[Any] | slice) -> Batch:
        """The rows that a mask, an index or a slice keeps."""
        return Batch(*(getattr(self, column.name)[keep] for column in fields(Batch)))

    @classmethod
    def joined(cls, batches: list[Batch]) -> Batch:
        """All rows of all batches, in that order."""
        return cls(*(np.concatenate([getattr(one, column.name) for one in batches]) for column in fields(Batch)))


@dataclass(frozen=True, slots=True)
class Traffic:
    """The requests that a fleet sends over a course of events; the same for the same seed."""

    fleet: Fleet
    course: Course
    traces: Traces | None
    seed: int
    start_ms: int
    end_ms: int

    def hours(self) -> Iterator[Batch]:
        """One batch an hour, in order; what a session leaves over comes with the next hour."""
        state = _Hours(self)
        tail: Batch | None = None
        serial = 0
        for hour_ms in range(self.start_ms, self.end_ms, HOUR_MS):
            batch = state.hour(hour_ms)
            if tail is not None:
                batch = Batch.joined([tail, batch])
            over = batch.at_ms >= hour_ms + HOUR_MS
            tail, batch = batch.where(over), batch.where(~over)
            batch = batch.where(np.argsort(batch.at_ms, kind="stable"))
            batch.serial[:] = np.arange(serial, serial + len(batch))
            serial += len(batch)
            yield batch


class _Hours:
    """Makes one hour after another; holds what all of them need, computed once."""

    def __init__(self, traffic: Traffic) -> None:
        self.traffic = traffic
        self.fleet = traffic.fleet
        self.streams = traffic.fleet.streams
        self.choices: dict[str, Choices] = traffic.fleet.choices()
        self.profiles = np.vstack((profiles(), *traffic.fleet.rhythms))
        self.entries = [self._lookup(shift.streams) for shift in traffic.course.shifts]
        self.turns = [self._lookup(rotation.streams) for rotation in traffic.course.rotations]
        self.phase = chance(traffic.seed, "phase").random(len(self.streams)) * 7
        self.day, self.mood = -1, np.zeros(0)

    def _lookup(self, streams: Ints) -> NDArray[np.int32]:
        entry = np.full(len(self.streams), -1, np.int32)
        entry[streams] = np.arange(len(streams))
        return entry

    def hour(self, hour_ms: int) -> Batch:
        rng = chance(self.traffic.seed, "hour", hour_ms // HOUR_MS)
        stream, session, first = self._sessions(rng, self._counts(rng, hour_ms))
        at_ms = self._times(rng, hour_ms, stream, session, first)
        # One draw decides prompt and task where it can: a prompt goes with a kind of work.
        own = np.where(rng.random(len(stream)) < STICKY, rng.random(len(first))[session], rng.random(len(stream)))
        by_session = {name: rng.random(len(first))[session] for name in ("payment", "network", "client")}
        drawn = {name: self.choices[name].draw(stream, u) for name, u in by_session.items()}
        drawn["template"] = self.choices["template"].draw(stream, own)
        drawn["task"] = self.choices["task"].draw(stream, self._projects(rng, hour_ms, stream, own))
        drawn["model"] = self.choices["model"].draw(stream, rng.random(len(stream)))
        for rotation, entries in zip(self.traffic.course.rotations, self.turns, strict=True):
            _turn(rng, rotation, entries, stream, at_ms, session, drawn)
        for shift, entries in zip(self.traffic.course.shifts, self.entries, strict=True):
            _take_up(rng, shift, entries, stream, at_ms, drawn)
        for name, part in self.traffic.course.gaps.items():
            drawn[name][rng.random(len(stream)) < part] = NOTHING
        account = self.streams.account[stream]
        tokens = np.exp(0.7 * rng.standard_normal((2, len(stream))))
        return Batch(
            at_ms=at_ms, serial=np.zeros(len(stream), np.int64), stream=stream, account=account,
            org=self._org(rng, account), input_tokens=(_INPUT[drawn["task"]] * tokens[0]).astype(np.int64),
            output_tokens=(_OUTPUT[drawn["task"]] * tokens[1]).astype(np.int64), **drawn,
        )  # fmt: skip

    def _counts(self, rng: np.random.Generator, hour_ms: int) -> Ints:
        """Requests of each stream in this hour: gamma-mixed Poisson about rate, rhythm, the day's mood and swells."""
        streams = self.streams
        if hour_ms // DAY_MS != self.day:
            self.day = hour_ms // DAY_MS
            self.mood = chance(self.traffic.seed, "mood", self.day).standard_gamma(streams.mood) / streams.mood
        local = (hour_ms // HOUR_MS + 72 + streams.offset_h) % WEEK_H  # 72: 1970-01-01 was a Thursday
        rate = streams.per_day / 24 * self.profiles[streams.profile, local] * self.mood
        if self.traffic.traces is not None:
            rate = self.traffic.traces.drive(rate, streams, hour_ms)
        alive = np.minimum(streams.end_ms, hour_ms + HOUR_MS) - np.maximum(streams.start_ms, hour_ms)
        rate *= np.clip(alive / HOUR_MS, 0.0, 1.0) * self.traffic.course.factor(len(streams), hour_ms)
        return rng.poisson(rate * rng.standard_gamma(streams.burst) / streams.burst)

    def _sessions(self, rng: np.random.Generator, count: Ints) -> tuple[Ints, Ints, Ints]:
        """(stream of each request, its session, index of each session's first request)."""
        active = np.flatnonzero(count)
        stream = np.repeat(active, count[active])
        begins = rng.random(len(stream)) * self.streams.session[stream] < 1.0
        begins[np.cumsum(count[active]) - count[active]] = True
        return stream, np.cumsum(begins) - 1, np.flatnonzero(begins)

    def _times(self, rng: np.random.Generator, hour_ms: int, stream: Ints, session: Ints, first: Ints) -> Ints:
        """Start of the session, by the job's minute, the common wave, or anywhere; then one pause after another."""
        streams, owner = self.streams, stream[first]
        start_s = rng.random(len(first)) * 3600
        minute, beat = streams.minute[owner], streams.beat[owner]
        start_s = np.where(minute >= 0, minute * 60 + start_s / 90, start_s)
        if (beat >= 0).any():
            start_s = np.where(beat >= 0, self._on_the_beat(hour_ms, beat, start_s), start_s)
        if self.traffic.traces is not None:
            start_s = self.traffic.traces.windows(start_s, streams, owner, hour_ms)
        pause = rng.standard_exponential(len(stream)) * streams.gap_s[stream]
        pause[first] = 0.0
        since = np.cumsum(pause)
        start_ms = np.clip(start_s, 0, 3599.999)[session] + since - since[first][session]
        at_ms = hour_ms + (start_ms * 1000).astype(np.int64)
        ends_ms = np.minimum(streams.end_ms[stream] - 1, hour_ms + 2 * HOUR_MS - 1)
        return np.clip(at_ms, np.minimum(streams.start_ms[stream], ends_ms), ends_ms)

    def _on_the_beat(self, hour_ms: int, beat: Ints, start_s: Floats) -> Floats:
        waves = beats(chance(self.traffic.seed, "beat", hour_ms // HOUR_MS), self.fleet.waves)
        slot = np.broadcast_to(np.arange(12), waves.shape).ravel()
        owner = np.repeat(np.arange(len(waves)), 12)
        choice = Choices.of(len(waves), owner, slot, waves.ravel()).draw(np.maximum(beat, 0), start_s / 3600)
        return choice * 300 + (start_s * 7919.0) % 300

    def _projects(self, rng: np.random.Generator, hour_ms: int, stream: Ints, own: Floats) -> Floats:
        """What decides each request's task: the stream's project of these days, its session, or nothing.

        A mix over weeks is a few days of this and a few of that, so honest shares swing from day to day.
        """
        days = hour_ms / DAY_MS + self.phase
        number = (days / self.streams.project_days)[stream].astype(np.int64)
        project = scattered(self.traffic.seed, stream * 100_003 + number)
        fresh = np.where(rng.random(len(own)) < 0.5, own, rng.random(len(own)))
        return np.where(rng.random(len(own)) < self.streams.project[stream], project, fresh)

    def _org(self, rng: np.random.Generator, account: Ints) -> Ints:
        accounts = self.fleet.accounts
        leaks = accounts.leaky[account] & (rng.random(len(account)) < LEAK)
        return np.where(leaks, -1, accounts.org[account])


def _turn(
    rng: np.random.Generator, rotation: Rotation, entries: NDArray[np.int32], stream: Ints, at_ms: Ints, session: Ints,
    drawn: dict[str, Any],
) -> None:  # fmt: skip
    """Lets the requests of one hour draw from the set of values that is in use, in place; a session keeps its value."""
    entry = entries[stream].astype(np.int64)
    u = rng.random((2, len(stream)))[:, session]
    turns = np.flatnonzero((entry >= 0) & (u[0] < rotation.part))
    owner = rotation.owner(entry[turns], at_ms[turns])
    drawn[rotation.column][turns] = rotation.onto.draw(owner, u[1][turns])


def _take_up(
    rng: np.random.Generator, shift: Shift, entries: NDArray[np.int32], stream: Ints, at_ms: Ints, drawn: dict[str, Any]
) -> None:
    """Lets the requests of one hour take part in a shift, in place."""
    if not len(at_ms) or not len(shift.streams) or at_ms.max() < shift.onset_ms.min():
        return
    entry = entries[stream].astype(np.int64)
    may = np.flatnonzero(entry >= 0)
    if shift.leaving:
        may = may[np.isin(drawn[shift.column][may], shift.leaving)]
    entry = entry[may]
    u = rng.random((2, len(may)))
    moves = u[0] < shift.part(entry, at_ms[may])
    drawn[shift.column][may[moves]] = shift.onto.draw(entry[moves], u[1][moves])
