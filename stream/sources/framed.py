"""Where does one message end and the next begin? Messages with their length before them, or lines.

OpenTelemetry's file exporter writes protobuf, and whatever it compresses, as messages with four bytes of length, the
most significant first, before each; one that is compressed is a frame of zstd for itself.
"""

from __future__ import annotations

import zstandard

from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.sources.inflate import ZSTD_MAGIC
from stream.sources.lines import Lines

_LENGTH_BYTES = 4
_KNOWN_BY = _LENGTH_BYTES + 1
_BEGINS = b"\n{\x28"  # a batch in protobuf, an object of JSON, a frame of zstd


class Messages:
    """Cuts a stream of bytes into messages, whatever the chunks. One of over 16 MiB is cut to one byte more than that.

    >>> messages = Messages()
    >>> messages.feed(bytes([0, 0, 0, 2]) + b"ab" + bytes([0, 0])), messages.feed(bytes([0, 1]) + b"c"), messages.end()
    ([b'ab'], [b'c'], [])
    """

    def __init__(self) -> None:
        self._begun = bytearray()
        self._left_out = 0  # bytes of a message that is too large, still to come

    def feed(self, chunk: bytes) -> list[bytes]:
        """The messages that end in this chunk. O(length of the chunk)."""
        skipped = min(self._left_out, len(chunk))
        self._left_out -= skipped
        self._begun += chunk[skipped:]
        found = []
        while (length := self._length()) is not None:
            kept = min(length, BATCH_BYTES_MAX + 1)
            if len(self._begun) < _LENGTH_BYTES + kept:
                break
            found.append(_inflated(bytes(self._begun[_LENGTH_BYTES : _LENGTH_BYTES + kept])))
            self._left_out = max(_LENGTH_BYTES + length - len(self._begun), 0)
            del self._begun[: _LENGTH_BYTES + length]
        return found

    def _length(self) -> int | None:
        return int.from_bytes(self._begun[:_LENGTH_BYTES], "big") if len(self._begun) >= _LENGTH_BYTES else None

    def end(self) -> list[bytes]:
        """What of a message came, where the stream ends within one: it is refused for what it lacks."""
        begun, self._begun = bytes(self._begun), bytearray()
        return [begun[_LENGTH_BYTES:]] if len(begun) > _LENGTH_BYTES else []


class Cut:
    """Lines, or messages where the first bytes say that these come: a length below 16 MiB, and how a batch begins.

    >>> cut = Cut()
    >>> cut.feed(b"one\\ntwo"), cut.end()
    ([b'one'], [b'two'])
    """

    def __init__(self) -> None:
        self._begun = b""
        self._cut: Lines | Messages | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """The records that end in this chunk."""
        if self._cut is None:
            self._begun += chunk
            if self._begun[:1] == b"\0" and len(self._begun) < _KNOWN_BY:
                return []
            self._cut = Messages() if _has_lengths(self._begun) else Lines()
            chunk, self._begun = self._begun, b""
        return self._cut.feed(chunk)

    def end(self) -> list[bytes]:
        """The last one, where the stream ends within it."""
        if self._cut is None:
            return [self._begun] if self._begun else []
        return self._cut.end()


def _has_lengths(first: bytes) -> bool:
    return first[:1] == b"\0" and first[_LENGTH_BYTES:_KNOWN_BY] in [bytes([one]) for one in _BEGINS]


def _inflated(message: bytes) -> bytes:
    """What a compressed message says, cut like any other; one that is damaged as it is, to be refused."""
    if not message.startswith(ZSTD_MAGIC):
        return message
    try:
        with zstandard.ZstdDecompressor().stream_reader(message) as reader:
            return reader.read(BATCH_BYTES_MAX + 1)
    except zstandard.ZstdError:
        return message
