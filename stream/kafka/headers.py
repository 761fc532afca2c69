"""Is a message read though a header of it has a name that is no text? Its value counts, and nobody reads headers.

Kafka takes any bytes as a header's name. aiokafka reads it as UTF-8, and raises where it is none: nothing behind that
message could ever be fetched, however often a stage is started again. So its batch is read once more by aiokafka's own
reader in Python, with marks in place of the bytes that are no text.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

LENGTH_AT, LENGTH_UPTO = 8, 12  # of a batch: the offset of the first record, and how many bytes follow


def read_any_header() -> None:
    """From now on, every consumer of this process does."""
    fetcher.MemoryRecords = Records


class Records:
    """What a fetch brought of one partition: batch after batch, as aiokafka's fetcher asks for them."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._records = MemoryRecords(raw)
        self._given = 0

    def size_in_bytes(self) -> int:
        """Of the whole."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Whether a batch is left."""
        return bool(self._records.has_next())

    def next_batch(self) -> Batch:
        """The next one."""
        self._given += 1
        return Batch(self._records.next_batch(), self._raw, self._given - 1)


class Batch:
    """One batch. batch: by aiokafka, which answers all that is asked of it. number: its place in `raw`."""

    __slots__ = ("_batch", "_number", "_raw")

    def __init__(self, batch: Any, raw: bytes, number: int) -> None:
        self._batch, self._raw, self._number = batch, raw, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        given = 0
        try:
            for record in self._batch:
                given += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(self._plainly(), given, None)

    def _plainly(self) -> Iterator[Any]:
        begin = 0
        for _ in range(self._number):
            begin += LENGTH_UPTO + struct.unpack_from(">i", self._raw, begin + LENGTH_AT)[0]
        length = LENGTH_UPTO + struct.unpack_from(">i", self._raw, begin + LENGTH_AT)[0]
        batch = iter(_DefaultRecordBatchPy(self._raw[begin : begin + length]))
        batch._buffer = _Marking(batch._buffer)
        return batch


class _Marking(bytearray):
    """Bytes of which any part is text when it is asked to be."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Marking(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return bytes(self).decode(encoding, "replace")
