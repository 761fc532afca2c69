"""Where do the records go? A file, compressed by its ending, or standard output; what fails is said in one line."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import zstandard

from stream.errors import SwerveError, UsageError

STANDARD_OUTPUT = "-"
ELSEWHERE = "name a file in a folder that exists and may be written"


@contextmanager
def opened(path: str, *, at_once: bool = False) -> Iterator[Callable[[bytes], object]]:
    """Gives `write(bytes)` for a file (.gz, .zst by ending) or standard output (`-`). at_once: nothing is held back.

    The same bytes in give the same file: no time and no name is stored in it. A reader of standard output that has
    enough ends the block without an error. Raises UsageError where the file cannot be opened, SwerveError where
    writing fails.
    """
    if path == STANDARD_OUTPUT:
        with _reader_may_leave():
            yield _writer(sys.stdout.buffer, at_once)
            sys.stdout.buffer.flush()
        return
    try:
        file = Path(path).open("wb")  # noqa: SIM115 - closed below; what fails here is another error than there
    except OSError as error:
        raise UsageError(f"--output: cannot write {path}: {error.strerror}; {ELSEWHERE}") from error
    try:
        with file, _compressed(file, path) as sink:
            yield _writer(sink, at_once)
    except OSError as error:
        raise SwerveError(f"--output: writing {path} failed: {error.strerror or error}; it is cut short") from error


def _writer(sink: Any, at_once: bool) -> Callable[[bytes], object]:
    def write_through(data: bytes) -> None:
        sink.write(data)
        sink.flush()

    return write_through if at_once else sink.write


@contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        # Python flushes standard output once more at its end, and would complain again.
        sys.stdout = open("/dev/null", "w")  # noqa: SIM115


@contextmanager
def _compressed(file: IO[bytes], path: str) -> Iterator[Any]:
    if path.endswith(".zst"):
        with zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) as sink:
            yield sink
    elif path.endswith(".gz"):
        with gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=file, mtime=0) as sink:
            yield sink
    else:
        yield file


def write_label(path: Path, document: bytes, option: str) -> None:
    """Writes a small file. Raises UsageError, naming the option, where it cannot."""
    try:
        path.write_bytes(document)
    except OSError as error:
        raise UsageError(f"{option}: cannot write {path}: {error.strerror}; {ELSEWHERE}") from error
