"""Which messages carry a frame to the partitions of the shards, each below the limit of a message?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from detectors.counts.rows import Frame
from stream.pipeline.frames import compact_rows, encode_frame, split_frame

MESSAGE_BYTES_MAX = 900_000


def messages_of(frame: Frame, partitions: int) -> Iterator[tuple[int, bytes]]:
    """(partition, message) pairs, in the order in which they must be sent: every partition gets the frame's link."""
    for partition, part in enumerate(split_frame(frame, partitions)):
        for message in _messages(part):
            yield partition, message


def _messages(part: Frame) -> Iterator[bytes]:
    """The frame, or the links of a chain of smaller ones where it is too large."""
    message = encode_frame(part)
    halves = _halves(part) if len(message) > MESSAGE_BYTES_MAX else None
    if halves is None:
        yield message
        return
    for half in halves:
        yield from _messages(half)


def _halves(part: Frame) -> tuple[Frame, Frame] | None:
    """Two links in place of one, cut between two offsets; None where all rows are of one record."""
    offsets = np.unique(part.rows.offset)
    if len(offsets) < 2:
        return None
    cut = int(offsets[len(offsets) // 2 - 1])
    first = compact_rows(part.rows.where(part.rows.offset <= cut))
    second = compact_rows(part.rows.where(part.rows.offset > cut))
    # Clocks only rise, but for that of a row that is older than the clock which the source had not yet shown.
    clock_ms = min(int(first.clock_ms[-1]), int(second.clock_ms.min()))
    return (
        replace(part, upto=cut, clock_ms=clock_ms, idle=False, ended=False, refused={}, rows=first),
        replace(part, after=cut, rows=second),
    )
