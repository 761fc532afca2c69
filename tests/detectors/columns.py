"""Account columns in words, and whether two are the same."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from detectors.counts.rows import Sets
from detectors.counts.summary import AccountColumns


def told(columns: AccountColumns) -> dict[str, dict[str, Any]]:
    """By account: n, nb, now, before, values, org, country."""
    out = {}
    for row, account in enumerate(columns.ids):
        out[account] = {
            "n": int(columns.n[row]),
            "nb": float(columns.nb[row]),
            "now": _named(columns.fast, columns.fast_count, row, columns.targets),
            "before": _named(columns.slow, columns.slow_count, row, columns.targets),
            "values": _named(columns.carried, columns.carried_count, row, columns.values),
            "org": columns.names[columns.org[row]] if columns.org[row] >= 0 else None,
            "country": columns.names[columns.country[row]] if columns.country[row] >= 0 else None,
        }
    return out


def _named(sets: Sets, counts: np.ndarray, row: int, table: tuple[Any, ...]) -> dict[Any, float]:
    inside = slice(int(sets.start[row]), int(sets.start[row + 1]))
    return {table[item]: count for item, count in zip(sets[row].tolist(), counts[inside].tolist(), strict=True)}


def same_columns(ours: AccountColumns, theirs: AccountColumns) -> None:
    """Fails where any column differs in a single bit."""
    for field in fields(AccountColumns):
        left, right = getattr(ours, field.name), getattr(theirs, field.name)
        if isinstance(left, Sets):
            assert left.start.tolist() == right.start.tolist(), field.name
            assert left.items.tolist() == right.items.tolist(), field.name
        elif isinstance(left, tuple):
            assert left == right, field.name
        else:
            assert left.dtype == right.dtype, field.name
            assert left.tolist() == right.tolist(), field.name
