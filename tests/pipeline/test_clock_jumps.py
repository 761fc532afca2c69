"""Records a day ahead, or of the year 9999, from one of many hosts: does anybody else become late?"""

from __future__ import annotations

import random
import time

import pytest

from detectors.counts.arrivals import ClockState
from detectors.parameters import HOUR_MS
from stream.pipeline.embedded import Embedded
from stream.pipeline.encode import Encoder
from tests.detectors.traffic import START_MS, TICK_MS
from tests.pipeline.test_old_records import PARAMETERS, SOURCES, Told, by_backtest, by_stages, record

DAY_MS = 24 * HOUR_MS
YEAR_9999 = 253_370_764_800_000
EVERY_MS = 10_000


def honest(first_ms: int, count: int = 1_500) -> list[int]:
    return list(range(first_ms, first_ms + count * EVERY_MS, EVERY_MS))


def raws_of(times: list[int], begin: int = 0) -> list[bytes]:
    return [record(begin + number, at_ms) for number, at_ms in enumerate(times)]


def with_run(ahead_ms: list[int], at: int = 700) -> list[list[bytes]]:
    """Two logs; in the first somebody's records come in between, in one run."""
    times = honest(START_MS)
    return [raws_of(times[:at] + ahead_ms + times[at:]), raws_of(honest(START_MS + 1_000), 10_000)]


RUNS = {
    "nine a day ahead": [START_MS + DAY_MS + i for i in range(9)],
    "a batch six days ahead": [START_MS + 6 * DAY_MS + i for i in range(200)],
    "of the year 9999": [YEAR_9999 + i for i in range(9)],
    "twenty minutes ahead": [START_MS + 7_000_000 + 1_200_000 + i for i in range(9)],
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("run", RUNS)
def test_a_run_ahead_is_refused_and_makes_nobody_late_however_the_log_is_cut(run, seed):
    logs = with_run(RUNS[run])
    told, _ = by_stages(logs, seed)
    replayed = by_backtest(logs)

    assert told.as_plain == replayed.as_plain
    assert told.late == 0
    assert sum(told.accepted.values()) == 3_000
    assert max(told.ticks) <= (START_MS + 1_500 * EVERY_MS) // TICK_MS


@pytest.mark.parametrize("count", [9, 40, 600])
def test_a_log_that_pauses_for_a_day_goes_on(count):
    logs = [raws_of(honest(START_MS) + honest(START_MS + DAY_MS + HOUR_MS, count)), raws_of(honest(START_MS), 10_000)]
    told, _ = by_stages(logs, 1)

    assert told.as_plain == by_backtest(logs).as_plain
    assert (told.late, sum(told.accepted.values())) == (0, 3_000 + count)


def test_time_goes_on_after_a_pause_before_the_log_has_ended():
    """Of a busy source half a thousand records suffice; of a quiet one some that span a quarter of an hour."""
    busy, quiet = Encoder("busy"), Encoder("quiet")
    for encoder, after, every_ms in ((busy, 600, 10), (quiet, 60, 60_000)):
        pause_ms = START_MS + DAY_MS
        raws = raws_of(honest(START_MS, 100) + [pause_ms + i * every_ms for i in range(after)])
        encoder.read(raws, range(len(raws)))

        assert encoder.flush().clock_ms >= pause_ms


def test_a_run_that_nothing_has_decided_on_waits_and_holds_only_itself():
    encoder = Encoder("s")
    raws = raws_of(honest(START_MS, 100) + [START_MS + DAY_MS] * 20)
    encoder.read(raws, range(120))
    frame = encoder.flush()

    assert frame.clock_ms <= START_MS + 100 * EVERY_MS
    assert (len(frame.rows), frame.refused) == (100 - 16, {})


class TestWhereThereIsATimeOfDay:
    """Ingest and watch say what time it is: what lies an hour ahead of it is wrong, were it all that comes."""

    def flushed(self, encoder, times, received_ms, first=0):
        encoder.read(raws_of(times, first), range(first, first + len(times)))
        return encoder.flush(received_ms=received_ms)

    def test_a_source_of_nothing_else_gets_no_clock(self):
        encoder = Encoder("s")
        frame = self.flushed(encoder, [START_MS + DAY_MS + i for i in range(5_000)], START_MS)

        assert (len(frame.rows), frame.refused) == (0, {"impossible_time": 5_000})
        assert encoder.clock_state == ClockState()
        assert f"the time of day, which is {START_MS}" in encoder.refusals()[0].detail

    def test_the_clock_does_not_pass_it_by_records_of_less_than_an_hour_ahead(self):
        encoder = Encoder("s")
        frame = self.flushed(encoder, [START_MS + HOUR_MS - 5_000 + i for i in range(50)], START_MS)

        assert (len(frame.rows), frame.clock_ms) == (50 - 16, START_MS)

    def test_honest_records_between_those_ahead_are_counted(self):
        encoder = Encoder("s")
        times = [START_MS + i * 1_000 + (DAY_MS if i % 3 else 0) for i in range(300)]
        frame = self.flushed(encoder, times, START_MS + 300_000)

        assert len(frame.rows) == 100 - 16
        assert frame.refused["impossible_time"] == frame.upto + 1 - len(frame.rows)

    def test_the_past_is_read_as_without_one(self):
        with_it, without = Told(), Told()
        logs = with_run(RUNS["nine a day ahead"])
        for told, received_ms in ((with_it, int(time.time() * 1000)), (without, None)):
            embedded = Embedded(PARAMETERS, SOURCES, told)
            for ended in (False, True):
                for source, raws in zip(SOURCES, logs, strict=True):
                    if not ended:
                        embedded.read(source, raws, range(len(raws)))
                    embedded.advance(source, ended=ended, received_ms=received_ms)

        assert with_it.as_plain == without.as_plain


def test_runs_without_end_cost_a_bounded_time():
    """After every thirty records a run: each is looked at once, and not the rest of the batch with it."""
    draw = random.Random(3)
    times = [START_MS + i * 100 + (DAY_MS * draw.randint(1, 9) if i % 40 >= 30 else 0) for i in range(40_000)]
    encoder = Encoder("s")
    encoder.read(raws_of(times), range(len(times)))
    begun_s = time.process_time()
    frame = encoder.flush(ended=True)

    assert time.process_time() - begun_s < 5
    assert frame.refused["impossible_time"] >= 9_990  # the last run ends the log: nothing says that it is wrong
    assert len(frame.rows) + frame.refused["impossible_time"] == 40_000
