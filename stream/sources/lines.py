"""Where does one record end and the next begin? Chunks of bytes into lines, with a bound on the length of a line."""

from __future__ import annotations

from stream.contract.reading.arrays import BATCH_BYTES_MAX, is_batch
from stream.contract.reading.json_object import RECORD_BYTES_MAX

_MARK = b"\xef\xbb\xbf"  # a byte order mark, which some editors and exports put in front of UTF-8


class Lines:
    """Cuts a stream of bytes into lines, whatever the chunks. A line ends at a line feed; a carriage return stays.

    A line of over 1 MiB is cut to one byte more than that, so that it is refused as too large and costs no memory; one
    that holds many records, at 16 MiB.

    >>> lines = Lines()
    >>> lines.feed(b"one\\ntw"), lines.feed(b"o\\nthree"), lines.end()
    ([b'one'], [b'two'], [b'three'])
    """

    def __init__(self, line_bytes_max: int = RECORD_BYTES_MAX) -> None:
        self._line_bytes_max = line_bytes_max
        self._begun = b""
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk. O(length of the chunk, and of the line that it continues)."""
        if len(self._begun) > self._most(self._begun):
            chunk = chunk[end:] if (end := chunk.find(b"\n")) >= 0 else b""  # what it has beyond is never looked at
            if not chunk:
                return []
        parts = (self._begun + chunk).split(b"\n")
        if self._first and len(parts) > 1:
            parts[0] = parts[0].removeprefix(_MARK)
            self._first = False
        self._begun = self._kept(parts.pop())
        return [self._kept(line) for line in parts]

    def _kept(self, line: bytes) -> bytes:
        return line if len(line) <= self._line_bytes_max else line[: self._most(line) + 1]

    def _most(self, line: bytes) -> int:
        """How long this line may be."""
        return BATCH_BYTES_MAX if is_batch(line[:128].removeprefix(_MARK)) else self._line_bytes_max

    def end(self) -> list[bytes]:
        """The last line, where the stream does not end with a line feed."""
        begun, self._begun = self._begun, b""
        if self._first:
            begun = begun.removeprefix(_MARK)
        return [begun] if begun else []
