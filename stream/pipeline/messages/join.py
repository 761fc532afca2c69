"""When is a tick of the fleet whole? When every shard has told of it, or of a later one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import SHARDS
from detectors.counts.summary import Summary
from stream.pipeline.frames import decode_summary, encode_summary
from stream.pipeline.messages.divided import without_account


class Jump(NamedTuple):
    """A report of long after the one before. before: that one's tick. judged: the last tick given out when it came."""

    tick: int
    shards: tuple[int, ...]
    before: int
    judged: int


class Join:
    """Brings the partitions' summaries of a tick together, in order of ticks.

    A tick is whole when every shard has reported that tick or a later one: a partition reports each tick once and in
    order, and what lies before its first report was empty.

    So a report that jumps is false where its shards go on to tell of what lies in between: then it is taken back, and
    told in `taken_back` as (its tick, ticks that were given out without its shards). ahead: ticks from which it jumps.
    """

    def __init__(self, ahead: int = 12) -> None:
        self.judged = -1
        self.taken_back: list[tuple[int, int]] = []
        self._ahead = ahead
        self._jumps: list[Jump] = []
        self._latest = np.full(SHARDS, -1, np.int64)
        self._waiting: dict[int, list[Summary]] = {}
        self.repeats = 0

    def add(self, summary: Summary) -> list[tuple[int, Sequence[Summary]]]:
        """Take one in; gives the ticks that are whole now, oldest first, each with its summaries by first shard."""
        shards = np.array(summary.shards)
        self._take_back(summary)
        latest = int(self._latest[shards].max())
        if (self._latest[shards] >= summary.tick).all():
            self.repeats += 1
            return []
        if 0 <= latest < summary.tick - self._ahead:
            self._jumps.append(Jump(summary.tick, summary.shards, latest, self.judged))
        self._latest[shards] = summary.tick
        if summary.tick > self.judged:
            self._waiting.setdefault(summary.tick, []).append(summary)
        return self._whole()

    def _take_back(self, summary: Summary) -> None:
        mine = set(summary.shards)
        for jump in [one for one in self._jumps if one.before < summary.tick < one.tick and mine & set(one.shards)]:
            self._jumps.remove(jump)
            self._latest[list(jump.shards)] = jump.before
            parts = self._waiting.pop(jump.tick, [])
            others = [one for one in parts if not set(one.shards) & set(jump.shards)]
            if others:
                self._waiting[jump.tick] = others
            self.taken_back.append((jump.tick, max(self.judged - max(jump.judged, jump.before), 0)))

    @property
    def is_waiting(self) -> bool:
        """Whether a tick is there that is not whole."""
        return bool(self._waiting)

    def without(self, silent: NDArray[np.bool_]) -> list[tuple[int, Sequence[Summary]]]:
        """The ticks that are whole but for these shards (a mask over all), oldest first.

        They are given up for these ticks: what they say of them later is a repeat.
        """
        if silent.all():
            return []
        self._latest[silent] = np.maximum(self._latest[silent], self._latest[~silent].min())
        return self._whole()

    def _whole(self) -> list[tuple[int, Sequence[Summary]]]:
        whole = int(self._latest.min())
        ready = sorted(tick for tick in self._waiting if tick <= whole)
        self.judged = max([self.judged, *ready])
        self._jumps = [one for one in self._jumps if one.tick > self.judged]
        return [(tick, sorted(self._waiting.pop(tick), key=lambda s: s.shards[0])) for tick in ready]

    def forget(self, account_id: str) -> None:
        """Take one account out of the summaries that wait."""
        for tick, parts in self._waiting.items():
            self._waiting[tick] = [without_account(one, account_id) for one in parts]

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        waiting = [encode_summary(summary) for _, parts in sorted(self._waiting.items()) for summary in parts]
        state = {"latest": self._latest, "waiting": waiting, "repeats": self.repeats}
        return state | ({"jumps": [list(one) for one in self._jumps]} if self._jumps else {})

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self._latest, self.repeats = state["latest"], state["repeats"]
        self._jumps = [Jump(tick, tuple(of), before, at) for tick, of, before, at in state.get("jumps", ())]
        for summary in map(decode_summary, state["waiting"]):
            self._waiting.setdefault(summary.tick, []).append(summary)
