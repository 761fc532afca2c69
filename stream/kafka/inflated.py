"""How large does a compressed batch of messages become? Found out in little memory, before anybody inflates it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator

import zstandard

GZIP, SNAPPY, LZ4, ZSTD = 1, 2, 3, 4  # as Kafka numbers them
STEP = 1 << 20
#: How many times larger a codec can make what it is given; a batch that cannot pass the bound so is not measured.
GROWS = {GZIP: 1_032, SNAPPY: 22, LZ4: 256, ZSTD: 32_768}
_LZ4_BLOCK = {4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 4 << 20}  # bytes of a block, by its number in the frame's header


def grows_beyond(codec: int, packed: bytes, most: int) -> bool:
    """Whether these bytes of a codec become more than so many. Of what is damaged, no: the client says what is wrong.

    >>> bomb = zlib.compress(bytes(1 << 20), wbits=31)
    >>> grows_beyond(GZIP, bomb, 1 << 20), grows_beyond(GZIP, bomb, (1 << 20) - 1)
    (False, True)
    """
    if len(packed) * GROWS.get(codec, 1) <= most:
        return False
    size = 0
    try:
        for part in _parts(codec, packed):
            size += part
            if size > most:
                return True
    except (zlib.error, zstandard.ZstdError):
        return False
    return False


def _parts(codec: int, packed: bytes) -> Iterator[int]:
    if codec == GZIP:
        return _gunzipped(packed)
    if codec == ZSTD:
        return _unzstd(packed)
    return _lz4_blocks(packed) if codec == LZ4 else _snappy_blocks(packed)


def _gunzipped(packed: bytes) -> Iterator[int]:
    while packed:
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            found = member.decompress(packed, STEP)
            packed = member.unconsumed_tail
            yield len(found)
            if not found and not packed:
                return
        packed = member.unused_data


def _unzstd(packed: bytes) -> Iterator[int]:
    with zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed), read_across_frames=True) as reader:
        while found := reader.read(STEP):
            yield len(found)


def _snappy_blocks(packed: bytes) -> Iterator[int]:
    """Each says before its bytes what it becomes. Java puts a head before them, and a length before each."""
    if packed[:8] != b"\x82SNAPPY\x00":
        yield _number(packed, 0)
        return
    at = 16
    while at + 4 <= len(packed):
        yield _number(packed, at + 4)
        at += 4 + int.from_bytes(packed[at : at + 4], "big")


def _number(packed: bytes, at: int) -> int:
    found = 0
    for place, byte in enumerate(packed[at : at + 5]):
        found |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return found


def _lz4_blocks(packed: bytes) -> Iterator[int]:
    """Of each block the most that it may become: the client holds it to what the frame's header promises."""
    if len(packed) < 7 or packed[:4] != b"\x04\x22\x4d\x18":
        return
    flags, block = packed[4], _LZ4_BLOCK.get(packed[5] >> 4 & 7, 4 << 20)
    at = 7 + (8 if flags & 8 else 0) + (4 if flags & 1 else 0)
    while at + 4 <= len(packed) and (size := int.from_bytes(packed[at : at + 4], "little")):
        raw, size = size >> 31, size & 0x7FFF_FFFF
        yield size if raw else min(block, GROWS[LZ4] * size)
        at += 4 + size + (4 if flags & 16 else 0)
