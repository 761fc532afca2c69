"""Which readable requests wait for their judgement? One column a field, one entry a request, in order of offset."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b
from itertools import compress

import numpy as np
from numpy.typing import NDArray

_COLUMNS = (
    "account", "model", "capability_set", "value_set", "at_ms", "input_tokens", "output_tokens", "offset", "record",
    "event", "raw",
)  # fmt: skip
_NO_EVENT = blake2b(digest_size=8)  # a copy of it is begun a quarter quicker than a new one with its arguments


def event_of(event_id: str) -> bytes:
    """The 8 bytes of `detectors.counts.rows.key_of`, little end first.

    >>> from detectors.counts.rows import key_of
    >>> int.from_bytes(event_of("event_1"), "little") == key_of("event_1")
    True
    """
    event = _NO_EVENT.copy()
    event.update(event_id.encode())
    return event.digest()


class Waiting:
    """Columns that grow by requests. Lists: they take what is read at a third of the cost of arrays, and of tuples.

    The first four are numbers of the tables. event: that of `event_of`. record: how many records of the source were
    read before it; requests of one record share it. raw: the record, for where it is refused.
    """

    __slots__ = _COLUMNS

    def __init__(self) -> None:
        self.account: list[int] = []
        self.model: list[int] = []
        self.capability_set: list[int] = []
        self.value_set: list[int] = []
        self.at_ms: list[int] = []
        self.input_tokens: list[int] = []
        self.output_tokens: list[int] = []
        self.offset: list[int] = []
        self.record: list[int] = []
        self.event: list[bytes] = []
        self.raw: list[bytes] = []

    def __len__(self) -> int:
        return len(self.raw)

    def column(self, name: str) -> NDArray[np.int64]:
        """A column of integers. 15 ns each."""
        return np.array(getattr(self, name), np.int64)

    def events(self) -> NDArray[np.uint64]:
        """The events as 64 bits each."""
        return np.frombuffer(b"".join(self.event), "<u8").astype(np.uint64)

    def leave(self, count: int) -> None:
        """The first so many have been judged. O(what stays)."""
        for name in _COLUMNS:
            del getattr(self, name)[:count]

    def leave_out(self, rows: NDArray[np.int64]) -> None:
        """These are refused, wherever they stand. O(all)."""
        keep = np.ones(len(self), bool)
        keep[rows] = False
        for name in _COLUMNS:
            setattr(self, name, list(compress(getattr(self, name), keep.tolist())))

    def renumber(self, rows: Iterable[tuple[int, int, int, int]]) -> None:
        """New numbers of account, model, capability set and value set, one of each a request."""
        columns = [list(column) for column in zip(*rows, strict=True)]
        if columns:
            self.account, self.model, self.capability_set, self.value_set = columns
