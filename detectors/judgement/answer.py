"""What is answered of a group that moved? The numbers that a person can check, and whose hand it is taken for."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.judgement.groups import Group, Tick
from detectors.judgement.severity import page_line, unchosen

ANSWER = (
    "votes",
    "votes_for",
    "log_odds",
    "log_odds_now",
    "log_odds_page",
    "log_odds_ticket",
    "looks_like",
    "one_operator",
)
UNKNOWN_ORGANISATIONS = "unknown_organisations"


def evidence_of(tick: Tick, group: Group, passed: bool, named: int) -> dict[str, Any]:
    """Numbers of one group that a person can check. passed: whether its incident is taken for one operator's; named:
    how many accounts that names."""
    shift, top = group.shift, int(group.strong[0])
    targets = tick.population.targets
    assert group.verdict is not None
    return {
        "requests": int(tick.population.n[group.rows].sum()),
        "window_h": 24,
        "accounts": len(group.rows),
        "organisations": shift.organisations,
        "moved_accounts": int((shift.used_more[:, top] > 0).sum()),
        "organisations_moved_share": round(float(shift.moved[top]), 4),
        "share_before": round(float(shift.share_before[top]), 4),
        "share_after": round(float(shift.share_now[top]), 4),
        "share_expected": round(float(np.clip(shift.share_before[top] + shift.comparable[top], 0.0, 1.0)), 4),
        "comparable_change": round(float(shift.comparable[top]), 4),
        "statistic": round(float(group.z[top]), 2),
        "own_past": round(float(shift.z[top] - group.z[top]), 2),
        "threshold": tick.line,
        "ticks": group.track.streak.get(targets[top], 0),
        "per_target": [_per_target(tick, group, k) for k in group.strong.tolist()],
        "shared_values_total": group.coordination.values,
        "largest_value_covers": round(group.coordination.cover, 4),
        "shared_values": [
            {name: getattr(value, name) for name in value.__slots__} for value in group.coordination.shared
        ],
        "votes": [{name: getattr(vote, name) for name in vote.__slots__} for vote in group.verdict.votes],
        "votes_for": group.verdict.votes_for,
        "log_odds": group.verdict.log_odds,
        "log_odds_now": group.verdict.log_odds_now,
        "log_odds_page": page_line(group.verdict, named, group.coordination.told),
        "log_odds_ticket": group.verdict.ticket,
        "looks_like": _looks_like(group, passed),
        "one_operator": passed,
        **_unchosen(group),
    }


def _unchosen(group: Group) -> dict[str, float]:
    statistic, threshold = unchosen(group)
    return {} if statistic is None else {"unchosen_statistic": round(statistic, 2), "unchosen_threshold": threshold}


def _per_target(tick: Tick, group: Group, k: int) -> dict[str, Any]:
    shift = group.shift
    return {
        "target": tick.population.targets[k],
        "share_before": round(float(shift.share_before[k]), 4),
        "share_after": round(float(shift.share_now[k]), 4),
        "share_expected": round(float(np.clip(shift.share_before[k] + shift.comparable[k], 0.0, 1.0)), 4),
        "statistic": round(float(group.z[k]), 2),
    }


def why_of(group: Group, passed: bool) -> str:
    """In a word, what it is taken for."""
    looks_like = _looks_like(group, passed)
    if looks_like == UNKNOWN_ORGANISATIONS:
        return UNKNOWN_ORGANISATIONS
    return f"looks_like_{looks_like}" if looks_like else "one_operator"


def _looks_like(group: Group, passed: bool) -> str | None:
    """The honest kind of network that it resembles; None where it is taken for one operator's."""
    assert group.verdict is not None
    if passed:
        return None if group.coordination.unrelated else UNKNOWN_ORGANISATIONS
    return group.verdict.looks_like
