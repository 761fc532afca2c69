"""How is one account taken out of what the judge remembers? Every table by itself, on the state that snapshots hold.

What counts accounts without naming them stays: the fleet's usual ratios, a network's statistics, a cohort's shares, the
traits that the trees of the watch list were grown from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def judge_without(state: Mapping[str, Any], key: int, account_id: str) -> dict[str, Any]:
    """The state of a `Judge` without this account. key: its number; account_id: its name, for the watch list.

    Whoever restores it goes on as if the account had never been seen; it is new when it comes again. O(state).

    >>> carriers = {"account": np.array([7, 8], np.uint64), "value": np.array([1, 2], np.uint64)}
    >>> carriers |= {"names": [[1, "asn", "a"]]} | {name: np.array([5, 6]) for name in ("hour", "began", "count")}
    >>> left = judge_without({"carriers": carriers}, 7, "acct_1")["carriers"]
    >>> left["account"].tolist(), left["hour"].tolist(), left["names"]
    ([8], [6], [])
    """
    left = dict(state)
    for name, taken in _TABLES.items():
        if name in left:
            left[name] = taken(left[name], key, account_id)
    return left


def _carriers(state: Mapping[str, Any], key: int, account_id: str) -> dict[str, Any]:
    """And the names of values that nobody else carries."""
    columns = [name for name in ("value", "account", "hour", "began", "count") if name in state]
    kept = _columns([state[name] for name in columns], columns.index("account"), key)
    left = dict(state) | dict(zip(columns, kept, strict=True))
    carried = set(left["value"].tolist())
    left["names"] = [one for one in state["names"] if one[0] in carried]
    return left


def _columns(columns: list[Any], keys: int, key: int) -> list[Any]:
    """Columns of one length without the entries of the account, whose key stands in the one of this index."""
    keep = columns[keys] != np.uint64(key)
    return [column[keep] for column in columns]


def _activity(state: list[Any], key: int, account_id: str) -> list[Any]:
    return [[hour, *_columns(columns, 0, key)] for hour, *columns in state]


def _tracks(state: Mapping[str, Any], key: int, account_id: str) -> dict[str, Any]:
    """The weights are the fourth entry of a track."""
    tracks = [
        [*track[:3], [one for one in track[3] if one[0] != key], *track[4:]] for track in map(list, state["tracks"])
    ]
    return dict(state) | {"tracks": tracks}


def _incidents(state: list[Any], key: int, account_id: str) -> list[Any]:
    return [one | {"evidence": {k: of for k, of in one["evidence"].items() if k != key}} for one in state]


def _recent(state: Mapping[str, Any], key: int, account_id: str) -> dict[str, Any]:
    return dict(state) | {
        "fast": _columns(state["fast"], 0, key),
        "slow": _columns(state["slow"], 0, key),
        "hours": [[hour, *_columns(columns, 0, key)] for hour, *columns in state["hours"]],
    }


def _standings(state: list[Any], key: int, account_id: str) -> list[Any]:
    hour, *columns = state
    left = _columns(columns, 0, key)
    return [hour if len(left[0]) else None, *left]  # of nobody's, they are found anew


def _watch(state: Mapping[str, Any], key: int, account_id: str) -> dict[str, Any]:
    keys, evidence, since = _columns([state["keys"], state["evidence"], state["since"]], 0, key)
    rows = [one for one in state["rows"] if one["account_id"] != account_id]
    return dict(state) | {"rows": rows, "keys": keys, "evidence": evidence, "since": since}


_TABLES: Mapping[str, Callable[[Any, int, str], Any]] = {
    "carriers": _carriers,
    "activity": _activity,
    "tracks": _tracks,
    "incidents": _incidents,
    "recent": _recent,
    "standings": _standings,
    "watch": _watch,
}
