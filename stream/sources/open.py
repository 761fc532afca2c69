"""Which records are in this file? Logs from disk or standard input, plain, compressed, CSV or Parquet, one by one."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable, Iterator
from io import BufferedReader
from types import TracebackType
from typing import BinaryIO, cast

from stream.errors import SwerveError, UsageError
from stream.sources.buckets import is_in_a_bucket, open_object
from stream.sources.comma_separated import NotCsvError, objects
from stream.sources.framed import Cut
from stream.sources.inflate import GZIP_MAGIC, ZSTD_MAGIC, DamagedError, TruncatedError, gunzip, unzstd
from stream.sources.table import PARQUET_MAGIC, NotParquetError, rows

STANDARD_INPUT = "-"
Batch = tuple[list[bytes], list[int]]  # records, and their line numbers, from 1 on

_CHUNK = 1 << 20
_HEAD = 4096
_EMPTY_MAX = 1 << 16  # empty lines in a row: each is refused, at 15 us; a compressed file has millions for nothing
_TOO_MANY_EMPTY = b"\n" * (_EMPTY_MAX + 1)
_INFLATE = {"gzip": gunzip, "zstd": unzstd}
_MAGIC: dict[str, tuple[bytes, ...]] = {"gzip": (GZIP_MAGIC,), "zstd": ZSTD_MAGIC, "Parquet": (PARQUET_MAGIC,)}
_COMMA_SEPARATED = (".csv", ".csv.gz", ".csv.zst", ".csv.zstd")
_PROMISED = {".gz": "gzip", ".zst": "zstd", ".zstd": "zstd", ".parquet": "Parquet"}


def open_input(path: str) -> Input:
    """Opens a log; "-" is standard input, `s3://bucket/key` an object in a bucket. Its first bytes say what it is.

    Raises UsageError in one line where it cannot be read at all: it is missing, a directory, not ours to read, or not
    what its name promises. An empty file is fine, and has no records.
    """
    if path == STANDARD_INPUT:
        return Input(path, cast(BufferedReader, sys.stdin.buffer), _size_of(sys.stdin.buffer))
    if is_in_a_bucket(path):
        return Input(path, *open_object(path))
    try:
        file = open(path, "rb")  # noqa: SIM115 - Input closes it
    except OSError as error:
        raise UsageError(f"{path}: {_why(error)}") from None
    return Input(path, file, _size_of(file))


def _size_of(file: BinaryIO) -> int | None:
    status = os.fstat(file.fileno())
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _why(error: OSError) -> str:
    match error:
        case FileNotFoundError():
            return "no such file"
        case IsADirectoryError():
            return "a directory; expected a log file, or - for standard input"
        case PermissionError():
            return "no permission to read it"
    return f"cannot be read: {error.strerror or str(error).splitlines()[0]}"


class Input:
    """One log, read once from the front to the end in bounded memory. A context manager.

    bytes_total: size on disk, None where nobody knows (a pipe). bytes_read: how far on disk; for progress.
    """

    def __init__(self, path: str, file: BufferedReader, bytes_total: int | None) -> None:
        self.path = path
        self.bytes_read = 0
        self.bytes_total = bytes_total
        self._file = file
        self._line = 0
        self._kind = self._recognised(self._first_bytes())

    def __enter__(self) -> Input:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; standard input stays open, it belongs to the process."""
        if self.path != STANDARD_INPUT:
            self._file.close()

    def records(self) -> Iterator[Batch]:
        """The records in their order, some thousand at a time. 0.2 us each plain, 1 us from gzip.

        Raises SwerveError where the file turns out to be truncated or damaged, after the records before that.
        """
        batches = self._rows() if self._kind == "Parquet" else self._lines()
        if self.path.lower().endswith(_COMMA_SEPARATED):
            batches = self._objects(batches)
        for batch in batches:
            if batch:
                first, self._line = self._line + 1, self._line + len(batch)
                yield batch, list(range(first, self._line + 1))

    def head(self) -> bytes:
        """The first bytes as they lie on disk, at most 4 KiB, while nothing is read; they tell a file from another.

        Raises UsageError.
        """
        try:
            return self._file.peek(_HEAD)[:_HEAD]
        except OSError as error:
            raise UsageError(f"{self.path}: {_why(error)}") from None

    def _first_bytes(self) -> bytes:
        return self.head()[:4]

    def _recognised(self, first: bytes) -> str:
        kind = next((kind for kind, magics in _MAGIC.items() if first.startswith(magics)), "plain")
        promised = _PROMISED.get(os.path.splitext(self.path)[1].lower())
        if promised is not None and promised != kind and first:
            raise UsageError(f"{self.path}: its name promises {promised}, its first bytes {first.hex(' ')} are none")
        if kind == "Parquet" and not self._file.seekable():
            raise UsageError(f"{self.path}: Parquet cannot be read from a pipe; name the file")
        return kind

    def _lines(self) -> Iterator[list[bytes]]:
        cut, chunks = Cut(), self._chunks()
        try:
            for content in self._before_a_void(_INFLATE[self._kind](chunks) if self._kind in _INFLATE else chunks):
                yield cut.feed(content)
        except TruncatedError:
            raise SwerveError(
                f"{self.path}: truncated: the {self._kind} data ends too early, {self._where()}"
            ) from None
        except DamagedError as error:
            raise SwerveError(f"{self.path}: damaged {self._kind} data, {self._where()}: {error}") from None
        yield cut.end()

    def _before_a_void(self, contents: Iterable[bytes]) -> Iterator[bytes]:
        """All of it, up to where too many lines in a row are empty."""
        empty = 0  # line feeds at the end of what came before
        for content in contents:
            void = (_TOO_MANY_EMPTY[:empty] + content).find(_TOO_MANY_EMPTY)
            if void >= 0:
                yield content[: max(void - empty + 1, 0)]  # with the end of the record before it
                raise SwerveError(
                    f"{self.path}: over {_EMPTY_MAX:,} empty lines in a row, {self._where()}: expected records"
                )
            yield content
            said = content.rstrip(b"\n")
            empty = min((0 if said else empty) + len(content) - len(said), _EMPTY_MAX)

    def _objects(self, lines: Iterator[list[bytes]]) -> Iterator[list[bytes]]:
        try:
            yield from objects(lines)
        except NotCsvError as error:
            raise SwerveError(f"{self.path}: damaged CSV, {self._where()}: {error}") from None

    def _chunks(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self._file.read1(_CHUNK)
            except OSError as error:
                raise SwerveError(f"{self.path}: {_why(error)}, {self._where()}") from None
            if not chunk:
                return
            self.bytes_read += len(chunk)
            yield chunk

    def _rows(self) -> Iterator[list[bytes]]:
        try:
            for batch, share in rows(self._file):
                self.bytes_read = int(share * (self.bytes_total or 0))
                yield batch
        except NotParquetError as error:
            raise SwerveError(f"{self.path}: damaged Parquet, {self._where()}: {error}") from None

    def _where(self) -> str:
        return f"after line {self._line}; what comes before was read"
