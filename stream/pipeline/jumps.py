"""Does time go on in a source, or does a run of records lie ahead of it? A minority does not move its clock.

Nine of sixteen records move the clock of a source. One host whose clock is wrong sends as many in one batch, and all
that is honest would be late by as much. So a move of over a quarter of an hour is looked at more closely: it is time
that goes on where the records after it are there as well, and a run of records out of time where the others go on as
before. What is decided depends on the records alone, never on how the source is cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.counts.arrivals import WINDOW, ClockState, SourceClock, lower_median
from detectors.counts.rows import NO_CLOCK_MS

AHEAD_MS_MAX = 3_600_000  # how far ahead of its source's clock a record may be
JUMP_MS = 900_000  # the lateness that is usual: whoever moves the clock by less makes nobody late
GONE_MS = 366 * 86_400_000  # no log goes on after a year; the ticks of each year between take most of a minute
ROWS_MAX = 1_024  # of them the majority decides, where nothing decided before
SURE_AHEAD = 512  # so many more ahead than behind: time went on
SURE_BEHIND = WINDOW  # so many more behind than ahead: it did not
IN_A_ROW = 32  # or so many ahead with none behind, over a quarter of an hour: a source of little traffic
SLOW_RECORDS_MIN = 5
SLOW_GAPS = 12  # the median of 16 is 8 gaps back; half as many again for gaps that differ
_CHUNK = 1_024

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What was found: rows to refuse, with the reading of the clock by which they are; and the first undecided row.

    undecided: how many rows stand before the first that later records must decide on, refused ones left out; all of
    them where none must.
    """

    refused: Int64s
    clock_ms: Int64s
    undecided: int


def follows_slowly(times_ms: Int64s, at: int, ahead_ms: int) -> bool:
    """Whether the time at a place only follows a slow source: the median of 16 lags hours behind a record an hour.

    It does within so many ms and twelve usual gaps of the median of the WINDOW times just before it.
    """
    before = times_ms[max(at - WINDOW, 0) : at]
    if len(before) < SLOW_RECORDS_MIN:
        return False
    usual_ms = int(np.median(np.diff(np.sort(before))))
    return int(times_ms[at]) <= lower_median(before.tolist()) + ahead_ms + SLOW_GAPS * usual_ms


def out_of_time(at_ms: Int64s, record: Int64s, records: int, clock: ClockState, hold: int, everything: bool) -> Judged:
    """Which of the waiting rows are runs of records ahead of their source.

    at_ms, record: of each row its time, and how many records of the source came before it. records: how many came in
    all. clock: before the first row. hold: after so many records what is there decides; at once where `everything`.
    O(rows), about 0.2 us each; and a millisecond for every run.
    """
    if not _may_jump(at_ms, clock):
        return Judged(np.zeros(0, np.int64), np.zeros(0, np.int64), len(at_ms))
    search = _Search(at_ms, record, clock)
    refused, clock_ms = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for begin, level_ms in search.jumps():
        end = min(begin + ROWS_MAX, int(np.searchsorted(search.record, search.record[begin] + hold)))
        whole = everything or end - begin == ROWS_MAX or records - int(search.record[begin]) >= hold
        is_time, ahead = _decided(search.times[begin:end], ClockState(level_ms, search.last_before(begin)), whole)
        if is_time is None:
            return Judged(np.concatenate(refused), np.concatenate(clock_ms), begin)
        if not is_time:
            gone = search.leave_out(begin, ahead)
            refused.append(gone)
            clock_ms.append(np.full(len(gone), level_ms))
    return Judged(np.concatenate(refused), np.concatenate(clock_ms), len(search.times))


def date_what_lies_long_before(
    last_ms: tuple[int, ...], at_ms: Int64s, clock_ms: Int64s, readings_ms: Int64s, by: Int64s
) -> None:
    """Give rows out of all proportion before the clock's first reading that clock: by it they are late.

    Else one such row would begin time, and every tick since would be told. Out of proportion is more than an hour
    and twelve usual gaps of the records by which it is judged, as `follows_slowly` has it the other way round.
    last_ms: the times before these. clock_ms: of each row, changed in place. by: the row by which each is judged.
    """
    before = np.flatnonzero(clock_ms == NO_CLOCK_MS)
    if not len(before):
        return
    times = np.concatenate([np.array(last_ms, np.int64), at_ms])
    first = int(np.argmax(readings_ms != NO_CLOCK_MS)) if readings_ms[-1] != NO_CLOCK_MS else len(at_ms)
    for row in before.tolist():
        end = len(last_ms) + min(int(by[row]), first) + 1
        near = times[max(end - WINDOW, 0) : end]
        if len(near) >= SLOW_RECORDS_MIN:
            first_ms, usual_ms = lower_median(near.tolist()), int(np.median(np.diff(np.sort(near))))
            if at_ms[row] < first_ms - AHEAD_MS_MAX - SLOW_GAPS * usual_ms:
                clock_ms[row] = first_ms


