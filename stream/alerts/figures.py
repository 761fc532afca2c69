"""Which numbers does an alert say? One value for one name: in the sentence, page, chart, API, report and sinks.

A network alert names accounts, and what it says at the top of its evidence is of exactly these: plain sums, which
anybody can count again from the log. What the test was made on, the whole group that was judged together, is another
thing, and stands under a name of its own: `judged`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stream.alerts.evidence import number

# Of the group that was judged: the test's inputs, its result beside them, and what it was toward.
OF_JUDGED = (
    "requests", "accounts", "organisations", "moved_accounts", "organisations_moved_share", "share_before",
    "share_after", "share_expected", "comparable_change", "own_past", "per_target",
)  # fmt: skip
OF_NAMED = ("requests", "accounts", "organisations", "share_after")
NEW_MIN = 0.5  # of the accounts that are active: where more have no past, the group has none that says anything


def agreed(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence of a record, from that of a finding. O(keys).

    Where accounts are named, their sums stand at the top and the judged group's under `judged`. `share_before` is null
    where most of the accounts are new, and `new_accounts` says how many are. Where nobody is named yet, the judged
    group is all that there is, and no course is drawn of accounts that nobody can look up.

    >>> named = {"accounts": 2, "active": 2, "new": 0, "requests": 10, "organisations": 2, "share_after": 0.4,
    ...          "share_before": 0.1, "share_expected": 0.2}
    >>> told = agreed({"accounts": 9, "share_after": 0.3, "statistic": 8.0, "named": named})
    >>> told["share_after"], told["accounts"], told["judged"]
    (0.4, 2, {'accounts': 9, 'share_after': 0.3})
    """
    named = evidence.get("named")
    if not isinstance(named, Mapping):
        return dict(evidence)
    if not number(named, "requests"):
        return {key: one for key, one in evidence.items() if key != "series"}
    judged = {key: evidence[key] for key in OF_JUDGED if key in evidence}
    rest = {key: one for key, one in evidence.items() if key not in OF_JUDGED}
    new = number(named, "new") or 0
    before = None if new > NEW_MIN * (number(named, "active") or 0) else number(named, "share_before")
    sums = {key: named[key] for key in OF_NAMED if key in named}
    expected = {"share_before": before, "share_expected": _expected(named, before, evidence)}
    told = {"new_accounts": int(new)} if new else {}
    return {**sums, **expected, **told, **rest, "judged": judged}


def _expected(named: Mapping[str, Any], before: float | None, evidence: Mapping[str, Any]) -> float | None:
    """What accounts like those that are named would do; of a finding that does not say so, by its comparable change."""
    said, change = number(named, "share_expected"), number(evidence, "comparable_change")
    if said is not None or before is None or change is None:
        return said
    return min(max(before + change, 0.0), 1.0)


def judged_of(evidence: Mapping[str, Any]) -> Mapping[str, Any]:
    """The numbers of the group that was judged together; all of them, where a record has no others."""
    judged = evidence.get("judged")
    return judged if isinstance(judged, Mapping) else evidence


def is_mostly_new(evidence: Mapping[str, Any]) -> bool:
    """Whether most of the accounts have no past that they could be held against."""
    return bool(number(evidence, "new_accounts")) and evidence.get("share_before") is None
