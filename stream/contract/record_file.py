"""What is in a catalogue on disk? A JSON array of records, or the one line that says why it cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from stream.contract.reading.refusal import Refusal
from stream.errors import UsageError

FILE_BYTES_MAX = 64 << 20
_Record = TypeVar("_Record")


def records_of(path: Path, decode: Callable[[bytes], _Record], what: str) -> list[_Record]:
    """The records of a file that holds a JSON array, in its order. `what` names them in errors, which are UsageError.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(b'[{"model": "atlas-4"}, 7]'), file.flush()
    ...     records_of(Path(file.name), len, "releases")
    [20, 1]
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}; expected a JSON array of {what}") from None
    if len(raw) > FILE_BYTES_MAX:
        raise UsageError(f"{path}: expected at most {FILE_BYTES_MAX} bytes of {what}, got {len(raw)}")
    try:
        entries = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: expected a JSON array of {what}: {error}") from None
    records = []
    for index, entry in enumerate(entries):
        try:
            records.append(decode(bytes(entry)))
        except Refusal as refusal:
            raise UsageError(f"{path}: entry {index}: {refusal.detail}") from None
    return records
