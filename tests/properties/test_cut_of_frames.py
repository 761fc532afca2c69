"""Whatever cuts a source into frames, repeats them or divides the accounts: the same counts, to the bit."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from detectors.fleet import joined
from detectors.parameters import Parameters
from stream.pipeline.chain import Applied
from stream.pipeline.composition import Shards
from stream.pipeline.frames import encode_summary, split_frame
from stream.pipeline.messages.join import Join
from tests.detectors.columns import same_columns
from tests.detectors.traffic import day_of, frame_of

PARAMETERS = Parameters()
REQUESTS = day_of(40, 3, rate=3.0, seed=9)


def clock_at(offset):
    """As an encoder would say it: what lies 16 records back is surely passed."""
    return REQUESTS[offset - 16].at_ms if offset >= 16 else -(1 << 62)


def frames_of(cuts):
    bounds = [0, *sorted(cuts), len(REQUESTS)]
    return [
        frame_of(REQUESTS[a:b], after=a - 1, clock_ms=clock_at(b - 1), ended=b == len(REQUESTS))
        for a, b in itertools.pairwise(bounds)
        if b > a
    ]


def run(frames):
    shards, out = Shards(PARAMETERS, ["s"]), []
    for frame in frames:
        assert shards.apply(frame) is not Applied.GAP
        out += shards.summaries()
    return shards, out


WHOLE = [encode_summary(one) for one in run(frames_of([]))[1]]
QUICK = [Phase.explicit, Phase.reuse, Phase.generate]  # a run is too slow to be shrunk
CUTS = st.sets(st.integers(1, len(REQUESTS) - 1), max_size=12)


@settings(max_examples=12, phases=QUICK)
@given(CUTS)
def test_the_cut_of_frames_changes_no_byte_of_any_summary(cuts):
    assert [encode_summary(one) for one in run(frames_of(cuts))[1]] == WHOLE


@settings(max_examples=12, phases=QUICK)
@given(CUTS, CUTS, st.integers(0, 11))
def test_a_crash_after_which_another_cut_is_sent_from_the_start_changes_no_byte(first, second, survived):
    frames = frames_of(first)
    before = frames[: survived + 1] if survived + 1 < len(frames) else frames[:-1]
    assert [encode_summary(one) for one in run([*before, *frames_of(second)])[1]] == WHOLE


@settings(max_examples=8, phases=QUICK)
@given(CUTS, st.data())
def test_frames_lost_before_a_gap_is_noticed_come_again_from_the_position(cuts, data):
    """Refuse and seek back: what arrives in any order counts as if it had come in order."""
    frames = frames_of(cuts)
    shards, out, at = Shards(PARAMETERS, ["s"]), [], 0
    while at < len(frames):
        # An empty state begins wherever its first frame does; only from then on is there something to continue.
        jumped = data.draw(st.integers(at, min(at + 2, len(frames) - 1))) if at else 0
        applied = shards.apply(frames[jumped])
        assert (applied is Applied.GAP) == (jumped > at)
        if applied is not Applied.GAP:
            at += 1
        out += shards.summaries()
    assert [encode_summary(one) for one in out] == WHOLE


@pytest.mark.parametrize("partitions", [2, 12, 256])
def test_many_partitions_joined_are_one(partitions):
    """Ticks that close while the source goes on: at its end each partition closes what it has."""
    parts = [Shards(PARAMETERS, ["s"], p, partitions) for p in range(partitions)]
    join, ticks = Join(), []
    for frame in frames_of({50, 200, 320}):
        frame = dataclasses.replace(frame, ended=False)
        for part, split in zip(parts, split_frame(frame, partitions), strict=True):
            part.apply(split)
            for summary in part.summaries():
                ticks += join.add(summary)
    joined_ticks = {tick: summaries for tick, summaries in ticks if tick >= REQUESTS[0].at_ms // PARAMETERS.tick_ms}
    _, whole = run([dataclasses.replace(frame, ended=False) for frame in frames_of(set())])
    assert len(whole) > 24
    assert list(joined_ticks) == [one.tick for one in whole]
    for one in whole:
        split = joined_ticks[one.tick]
        assert sum(s.counters["accepted"] for s in split) == one.counters["accepted"]
        assert fleet_counts(split) == fleet_counts([one])
        if one.accounts is not None:
            same_columns(joined([s.accounts for s in split if s.accounts is not None]), one.accounts)


def fleet_counts(summaries):
    """(cohort, target) -> requests, over all partitions."""
    out = {}
    for summary in summaries:
        c = summary.cohorts
        for at, target, count in zip(c.at.tolist(), c.target.tolist(), c.count.tolist(), strict=True):
            key = c.cohorts[at], c.targets[target]
            out[key] = out.get(key, 0) + count
    return out
