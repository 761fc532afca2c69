"""Do the columns of a frame or a summary agree? An index beyond its table would fail far from where it came in."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import ROW_COLUMNS, SHARDS, Rows, Sets
from detectors.counts.summary import ALONE, SAID, Summary


def refuse_what_points_nowhere(rows: Rows) -> None:
    """Raises ValueError that says which columns of a frame do not agree. O(rows + entries), some 50 us for 5,000."""
    _all_as_long("account", rows.accounts, rows.account_keys, rows.account_shards)
    _all_as_long("value", rows.values, rows.value_keys)
    _all_as_long("row", *(getattr(rows, name) for name in ROW_COLUMNS))
    _inside("account", rows.account, len(rows.accounts))
    _inside("model", rows.model, len(rows.targets))
    _sets("capability_sets", rows.capability_sets, len(rows.targets))
    _sets("value_sets", rows.value_sets, len(rows.values))
    _inside("capability_set", rows.capability_set, len(rows.capability_sets))
    _inside("value_set", rows.value_set, len(rows.value_sets))


def refuse_what_points_nowhere_in(summary: Summary) -> None:
    """The same of a summary, and that its shards are some. Raises ValueError."""
    if not summary.shards or min(summary.shards) < 0 or max(summary.shards) >= SHARDS:
        raise ValueError(f"expected shards from 0 to {SHARDS - 1}, got {summary.shards[:9]}")
    cohorts = summary.cohorts
    _all_as_long("cohort", cohorts.cohorts, cohorts.requests, cohorts.accounts)
    _all_as_long("count", cohorts.at, cohorts.target, cohorts.count)
    _inside("at", cohorts.at, len(cohorts.cohorts))
    _inside("target", cohorts.target, len(cohorts.targets))
    one = summary.accounts
    if one is None:
        return
    _all_as_long("account", one.ids, *(getattr(one, name) for name in (*ALONE, *SAID)))
    _all_as_long("value", one.values, one.value_keys)
    for name in SAID:
        _inside(name, getattr(one, name), len(one.names), least=-1)
    for name, table in (("fast", one.targets), ("slow", one.targets), ("carried", one.values)):
        sets = getattr(one, name)
        _sets(name, sets, len(table))
        _all_as_long(name, sets.items, getattr(one, f"{name}_count"))
        if len(sets) != len(one):
            raise ValueError(f"expected {len(one)} sets of {name}, got {len(sets)}")


def _all_as_long(what: str, first: Sized, *others: Sized) -> None:
    wrong = next((len(one) for one in others if len(one) != len(first)), None)
    if wrong is not None:
        raise ValueError(f"expected {len(first)} entries a column of each {what}, got {wrong}")


def _inside(what: str, index: NDArray[Any], size: int, least: int = 0) -> None:
    if len(index) and (int(index.max()) >= size or int(index.min()) < least):
        raise ValueError(f"expected {what} from {least} to {size - 1}, got {int(index.min())} to {int(index.max())}")


def _sets(what: str, sets: Sets, size: int) -> None:
    if int(sets.start[-1]) != len(sets.items) or (np.diff(sets.start) < 0).any():
        raise ValueError(f"expected {what} of {len(sets.items)} items in all, got {int(sets.start[-1])}")
    _inside(what, sets.items, size)
