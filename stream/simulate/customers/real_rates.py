"""How do clients of production fleets send? 182 of them, as rhythms that simulated accounts follow.

The data and where they come from: data/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from stream.simulate.chance.draws import Floats, Ints
from stream.simulate.customers.fleet import Streams

FILE = "production-client-rates.npz"
WINDOWS = 6  # of ten minutes, in an hour
TRACE_H = 336  # every trace as two weeks; those of a day are repeated
ACTIVE_MIN = 0.02  # a client that sent in a smaller part of its hours has no rhythm to follow
SESSION_MAX = 30.0  # the longest burst that is believed from a variation of interarrival times


@dataclass(frozen=True, slots=True)
class Traces:
    """What an account that follows a client needs; one row a client.

    hourly: rate of the hour over the client's mean, (clients, TRACE_H). window: cumulated chance of the ten minutes
    within the hour, (clients, TRACE_H, WINDOWS). session: typical burst in requests.
    """

    hourly: Floats
    window: Floats
    session: Floats

    def __len__(self) -> int:
        return len(self.hourly)

    def drive(self, rate: Floats, streams: Streams, hour_ms: int) -> Floats:
        """Hourly rates in which those that follow a client have its rhythm instead of a made-up one."""
        follows = np.flatnonzero(streams.trace >= 0)
        rate[follows] = (
            streams.per_day[follows] / 24 * self.hourly[streams.trace[follows], _hour(streams, follows, hour_ms)]
        )
        return rate

    def windows(self, start_s: Floats, streams: Streams, owner: Ints, hour_ms: int) -> Floats:
        """Starts of sessions (uniform in the hour), moved into the ten minutes in which the client was active."""
        follows = np.flatnonzero(streams.trace[owner] >= 0)
        stream = owner[follows]
        edge = self.window[streams.trace[stream], _hour(streams, stream, hour_ms)]
        slot = np.minimum((edge <= start_s[follows, None] / 3600).sum(axis=1), WINDOWS - 1)
        moved = start_s.copy()
        moved[follows] = slot * 600 + (start_s[follows] * 7919.0) % 600
        return moved


def _hour(streams: Streams, index: Ints, hour_ms: int) -> Ints:
    return (hour_ms // 3_600_000 + streams.trace_shift_h[index]) % TRACE_H


@lru_cache(maxsize=1)
def traces() -> Traces:
    """Reads the shipped table once. About 0.3 s and 5 MB."""
    with (files("stream.simulate") / "data" / FILE).open("rb") as file, np.load(file, allow_pickle=False) as columns:
        table = {name: columns[name] for name in columns.files}
    workload = np.unique(table["workload"], return_inverse=True)[1]
    client = np.unique(workload * 1000 + table["client"], return_inverse=True)[1]
    window = table["start_s"] // 600
    rate = np.zeros((client.max() + 1, TRACE_H * WINDOWS))
    rate[client, window] = table["requests_per_s"]
    length = np.zeros(len(rate), np.int64)
    np.maximum.at(length, client, window + 1)
    rate = np.array([np.resize(row[:used], len(row)) for row, used in zip(rate, length, strict=True)])
    cv = table["interarrival_cv"]
    typical = np.array([np.median(cv[(client == one) & (cv > 0)]) if (cv[client == one] > 0).any() else 1.0
                        for one in range(len(rate))])  # fmt: skip
    return _rhythms(rate.reshape(len(rate), TRACE_H, WINDOWS), typical)


def _rhythms(rate: Floats, typical_cv: Floats) -> Traces:
    hourly = rate.mean(axis=2)
    usable = (hourly > 0).mean(axis=1) >= ACTIVE_MIN
    rate, hourly = rate[usable], hourly[usable]
    within = rate + 1e-9 * hourly.mean(axis=1)[:, None, None]
    edge = np.cumsum(within, axis=2) / within.sum(axis=2, keepdims=True)
    # Requests in bursts of geometric size with mean b have a variation of about sqrt(2b - 1).
    session = np.clip((typical_cv[usable] ** 2 + 1) / 2, 1.0, SESSION_MAX)
    return Traces(hourly / hourly.mean(axis=1, keepdims=True), edge, session)
