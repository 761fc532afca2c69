"""What is one request, in columns? The form in which requests reach the shards."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

SHARDS = 256  # for ever: an account's shard is part of what is stored
NO_CLOCK_MS = -(1 << 62)  # the clock of a source that has not shown enough records to have one


def key_of(name: str) -> int:
    """The 64-bit identity of an account, a value or an event: blake2b of its UTF-8.

    Ten million names collide with a chance of 3 in a million. O(length).

    >>> key_of("acct_1") == key_of("acct_1"), key_of("acct_1") == key_of("acct_2")
    (True, False)
    """
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def shard_of(account_id: str) -> int:
    """The shard, 0 to 255, in which an account lives for ever: crc32 of its id.

    >>> 0 <= shard_of("acct_1") < SHARDS
    True
    """
    return zlib.crc32(account_id.encode("utf-8", "surrogatepass")) % SHARDS


@dataclass(frozen=True, slots=True)
class Sets:
    """Many small sets of integers in two arrays: set i is items[start[i]:start[i + 1]].

    start: int64, one longer than there are sets; items: uint32.

    >>> sets = Sets.of([(3, 5), (), (7,)])
    >>> len(sets), sets[0].tolist(), sets[1].tolist(), sets[2].tolist()
    (3, [3, 5], [], [7])
    """

    start: NDArray[np.int64]
    items: NDArray[np.uint32]

    @classmethod
    def of(cls, sets: Sequence[Sequence[int]]) -> Sets:
        """From Python sequences. O(number of items)."""
        start = np.zeros(len(sets) + 1, np.int64)
        np.cumsum([len(one) for one in sets], out=start[1:]) if sets else None
        items = np.fromiter((item for one in sets for item in one), np.uint32, int(start[-1]))
        return cls(start, items)

    def __len__(self) -> int:
        return len(self.start) - 1

    def __getitem__(self, index: int) -> NDArray[np.uint32]:
        return self.items[self.start[index] : self.start[index + 1]]

    def take(self, index: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """The items of the sets named by index, flat: (position in index, item) pairs. O(items taken).

        >>> position, item = Sets.of([(3, 5), (), (7,)]).take(np.array([2, 0, 0]))
        >>> position.tolist(), item.tolist()
        ([0, 1, 1, 2, 2], [7, 3, 5, 3, 5])
        """
        length = (self.start[1:] - self.start[:-1])[index]
        position = np.repeat(np.arange(len(index), dtype=np.int64), length)
        first = np.cumsum(length) - length
        within = np.arange(int(length.sum()), dtype=np.int64) - first[position]
        return position, self.items[self.start[:-1][index][position] + within]


@dataclass(frozen=True, slots=True)
class Rows:
    """Requests of one source in columns; the first block are the tables that the columns index.

    accounts: ids; account_keys: `key_of` each (uint64); account_shards: `shard_of` each (uint8).
    targets: "model:NAME" and "capability:NAME". values: (dimension, value) pairs of attributes.
    value_keys: `key_of("dimension\\0value")` each (uint64).
    capability_sets, value_sets: the distinct sets of targets and of values that requests carry.

    Then one entry a request: account (index), model (index into targets), capability_set, value_set (indexes),
    at_ms (event time), clock_ms (the source's clock at this very row, or NO_CLOCK_MS), event (64-bit identity of the
    event_id), offset (position in the source), input_tokens, output_tokens.
    """

    accounts: Sequence[str]
    account_keys: NDArray[np.uint64]
    account_shards: NDArray[np.uint8]
    targets: Sequence[str]
    values: Sequence[tuple[str, str]]
    value_keys: NDArray[np.uint64]
    capability_sets: Sets
    value_sets: Sets

    account: NDArray[np.uint32]
    model: NDArray[np.uint32]
    capability_set: NDArray[np.uint32]
    value_set: NDArray[np.uint32]
    at_ms: NDArray[np.int64]
    clock_ms: NDArray[np.int64]
    event: NDArray[np.uint64]
    offset: NDArray[np.int64]
    input_tokens: NDArray[np.int64]
    output_tokens: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.account)

    def where(self, keep: NDArray[np.bool_] | NDArray[np.integer]) -> Rows:
        """The same tables, and the rows that the mask or index keeps. O(rows kept)."""
        columns = {name: getattr(self, name)[keep] for name in ROW_COLUMNS}
        tables = {name: getattr(self, name) for name in Rows.__slots__ if name not in columns}
        return Rows(**tables, **columns)


ROW_COLUMNS = (
    "account", "model", "capability_set", "value_set", "at_ms", "clock_ms", "event", "offset",
    "input_tokens", "output_tokens",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    """A batch of one source's requests, and its link in that source's chain.

    Holds the readable records at offsets `after < offset <= upto` that belong to one partition of shards; frames of a
    source continue one another: the next one's `after` is this one's `upto`. `after` of the first is -1.
    clock_ms: the source's clock at `upto` (running maximum of the median of 16 times), NO_CLOCK_MS before it has one.
    idle: the source has nothing to read and must not hold time back. ended: nothing will ever follow.
    refused: records of (after, upto] that broke the contract, by reason; they are counted here and nowhere else.
    """

    source: str
    after: int
    upto: int
    clock_ms: int
    idle: bool
    ended: bool
    refused: dict[str, int]
    rows: Rows
