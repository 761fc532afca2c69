"""A few requests, written down as a test wants them, in the columns in which shards receive them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.counts.rows import NO_CLOCK_MS, Frame, Rows, Sets, key_of, shard_of
from detectors.parameters import HOUR_MS

START_H = 490_000  # an hour since 1970, at midnight UTC of no special day
START_MS = START_H * HOUR_MS
TICK_MS = 300_000


@dataclass(frozen=True)
class Request:
    """One request. event: its id; the same twice is a repeat."""

    account: str
    at_ms: int = START_MS
    model: str = "atlas-3"
    capabilities: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    event: str = ""
    clock_ms: int = NO_CLOCK_MS

    def later(self, ms: int) -> Request:
        """The same at another time."""
        return replace(self, at_ms=self.at_ms + ms)


def rows_of(requests: Sequence[Request], first_offset: int = 0) -> Rows:
    """Rows at consecutive offsets; a request without an event id has one of its own offset."""
    accounts, targets, values = _Table(), _Table(), _Table()
    capability_sets, value_sets = _Table(), _Table()
    columns: dict[str, list[int]] = {name: [] for name in ("account", "model", "capability_set", "value_set")}
    for one in requests:
        columns["account"].append(accounts.of(one.account))
        columns["model"].append(targets.of(f"model:{one.model}"))
        columns["capability_set"].append(
            capability_sets.of(tuple(targets.of(f"capability:{name}") for name in one.capabilities))
        )
        columns["value_set"].append(value_sets.of(tuple(values.of(pair) for pair in one.attributes)))
    offsets = np.arange(first_offset, first_offset + len(requests), dtype=np.int64)
    events = [one.event or f"event {offset}" for one, offset in zip(requests, offsets.tolist(), strict=True)]
    return Rows(
        accounts=tuple(accounts.names),
        account_keys=np.array([key_of(name) for name in accounts.names], np.uint64),
        account_shards=np.array([shard_of(name) for name in accounts.names], np.uint8),
        targets=tuple(targets.names),
        values=tuple(values.names),
        value_keys=np.array([key_of("\0".join(pair)) for pair in values.names], np.uint64),
        capability_sets=Sets.of(capability_sets.names),
        value_sets=Sets.of(value_sets.names),
        **{name: np.array(column, np.uint32) for name, column in columns.items()},
        at_ms=np.array([one.at_ms for one in requests], np.int64),
        clock_ms=np.array([one.clock_ms for one in requests], np.int64),
        event=np.array([key_of(event) for event in events], np.uint64),
        offset=offsets,
        input_tokens=np.zeros(len(requests), np.int64),
        output_tokens=np.zeros(len(requests), np.int64),
    )


def frame_of(
    requests: Sequence[Request], after: int = -1, clock_ms: int = NO_CLOCK_MS, *, source: str = "s", ended: bool = False
) -> Frame:
    """The frame that holds these requests at offsets after + 1, after + 2, ..."""
    rows = rows_of(requests, after + 1)
    return Frame(source, after, after + len(requests), clock_ms, False, ended, {}, rows)


def day_of(accounts: int, hours: int, seed: int = 1, rate: float = 1.0) -> list[Request]:
    """A small fleet that does a bit of everything, sorted by time. rate: mean requests of an account an hour."""
    rng = np.random.default_rng(seed)
    out = []
    for number in range(rng.poisson(rate * accounts * hours)):
        account = int(rng.integers(accounts))
        attributes = (("org", f"o{account // 3}"), ("payment", f"p{account // 2}"), ("template", f"t{rng.integers(9)}"))
        out.append(
            Request(
                f"a{account}",
                START_MS + int(rng.integers(hours * HOUR_MS)),
                f"m{int(rng.integers(3))}",
                ("coding",) if rng.random() < 0.4 else (),
                attributes,
                event=f"{seed}-{number}",
            )
        )
    return sorted(out, key=lambda one: one.at_ms)


@dataclass
class _Table:
    names: list = field(default_factory=list)
    index: dict = field(default_factory=dict)

    def of(self, name: object) -> int:
        if name not in self.index:
            self.index[name] = len(self.names)
            self.names.append(name)
        return self.index[name]
