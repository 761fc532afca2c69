"""Which lines are new? A log that somebody appends to, moves away and begins anew, or a pipe that never rests."""

from __future__ import annotations

import os
import select
import sys
import time
from pathlib import Path
from typing import BinaryIO

from stream.errors import SwerveError, UsageError
from stream.sources.framed import Cut
from stream.sources.inflate import GZIP_MAGIC, ZSTD_MAGIC
from stream.sources.table import PARQUET_MAGIC

STANDARD_INPUT = "-"
CHUNK = 1 << 20
POLL_S = 0.2
_FINISHED: dict[str, bytes | tuple[bytes, ...]] = {"gzip": GZIP_MAGIC, "zstd": ZSTD_MAGIC, "Parquet": PARQUET_MAGIC}


class Growing:
    """One growing log of NDJSON, or of messages with their lengths, or standard input; what is no file on disk (a named
    pipe) is read as that is.

    Raises UsageError where it cannot be read, or is a kind of file that is written once. A file that is moved away is
    read to its end, then the one that took its name from its beginning; one that was cut short, from its beginning.
    lines_before: given before the first of the file that is read now.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.bytes_read = 0
        self.lines_before = 0
        self._given = 0
        self._cut = Cut()
        try:
            self._file: BinaryIO = sys.stdin.buffer if path == STANDARD_INPUT else self._opened()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}; expected a growing log, or -") from None
        self.is_pipe = path == STANDARD_INPUT or not Path(path).is_file()
        self.bytes_before = 0 if self.is_pipe else os.fstat(self._file.fileno()).st_size

    @property
    def part_before(self) -> float | None:
        """How much of what was there at the start is read, 0 to 1; None once all of it is."""
        return self.bytes_read / self.bytes_before if self.bytes_read < self.bytes_before else None

    def take(self, wait_s: float) -> list[bytes] | None:
        """The lines that came, waiting at most wait_s for the first; None when nothing will ever follow (a pipe)."""
        if self.is_pipe:
            return self._from_pipe(wait_s)
        until = time.monotonic() + wait_s
        while True:
            lines = self._from_file()
            if lines or time.monotonic() >= until:
                self._given += len(lines)
                return lines
            time.sleep(min(POLL_S, wait_s))

    def is_the_named(self) -> bool:
        """Whether the name still stands for the file that is read, as far as it was read."""
        return not self.is_pipe and os.path.exists(self.path) and not self._was_replaced()

    def rest(self) -> list[bytes]:
        """The last line, where it has no newline; for the end."""
        return self._cut.end()

    def close(self) -> None:
        """Let go of the file."""
        if self.path != STANDARD_INPUT:
            self._file.close()

    def _from_pipe(self, wait_s: float) -> list[bytes] | None:
        ready, _, _ = select.select([self._file], [], [], wait_s)
        if not ready:
            return []
        chunk = os.read(self._file.fileno(), CHUNK)
        return self._fed(chunk) if chunk else None

    def _from_file(self) -> list[bytes]:
        try:
            chunk = self._file.read(CHUNK)
        except OSError as error:
            raise SwerveError(f"{self.path}: {error.strerror or error} at byte {self.bytes_read}") from None
        if chunk:
            return self._fed(chunk)
        return self._begun_anew() if self._was_replaced() else []

    def _fed(self, chunk: bytes) -> list[bytes]:
        self.bytes_read += len(chunk)
        return self._cut.feed(chunk)

    def _was_replaced(self) -> bool:
        """Whether the name stands for another file now, or the file is shorter than what was read of it."""
        ours = os.fstat(self._file.fileno())
        try:
            named = os.stat(self.path)
        except OSError:
            return False  # moved away, and nothing has taken its place yet
        return not os.path.samestat(ours, named) or named.st_size < self._file.tell()

    def _begun_anew(self) -> list[bytes]:
        try:
            file = self._opened()
        except FileNotFoundError:
            return []  # moved away again meanwhile; something will take its place
        rest = self._cut.end()
        self.lines_before = self._given + len(rest)
        self._file.close()
        self._cut, self._file = Cut(), file
        return rest

    def _opened(self) -> BinaryIO:
        # Unbuffered: a buffer would hold on to the end of file that it saw.
        file = open(self.path, "rb", buffering=0)  # noqa: SIM115
        first = os.pread(file.fileno(), 4, 0) if Path(self.path).is_file() else b""
        kind = next((name for name, magic in _FINISHED.items() if first.startswith(magic)), None)
        if kind is not None:
            file.close()
            raise UsageError(f"{self.path}: {kind} does not grow line by line; replay it with swerve backtest")
        return file
