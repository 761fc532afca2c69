"""The clock of a source follows the many and not the crazy, however its records are cut into batches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.counts.arrivals import WINDOW, ClockState, SourceClock, lower_median
from detectors.counts.rows import NO_CLOCK_MS

YEAR_9999 = 253_402_300_799_999
times = st.lists(st.integers(0, 60) | st.sampled_from([0, YEAR_9999]), max_size=80)


def naive(at_ms: list[int]) -> list[int]:
    """The definition, word by word."""
    readings = []
    for row in range(len(at_ms)):
        last = sorted(at_ms[max(0, row - WINDOW + 1) : row + 1])
        reading = last[7] if len(last) == WINDOW else NO_CLOCK_MS
        readings.append(max([reading, *readings[-1:]]))
    return readings


def read(at_ms: list[int], clock: SourceClock | None = None) -> list[int]:
    return (clock or SourceClock()).read(np.array(at_ms, np.int64)).tolist()


@given(times)
def test_it_equals_the_definition(at_ms):
    assert read(at_ms) == naive(at_ms)


@given(times, st.lists(st.integers(0, 80), max_size=8))
def test_it_does_not_depend_on_the_cut_into_batches(at_ms, cuts):
    clock = SourceClock()
    edges = [0, *sorted(min(cut, len(at_ms)) for cut in cuts), len(at_ms)]

    readings = [one for begin, end in pairwise(edges) for one in read(at_ms[begin:end], clock)]

    assert readings == read(at_ms)
    whole = SourceClock()
    read(at_ms, whole)
    assert clock.state == whole.state


@given(times, st.integers(0, 80))
def test_it_goes_on_from_its_state(at_ms, cut):
    first = SourceClock()
    before = read(at_ms[:cut], first)

    assert before + read(at_ms[cut:], SourceClock(first.state)) == read(at_ms)


def test_it_has_no_reading_before_16_times():
    assert read(list(range(16)))[14:] == [NO_CLOCK_MS, 7]


def test_nine_times_of_sixteen_move_it_and_eight_do_not():
    assert read([5] * 8 + [YEAR_9999] * 8)[-1] == 5
    assert read([5] * 7 + [YEAR_9999] * 9)[-1] == YEAR_9999


def test_one_crazy_time_moves_it_nowhere_wherever_it_comes():
    for place in range(40):
        at_ms = list(range(40))
        at_ms[place] = YEAR_9999
        assert max(read(at_ms)) < 40


def test_an_honest_gap_moves_it_after_nine_records():
    readings = read([0] * 30 + [86_400_000] * 12)

    assert readings[30 + 7] == 0
    assert readings[30 + 8] == 86_400_000


def test_it_never_runs_back():
    assert read([100] * 16 + [0] * 30)[-1] == 100


def test_where_nothing_follows_fewer_than_16_times_their_lower_median_is_its_reading():
    clock = SourceClock()
    read([30, 10, YEAR_9999, 20], clock)

    assert clock.now_ms == NO_CLOCK_MS
    assert clock.settled_ms() == 20


def test_settled_it_says_what_it_read_and_nothing_where_it_read_nothing():
    assert SourceClock(ClockState(77, (99, 98))).settled_ms() == 77
    assert SourceClock().settled_ms() == NO_CLOCK_MS


def test_a_batch_larger_than_what_is_sorted_at_once_is_read_alike():
    at_ms = np.random.default_rng(1).integers(0, 10**6, 30_000) + np.arange(30_000) * 1_000
    clock, readings = SourceClock(), []
    for begin in range(0, len(at_ms), 7):
        readings.append(clock.read(at_ms[begin : begin + 7]))

    np.testing.assert_array_equal(SourceClock().read(at_ms), np.concatenate(readings))


def test_the_lower_median_of_an_even_number_is_the_lower_of_the_two():
    assert [lower_median(list(range(n))) for n in (1, 2, 3, 4, 16)] == [0, 0, 1, 1, 7]
