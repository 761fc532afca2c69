"""What does a fetch bring that the client would end over, or inflate until the process dies of it?

Kafka takes any bytes as a header's name. aiokafka reads it as UTF-8, and raises where it is none: nothing behind that
message could ever be fetched, however often a stage is started again. So its batch is read once more by aiokafka's own
reader in Python, with marks in place of the bytes that are no text.

And Kafka bounds a batch as it is compressed. What becomes too large for the memory is not inflated: in place of each of
its messages comes one that is too large for whoever reads it, and is refused, counted and told as such.

The readers in Python and their buffer are private parts of aiokafka, as they were read in 0.14.0, to which
pyproject.toml pins it; `tests/detect/test_fetched.py` fails first where they change. Those of Faust stand in
`stages/private_parts.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy, _DefaultRecordPy
from aiokafka.record.memory_records import MemoryRecords

from stream.kafka.inflated import grows_beyond

LENGTH_AT, LENGTH_UPTO = 8, 12  # of a batch: the offset of the first record, and how many bytes follow
HEAD = 61  # bytes of a batch before its records
INFLATED_MAX = 128 << 20  # of one batch; logs become twenty times larger, and a broker's default is a batch of 1 MB
MAGIC = 2  # older batches, of Kafka before 0.11, are read as they are
TOO_LARGE = bytes((1 << 20) + 1)  # a byte more than a record may have


def read_anything() -> None:
    """From now on, every consumer of this process does."""
    fetcher.MemoryRecords = Records


class Records:
    """What a fetch brought of one partition: batch after batch, as aiokafka's fetcher asks for them."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._records = MemoryRecords(raw)
        self._upto = 0

    def size_in_bytes(self) -> int:
        """Of the whole."""
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        """Whether a batch is left."""
        return bool(self._records.has_next())

    def next_batch(self) -> Batch:
        """The next one."""
        begin = self._upto
        self._upto += LENGTH_UPTO + struct.unpack_from(">i", self._raw, begin + LENGTH_AT)[0]
        return Batch(self._records.next_batch(), self._raw, slice(begin, self._upto))


class Batch:
    """One batch. batch: by aiokafka, which answers all that is asked of it. at: its place in `raw`."""

    __slots__ = ("_at", "_batch", "_raw")

    def __init__(self, batch: Any, raw: bytes, at: slice) -> None:
        self._batch, self._raw, self._at = batch, raw, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        if self._is_a_bomb():
            yield from self._in_place_of_it()
            return
        given = 0
        try:
            for record in self._batch:
                given += 1
                yield record
        except UnicodeDecodeError:
            yield from islice(self._plainly(), given, None)

    def _is_a_bomb(self) -> bool:
        codec = self._batch.compression_type if self._batch.magic == MAGIC else 0
        return bool(codec) and grows_beyond(codec, self._bytes()[HEAD:], INFLATED_MAX)

    def _in_place_of_it(self) -> Iterator[Any]:
        for offset in range(self._batch.base_offset, self._batch.next_offset):
            yield _DefaultRecordPy(offset, self._batch.first_timestamp, 0, None, TOO_LARGE, [])

    def _bytes(self) -> bytes:
        return bytes(self._raw[self._at])

    def _plainly(self) -> Iterator[Any]:
        batch: Any = _DefaultRecordBatchPy(self._bytes())
        iter(batch)  # inflates it
        batch._buffer = _Marking(batch._buffer)
        found: Iterator[Any] = iter(batch)
        return found


class _Marking(bytearray):
    """Bytes of which any part is text when it is asked to be."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return _Marking(found) if isinstance(at, slice) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return bytes(self).decode(encoding, "replace")
