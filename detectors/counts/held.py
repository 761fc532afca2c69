"""How many bytes does the state hold, and of what? Columns to the byte, names reckoned from a sample of them.

Python keeps a name as an object with a header, in a tuple, in a list and in a dictionary: that is most of what a short
one costs. The overheads below are of CPython 3.11 to 3.13 on 64 bits; tests hold the sums to what tracemalloc counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from detectors.counts.accounts import COLUMNS, Accounts
from detectors.counts.interned import Interned
from detectors.counts.ticks import Entries, OpenTicks, TickCounts

SAMPLE = 512  # names that are looked at: a tick must not take longer for there being a million
PAIR_BYTES = 64  # a tuple of two
SLOT_BYTES = 8  # a place in a list, or in a column of 64 bits
ENTRY_BYTES = 66  # of a dictionary, with the room that it keeps free, on average
NUMBER_BYTES = 32  # an integer of its own
ACCOUNT_BYTES = 1_400  # an account with an organisation, a payment and a prompt of its own


def text_bytes(texts: Sequence[str]) -> int:
    """Bytes of these texts, each an object of its own; by a sample where there are many. O(SAMPLE).

    >>> text_bytes(["a" * 51, "b" * 51])
    200
    """
    return round(_mean_bytes(texts[:: max(len(texts) // SAMPLE, 1)]) * len(texts))


def interned_bytes(names: Interned) -> int:
    """Bytes of names with numbers, each with its tuple, its places in list, dictionary and order. O(SAMPLE)."""
    step = max(len(names.names) // SAMPLE, 1)
    text = _mean_bytes([value for _, value in names.names[::step]])
    return round((PAIR_BYTES + ENTRY_BYTES + NUMBER_BYTES + 2 * SLOT_BYTES + text) * len(names.names))


def values_bytes(names: Mapping[int, tuple[str, str]]) -> int:
    """Bytes of the names of values by their keys. O(SAMPLE), by the first that came."""
    text = _mean_bytes([value for _, value in islice(names.values(), SAMPLE)])
    return round((PAIR_BYTES + ENTRY_BYTES + NUMBER_BYTES + text) * len(names))


def _mean_bytes(texts: Sequence[str]) -> float:
    return sum(one.__sizeof__() for one in texts) / len(texts) if texts else 0.0


def bytes_held(accounts: Accounts, ticks: OpenTicks) -> dict[str, int]:
    """Bytes of a state of detect, by what holds them.

    accounts: a row of each, and its id. counts: of both windows, by account and target. names: of targets, cohorts and
    what accounts say. values: names of those carried in this hour. open_ticks: requests that are not told yet.
    O(hours + frames in open ticks + SAMPLE).
    """
    columns = [getattr(accounts, name) for name in COLUMNS]
    ids = text_bytes(accounts.ids) + SLOT_BYTES * len(accounts.ids)
    index = 3 * SLOT_BYTES * len(accounts.ids)  # by key and by id
    sparse = [accounts.fast.codes, accounts.fast.counts, accounts.slow.codes, accounts.slow.counts]
    ring = sum(packed.nbytes for _, packed in accounts.ring)
    hour = [getattr(one, name) for one in accounts.hour_counts for name in TickCounts.__slots__]
    opened = [getattr(one, name) for one in ticks.entries_held() for name in Entries.__slots__]
    known = accounts.known
    return {
        "accounts": _columns(columns) + ids + index,
        "counts": _columns([*sparse, *hour]) + ring,
        "names": sum(map(interned_bytes, (known.targets, known.cohorts, known.names))),
        "values": values_bytes(known.value_names),
        "open_ticks": _columns(opened),
    }


def accounts_for(bytes_max: float, accounts: Accounts, ticks: OpenTicks) -> int:
    """How many accounts may be held in so many bytes, names and counts included, by what those that are held take.

    Requests that are not told yet come first; of what they leave, a quarter of the bytes is for accounts at any rate.
    At least `ACCOUNT_BYTES` are reckoned for each, since those that come may have more names than those that are there.
    """
    bound = accounts.parameters.accounts_max
    if bytes_max == math.inf:
        return bound
    parts = bytes_held(accounts, ticks)
    opened = parts.pop("open_ticks")
    each = max(sum(parts.values()) / max(len(accounts), 1), ACCOUNT_BYTES)
    return min(int(max(bytes_max - opened, bytes_max / 4) / each), bound)


def _columns(columns: Iterable[Any]) -> int:
    """Bytes of arrays, alone or in tuples; what is neither is a number and counts for nothing."""
    return sum(
        one.nbytes if isinstance(one, np.ndarray) else _columns(one) if isinstance(one, tuple | list) else 0
        for one in columns
    )
