"""Who is in the fleet, and in which manners does each account send? Accounts and streams, in columns.

A stream is one manner in which one account sends: its rate, rhythm, and where its attribute values are drawn from.
Most accounts have one; a member of a network has its own traffic and the network's; an operator's account has its kit
and what it resells. Shifts and swells, which happen in time, are laid over streams.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.draws import Choices, Ints

FOREVER_MS = 1 << 60
CHOICES = ("payment", "network", "client", "template", "model", "task")


@dataclass(slots=True)
class Accounts:
    """One entry an account. org, country: indexes; signup_ms: event time; leaky: records sometimes lack `org`."""

    org: Ints
    country: Ints
    signup_ms: Ints
    leaky: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.org)


@dataclass(slots=True)
class Streams:
    """One entry a stream.

    per_day: requests a day on average. profile: row of the rhythm table. offset_h: local time. minute: of the hour in
    which a scheduled job runs, or -1. beat: the wave that several accounts have in common, or -1. trace, trace_shift_h:
    the production client that it follows, or -1, and from which hour on. burst: gamma shape of the hourly rate, small
    is bursty. mood: gamma shape of the daily rate. session: mean requests a session. gap_s: mean pause inside one.
    project: part of its requests that go to the task of these days, project_days: how long such a project lasts.
    start_ms, end_ms: when it exists.
    """

    account: Ints
    per_day: NDArray[np.float64]
    profile: Ints
    offset_h: Ints
    minute: Ints
    beat: Ints
    trace: Ints
    trace_shift_h: Ints
    burst: NDArray[np.float64]
    mood: NDArray[np.float64]
    session: NDArray[np.float64]
    gap_s: NDArray[np.float64]
    project: NDArray[np.float64]
    project_days: NDArray[np.float64]
    start_ms: Ints
    end_ms: Ints

    def __len__(self) -> int:
        return len(self.account)


STREAM_DEFAULTS: dict[str, Any] = {
    "offset_h": 0, "minute": -1, "beat": -1, "trace": -1, "trace_shift_h": 0, "burst": 0.6, "mood": 2.0,
    "session": 3.0, "gap_s": 45.0, "project": 0.1, "project_days": 2.0,
    "start_ms": -FOREVER_MS, "end_ms": FOREVER_MS,
}  # fmt: skip


def _append(table: Any, columns: dict[str, Any], count: int) -> NDArray[np.int64]:
    first = len(table)
    for column in fields(table):
        old = getattr(table, column.name)
        new = np.broadcast_to(np.asarray(columns[column.name], old.dtype), (count,))
        setattr(table, column.name, np.concatenate((old, new)))
    return np.arange(first, first + count)


def _empty(kind: Any) -> Any:
    floats = {"per_day", "burst", "mood", "session", "gap_s", "project", "project_days"}
    dtype = dict.fromkeys(floats, np.float64) | {"leaky": np.bool_}
    return kind(**{column.name: np.zeros(0, dtype.get(column.name, np.int64)) for column in fields(kind)})


@dataclass(slots=True)
class Fleet:
    """Grows while a scenario is laid out: accounts, streams, organisations, attribute values, and who draws which.

    minted: number of distinct values of each dimension so far; asn: for each network (an ip prefix), its provider;
    waves: depth and chance of a pause of each beat; rhythms: weeks beside those of rhythm.profiles.
    """

    accounts: Accounts = field(default_factory=lambda: _empty(Accounts))
    streams: Streams = field(default_factory=lambda: _empty(Streams))
    orgs: int = 0
    minted: dict[str, int] = field(default_factory=lambda: {"payment": 0, "network": 0, "template": 0})
    asn: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    waves: list[tuple[float, float]] = field(default_factory=list)
    rhythms: list[NDArray[np.float64]] = field(default_factory=list)
    parts: dict[str, list[tuple[Any, Any, Any]]] = field(default_factory=lambda: {name: [] for name in CHOICES})

    def new_orgs(self, count: int) -> Ints:
        """Fresh organisations."""
        self.orgs += count
        return np.arange(self.orgs - count, self.orgs)

    def new_values(self, dimension: str, count: int) -> Ints:
        """Fresh values of payment or template. Networks have a provider: `new_networks`."""
        self.minted[dimension] += count
        return np.arange(self.minted[dimension] - count, self.minted[dimension])

    def new_networks(self, asn: NDArray[Any]) -> Ints:
        """Fresh ip prefixes, one for each provider given."""
        self.asn = np.concatenate((self.asn, np.asarray(asn, np.int64)))
        return self.new_values("network", len(asn))

    def new_beat(self, depth: float, pause: float) -> int:
        """A wave that streams can have in common; see rhythm.beats."""
        self.waves.append((depth, pause))
        return len(self.waves) - 1

    def add_accounts(self, count: int, **columns: Any) -> Ints:
        """Columns as in Accounts (leaky: False unless told). Gives their indexes."""
        return _append(self.accounts, {"leaky": False} | columns, count)

    def add_streams(self, count: int, **columns: Any) -> Ints:
        """Columns as in Streams; account, per_day and profile must be given. Gives their indexes."""
        return _append(self.streams, STREAM_DEFAULTS | columns, count)

    def offer(self, name: str, stream: Any, item: Any, weight: Any = 1.0) -> None:
        """Lets each stream draw the item with the weight; arrays of one length, or scalars."""
        stream, item, weight = np.broadcast_arrays(stream, item, np.asarray(weight, np.float64))
        self.parts[name].append((stream.astype(np.int64), item.astype(np.int64), weight))

    def choices(self) -> dict[str, Choices]:
        """Everything offered, ready to be drawn."""
        made = {}
        for name, parts in self.parts.items():
            columns = [np.concatenate([part[at].ravel() for part in parts]) for at in range(3)]
            made[name] = Choices.of(len(self.streams), *columns)
        return made
