"""How did single accounts move over the last days? Read from the ticks that are kept for the courses of alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from detectors.counts.rows import key_of
from stream.report.history import Seen

POINTS_MAX = 32  # of a sparkline


@dataclass(slots=True)
class Mix:
    """What one account used in the 24 hours before each tick: (time in ms, requests), and shares by target."""

    requests: list[tuple[int, int]] = field(default_factory=list)
    shares: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def whole(self, target: str) -> list[tuple[int, float]]:
        """Its course with the ticks in which the account sent requests, and none to the target."""
        shares = dict(self.shares[target])
        return [(at_ms, shares.get(at_ms, 0.0)) for at_ms, _ in self.requests]

    def strongest(self, most: int) -> list[str]:
        """Targets by their share at the end or the middle, whichever is larger; ties by name."""
        peak = {name: max(share for _, share in points) for name, points in self.shares.items()}
        return sorted(peak, key=lambda name: (-peak[name], name))[:most]


def mix_of(kept: Sequence[Seen], account_id: str) -> Mix:
    """Everything that is kept of one account. O(active accounts) a tick."""
    key = np.uint64(key_of(account_id))
    mix = Mix()
    for seen in kept:
        at = np.flatnonzero(seen.keys == key)
        if not len(at) or not seen.requests[at[0]]:
            continue
        start = int(seen.length[: at[0]].sum(dtype=np.int64))
        total = int(seen.requests[at[0]])
        mix.requests.append((seen.at_ms, total))
        used = slice(start, start + int(seen.length[at[0]]))
        for target, count in zip(seen.target[used].tolist(), seen.count[used].tolist(), strict=True):
            mix.shares.setdefault(seen.targets[target], []).append((seen.at_ms, count / total))
    return mix


def shares_of(kept: Sequence[Seen], accounts: Sequence[str], target: str) -> dict[str, list[tuple[int, float]]]:
    """(time, share of the target) of each account, at most 32 points. O(active accounts) a point."""
    named = {int(key_of(account)): account for account in accounts}
    keys = np.array(sorted(named), np.uint64)
    points: dict[str, list[tuple[int, float]]] = {account: [] for account in accounts}
    step = max(1, -(-len(kept) // POINTS_MAX))
    for seen in kept[::-1][::step][::-1]:
        index = seen.targets.index(target) if target in seen.targets else -1
        end = np.cumsum(seen.length, dtype=np.int64)
        for at in np.flatnonzero(np.isin(seen.keys, keys)).tolist():
            total = int(seen.requests[at])
            if total:
                used = slice(int(end[at]) - int(seen.length[at]), int(end[at]))
                ours = seen.count[used][seen.target[used] == index].sum(dtype=np.int64)
                points[named[int(seen.keys[at])]].append((seen.at_ms, float(ours) / total))
    return points
