"""Which stored pieces are a whole state? A head names them; pieces are named by their content and their writer.

The table of a partition holds pieces and heads side by side. A head is written after the pieces that it names, and a
piece is never changed, only left behind: so a crash between two writes, a record that a recovery left out, and a worker
that writes on after its partition was given to another all leave heads that are whole, or are seen not to be.
State is a function of the frames alone, so any whole head is right; the one that contains most is the quickest.

A writer is one owner from the moment when the partition came to it until it went; nobody else ever writes its entries.
What is removed is one's own, or was there before one began, and only when one's own head is stored. So whatever a
succeeded owner still removes, the last head of the one that owns the partition stays whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from stream.errors import SwerveError
from stream.telemetry import log

VERSION = 2  # 1 had no writer: its pieces are named by their content alone
HEAD, PIECE = b"head", b"piece"
_log = log.get("swerve.shell")


class LostStateError(SwerveError):
    """A partition has heads, and none of them is whole."""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What one snapshot contains.

    upto: next offset of the stage's input to read. resume: by source, the offset from which to read again where its
    chain has a gap. pieces: name to digest. writer: whose pieces; "" in version 1. topic: the id of the one whose
    offsets these are; "" where nobody knew it.
    """

    v: int = VERSION
    upto: int
    resume: dict[str, int]
    pieces: dict[str, bytes]
    writer: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A whole state, and all entries of the table: none of them matters any more once its owner has stored its own."""

    head: Head
    pieces: dict[str, bytes]
    before: tuple[bytes, ...]


def digest(piece: bytes) -> bytes:
    """Sixteen bytes that only this content has."""
    return blake2b(piece, digest_size=16).digest()


def head_key(partition: int, writer: str) -> bytes:
    """Each writer has a head of its own, so that one that came to life again cannot overwrite its successor's."""
    return b"/".join((str(partition).encode(), HEAD, writer.encode()))


def piece_key(partition: int, content: bytes, writer: str = "") -> bytes:
    """By content: one writer stores the same piece once. By writer: nobody else removes it, whatever it holds."""
    parts = (str(partition).encode(), PIECE, content.hex().encode(), writer.encode())
    return b"/".join(parts if writer else parts[:-1])


def is_of(partition: int, key: bytes) -> bool:
    """Whether an entry of the table belongs to this partition.

    >>> is_of(1, head_key(1, "w")), is_of(1, piece_key(11, b"x"))
    (True, False)
    """
    return key.startswith(str(partition).encode() + b"/")


def choose(partition: int, entries: Mapping[bytes, bytes]) -> Stored | None:
    """The whole state that contains most, of the entries of one partition; None where there never was one.

    Raises LostStateError where there are heads but none is whole: half of a state would count wrongly.
    """
    heads, damaged = _heads(value for key, value in entries.items() if key.split(b"/")[1] == HEAD)
    for head in sorted(heads, key=lambda head: head.upto, reverse=True):
        found = {n: entries.get(piece_key(partition, content, head.writer)) for n, content in head.pieces.items()}
        pieces = {n: p for n, p in found.items() if p is not None and digest(p) == head.pieces[n]}
        if len(pieces) == len(head.pieces):
            return Stored(head, pieces, tuple(sorted(entries)))
    if heads or damaged:
        raise LostStateError(
            f"state of partition {partition}: {len(heads) + damaged} snapshots, none with all its pieces; start this "
            "worker again, and if that does not help, look for a retention on the state's topic (`swerve topics check`)"
        )
    return None


def _heads(values: Iterable[bytes]) -> tuple[list[Head], int]:
    """The heads that can be read, and how many cannot: damaged ones, beside which another may be whole."""
    heads, damaged = [], 0
    for value in values:
        try:
            head = msgspec.msgpack.decode(value, type=Head)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _log.error("head_of_a_snapshot_is_damaged", why=str(error))
            damaged += 1
            continue
        if head.v > VERSION:
            raise SwerveError(f"state of version {head.v}; this build reads up to {VERSION}: start the newer version")
        heads.append(head)
    return heads, damaged