def _may_jump(at_ms: Int64s, clock: ClockState) -> bool:
    """A look at the ends of a batch, so that most batches cost nothing more."""
    if not len(at_ms):
        return False
    from_ms = int(at_ms.min()) if clock.now_ms == NO_CLOCK_MS else clock.now_ms
    return int(at_ms.max()) > from_ms + JUMP_MS


def _decided(times: Int64s, before: ClockState, whole: bool) -> tuple[bool | None, NDArray[np.bool_]]:
    """Whether time went on, and which of the first rows, that suffice to say so, are ahead; None: more must come.

    The others go on meanwhile: what is ahead is so of a clock that is shown the others alone.
    """
    last, level_ms = deque(before.last_ms, WINDOW), before.now_ms
    ahead: list[bool] = []
    balance = latest_ms = 0
    for at_ms in times.tolist():
        ahead.append(at_ms > level_ms + JUMP_MS)
        if not ahead[-1]:
            last.append(at_ms)
            level_ms = max(level_ms, lower_median(last))
        balance += 1 if ahead[-1] and at_ms <= level_ms + GONE_MS else -1
        latest_ms = max(latest_ms, at_ms)
        in_a_row = balance == len(ahead) >= IN_A_ROW and latest_ms - int(times[0]) >= JUMP_MS
        if balance >= SURE_AHEAD or in_a_row:
            return True, np.array(ahead)
        if balance <= -SURE_BEHIND:
            return False, np.array(ahead)
    return (balance > 0 if whole else None), np.array(ahead)


class _Search:
    """Rows that are left, and how far the clock was shown them."""

    def __init__(self, at_ms: Int64s, record: Int64s, clock: ClockState) -> None:
        self.times, self.record = at_ms, record
        self._clock = clock
        self._row = np.arange(len(at_ms))
        self._readings = np.full(len(at_ms), clock.now_ms, np.int64)
        self._shown = 0

    def jumps(self) -> Iterator[tuple[int, int]]:
        """(row at which it begins, reading before it) of every move of the clock that wants a closer look."""
        while self._shown < len(self.times):
            begin = self._shown
            end = min(begin + _CHUNK, len(self.times))
            now_ms = int(self._readings[begin - 1]) if begin else self._clock.now_ms
            clock = SourceClock(ClockState(now_ms, self.last_before(begin)))
            before = clock.now_ms
            readings = clock.read(self.times[begin:end])
            self._readings[begin:end] = readings
            self._shown = end
            earlier = np.concatenate(([before], readings[:-1]))
            for at in np.flatnonzero((earlier != NO_CLOCK_MS) & (readings - earlier > JUMP_MS)).tolist():
                level_ms = int(earlier[at])
                first = self._begin_of(begin + at, level_ms)
                if first is not None:
                    self._shown = begin + at + 1
                    yield first, level_ms
                    break

    def leave_out(self, begin: int, ahead: NDArray[np.bool_]) -> Int64s:
        """The rows ahead are gone, and the clock was never shown them; gives where they were at first."""
        gone = begin + np.flatnonzero(ahead)
        rows = self._row[gone]
        self.times, self.record, self._row, self._readings = (
            np.delete(one, gone) for one in (self.times, self.record, self._row, self._readings)
        )
        self._shown = begin
        return rows

    def _begin_of(self, at: int, level_ms: int) -> int | None:
        """The first of the rows that moved the clock and do not only follow a slow source."""
        first = max(at - WINDOW + 1, 0)
        times = np.concatenate((np.array(self._clock.last_ms, np.int64), self.times[: at + 1]))
        moved = (first + np.flatnonzero(self.times[first : at + 1] > level_ms + JUMP_MS)).tolist()
        return next((row for row in moved if not follows_slowly(times, row + len(times) - at - 1, JUMP_MS)), None)

    def last_before(self, row: int) -> tuple[int, ...]:
        """The times that a clock remembers before a row."""
        return (*self._clock.last_ms, *self.times[max(row - WINDOW, 0) : row].tolist())[-WINDOW:]
