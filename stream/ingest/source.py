"""What does ingest hold of one partition of the requests? The encoder, how far it read, and whether it is idle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aiokafka import ConsumerRecord, TopicPartition

from detectors.counts.arrivals import ClockState
from detectors.counts.rows import Frame
from stream.ingest.deadletters import DeadLetter, Kept
from stream.pipeline.encode import Dialect, Encoder, Refused

REPEAT_S = 5.0  # how often a source that has nothing new says so; detect waits for nobody in between


def name_of(partition: TopicPartition) -> str:
    """The name of a source in frames, counters and rejects.

    >>> name_of(TopicPartition("swerve.requests", 3))
    'swerve.requests[3]'
    """
    return f"{partition.topic}[{partition.partition}]"


class Source:
    """One partition, from the offset on that was committed.

    position: the next offset to read. committed: the offset that the group has. Times are monotonic seconds.
    """

    def __init__(
        self,
        partition: TopicPartition,
        committed: int,
        first: int,
        clock: ClockState | None,
        now_s: float,
        dialect: Dialect | None = None,
    ) -> None:
        """committed: next offset by the group's word, 0 without one; first: the first that the broker still has.

        dialect: how its records are written; ours where it is None.
        """
        self.partition = partition
        self.committed = committed
        self.position = max(committed, first)
        self.encoder = Encoder(name_of(partition), after=committed - 1, clock=clock, dialect=dialect)
        self.kept = Kept()
        self._last_record_s = now_s
        self._said: tuple[int, bool] | None = None
        self._said_s = now_s

    def read(self, records: Sequence[ConsumerRecord], now_s: float) -> int:
        """Take records in; those below the position were read before. Gives how many were new."""
        fresh = [record for record in records if record.offset >= self.position]
        if fresh:
            self.kept.keep(fresh)
            self.encoder.read([record.value or b"" for record in fresh], [record.offset for record in fresh])
            self.position = fresh[-1].offset + 1
            self._last_record_s = now_s
        return len(fresh)

    def is_idle(self, end: int | None, idle_s: float, now_s: float) -> bool:
        """No record for so long, and nothing left to read: `end` is the next offset to be written, if known."""
        return end is not None and self.position >= end and now_s - self._last_record_s >= idle_s

    def flush(self, idle: bool, now_s: float, received_ms: int | None = None) -> Frame | None:
        """The next frame, or None where it would say what the last one said a moment ago.

        received_ms: what time it is, as `Encoder.flush` has it.
        """
        frame = self.encoder.flush(idle=idle, received_ms=received_ms)
        said = (frame.clock_ms, idle)
        if frame.after == frame.upto and said == self._said and now_s - self._said_s < REPEAT_S:
            return None
        self._said, self._said_s = said, now_s
        return frame

    def dead_letters(self) -> list[DeadLetter]:
        """What was refused in the frames flushed since the last call, a letter for each record, whatever is in it."""
        refused = _once_each(self.encoder.refusals())
        letters = [self.kept.letter(self.partition.topic, self.partition.partition, one) for one in refused]
        self.kept.forget(self.encoder.after)
        return letters

    @property
    def to_commit(self) -> int:
        """The next offset that no sent frame covers."""
        return self.encoder.after + 1


def _once_each(refusals: Sequence[Refused]) -> list[Refused]:
    """The first refusal of every record; of a batch it says of how many others."""
    of_record: dict[int, list[Refused]] = {}
    for one in refusals:
        of_record.setdefault(one.offset, []).append(one)
    return [
        replace(first, detail=f"{first.detail}; and {len(others)} more of this record") if others else first
        for first, *others in of_record.values()
    ]
