"""Does correlate take summaries in order, once, wait for a missing shard, and go on without it in the end?"""

from __future__ import annotations

import time
from dataclasses import replace

import msgspec
import pytest

from stream.configuration.settings import Settings
from stream.correlate.engine import FleetEngine
from stream.correlate.knowledge import Known
from stream.pipeline import envelope
from stream.pipeline.chain import Applied
from stream.pipeline.composition import Shards
from stream.pipeline.encode import Encoder
from stream.pipeline.frames import decode_summary, encode_summary, split_frame, summary_content
from stream.telemetry import metrics

PARAMETERS = Settings().parameters
START_MS = 1_772_362_800_000
MISSING_S = 600.0


def summaries(partitions: int = 2, minutes: int = 60) -> list[list[bytes]]:
    """By partition, the summaries of a log with two requests a minute."""
    encoder = Encoder("r[0]")
    records = [
        {"event_id": f"e{n}", "timestamp": START_MS + 30_000 * n, "account_id": f"acct_{n % 40}", "model": "atlas-3"}
        for n in range(2 * minutes)
    ]
    encoder.read([msgspec.json.encode(record) for record in records], range(len(records)))
    frame = encoder.flush()
    found = []
    for partition, part in enumerate(split_frame(frame, partitions)):
        shards = Shards(PARAMETERS, ["r[0]"], partition, partitions)
        shards.apply(part)
        found.append([encode_summary(summary) for summary in shards.summaries()])
    return found


def an_engine(pieces=None, now_s=lambda: 0.0, wall_s=time.time) -> FleetEngine:
    return FleetEngine(PARAMETERS, lambda: Known({}, (), ()), 0, pieces or {}, MISSING_S, now_s, wall_s=wall_s)


def test_a_summary_that_was_left_out_is_a_gap_and_one_that_comes_again_a_repeat():
    engine = an_engine()
    first, second, *_ = summaries(partitions=1)[0]

    outcomes = [engine.apply(offset, raw).outcome for offset, raw in ((0, first), (2, second), (0, first), (1, second))]

    assert outcomes == [Applied.APPLIED, Applied.GAP, Applied.REPEAT, Applied.APPLIED]


def test_a_copy_with_another_content_is_a_conflict_however_it_is_compressed(monkeypatch):
    engine = an_engine()
    (first, *_) = summaries(partitions=1)[0]
    with monkeypatch.context() as patched:
        patched.setattr(envelope, "_LEVEL", 19)
        same = envelope.seal(summary_content(first)[1], first[0], first[1])
    assert same != first
    seen = {name: metrics.value("swerve_summaries_total", result=name) for name in ("first", "repeat", "conflict")}
    decoded = decode_summary(first)
    decoded.counters["accepted"] += 1

    requests = metrics.value("swerve_records_accepted_total", stage="correlate") or 0
    for offset, raw in enumerate((first, same, encode_summary(decoded))):
        engine.apply(offset, raw)

    counted = decode_summary(first).counters["accepted"]
    assert metrics.value("swerve_records_accepted_total", stage="correlate") == requests + counted > requests
    for name in seen:
        assert metrics.value("swerve_summaries_total", result=name) == seen[name] + 1, name


def test_a_stored_engine_goes_on_where_it_stood():
    engine = an_engine()
    (one,) = summaries(partitions=1)
    for offset, raw in enumerate(one[:3]):
        engine.apply(offset, raw)

    other = an_engine(engine.snapshot())

    assert other.position == 3
    assert other.fleet.at_ms == engine.fleet.at_ms
    assert other.apply(3, one[3]).outcome is Applied.APPLIED


