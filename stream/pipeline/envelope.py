"""How do bytes of ours cross a topic? Sealed with a magic byte, a version and a checksum, compressed."""

from __future__ import annotations

import zlib

import zstandard

from stream.errors import SwerveError

HEADER_BYTES = 6  # magic, version, crc32 of what follows (little end first)
PAYLOAD_BYTES_MAX = 256 << 20  # unpacked; a frame has some MB, a summary of 350,000 accounts in one piece 90 MB
_LEVEL = 3


class UnreadableEnvelope(SwerveError):  # noqa: N818 - says what the bytes are
    """Bytes that are none of ours, damaged, or of a version that this build does not read."""


class UnknownVersion(UnreadableEnvelope):
    """Bytes of ours that another build wrote: nothing to set aside, for the right build reads them."""


def seal(payload: bytes, magic: int, version: int) -> bytes:
    """The bytes to send: 1 magic byte, 1 version byte, crc32 of the rest, payload in zstd. About 3 ns a byte."""
    packed = zstandard.ZstdCompressor(level=_LEVEL).compress(payload)
    return bytes((magic, version)) + zlib.crc32(packed).to_bytes(4, "little") + packed


def unseal(sealed: bytes, magic: int, versions: tuple[int, ...], what: str) -> tuple[int, bytes]:
    """Version and payload of sealed bytes; `what` names them in errors.

    Raises UnreadableEnvelope: not of this magic, damaged, or larger than 256 MiB unpacked; UnknownVersion for one that
    is not in `versions`.

    >>> unseal(seal(b"payload", 0xF5, 1), 0xF5, (1,), "a frame")
    (1, b'payload')
    >>> unseal(seal(b"payload", 0xF5, 9), 0xF5, (1,), "a frame")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    stream.pipeline.envelope.UnknownVersion: a frame has version 9, ...: upgrade this reader first
    """
    if len(sealed) < HEADER_BYTES or sealed[0] != magic:
        raise UnreadableEnvelope(f"not {what}: expected magic byte 0x{magic:02x}, got {sealed[:1].hex() or 'nothing'}")
    version, checksum, packed = sealed[1], int.from_bytes(sealed[2:HEADER_BYTES], "little"), sealed[HEADER_BYTES:]
    if version not in versions:
        reads = ", ".join(map(str, versions))
        remedy = "upgrade this reader first" if version > max(versions) else "it is too old to be read"
        raise UnknownVersion(f"{what} has version {version}, and this build reads version {reads}: {remedy}")
    if zlib.crc32(packed) != checksum:
        raise UnreadableEnvelope(f"{what} is damaged: expected crc32 {checksum:08x}, got {zlib.crc32(packed):08x}")
    return version, _unpack(packed, what)


def _unpack(packed: bytes, what: str) -> bytes:
    try:
        size = zstandard.frame_content_size(packed)
        if not 0 <= size <= PAYLOAD_BYTES_MAX:
            raise UnreadableEnvelope(f"{what} is too large: expected at most {PAYLOAD_BYTES_MAX} bytes, got {size}")
        return zstandard.ZstdDecompressor().decompress(packed)
    except zstandard.ZstdError as error:
        raise UnreadableEnvelope(f"{what} is damaged: {error}") from None
