"""Shards: a frame counts where it continues its source's chain, and time closes ticks."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.counts.rows import NO_CLOCK_MS, SHARDS, shard_of
from detectors.counts.snapshot import UnreadableSnapshotError
from detectors.parameters import HOUR_MS, Parameters
from stream.pipeline.chain import Applied
from stream.pipeline.composition import PIECE_BYTES_MAX, Shards
from tests.detectors.traffic import START_H, START_MS, TICK_MS, Request, day_of, frame_of

PARAMETERS = Parameters()
LATENESS_MS = PARAMETERS.lateness_ms


def shards_of(*sources, **told):
    return Shards(PARAMETERS, sources or ["s"], **told)


def requests_at(*minutes, account="a"):
    return [Request(account, START_MS + minute * 60_000) for minute in minutes]


def accepted(summaries):
    return {summary.tick - START_H * 12: summary.counters["accepted"] for summary in summaries}


def test_a_frame_that_continues_the_chain_is_applied():
    shards = shards_of()
    assert shards.apply(frame_of(requests_at(0, 1))) is Applied.APPLIED
    assert shards.position("s") == 1
    assert shards.apply(frame_of(requests_at(2), after=1)) is Applied.APPLIED
    assert shards.position("s") == 2


def test_a_frame_that_leaves_a_gap_is_refused_and_changes_nothing():
    shards = shards_of()
    shards.apply(frame_of(requests_at(0)))
    before = shards.snapshot()
    assert shards.apply(frame_of(requests_at(1), after=3, clock_ms=START_MS + HOUR_MS)) is Applied.GAP
    assert shards.snapshot() == before


def test_a_frame_that_came_before_is_a_repeat_and_counts_nothing():
    shards = shards_of()
    frame = frame_of(requests_at(0, 1))
    shards.apply(frame)
    assert shards.apply(frame) is Applied.REPEAT
    shards.apply(frame_of([], after=1, ended=True))
    assert accepted(shards.summaries())[0] == 2


def test_of_a_frame_that_overlaps_only_what_is_new_is_counted():
    shards = shards_of()
    shards.apply(frame_of(requests_at(0, 1)))
    assert shards.apply(frame_of(requests_at(0, 1, 2, 3), ended=True)) is Applied.APPLIED
    assert shards.position("s") == 3
    assert accepted(shards.summaries())[0] == 4


def test_a_repeat_that_ends_at_the_position_still_brings_its_clock():
    shards = shards_of()
    shards.apply(frame_of(requests_at(0)))
    assert shards.apply(frame_of([], after=0, clock_ms=START_MS + 5)) is Applied.REPEAT
    assert shards.clock_ms("s") == START_MS + 5


def test_a_clock_never_runs_back():
    shards = shards_of()
    shards.apply(frame_of(requests_at(0), clock_ms=START_MS + 100))
    shards.apply(frame_of(requests_at(0), after=0, clock_ms=START_MS + 50))
    assert shards.clock_ms("s") == START_MS + 100


def test_a_tick_closes_when_the_clock_has_passed_it_by_the_lateness():
    shards = shards_of()
    end_ms = START_MS + TICK_MS + LATENESS_MS
    shards.apply(frame_of(requests_at(0), clock_ms=end_ms - 1))
    assert shards.summaries() == []
    shards.apply(frame_of([], after=0, clock_ms=end_ms))
    assert accepted(shards.summaries()) == {0: 1}


def test_time_waits_for_the_slowest_source():
    shards = shards_of("fast", "slow")
    shards.apply(frame_of(requests_at(0), clock_ms=START_MS + HOUR_MS, source="fast"))
    assert shards.summaries() == []
    other = requests_at(1, account="b")
    shards.apply(frame_of(other, clock_ms=START_MS + TICK_MS + LATENESS_MS, source="slow"))
    assert accepted(shards.summaries()) == {0: 2}


def test_time_does_not_wait_for_an_idle_source_until_it_returns():
    shards = shards_of("busy", "idle")
    shards.apply(dataclasses.replace(frame_of([], source="idle"), idle=True))
    shards.apply(frame_of(requests_at(0), clock_ms=START_MS + TICK_MS + LATENESS_MS, source="busy"))
    assert accepted(shards.summaries()) == {0: 1}
    shards.apply(frame_of(requests_at(6), clock_ms=START_MS + LATENESS_MS, source="idle"))
    shards.apply(frame_of([], after=0, clock_ms=START_MS + HOUR_MS, source="busy"))
    assert shards.summaries() == []


def test_the_end_of_every_source_closes_everything_that_is_open():
    shards = shards_of("s", "t")
    shards.apply(frame_of(requests_at(0, 30), ended=True))
    assert shards.summaries() == []
    shards.apply(frame_of(requests_at(7, account="b"), source="t", ended=True))
    assert sum(accepted(shards.summaries()).values()) == 3


def test_nothing_is_told_of_the_time_before_the_first_request():
    """Else the cut of frames would decide how much history there seems to be."""
    shards = shards_of()
    shards.apply(frame_of(requests_at(0), clock_ms=START_MS + 5))
    assert shards.summaries() == []
    shards.apply(frame_of(requests_at(40), after=0, ended=True))
    assert min(accepted(shards.summaries())) == 0


def test_a_partition_without_accounts_tells_that_the_latest_tick_is_empty():
    shards = shards_of()
    shards.apply(frame_of([], clock_ms=START_MS + HOUR_MS))
    (only,) = shards.summaries()
    assert only.counters["accepted"] == 0
    assert (only.tick + 1) * TICK_MS == START_MS + HOUR_MS - LATENESS_MS


def test_every_tick_is_told_once_and_in_order_even_if_nothing_happened_in_it():
    shards = shards_of()
    shards.apply(frame_of(requests_at(0, 130), ended=True))
    ticks = [summary.tick for summary in shards.summaries()]
    assert ticks == list(range(START_H * 12, START_H * 12 + 27))
    assert shards.summaries() == []


def test_account_columns_come_with_the_last_tick_of_an_hour_and_with_no_other():
    shards = shards_of()
    shards.apply(frame_of(requests_at(0, 130), ended=True))
    assert [s.tick % 12 for s in shards.summaries() if s.accounts is not None] == [11, 11]


def test_a_late_request_is_counted_as_late_and_nowhere_else():
    shards = shards_of()
    late = Request("a", START_MS, clock_ms=START_MS + LATENESS_MS + 1)
    shards.apply(frame_of([late, *requests_at(20)], ended=True))
    assert shards.late == 1
    assert sum(accepted(shards.summaries()).values()) == 1


def test_a_partition_says_which_shards_live_in_it():
    parts = [shards_of(partition=p, partitions=12).shards for p in range(12)]
    assert sorted(shard for part in parts for shard in part) == list(range(SHARDS))
    assert all(shard % 12 == p for p, part in enumerate(parts) for shard in part)


@pytest.mark.parametrize("at", [0, 40, 90])
def test_a_restored_partition_goes_on_as_if_nothing_had_happened(at):
    requests = day_of(15, 3, rate=3.0)
    frames = [
        frame_of(requests[i : i + 1], after=i - 1, clock_ms=requests[i].at_ms if i > 16 else NO_CLOCK_MS)
        for i in range(len(requests))
    ]
    whole, moved = shards_of(), shards_of()
    seen, again = [], []
    for i, frame in enumerate(frames):
        if i == at:
            moved = Shards.restore(PARAMETERS, moved.snapshot())
        whole.apply(frame), moved.apply(frame)
        seen += whole.summaries()
        again += moved.summaries()
    assert accepted(seen) == accepted(again)
    assert whole.snapshot() == moved.snapshot()


def test_a_snapshot_comes_in_pieces_that_a_kafka_message_holds():
    shards = shards_of()
    rng = np.random.default_rng(1)
    many = [Request(f"{rng.integers(1 << 60):x}{rng.integers(1 << 60):x}", START_MS + i) for i in range(25_000)]
    shards.apply(frame_of(many, ended=True))
    shards.summaries()
    pieces = shards.snapshot()
    assert len(pieces) > 1
    assert max(map(len, pieces.values())) <= PIECE_BYTES_MAX
    assert Shards.restore(PARAMETERS, dict(reversed(pieces.items()))).snapshot() == pieces


def test_a_damaged_snapshot_is_refused_in_words():
    pieces = shards_of().snapshot()
    damaged = {name: data[:-1] + bytes([data[-1] ^ 1]) for name, data in pieces.items()}
    with pytest.raises(UnreadableSnapshotError, match="is damaged: its checksum does not match"):
        Shards.restore(PARAMETERS, damaged)


def test_an_account_lives_in_one_shard_for_ever():
    assert [shard_of(name) for name in ("acct_1", "acct_2", "é", "")] == [1, 187, 62, 0]