def test_what_people_say_holds_from_the_next_tick_that_is_judged():
    known = [Known({}, (), ())]
    engine = FleetEngine(PARAMETERS, lambda: known[0], 0, {})
    first, second, *_ = summaries(partitions=1)[0]
    seen = []
    engine.fleet.on_tick = lambda judged: seen.append((judged.at_ms, dict(engine.fleet.judge.released_ms)))

    engine.apply(0, first)
    known[0] = Known({"atlas-4": START_MS}, (), ())
    engine.apply(1, second)

    tick_ms = PARAMETERS.tick_ms
    assert [at_ms - START_MS // tick_ms * tick_ms for at_ms, _ in seen] == [tick_ms, 2 * tick_ms]
    assert [released for _, released in seen] == [{}, {"atlas-4": START_MS}]


def test_a_tick_waits_for_every_shard():
    engine = an_engine()
    one, _ = summaries()

    for offset, raw in enumerate(one):
        engine.apply(offset, raw)

    assert engine.fleet.at_ms == 0


def test_a_shard_that_stays_silent_is_given_up_and_the_partial_ticks_counted():
    now = [0.0]
    engine = an_engine(now_s=lambda: now[0])
    one, other = summaries()
    before = metrics.value("swerve_partial_ticks_total")
    for offset, raw in enumerate(one[:3]):
        engine.apply(offset, raw)
    now[0] = MISSING_S + 1.0

    engine.apply(3, one[3])
    judged_ms = engine.fleet.at_ms
    late = engine.apply(4, other[0])

    assert judged_ms > START_MS
    assert metrics.value("swerve_partial_ticks_total") - before == 4
    # What comes too late for its tick changes nothing any more.
    assert late.outcome is Applied.APPLIED
    assert engine.fleet.at_ms == judged_ms


@pytest.mark.parametrize("silent_s", [0.0, MISSING_S - 1.0])
def test_a_shard_that_is_only_slow_is_waited_for(silent_s):
    now = [0.0]
    engine = an_engine(now_s=lambda: now[0])
    one, other = summaries()
    engine.apply(0, one[0])
    now[0] = silent_s
    engine.apply(1, one[1])

    engine.apply(2, other[0])

    assert engine.fleet.at_ms == (START_MS // PARAMETERS.tick_ms + 1) * PARAMETERS.tick_ms


def test_after_a_pause_of_the_whole_fleet_nobody_is_given_up():
    now = [0.0]
    engine = an_engine(now_s=lambda: now[0])
    one, other = summaries()
    engine.apply(0, one[0])
    engine.apply(1, other[0])
    judged_ms = engine.fleet.at_ms
    now[0] = 10 * MISSING_S

    engine.apply(2, one[1])

    assert engine.fleet.at_ms == judged_ms


def dated(raw: bytes, ticks: int) -> bytes:
    """The same summary, of so many ticks later."""
    summary = decode_summary(raw)
    return encode_summary(replace(summary, tick=summary.tick + ticks))


def set_aside() -> float:
    return metrics.value("swerve_messages_set_aside_total", stage="correlate") or 0.0


def judged(engine: FleetEngine, raws: list[bytes]) -> list[int]:
    """The ends of the ticks that were judged, and how many summaries each had."""
    seen: list[tuple[int, int]] = []
    engine.fleet.on_tick = lambda one: seen.append((one.at_ms, len(one.summaries)))
    for offset, raw in enumerate(raws, engine.position):
        engine.apply(offset, raw)
    return seen


def test_a_summary_dated_days_ahead_of_the_day_is_set_aside_and_its_shards_are_heard_on():
    one, other = summaries()
    both = [raw for pair in zip(one, other, strict=True) for raw in pair]
    false = dated(one[3], 3 * 288)
    before = set_aside()

    day_s = (START_MS + 3_600_000) / 1000
    assert judged(an_engine(wall_s=lambda: day_s), [*both[:4], false, *both[4:]]) == judged(an_engine(), both)
    assert set_aside() - before == 1


@pytest.mark.parametrize("at", [4, 5])
def test_a_summary_dated_days_ahead_in_an_old_log_is_taken_back_by_the_next_of_its_shards(at):
    """There the day tells nothing. What was judged meanwhile went without them, and that is told."""
    one, other = summaries()
    both = [raw for pair in zip(one, other, strict=True) for raw in pair]
    whole = judged(an_engine(), both)
    if at % 2:  # the other shards had told of the tick already: it was judged at once
        whole[2] = (whole[2][0], 1)
    before = set_aside()

    assert judged(an_engine(), [*both[:at], dated(both[at], 3 * 288), *both[at:]]) == whole
    assert set_aside() - before == 1


def test_a_restart_does_not_believe_a_jump_for_good():
    one, other = summaries()
    both = [raw for pair in zip(one, other, strict=True) for raw in pair]
    engine = an_engine()
    first = judged(engine, [*both[:4], dated(both[4], 3 * 288)])
    again = an_engine(engine.snapshot())

    assert first + judged(again, both[4:]) == judged(an_engine(), both)


def test_a_stored_engine_knows_what_was_judged_and_takes_nothing_back_for_it():
    one, other = summaries()
    both = [raw for pair in zip(one, other, strict=True) for raw in pair]
    engine = an_engine()
    judged(engine, both[:-1])
    again = an_engine(engine.snapshot())
    before = set_aside()

    assert judged(again, [*both[4:8], both[-1]]) == judged(an_engine(), both)[-1:]
    assert set_aside() == before


def test_a_topic_that_was_made_anew_is_judged_on_and_the_ticks_in_between_are_told():
    one, other = summaries(minutes=120)
    both = [raw for pair in zip(one, other, strict=True) for raw in pair]
    engine = an_engine()
    judged(engine, both[:8])
    again = an_engine(engine.snapshot())
    again.begin_anew()
    before = metrics.value("swerve_records_deleted_unread_total", stage="correlate") or 0.0

    assert len(judged(again, both[14:])) == len(one) - 7 > 0
    assert (metrics.value("swerve_records_deleted_unread_total", stage="correlate") or 0.0) - before == 3
