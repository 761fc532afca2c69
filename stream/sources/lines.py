"""Where does one record end and the next begin? Chunks of bytes into lines, with a bound on the length of a line."""

from __future__ import annotations

from stream.contract.json_object import RECORD_BYTES_MAX

_MARK = b"\xef\xbb\xbf"  # a byte order mark, which some editors and exports put in front of UTF-8


class Lines:
    """Cuts a stream of bytes into lines, whatever the chunks. A line ends at a line feed; a carriage return stays.

    A line of over 1 MiB is cut to one byte more than that, so that it is refused as too large and costs no memory.

    >>> lines = Lines()
    >>> lines.feed(b"one\\ntw"), lines.feed(b"o\\nthree"), lines.end()
    ([b'one'], [b'two'], [b'three'])
    """

    def __init__(self, line_bytes_max: int = RECORD_BYTES_MAX) -> None:
        self._keep = line_bytes_max + 1
        self._begun = b""
        self._first = True

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that end in this chunk. O(length of the chunk, and of the line that it continues)."""
        parts = (self._begun + chunk).split(b"\n")
        if self._first and len(parts) > 1:
            parts[0] = parts[0].removeprefix(_MARK)
            self._first = False
        self._begun = parts.pop()[: self._keep]
        return [line if len(line) <= self._keep else line[: self._keep] for line in parts]

    def end(self) -> list[bytes]:
        """The last line, where the stream does not end with a line feed."""
        begun, self._begun = self._begun, b""
        if self._first:
            begun = begun.removeprefix(_MARK)
        return [begun] if begun else []
