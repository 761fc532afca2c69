"""What is an alert without one account that it names? For `swerve forget`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stream.contract.alert import Alert

FORGOTTEN = "-"  # in place of an id that stands where something must: never longer than what it replaces


def redacted(value: Any, account_id: str) -> Any:
    """The same JSON value without the id: entries of lists and keys that are it are gone.

    >>> redacted({"named": ["a1", "a2"], "first": {"a1": 3}, "who": "a1", "n": 2}, "a1")
    {'named': ['a2'], 'first': {}, 'who': '-', 'n': 2}
    """
    if isinstance(value, Mapping):
        return {key: redacted(one, account_id) for key, one in value.items() if key != account_id}
    if isinstance(value, list | tuple):
        return [redacted(one, account_id) for one in value if one != account_id]
    return FORGOTTEN if value == account_id else value


def alert_without(alert: Alert, account_id: str, was_member: bool = False) -> Alert:
    """The record without the account; it counts one less where it named it, or was_member beyond those it lists.

    Figures stay: they are of the group. Its times stay too: to whoever has read it, nothing happened.
    """
    accounts = tuple([one for one in alert.accounts if one != account_id])
    is_named = was_member or len(accounts) < len(alert.accounts)
    evidence = redacted(alert.evidence, account_id)
    if not is_named and evidence == alert.evidence:
        return alert
    total = max(alert.accounts_total - is_named, len(accounts))
    return msgspec.structs.replace(alert, accounts=accounts, accounts_total=total, evidence=evidence)
