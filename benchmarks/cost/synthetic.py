"""What does a network tick of any size look like? Account columns drawn directly, without a request."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.counts.rows import Sets
from detectors.counts.summary import AccountColumns
from detectors.parameters import HOUR_MS

TARGETS = tuple(sorted([f"model:m{i}" for i in range(10)] + [f"capability:c{i}" for i in range(12)]))
USED = 5  # targets an account uses


def columns_of(accounts: int, hour: int, seed: int = 1) -> AccountColumns:
    """So many active accounts in one hour: organisations of three, lognormal volumes, a payment of their own or three,
    prefixes of four accounts, templates of twenty. The same seed gives the same fleet in every hour."""
    fleet, now = np.random.default_rng(seed), np.random.default_rng((seed, hour))
    n = np.maximum(1, fleet.lognormal(2.0, 1.2, accounts)).astype(np.int64)
    used = np.sort(np.argsort(fleet.random((accounts, len(TARGETS))), axis=1)[:, :USED], axis=1)
    fast = np.minimum(now.poisson(n[:, None] / USED, (accounts, USED)), n[:, None])
    slow = fleet.gamma(2.0, 4.0, (accounts, USED)) * n[:, None] / USED
    names = [*(f"org_{i:07}" for i in range(accounts // 3 + 1)), "DE", "FR", "US"]
    order = np.argsort(names)
    rank = np.empty(len(names), np.int32)
    rank[order] = np.arange(len(names), dtype=np.int32)
    values, carried = _values(fleet, accounts)
    start = np.arange(accounts + 1, dtype=np.int64) * USED
    busy = (now.random((accounts, 12)) < 0.2) * now.poisson(1.0, (accounts, 12))
    return AccountColumns(
        ids=tuple(f"acct_{i:08}" for i in range(accounts)),
        keys=fleet.integers(1, 1 << 63, accounts).astype(np.uint64),
        shards=(np.arange(accounts) % 256).astype(np.uint8),
        names=tuple(names[i] for i in order.tolist()),
        org=rank[np.arange(accounts) // 3],
        country=rank[len(names) - 3 + fleet.integers(0, 3, accounts)],
        signup_week=np.full(accounts, -1, np.int32),
        first_seen_ms=np.full(accounts, (hour - 200) * HOUR_MS),
        targets=TARGETS,
        n=n,
        fast=Sets(start, used.ravel().astype(np.uint32)),
        fast_count=fast.ravel().astype(np.uint32),
        nb=slow.sum(axis=1).astype(np.float32),
        slow=Sets(start, used.ravel().astype(np.uint32)),
        slow_count=slow.ravel().astype(np.float32),
        hours=now.poisson(n[:, None] / 24, (accounts, 24)).astype(np.uint16),
        bins=busy.astype(np.uint16),
        **values,
        carried=carried,
        carried_count=np.ones(len(carried.items), np.uint32),
    )


def _values(fleet: np.random.Generator, accounts: int) -> tuple[dict[str, Any], Sets]:
    """The table of values, sorted, and which three each account carries."""
    sizes = {"ip_prefix": accounts // 4 + 1, "payment": accounts // 2 + 1, "template": accounts // 20 + 1}
    pairs = [(dimension, f"{i:08}") for dimension, size in sizes.items() for i in range(size)]
    first = np.cumsum([0, *sizes.values()])
    chosen = np.stack([first[d] + fleet.integers(0, size, accounts) for d, size in enumerate(sizes.values())], axis=1)
    keys = fleet.integers(1, 1 << 63, len(pairs)).astype(np.uint64)
    start = np.arange(accounts + 1, dtype=np.int64) * len(sizes)
    return {"values": tuple(pairs), "value_keys": keys}, Sets(start, chosen.ravel().astype(np.uint32))
