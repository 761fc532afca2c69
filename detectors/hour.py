"""What had each account done by the end of an hour? For whoever counts requests in a pipeline of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import Sets, key_of, shard_of
from detectors.counts.summary import AccountColumns

KINDS = ("model:", "capability:")


@dataclass(frozen=True, slots=True)
class Account:
    """One account with a request in the last 24 hours, as the judge is told of it once an hour.

    requests: of the last 24 hours; now: how many of them went to each target, "model:NAME" or "capability:NAME".
    requests_before, before: the same of the time before these 24 hours, faded by half each 7 days.
    carried: requests of this hour by (dimension, value) of their attributes.
    org, country, signup_week: the last that it said. first_seen_ms: its first request, epoch ms.
    hours: requests of the last 24 hours by hour of day in UTC. bins: requests of this hour by 5 minutes.
    """

    id: str
    requests: int
    now: Mapping[str, int]
    requests_before: float = 0.0
    before: Mapping[str, float] = field(default_factory=dict)
    carried: Mapping[tuple[str, str], int] = field(default_factory=dict)
    org: str | None = None
    country: str | None = None
    signup_week: str | None = None
    first_seen_ms: int = 0
    hours: Sequence[int] = (0,) * 24
    bins: Sequence[int] = (0,) * 12


def columns_of(accounts: Sequence[Account]) -> AccountColumns:
    """The accounts of one hour in the columns that `Judge.judge` and `population_of` take. O(entries x log entries).

    Raises ValueError that names the account where it cannot be.

    >>> columns = columns_of([Account("b", 2, {"model:m": 2}), Account("a", 1, {"model:n": 1}, org="o")])
    >>> columns.ids, columns.targets, columns.n.tolist(), columns.org.tolist()
    (('a', 'b'), ('model:m', 'model:n'), [1, 2], [0, -1])
    """
    accounts = sorted(accounts, key=lambda one: one.id)
    _refuse_what_cannot_be(accounts)
    names = tuple(sorted({n for one in accounts for n in (one.org, one.country, one.signup_week) if n is not None}))
    targets = tuple(sorted({name for one in accounts for name in (*one.now, *one.before)}))
    values = tuple(sorted({pair for one in accounts for pair in one.carried}))
    place: dict[str | None, int] = {name: at for at, name in enumerate(names)}
    place[None] = -1
    fast, fast_count = _sets([one.now for one in accounts], targets, np.uint32)
    slow, slow_count = _sets([one.before for one in accounts], targets, np.float32)
    carried, carried_count = _sets([one.carried for one in accounts], values, np.uint32)
    return AccountColumns(
        ids=tuple(one.id for one in accounts),
        keys=np.array([key_of(one.id) for one in accounts], np.uint64),
        shards=np.array([shard_of(one.id) for one in accounts], np.uint8),
        names=names,
        org=np.array([place[one.org] for one in accounts], np.int32),
        country=np.array([place[one.country] for one in accounts], np.int32),
        signup_week=np.array([place[one.signup_week] for one in accounts], np.int32),
        first_seen_ms=np.array([one.first_seen_ms for one in accounts], np.int64),
        targets=targets,
        n=np.array([one.requests for one in accounts], np.int64),
        fast=fast,
        fast_count=fast_count,
        nb=np.array([one.requests_before for one in accounts], np.float32),
        slow=slow,
        slow_count=slow_count,
        hours=np.array([one.hours for one in accounts], np.uint16),
        bins=np.array([one.bins for one in accounts], np.uint16),
        values=values,
        value_keys=np.array([key_of("\0".join(pair)) for pair in values], np.uint64),
        carried=carried,
        carried_count=carried_count,
    )


def _refuse_what_cannot_be(accounts: Sequence[Account]) -> None:
    for id, times in Counter(one.id for one in accounts).items():
        if times > 1:
            raise ValueError(f"account {id}: expected once in an hour, got {times} times")
    for one in accounts:
        if len(one.hours) != 24:
            raise ValueError(f"account {one.id}: expected 24 hours, got {len(one.hours)}")
        unknown = next((name for name in (*one.now, *one.before) if not name.startswith(KINDS)), None)
        if unknown is not None:
            raise ValueError(f"account {one.id}: expected model:NAME or capability:NAME as a target, got {unknown}")


def _sets(each: Sequence[Mapping[Any, float]], table: Sequence[Any], dtype: Any) -> tuple[Sets, NDArray[Any]]:
    """The sets of places in the table, and the counts beside them."""
    place = {name: at for at, name in enumerate(table)}
    sorted_each = [sorted((place[name], count) for name, count in one.items()) for one in each]
    counts = np.array([count for one in sorted_each for _, count in one], dtype)
    return Sets.of([[at for at, _ in one] for one in sorted_each]), counts
