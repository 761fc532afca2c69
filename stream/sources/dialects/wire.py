"""Which fields does a message of protobuf have? Taken apart on the wire, without reading what is in them.

The library reads a message whole or not at all, and at a hundred times its size: what a stranger sent is looked at here
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LENGTH_DELIMITED = 2
_VARINT = 0
_FIXED = {1: 8, 5: 4}  # bytes by wire type
_VARINT_BYTES_MAX = 10


class NotProtobufError(ValueError):
    """The bytes are no message of protobuf."""


class Field(NamedTuple):
    """One field. kind: its wire type. held: what it holds. begin, end: all of it in the message, with its tag."""

    number: int
    kind: int
    held: bytes
    begin: int
    end: int


def fields(raw: bytes) -> Iterator[Field]:
    r"""The fields of a message, in the order in which they come. Raises NotProtobufError. 1 us each.

    >>> [(one.number, one.held) for one in fields(b"\x0a\x02hi\x10\x96\x01")]
    [(1, b'hi'), (2, b'\x96\x01')]
    >>> list(fields(b"\x0a\x09hi"))
    Traceback (most recent call last):
    ...
    stream.sources.dialects.wire.NotProtobufError: field 1 at byte 0 ends at byte 11 of 4
    """
    at = 0
    while at < len(raw):
        begin = at
        tag, at = _varint(raw, at)
        number, kind = tag >> 3, tag & 7
        if kind == LENGTH_DELIMITED:
            length, at = _varint(raw, at)
            end = at + length
        elif kind == _VARINT:
            end = _varint(raw, at)[1]
        elif kind in _FIXED:
            end = at + _FIXED[kind]
        else:
            raise NotProtobufError(f"byte {begin} begins no field")
        if end > len(raw):
            raise NotProtobufError(f"field {number} at byte {begin} ends at byte {end} of {len(raw)}")
        yield Field(number, kind, raw[at:end], begin, end)
        at = end


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    """(the integer that begins here, where it ends)."""
    value = 0
    for place, byte in enumerate(raw[at : at + _VARINT_BYTES_MAX]):
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return value, at + place + 1
    raise NotProtobufError(f"byte {at} begins no integer")
