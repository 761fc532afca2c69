"""What time is it in a source? A clock that follows event time and cannot be set by a few crazy records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from detectors.counts.rows import NO_CLOCK_MS

WINDOW = 16  # records; nine of them move the clock, eight do not
_LOWER_MEDIAN = (WINDOW - 1) // 2
_CHUNK = 8192  # rows sorted at once: 8192 * 16 * 8 bytes = 1 MiB


def lower_median(times_ms: Sequence[int]) -> int:
    """The middle one, of an even number the lower of the two; of at least one time.

    >>> lower_median([5, 1, 9, 7])
    5
    """
    return sorted(times_ms)[(len(times_ms) - 1) // 2]


@dataclass(frozen=True, slots=True)
class ClockState:
    """All that a clock remembers: its reading (NO_CLOCK_MS before it has one) and the last, at most 16, times."""

    now_ms: int = NO_CLOCK_MS
    last_ms: tuple[int, ...] = ()


class SourceClock:
    """The clock of one source: running maximum of the lower median of the last 16 times that it was shown.

    It has no reading until it was shown 16 times. What it says at a row depends on the rows before, never on how they
    were cut into batches. One crazy time, the first included, does not move it; after an honest gap half a window does.

    >>> clock = SourceClock()
    >>> clock.read(np.array([250_000_000_000_000] + [1_000 + i for i in range(15)]))[-1].item()
    1007
    >>> clock.now_ms
    1007
    """

    def __init__(self, state: ClockState | None = None) -> None:
        self.state = state if state is not None else ClockState()

    @property
    def now_ms(self) -> int:
        """The reading after the last row, or NO_CLOCK_MS."""
        return self.state.now_ms

    def settled_ms(self) -> int:
        """The reading, or the lower median of fewer than 16 times where nothing follows them; NO_CLOCK_MS for none."""
        if self.state.now_ms != NO_CLOCK_MS or not self.state.last_ms:
            return self.state.now_ms
        return lower_median(self.state.last_ms)

    def read(self, at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Shows the times of a batch; the reading at each of its rows. O(rows), about 0.2 us each."""
        seen = np.concatenate([np.array(self.state.last_ms, np.int64)[-(WINDOW - 1) :], at_ms.astype(np.int64)])
        now_ms = np.full(len(at_ms), self.state.now_ms, np.int64)
        medians = _lower_medians(seen)
        if len(medians):
            now_ms[-len(medians) :] = np.maximum(np.maximum.accumulate(medians), self.state.now_ms)
        if len(at_ms):
            last = np.concatenate([np.array(self.state.last_ms, np.int64), at_ms[-WINDOW:]])[-WINDOW:]
            self.state = ClockState(int(now_ms[-1]), tuple(last.tolist()))
        return now_ms


def _lower_medians(times: NDArray[np.int64]) -> NDArray[np.int64]:
    """The lower median of every 16 consecutive times; empty for fewer."""
    if len(times) < WINDOW:
        return np.zeros(0, np.int64)
    windows = sliding_window_view(times, WINDOW)
    chunks = [
        np.partition(windows[begin : begin + _CHUNK], _LOWER_MEDIAN, axis=1)[:, _LOWER_MEDIAN]
        for begin in range(0, len(windows), _CHUNK)
    ]
    return np.concatenate(chunks)
