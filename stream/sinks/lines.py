"""NDJSON: one alert record a line, to a file or to standard output."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from stream.contract.alert import Alert, encode
from stream.sinks.sink import SinkUnreachableError


class FileLines:
    """Appends to a file. A line is there whole or not at all: what a full disk cut is taken back."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self._path = path
        self._file: io.FileIO | None = None

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Append and flush; a file that was moved away (logrotate) is begun anew. Raises SinkUnreachableError."""
        lines = _lines(alerts)
        try:
            file = self._opened()
            before = file.seek(0, os.SEEK_END)
            if file.write(lines) != len(lines):
                file.truncate(before)
                raise OSError(errno.ENOSPC, "the disk took only a part")
        except OSError as error:
            await self.close()
            raise SinkUnreachableError(f"{self._path}: {error.strerror or error}") from None

    def _opened(self) -> io.FileIO:
        if self._file is not None and not self._is_named(self._file):
            self._file.close()
            self._file = None
        if self._file is None:
            # Unbuffered: bytes that a failed write left in a buffer would appear later, behind the repeat.
            self._file = io.FileIO(self._path, "ab")
        return self._file

    def _is_named(self, file: io.FileIO) -> bool:
        """Whether the path still names the open file."""
        try:
            return os.path.samestat(os.fstat(file.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    async def close(self) -> None:
        """Close the file; the next `send` opens it again."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


class StdoutLines:
    """Writes to standard output, or to what is given in its place."""

    def __init__(self, name: str, out: BinaryIO | None = None) -> None:
        self.name = name
        self._out = out

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Write and flush. Raises SinkUnreachableError."""
        out = self._out if self._out is not None else sys.stdout.buffer
        try:
            out.write(_lines(alerts))
            out.flush()
        except (OSError, ValueError) as error:
            raise SinkUnreachableError(f"standard output: {error}") from None

    async def close(self) -> None:
        """Nothing to let go of: standard output is not ours."""


def _lines(alerts: Sequence[Alert]) -> bytes:
    return b"".join(encode(alert) + b"\n" for alert in alerts)
