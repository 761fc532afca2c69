"""What does a detector say of one group in one tick? The value that becomes an alert, or does not."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class Level(enum.IntEnum):
    """How loud a finding may become. NONE: seen, and below every line."""

    NONE = 0
    INFO = 1
    WARNING = 2
    CRITICAL = 3


class Phase(enum.Enum):
    """What the group does now."""

    MOVING = "moving"  # the evidence holds in this tick
    QUIET = "quiet"  # it does not; the group may have ended, or paused
    ADOPTED = "adopted"  # it stays, and became normal for the group and its like
    SUPERSEDED = "superseded"  # a part of it became a finding of its own


@dataclass(frozen=True, slots=True)
class Subject:
    """Who: kind is "account", "cohort" or "cluster"; dimension belongs to cohorts only."""

    kind: str
    id: str
    dimension: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """Toward what: kind is "model", "capability" or "mix"."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Member:
    """One account of the group. score: probability that it belongs, 0 to 1. since_ms: first tick in which it did.

    requests: in the fast window. share_after, share_before: part of the strongest target in these, and in those before;
    None for an account that has no past before the shift: it is new, and its share of nothing is none.
    """

    account_id: str
    score: float
    since_ms: int
    requests: int
    share_before: float | None
    share_after: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One group, one tick.

    key: identity within the detectors, the same for the life of the group. kind: "release_shift",
    "capability_shift" or "coordinated_shift". targets: strongest first, at least one.
    onset_ms: estimated begin of the shift. members: most involved first. evidence: JSON-able numbers that a person
    can recompute. why: the reason for the level, one of a small set.
    """

    key: str
    kind: str
    subject: Subject
    targets: tuple[Target, ...]
    level: Level
    phase: Phase
    at_ms: int
    onset_ms: int
    members: tuple[Member, ...]
    evidence: Mapping[str, Any]
    why: str
