"""What does a commit remember beside the offset? The source's clock, so that the next owner judges times alike."""

from __future__ import annotations

import msgspec

from detectors.counts.arrivals import ClockState

VERSION = 1


class _Note(msgspec.Struct, frozen=True):
    """The metadata of a commit: at most some 260 bytes of the 4,096 that a broker takes."""

    v: int
    now_ms: int
    last_ms: tuple[int, ...]


def note(clock: ClockState) -> str:
    """The clock as the metadata of a commit.

    >>> note(ClockState(1700000000000, (1700000000000,)))
    '{"v":1,"now_ms":1700000000000,"last_ms":[1700000000000]}'
    """
    return msgspec.json.encode(_Note(VERSION, clock.now_ms, clock.last_ms)).decode()


def clock_of(metadata: str | None) -> ClockState | None:
    """The clock that `note` wrote; None where there is none, or of a version that this build does not know.

    Then the clock begins anew, which matters only for records that are more than an hour ahead.

    >>> clock_of(note(ClockState(5, (4, 5))))
    ClockState(now_ms=5, last_ms=(4, 5))
    >>> clock_of("") is None, clock_of("committed by hand") is None
    (True, True)
    """
    try:
        read = msgspec.json.decode(metadata or "", type=_Note)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return ClockState(read.now_ms, read.last_ms) if read.v == VERSION else None
