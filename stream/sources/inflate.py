"""What do compressed bytes say? gzip and zstd, streamed, any number of members one behind the other."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import zstandard

GZIP_MAGIC = b"\x1f\x8b"
# A file may begin with a frame to be skipped, of which there are 16 kinds: pzstd writes one.
ZSTD_MAGIC = (b"\x28\xb5\x2f\xfd", *(bytes((kind, 0x2A, 0x4D, 0x18)) for kind in range(0x50, 0x60)))
# Fed at once. Bounds what one step can make of it: gzip grows at most 1,032 times, zstd 32,000 times.
_GZIP_STEP = 64 * 1024
_ZSTD_STEP = 1024
_GATHER = 1 << 20


class TruncatedError(Exception):
    """The compressed stream ends before its end."""


class DamagedError(Exception):
    """The compressed stream is not what its format demands."""


class _Member(Protocol):
    """The decompressor of one gzip member or zstd frame."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, /) -> bytes: ...


def gunzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of gzip bytes. Raises TruncatedError or DamagedError, after what could be read."""
    return _gather(_inflate(chunks, lambda: zlib.decompressobj(wbits=31), _GZIP_STEP, padding=b"\0"))


def unzstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of zstd bytes. Raises TruncatedError or DamagedError, after what could be read."""
    return _gather(_inflate(chunks, lambda: zstandard.ZstdDecompressor().decompressobj(), _ZSTD_STEP, padding=b""))


def _inflate(chunks: Iterator[bytes], new_member: Callable[[], _Member], step: int, padding: bytes) -> Iterator[bytes]:
    member: _Member | None = None
    for chunk in chunks:
        for begin in range(0, len(chunk), step):
            data = chunk[begin : begin + step]
            while data:
                if member is None:
                    data = data.lstrip(padding) if padding else data
                    member = new_member() if data else None
                    continue
                yield _step(member, data)
                data = member.unused_data if member.eof else b""
                member = None if member.eof else member
    if member is not None:
        raise TruncatedError


def _gather(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of about 1 MiB, which cost their readers less; what precedes an error comes first."""
    gathered: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            for begin in range(0, len(piece), _GATHER):  # one step of a bomb is 64 MiB
                gathered.append(piece[begin : begin + _GATHER])
                size += len(gathered[-1])
                if size >= _GATHER:
                    yield b"".join(gathered)
                    gathered, size = [], 0
    except (TruncatedError, DamagedError):
        yield b"".join(gathered)
        raise
    yield b"".join(gathered)


def _step(member: _Member, data: bytes) -> bytes:
    try:
        return member.decompress(data)
    except (zlib.error, zstandard.ZstdError) as error:
        raise DamagedError(str(error)) from None
