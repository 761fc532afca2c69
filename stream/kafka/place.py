"""What of a topic did a reader settle? Everything below an offset, but for records that still wait.

A record that waits (for the end of a snooze, for a receiver that cannot take it) must not make a successor do again
what came after it: it is named beside the offset, in the metadata of the commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

NOTE_MAX = 3_500  # characters of the 4,096 that a broker takes unless it is told otherwise
DIGITS = 36


@dataclass(frozen=True, slots=True)
class Place:
    """Everything below `offset` is done, but for `waiting`."""

    offset: int
    waiting: frozenset[int] = frozenset()

    def has(self, offset: int) -> bool:
        """Whether the record at this offset is done.

        >>> [Place(9, frozenset({7})).has(offset) for offset in (6, 7, 8, 9)]
        [True, False, True, False]
        """
        return offset < self.offset and offset not in self.waiting


def note(waiting: Iterable[int], offset: int) -> tuple[str, int]:
    """(waiting offsets, in rising order, as text; the offset to commit beside it).

    Each stands as its distance from the one before, the first from 0. Where they are too many for the metadata of a
    commit, the offset stays at the first that has no room: what came after that may be done twice.

    >>> note([7, 8, 46], 60)
    ('7,1,12', 60)
    """
    parts: list[str] = []
    length, before = 0, 0
    for one in waiting:
        part = _digits(one - before)
        length += len(part) + 1
        if length > NOTE_MAX:
            return ",".join(parts), one
        parts.append(part)
        before = one
    return ",".join(parts), offset


def waiting_in(metadata: str | None, offset: int) -> frozenset[int]:
    """What `note` wrote; none where it is empty, or committed by another hand.

    >>> sorted(waiting_in("7,1,12", 60))
    [7, 8, 46]
    """
    waiting, at = [], 0
    try:
        for part in (metadata or "").split(",") if metadata else ():
            at += int(part, DIGITS)
            waiting.append(at)
    except ValueError:
        return frozenset()
    return frozenset(one for one in waiting if 0 <= one < offset)


def _digits(number: int) -> str:
    """A whole number in base 36."""
    text = ""
    while True:
        number, digit = divmod(number, DIGITS)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + text
        if not number:
            return text
