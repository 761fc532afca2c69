"""Which logs are meant, and what came of each? Files, folders, patterns, buckets; opened when their turn comes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import blake2b
from itertools import product
from pathlib import Path

from stream.errors import SwerveError, UsageError
from stream.sources.buckets import found_under, is_in_a_bucket
from stream.sources.open import STANDARD_INPUT, Batch, Input, open_input

_KINDS = (".ndjson", ".jsonl", ".json", ".log", ".csv")
#: What a file in a folder must be called to be taken for a log; one that is named itself may be called anything.
ENDINGS = (".parquet", *("".join(pair) for pair in product(_KINDS, ("", ".gz", ".zst", ".zstd"))))
_PATTERN = "*?["


@dataclass(frozen=True, slots=True)
class LogDone:
    """How far a log is read, as another process tells it; as in `Log`."""

    records: int
    bytes_read: int
    is_whole: bool
    failure: str | None


class Log:
    """One log of several: it holds nothing until it is read, and nothing after.

    path: as it was named, or found. failure: why it was not read whole, in one line that begins with the path; None
    while nothing is wrong. records: read so far; is_whole: to the end. bytes_total: on disk, None where nobody knows.
    head: its first bytes. is_read_once: a pipe, or standard input, which is opened at once.
    """

    def __init__(self, path: str, is_found: bool = False) -> None:
        """is_found: in a folder. Then that it cannot be read is its failure; else UsageError is raised."""
        self.path = path
        self.is_found = is_found
        self.failure: str | None = None
        self.records = 0
        self.is_whole = self.is_read_once = False
        self.head = b""
        self.bytes_total: int | None = None
        self._done = 0
        self._opened: Input | None = None
        try:
            self._begin()
        except UsageError as error:
            if not is_found:
                raise
            self.failure = f"{error}; nothing of it was read"

    def _begin(self) -> None:
        opened = open_input(self.path)
        self.bytes_total = opened.bytes_total
        if self.bytes_total is None or self.path == STANDARD_INPUT:
            self.is_read_once, self._opened = True, opened
            return
        with opened:
            self.head = opened.head()

    def mark(self, length: int) -> bytes:
        """A digest of so many of its first bytes, by which a file is known again that has grown since."""
        return blake2b(self.head[:length], digest_size=16).digest()

    @property
    def bytes_read(self) -> int:
        """How far it is read, as it lies on disk; for progress."""
        return self._done if self._opened is None else self._opened.bytes_read

    @property
    def done(self) -> LogDone:
        """How far it is read, for a process that does not read it itself."""
        return LogDone(self.records, self.bytes_read, self.is_whole, self.failure)

    def read_elsewhere(self, done: LogDone) -> None:
        """Another process read it so far."""
        self.records, self._done = done.records, done.bytes_read
        self.is_whole, self.failure = done.is_whole, done.failure

    def first(self) -> Sequence[bytes]:
        """Its first records, for what they say of all; none of a pipe, which is read once."""
        if self.is_read_once or self.failure is not None:
            return ()
        try:
            with open_input(self.path) as opened:
                return next(opened.records(), ([], []))[0]
        except SwerveError:
            return ()  # told when it is read

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """Its records from behind a line on, some thousand at a time. Where it breaks off, `failure` says why."""
        if self.failure is not None:
            return
        try:
            with self._opened or open_input(self.path) as self._opened:
                for raws, lines in self._opened.records():
                    self.records = lines[-1]
                    left = max(0, after - lines[0] + 1)
                    if left < len(raws):
                        yield raws[left:], lines[left:]
            self.is_whole = True
        except SwerveError as error:
            self.failure = str(error)
        if self._opened is not None:
            self._done, self._opened = self._opened.bytes_read, None


def logs_of(inputs: Sequence[str]) -> list[Log]:
    """What the words of a command line name: files, folders, patterns, `-`, and the same in buckets; each file once.

    In a folder, and in the folders inside of it, every file that is called like a log is one, by name; hidden ones are
    left out. Raises UsageError: one that is named cannot be read, is named twice, or a folder holds none.
    """
    found: dict[str, bool] = {}
    for word in inputs:
        if word in found and not found[word]:
            raise UsageError(f"INPUT {word} is given twice: its records would be counted once, as repeats")
        inside = _inside(word)
        if inside is None:
            found[word] = False
        elif not inside:
            raise UsageError(f"{word}: no log in it; expected files that end in {', '.join(_KINDS)} (or .gz, .zst) "
                             "or .parquet")  # fmt: skip
        else:
            found = dict.fromkeys(inside, True) | found
    return [Log(path, is_found) for path, is_found in found.items()]


def _inside(word: str) -> list[str] | None:
    """The logs that a folder or a pattern stands for; None where it is a log itself."""
    if word == STANDARD_INPUT:
        return None
    if is_in_a_bucket(word):
        return _in_bucket(word)
    if Path(word).is_dir():
        return _called_like_logs(str(path) for path in Path(word).rglob("*") if _is_shown(path, word))
    if any(sign in word for sign in _PATTERN) and not Path(word).exists():
        return sorted(path for path in glob.glob(word, recursive=True) if os.path.isfile(path))
    return None


def _is_shown(path: Path, folder: str) -> bool:
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def _in_bucket(word: str) -> list[str] | None:
    if not any(sign in word for sign in _PATTERN):
        inside = found_under(word)
        return None if inside is None else _called_like_logs(inside)
    begin = min(word.find(sign) for sign in _PATTERN if sign in word)
    inside = found_under(word[: word.rindex("/", 0, begin) + 1])
    return [one for one in inside or () if fnmatch(one, word)]


def _called_like_logs(paths: Iterator[str] | Sequence[str]) -> list[str]:
    return sorted(path for path in paths if path.lower().endswith(ENDINGS))
