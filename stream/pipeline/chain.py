"""How far is a chain taken, and does what comes continue it? Each source is a chain of frames; summaries are one."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from detectors.counts.rows import NO_CLOCK_MS, Frame
from stream.errors import SwerveError

#: Requests in a row that say they were counted and are later than all that was: read again, half of them would not be.
ANEW_MIN = 64


class Applied(enum.Enum):
    """What became of a frame, or of a summary."""

    APPLIED = "applied"
    REPEAT = "repeat"  # it holds nothing new; only its clock and idle flag were taken, where it ends at the position
    GAP = "gap"  # it does not continue what was applied; it was refused and must come again later


@dataclass(slots=True)
class Chain:
    """How far messages have been taken of which each says to which offset it goes on, and from which.

    position: the last offset that was taken, which whoever takes a message sets once it is; None before the first.
    lost: offsets that were passed over, since what held them is deleted.
    """

    position: int | None = None
    lost: int = field(default=0, kw_only=True)
    _may_skip: bool = field(default=False, kw_only=True)

    def give_up(self) -> None:
        """What is missing will not come any more: the next message continues the chain wherever it begins."""
        self._may_skip = True

    def continues(self, after: int, upto: int) -> Applied:
        """Whether a message that holds the offsets after `after`, up to `upto`, holds any that are not taken.

        >>> chain = Chain(4)
        >>> chain.continues(6, 9).value, chain.continues(2, 4).value, chain.continues(3, 5).value
        ('gap', 'repeat', 'applied')
        >>> chain.give_up()
        >>> chain.continues(6, 9).value, chain.lost
        ('applied', 2)
        """
        if self.position is None:
            self.position = after
        if after > self.position:
            if not self._may_skip:
                return Applied.GAP
            self.lost += after - self.position
            self.position = after
        self._may_skip = False
        return Applied.REPEAT if upto <= self.position else Applied.APPLIED


@dataclass(slots=True)
class Source(Chain):
    """How far one source has been counted, by its frames, and its clock."""

    clock_ms: int = NO_CLOCK_MS
    idle: bool = False
    ended: bool = False
    _later: int = 0

    def place(self, frame: Frame) -> Applied:
        """Whether the frame has rows that are not counted; takes its clock where it says something new.

        Raises SwerveError where its offsets were counted long ago, and its requests are of later than that.
        """
        applied = self.continues(frame.after, frame.upto)
        if applied is Applied.GAP:
            return applied
        if self.position is not None and frame.upto < self.position:
            self._refuse_what_began_anew(frame)
            return applied
        self.idle, self.ended = frame.idle, frame.ended
        self.clock_ms = max(self.clock_ms, frame.clock_ms)
        return applied

    def _refuse_what_began_anew(self, frame: Frame) -> None:
        if not len(frame.rows) or self.clock_ms == NO_CLOCK_MS:
            return
        all_later = int(frame.rows.at_ms.min()) > self.clock_ms
        self._later = self._later + len(frame.rows) if all_later else 0
        if self._later >= ANEW_MIN:
            raise SwerveError(
                f"{frame.source} is counted up to offset {self.position}; now its offsets begin anew, at "
                f"{frame.upto - self._later + 1} or before, with requests that are later than all of it: the topic of "
                "the requests was deleted and made anew. None of them is counted. Give the frames topic and the groups "
                "other names, and count anew"
            )
