"""How far is an account's minute from what it did before? The job of every peer, alike in each; no import but Python's.

Per account and minute: requests, and how many of them asked for each model and each capability. When a minute is over,
its shares are held against the account's own exponential means, and a share that moved by ALERT_FROM is told.
"""

from __future__ import annotations

from typing import Any

MINUTE_MS = 60_000
FADING = 0.1  # of what was, for each minute with traffic
ALERT_FROM = 0.5  # of a share
MINUTES_MIN = 5  # with traffic, before anything is told


def nothing() -> dict[str, int]:
    """The counts of a minute that begins.

    >>> add(nothing(), {"model": "a", "capabilities": ["coding"]})
    {'requests': 1, 'model:a': 1, 'capability:coding': 1}
    """
    return {"requests": 0}


def add(counts: dict[str, int], record: dict[str, Any]) -> dict[str, int]:
    """Count one request; changes and returns the counts."""
    counts["requests"] += 1
    for target in targets(record):
        counts[target] = counts.get(target, 0) + 1
    return counts


def targets(record: dict[str, Any]) -> list[str]:
    """What a request asked for."""
    return [f"model:{record['model']}", *(f"capability:{name}" for name in record["capabilities"])]


def shares(counts: dict[str, int]) -> dict[str, float]:
    """Of a minute's requests, the part that asked for each target.

    >>> shares({"requests": 2, "model:a": 1})
    {'model:a': 0.5}
    """
    return {target: count / counts["requests"] for target, count in counts.items() if target != "requests"}


def compare(before: dict[str, Any] | None, counts: dict[str, int]) -> tuple[dict[str, Any], float]:
    """(what is normal from now on, the largest change of a share): scored first, then learnt.

    >>> normal, change = compare(None, {"requests": 2, "model:a": 2})
    >>> normal, change = compare(normal, {"requests": 1, "model:b": 1})
    >>> change, round(normal["means"]["model:a"], 3), normal["means"]["model:b"]
    (1.0, 0.9, 0.1)
    """
    now = shares(counts)
    if before is None:
        return {"minutes": 1, "means": now}, 0.0
    means = before["means"]
    change = 0.0
    learnt = {}
    for target in means.keys() | now.keys():
        mean, share = means.get(target, 0.0), now.get(target, 0.0)
        change = max(change, abs(share - mean))
        learnt[target] = (1 - FADING) * mean + FADING * share
    return {"minutes": before["minutes"] + 1, "means": learnt}, change


def is_told(minutes: int, change: float) -> bool:
    """Whether a change is an alert, by how many minutes with traffic were seen before it."""
    return minutes >= MINUTES_MIN and change > ALERT_FROM
