"""Which messages tell a summary, where one would be too large? Its shards in halves, until each fits.

The fleet waits for every shard of a tick, and adds up what they say: in how many messages is nothing to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import Sets
from detectors.counts.summary import AccountColumns, CohortCounts, Summary
from detectors.room import named, of_rows
from stream.pipeline.frames import encode_summary

MESSAGE_BYTES_MAX = 15 << 20  # the topic of the summaries takes 16 MiB
ACCOUNTS_MAX = 250_000  # of one message: unpacked they are some 70 MB
VALUES_MAX = 1_000  # of an account, where one shard alone is too large: the strongest

Int64s = NDArray[np.int64]


def messages_of(summary: Summary, bytes_max: int = MESSAGE_BYTES_MAX) -> list[bytes]:
    """The bytes of the summary, or of several of the same tick that say the same together, in order.

    The same summary gives the same messages. A shard that is too large alone tells of each of its accounts the
    VALUES_MAX that most of its requests carried. O(accounts, for each halving).
    """
    message = encode_summary(summary)
    accounts = summary.accounts
    if len(message) <= bytes_max and (accounts is None or len(accounts) <= ACCOUNTS_MAX):
        return [message]
    if len(summary.shards) > 1:
        first, second = summary.shards[::2], summary.shards[1::2]
        cohorts = _halves(summary.cohorts)
        parts = (
            replace(summary, shards=first, cohorts=cohorts[0], accounts=_of_shards(accounts, first)),
            replace(summary, shards=second, counters={}, cohorts=cohorts[1], accounts=_of_shards(accounts, second)),
        )
        return [one for part in parts for one in messages_of(part, bytes_max)]
    if accounts is None or len(message) <= bytes_max:
        return [message]
    return [encode_summary(replace(summary, accounts=_strongest_values(accounts)))]


def _halves(cohorts: CohortCounts) -> tuple[CohortCounts, CohortCounts]:
    """Every other cohort; the fleet is the first of all, and stays in the first half."""
    number = np.arange(len(cohorts.cohorts))
    return _chosen_cohorts(cohorts, number % 2 == 0), _chosen_cohorts(cohorts, number % 2 == 1)


def _chosen_cohorts(cohorts: CohortCounts, chosen: NDArray[np.bool_]) -> CohortCounts:
    numbers = np.flatnonzero(chosen)
    entries = chosen[cohorts.at] if len(cohorts.at) else np.zeros(0, bool)
    used, target = np.unique(cohorts.target[entries], return_inverse=True)
    return CohortCounts(
        cohorts=tuple([cohorts.cohorts[one] for one in numbers.tolist()]),
        targets=named(cohorts.targets, used),
        requests=cohorts.requests[numbers],
        accounts=cohorts.accounts[numbers],
        at=(np.cumsum(chosen) - 1)[cohorts.at[entries]],
        target=target.astype(np.int64),
        count=cohorts.count[entries],
    )


def _of_shards(columns: AccountColumns | None, shards: Sequence[int]) -> AccountColumns | None:
    if columns is None:
        return None
    return of_rows(columns, np.flatnonzero(np.isin(columns.shards, np.array(shards))))


def without_account(summary: Summary, account_id: str) -> Summary:
    """The same summary, in which this account is not told of; what it added to cohorts stays in their sums."""
    columns = summary.accounts
    if columns is None or account_id not in columns.ids:
        return summary
    rows = np.array([row for row, one in enumerate(columns.ids) if one != account_id], np.int64)
    return replace(summary, accounts=of_rows(columns, rows))


def _strongest_values(columns: AccountColumns) -> AccountColumns:
    """Of each account the values that most of its requests carried, of equals the first."""
    account = np.repeat(np.arange(len(columns)), np.diff(columns.carried.start))
    order = np.lexsort((columns.carried.items, -columns.carried_count.astype(np.int64), account))
    rank = np.arange(len(order)) - columns.carried.start[:-1][account[order]]
    kept = np.sort(order[rank < VALUES_MAX])
    values, value = np.unique(columns.carried.items[kept], return_inverse=True)
    length = np.bincount(account[kept], minlength=len(columns))
    return replace(
        columns,
        values=named(columns.values, values),
        value_keys=columns.value_keys[values],
        carried=Sets(np.concatenate(([0], np.cumsum(length))), value.astype(np.uint32)),
        carried_count=columns.carried_count[kept],
    )
