"""Which network is this, and since when? Parts of one tick matched to the networks of the ticks before."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

PRESENCE = 0.9  # an account's weight in a track forgets with this factor a tick
MATCH_MIN = 0.15  # weighted Jaccard below which a part is not the track
MEMORY_TICKS = 72
PAST_FROM_H, PAST_TO_H = 120, 24  # a group's own past: this long ago
PAST_TICKS_MIN = 12
PAST_Z_MAX = 4.0
Z_TICKS = 130


@dataclass(slots=True)
class Track:
    """One network over time. weights: presence of each account (by key). z: statistics by target, a tick each.

    frozen: the past by target, fixed while the network is under alarm: nothing is learnt from what is being judged.
    streak: ticks in a row over the line, by target. hand: (tick, log-odds of one hand) as last asked, by story.
    """

    id: int
    born: int
    last: int
    weights: dict[int, float] = field(default_factory=dict)
    z: deque[tuple[int, dict[str, float]]] = field(default_factory=lambda: deque(maxlen=Z_TICKS))
    frozen: dict[str, float] = field(default_factory=dict)
    streak: dict[str, int] = field(default_factory=dict)
    hand: dict[str, tuple[int, float]] = field(default_factory=dict)

    def past(self, hour: int, target: str) -> float:
        """The group's usual statistic for a target: median of 24 to 120 hours ago, 0 where that is not known."""
        if target in self.frozen:
            return self.frozen[target]
        seen = [z.get(target, 0.0) for at, z in self.z if hour - PAST_FROM_H <= at <= hour - PAST_TO_H]
        if len(seen) < PAST_TICKS_MIN:
            return 0.0
        return float(np.clip(np.median(seen), 0.0, PAST_Z_MAX))

    def freeze(self, hour: int, target: str) -> None:
        """Stop learning the past of a target."""
        self.frozen.setdefault(target, self.past(hour, target))

    def seen(self, hour: int, keys: Sequence[int], z: dict[str, float]) -> None:
        """Take a tick in."""
        self.last = hour
        for key in list(self.weights):
            self.weights[key] *= PRESENCE
            if self.weights[key] < 0.02:
                del self.weights[key]
        for key in keys:
            self.weights[key] = self.weights.get(key, 0.0) + 1.0 - PRESENCE
        self.z.append((hour, z))


class Tracks:
    """Networks followed over ticks. O(parts x tracks x members) a tick."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._next = 1

    def match(self, hour: int, parts: Sequence[Sequence[int]]) -> list[Track]:
        """The track of each part (given as account keys): matched one to one, or a child, or new."""
        self.tracks = [track for track in self.tracks if track.last >= hour - MEMORY_TICKS]
        similar = np.array([[_alike(part, track) for track in self.tracks] for part in parts])
        found: dict[int, Track] = {}
        if similar.size:
            from scipy.optimize import linear_sum_assignment  # heavy, and only the worker that judges needs it

            rows, columns = linear_sum_assignment(-similar)
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
                if similar[row, column] >= MATCH_MIN:
                    found[row] = self.tracks[column]
        known = list(self.tracks)
        return [found.get(i) or self._born(hour, part, known) for i, part in enumerate(parts)]

    def _born(self, hour: int, part: Sequence[int], known: Sequence[Track]) -> Track:
        """A new track. A part at least half of which was in a track is its child: a split never resets the clock."""
        track = Track(self._next, hour, hour)
        self._next += 1
        members = set(part)
        for parent in known:
            if 2 * len(members & parent.weights.keys()) >= len(members):
                track.z = deque(parent.z, maxlen=Z_TICKS)
                track.frozen, track.streak = dict(parent.frozen), dict(parent.streak)
                track.hand = dict(parent.hand)
                break
        self.tracks.append(track)
        return track

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        tracks = [
            [t.id, t.born, t.last, list(t.weights.items()), [list(one) for one in t.z], t.frozen, t.streak, t.hand]
            for t in self.tracks
        ]
        return {"next": self._next, "tracks": tracks}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self._next = state["next"]
        self.tracks = [
            Track(
                id, born, last, dict(weights), deque(((h, z) for h, z in history), Z_TICKS), frozen, streak, _said(hand)
            )
            for id, born, last, weights, history, frozen, streak, hand in state["tracks"]
        ]


def _said(hand: dict[str, Any]) -> dict[str, tuple[int, float]]:
    """From a snapshot; one of an earlier version counted ticks instead."""
    return {story: (int(one[0]), float(one[1])) for story, one in hand.items() if not isinstance(one, int)}


def _alike(part: Sequence[int], track: Track) -> float:
    """Weighted Jaccard of a part and a track, the track's weights scaled to its strongest member."""
    if not track.weights:
        return 0.0
    top = max(track.weights.values())
    shared = sum(track.weights.get(key, 0.0) for key in part) / top
    total = sum(track.weights.values()) / top
    return shared / (total + len(part) - shared)
