"""Where does what was found go? Rows of JSON into a file, flushed as they come, and a full disk told in one line."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import orjson

from stream.errors import SwerveError, UsageError

STANDARD_OUTPUT = Path("-")


class Output:
    """A file that is written while it is open: `with Output("--alerts", path) as alerts: alerts.rows(...)`.

    flag: the option that named the file; errors name it too. Raises UsageError where it cannot be opened, SwerveError
    where it cannot be written. "-" is standard output.
    """

    def __init__(self, flag: str, path: Path) -> None:
        self.flag = flag
        self.path = path
        try:
            self._file: BinaryIO = sys.stdout.buffer if path == STANDARD_OUTPUT else open(path, "wb")  # noqa: SIM115
        except OSError as error:
            raise UsageError(f"{flag} {path}: cannot be written: {error.strerror or error}") from None

    def __enter__(self) -> Output:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(failed=kind is not None)

    def close(self, failed: bool = False) -> None:
        """Close the file. failed: what went wrong before is worth telling, a second error is not."""
        if self.path == STANDARD_OUTPUT:
            return
        try:
            self._file.close()
        except OSError as error:
            if not failed:
                raise self._told(error) from None

    def lines(self, lines: Iterable[bytes]) -> None:
        """Write lines, each without its newline, and hand them to the system at once."""
        data = b"".join(line + b"\n" for line in lines)
        if data:
            self.write(data)

    def rows(self, rows: Iterable[object]) -> None:
        """Write each row as one line of JSON."""
        self.lines(orjson.dumps(row) for row in rows)

    def write(self, data: bytes) -> None:
        """Write bytes as they are, and hand them to the system at once."""
        try:
            self._file.write(data)
            self._file.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._told(error) from None

    def _told(self, error: OSError) -> SwerveError:
        return SwerveError(f"{self.flag} {self.path}: {error.strerror or error}; what was written before is whole")


def replace(flag: str, path: Path, data: bytes) -> None:
    """Write a file whole or not at all: into a neighbour that then takes its name. Devices and pipes directly.

    Raises SwerveError.
    """
    try:
        if path == STANDARD_OUTPUT or (path.exists() and not stat.S_ISREG(path.stat().st_mode)):
            with Output(flag, path) as output:
                output.write(data)
            return
        beside = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_bytes(data)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise SwerveError(f"{flag} {path}: {error.strerror or error}") from None
