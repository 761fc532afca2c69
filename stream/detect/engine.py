"""The state of one frames partition, as the shell drives it: frames in, summaries out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from detectors.parameters import Parameters
from stream.errors import SwerveError
from stream.pipeline.chain import Applied
from stream.pipeline.composition import TICKS_AT_ONCE, Shards
from stream.pipeline.frames import decode_frame
from stream.pipeline.messages.divided import messages_of
from stream.stages.shell import Output, Step, decoded
from stream.telemetry import metrics
from stream.telemetry.per_tick import MeasuredShards

STAGE = "detect"


class ShardsEngine:
    """The shards of one partition, begun empty or restored from the pieces of a snapshot.

    Raises SwerveError where the pieces were written for another number of partitions.
    """

    def __init__(
        self,
        parameters: Parameters,
        sources: Sequence[str],
        partition: int,
        partitions: int,
        pieces: Mapping[str, bytes],
    ) -> None:
        if not pieces:
            self.shards = Shards(parameters, sources, partition, partitions)
        else:
            self.shards = Shards.restore(parameters, dict(pieces))
            was = (self.shards.partition, self.shards.partitions)
            if was != (partition, partitions):
                raise SwerveError(
                    f"the state of frames partition {partition} of {partitions} was written for partition {was[0]} of "
                    f"{was[1]}: accounts would be counted twice; set [kafka] partitions = {was[1]}, or move the state "
                    f"with `swerve reshard {partitions}`"
                )
        self._late = self.shards.late
        self._measured = MeasuredShards(str(partition))

    def apply(self, offset: int, value: bytes) -> Step:
        """Count one frame where it continues its chain, and close what it lets close.

        What is no frame, or a damaged one, is set aside and told; if it was one, the next of its source leaves a gap,
        which is told too. Raises SwerveError for one of another version: the right build reads it.
        """
        frame = decoded(decode_frame, value, STAGE, f"frames[{self.shards.partition}]@{offset}")
        if frame is None:
            return Step(Applied.REPEAT, "")
        lost = self.shards.lost(frame.source)
        outcome = Applied.GAP if self._leaves_out_the_begin(frame.source, frame.after) else self.shards.apply(frame)
        metrics.frame_applied(outcome.value, frame.source)
        gone = self.shards.lost(frame.source) - lost
        if gone:
            metrics.deleted_unread(STAGE, frame.source, gone)
        if outcome is Applied.GAP:
            return Step(outcome, frame.source)
        if outcome is Applied.APPLIED:
            metrics.records_accepted(STAGE, len(frame.rows))
        metrics.source_clock(STAGE, frame.source, frame.clock_ms, frame.idle)
        return self._closed(outcome, frame.source)

    def _closed(self, outcome: Applied, source: str) -> Step:
        """What may close now, an hour of it at once: after a long pause it is much."""
        summaries = self.shards.summaries(TICKS_AT_ONCE)
        for summary in summaries:
            metrics.records_refused("duplicate_event", summary.counters.get("duplicate_event", 0))
        if summaries:
            self._measured.after(self.shards)
        metrics.records_refused("late_event", self.shards.late - self._late)
        self._late = self.shards.late
        outputs = tuple(Output(message) for summary in summaries for message in messages_of(summary))
        rest = partial(self._closed, Applied.APPLIED, source) if self.shards.is_behind else None
        return Step(outcome, source, outputs, rest)

    def _leaves_out_the_begin(self, source: str, after: int) -> bool:
        """A chain begins at -1: a first frame that begins later was handed out before the true first one."""
        return after >= 0 and self.shards.position(source) is None

    def give_up(self, source: str) -> None:
        """What is missing of this source is deleted: its next frame is counted, wherever it begins."""
        self.shards.give_up(source)

    def begin_anew(self) -> None:
        """Frames that nobody read are gone with their topic: the next one of each source is counted."""
        for source, position in self.shards.positions().items():
            if position >= 0:
                self.shards.give_up(source)

    def snapshot(self) -> dict[str, bytes]:
        """The whole state in pieces."""
        return self.shards.snapshot()
