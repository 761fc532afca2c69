"""What is an account: its organisation, what it carried lately, and the networks that it is near to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.counts.rows import key_of
from stream.console.shown.view import Known, View
from stream.report.network import Lately

ATTRIBUTES_MAX = 60  # shown of one account


@dataclass(frozen=True, slots=True)
class Carried:
    """What is known of one account. org, country, signup_week: its latest, None where it never said one.

    first_seen_ms: None where it sent nothing for a day. values: (dimension, value, other accounts that carry it) of the
    72 hours, those of a dimension together; values_total: how many in all.
    """

    org: str | None
    country: str | None
    signup_week: str | None
    first_seen_ms: int | None
    values: Sequence[tuple[str, str, int]]
    values_total: int


def carried_by(lately: Lately, account_id: str) -> Carried:
    """O(memberships)."""
    key = np.uint64(key_of(account_id))
    values = lately.value[lately.account == key].tolist()
    pairs = sorted(pair for value in values if (pair := lately.names.get(value)) is not None)
    told = [(*pair, len(lately.carriers(*pair)) - 1) for pair in pairs[:ATTRIBUTES_MAX]]
    columns = lately.columns
    if columns is None or key not in columns.keys:
        return Carried(None, None, None, None, told, len(pairs))
    row = int(np.flatnonzero(columns.keys == key)[0])

    def named(index: np.int32) -> str | None:
        return columns.names[index] if index >= 0 else None

    return Carried(
        named(columns.org[row]), named(columns.country[row]), named(columns.signup_week[row]),
        int(columns.first_seen_ms[row]), told, len(pairs),
    )  # fmt: skip


def near_of(view: View, account_id: str) -> list[Known]:
    """Alerts to whose network it is near and of which it is no member. O(accounts drawn)."""
    found = []
    for alert_id, network in list(view.networks.items()):
        known = view.alert(alert_id)
        is_near = any(one.account_id == account_id for one in network.near)
        if known is not None and is_near and known.member(account_id) is None:
            found.append(known)
    return sorted(found, key=lambda one: (-one.last.detected_at, one.last.alert_id))
