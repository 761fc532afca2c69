"""How does state become bytes, and bytes state again? Versioned, checksummed, compressed; never pickle."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
import numpy as np

MAGIC = b"SWST"
VERSION = 1
NESTED = 2  # so deep are maps read entry by entry


class UnreadableSnapshotError(ValueError):
    """The bytes are not a snapshot that this version can read; the message says which version can."""


def _plain(value: Any) -> Any:
    """Arrays and NumPy numbers as msgpack values; an array is an extension of type 1."""
    if isinstance(value, np.ndarray):
        head = msgspec.msgpack.encode((value.dtype.str, value.shape))
        return msgspec.msgpack.Ext(1, len(head).to_bytes(2, "little") + head + np.ascontiguousarray(value).tobytes())
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a snapshot cannot hold a {type(value).__name__}")


def _array(code: int, data: memoryview) -> Any:
    if code != 1:
        raise UnreadableSnapshotError(f"a snapshot holds an extension of type {code}; expected 1, an array")
    length = int.from_bytes(data[:2], "little")
    dtype, shape = msgspec.msgpack.decode(data[2 : 2 + length])
    return np.frombuffer(data[2 + length :], dtype=np.dtype(dtype)).reshape(shape).copy()


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_plain)
_DECODER = msgspec.msgpack.Decoder(ext_hook=_array)
_ENTRIES = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])


def to_bytes(state: Any) -> bytes:
    """A state of plain values, lists, dicts and arrays as bytes: magic, version, crc32, zlib of msgpack.

    >>> from_bytes(to_bytes({"n": np.array([1, 2])}))["n"].tolist()
    [1, 2]
    """
    payload = zlib.compress(_ENCODER.encode(state), 1)
    return MAGIC + VERSION.to_bytes(2, "little") + zlib.crc32(payload).to_bytes(4, "little") + payload


def from_bytes(data: bytes) -> Any:
    """The state again. Raises UnreadableSnapshotError when the bytes are damaged, or of another version."""
    if data[:4] != MAGIC:
        raise UnreadableSnapshotError(f"expected a snapshot that begins with {MAGIC!r}, got {bytes(data[:4])!r}")
    version = int.from_bytes(data[4:6], "little")
    if version != VERSION:
        raise UnreadableSnapshotError(
            f"expected a snapshot of version {VERSION}, got {version}; start the version that wrote it"
        )
    if zlib.crc32(data[10:]) != int.from_bytes(data[6:10], "little"):
        raise UnreadableSnapshotError(f"a snapshot of {len(data)} bytes is damaged: its checksum does not match")
    try:
        return _parted(memoryview(zlib.decompress(data[10:])), NESTED)
    except (zlib.error, msgspec.DecodeError, ValueError, TypeError) as error:
        # Its checksum is right: whoever wrote it was none of ours.
        raise UnreadableSnapshotError(f"a snapshot of {len(data)} bytes cannot be read: {error}") from None


def _parted(payload: memoryview | msgspec.Raw, nested: int) -> Any:
    """The value that these bytes are, maps entry by entry: one call holds up every thread of the process."""
    try:
        entries = _ENTRIES.decode(payload) if nested else None
    except msgspec.ValidationError:
        entries = None  # no map, or one by numbers
    if entries is None:
        return _DECODER.decode(payload)
    return {name: _parted(value, nested - 1) for name, value in entries.items()}
