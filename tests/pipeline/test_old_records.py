"""One very old record before a source has a clock, and a log that begins long before it goes on: what closes then?"""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from detectors.parameters import HOUR_MS, Parameters
from stream.detect.engine import ShardsEngine
from stream.ingest.deliver import messages_of
from stream.pipeline.composition import TICKS_AT_ONCE
from stream.pipeline.embedded import Embedded
from stream.pipeline.encode import Encoder
from stream.pipeline.frames import decode_summary
from tests.detectors.traffic import START_MS, TICK_MS

PARAMETERS = Parameters()
YEAR_MS = 365 * 24 * HOUR_MS
SOURCES = ("requests[0]", "requests[1]")
PARTITIONS = 3


def record(number: int, at_ms: int) -> bytes:
    return json.dumps(
        {"event_id": f"e{number}", "timestamp": at_ms, "account_id": f"a{number % 9}", "model": "atlas-4"}
    ).encode()


def log_of(source: int, *first_ms: int) -> list[bytes]:
    """Records at these times, and then one every 20 s for two hours."""
    times = [*first_ms, *range(START_MS + source * 1_000, START_MS + 2 * HOUR_MS, 20_000)]
    return [record(1_000 * source + number, at_ms) for number, at_ms in enumerate(times)]


class Told:
    """What is judged: requests by tick, each tick that was told, and how many were late."""

    def __init__(self):
        self.accepted: Counter[int] = Counter()
        self.ticks: set[int] = set()
        self.late = 0

    def apply(self, summary):
        self.ticks.add(summary.tick)
        self.accepted[summary.tick] += summary.counters["accepted"]
        return []

    @property
    def as_plain(self):
        return self.late, +self.accepted


def by_backtest(logs: list[list[bytes]]) -> Told:
    told = Told()
    embedded = Embedded(PARAMETERS, SOURCES, told)
    for source, raws in zip(SOURCES, logs, strict=True):
        embedded.read(source, raws, range(len(raws)))
        embedded.advance(source)
    for source in SOURCES:
        embedded.advance(source, ended=True)
    told.late = embedded.shards.late
    return told


def by_stages(logs: list[list[bytes]], seed: int) -> tuple[Told, list[int]]:
    """Through the messages of frames that are cut anywhere; and how many summaries came of each step."""
    draw, told, steps = random.Random(seed), Told(), []
    engines = [ShardsEngine(PARAMETERS, SOURCES, at, PARTITIONS, {}) for at in range(PARTITIONS)]
    encoders, read = [Encoder(source) for source in SOURCES], [0, 0]
    ended = [False, False]
    while not all(ended):
        at = draw.choice([n for n in (0, 1) if not ended[n]])
        upto = min(read[at] + draw.randint(1, 60), len(logs[at]))
        encoders[at].read(logs[at][read[at] : upto], range(read[at], upto))
        ended[at], read[at] = upto == len(logs[at]), upto
        for partition, message in messages_of(encoders[at].flush(ended=ended[at]), PARTITIONS):
            step = engines[partition].apply(0, message)
            while True:
                steps.append(len(step.outputs))
                for output in step.outputs:
                    told.apply(decode_summary(output.value))
                if step.rest is None:
                    break
                step = step.rest()
    told.late = sum(engine.shards.late for engine in engines)
    return told, steps


@pytest.mark.parametrize("seed", range(6))
def test_a_record_from_years_before_is_late_and_does_not_begin_time(seed):
    logs = [log_of(0, START_MS - 9 * YEAR_MS), log_of(1)]

    told, steps = by_stages(logs, seed)
    replayed = by_backtest(logs)

    assert told.as_plain == replayed.as_plain
    assert told.late == 1
    assert min(replayed.ticks) == min(told.ticks) == START_MS // TICK_MS
    assert len(told.ticks) <= 2 * HOUR_MS // TICK_MS + 1
    assert sum(steps) <= PARTITIONS * len(told.ticks)


@pytest.mark.parametrize("seed", range(3))
def test_where_the_log_does_begin_long_before_what_lies_between_is_told_an_hour_at_once(seed):
    """Nine of the first sixteen are no accident: history begins there. No step holds all of the time since."""
    before = [START_MS - 60 * HOUR_MS + i for i in range(9)]
    logs = [log_of(0, *before), log_of(1)]

    told, steps = by_stages(logs, seed)

    assert told.as_plain == by_backtest(logs).as_plain
    assert told.late == 0
    assert told.accepted[before[0] // TICK_MS] == 9
    assert len(told.ticks) >= 62 * HOUR_MS // TICK_MS - 1
    assert max(steps) == TICKS_AT_ONCE


def test_a_state_that_was_stored_between_two_steps_closes_the_rest_with_the_next_frame():
    before = [START_MS - 60 * HOUR_MS + i for i in range(9)]
    raws = log_of(0, *before)
    encoder, engine = Encoder("s"), ShardsEngine(PARAMETERS, ["s"], 0, 1, {})
    encoder.read(raws[:-1], range(len(raws) - 1))
    ((_, message),) = messages_of(encoder.flush(), 1)
    step = engine.apply(0, message)
    again = ShardsEngine(PARAMETERS, ["s"], 0, 1, engine.snapshot())
    encoder.read(raws[-1:], [len(raws) - 1])
    ((_, last),) = messages_of(encoder.flush(), 1)
    whole = [step := step.rest() for _ in range(3)]

    assert [one.value for one in again.apply(1, last).outputs] == [one.value for one in whole[0].outputs]
    assert again.shards.is_behind
