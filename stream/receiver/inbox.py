"""Where are received requests kept until they are judged? At the end of a log on disk, or in memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from stream.errors import UsageError

MEMORY_BYTES_MAX = 64 << 20
LINES_AT_ONCE = 50_000


class NoRoomError(Exception):
    """Nothing can be kept now; perhaps in a while."""


class Inbox(Protocol):
    """Keeps lines. `put` returns when they are kept, and raises NoRoomError where they are not all."""

    def has_room(self) -> bool:
        """Whether it is worth reading what comes."""
        ...

    def put(self, lines: Sequence[bytes]) -> None:
        """Keep these, in their order. Raises NoRoomError."""
        ...


class Memory:
    """At most 64 MiB of lines, and a batch; followed like a growing log, and gone with the process."""

    path = "what is received"
    part_before = None

    def __init__(self, bytes_max: int = MEMORY_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._lines: list[bytes] = []
        self._bytes = 0
        self._is_closed = False
        self._came = threading.Condition()

    def has_room(self) -> bool:
        """Whether another batch may be kept."""
        return self._bytes < self._bytes_max

    def put(self, lines: Sequence[bytes]) -> None:
        """Keep these, in their order. Raises NoRoomError."""
        with self._came:
            if self._is_closed or not self.has_room():
                raise NoRoomError(f"{self._bytes:,} bytes wait to be judged")
            self._lines += lines
            self._bytes += sum(map(len, lines))
            self._came.notify()

    def take(self, wait_s: float) -> list[bytes]:
        """The lines that came, waiting at most wait_s for the first."""
        with self._came:
            if not self._lines:
                self._came.wait(wait_s)
            taken, self._lines = self._lines[:LINES_AT_ONCE], self._lines[LINES_AT_ONCE:]
            self._bytes -= sum(map(len, taken))
            return taken

    def rest(self) -> list[bytes]:
        """Everything that was not taken."""
        with self._came:
            rest, self._lines, self._bytes = self._lines, [], 0
            return rest

    def close(self) -> None:
        """Keep nothing more."""
        with self._came:
            self._is_closed = True


class LogFile:
    """Appends to a log, and to the one that takes its name where it is moved away. Nobody else may write to it.

    What `put` returned for is on disk (fsync). Raises UsageError where it cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file = -1
        self._is_closed = False
        try:
            self._open()
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror or error}; expected a log that can be written") from None

    def has_room(self) -> bool:
        """The disk says so when it is asked to write."""
        return True

    def put(self, lines: Sequence[bytes]) -> None:
        """Keep these, in their order. Raises NoRoomError."""
        with self._lock:
            if self._is_closed:
                raise NoRoomError("it is stopping")
            try:
                self._open()
                self._write(b"".join(line + b"\n" for line in lines))
                os.fsync(self._file)
            except OSError as error:
                raise NoRoomError(f"{self._path}: {error.strerror or error}") from None

    def close(self) -> None:
        """Keep nothing more."""
        with self._lock:
            self._is_closed = True
            os.close(self._file)

    def _open(self) -> None:
        """The file of this name, where it is not open already."""
        try:
            if self._file >= 0 and os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                return
        except FileNotFoundError:
            pass
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        folder = os.open(Path(self._path).absolute().parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # its name is kept as well
        finally:
            os.close(folder)
        if self._file >= 0:
            os.close(self._file)
        self._file = file

    def _write(self, content: bytes) -> None:
        """A line that was begun and never ended, as by a full disk, is ended first: nobody was told that it is kept."""
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            content = b"\n" + content
        while content:
            content = content[os.write(self._file, content) :]
