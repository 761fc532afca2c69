"""Accounts that come back about when they are forgotten: the same counts, to the bit, whatever the cut of frames."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from detectors.counts.rows import NO_CLOCK_MS
from detectors.counts.summary import Summary
from detectors.fleet import joined
from detectors.parameters import HOUR_MS, Parameters
from stream.pipeline.chain import Applied
from stream.pipeline.composition import Shards
from stream.pipeline.frames import encode_summary, split_frame
from stream.pipeline.messages.join import Join
from tests.detectors.columns import same_columns
from tests.detectors.traffic import START_MS, Request, frame_of

PARAMETERS = Parameters(forget_after_h=25)
PAUSES_H = (24, 25, 26, 27, 28, 30)


def traffic() -> list[Request]:
    """Forty accounts are always there; others come, pause for about as long as they are remembered, and come back."""
    said = (("org", "o1"), ("payment", "p1"))
    always = [Request(f"always{n % 40}", START_MS + n * HOUR_MS // 12) for n in range(12 * 60)]
    pausing = [
        Request(f"p{pause}-{at}", START_MS + at * 300_000 + after, attributes=said, model="atlas-3" if after else "m0")
        for pause in PAUSES_H
        for at in (0, 7, 11)
        for after in (0, 60_000, pause * HOUR_MS, (pause + 1) * HOUR_MS)
    ]
    return sorted([*always, *pausing], key=lambda one: (one.at_ms, one.account))


REQUESTS = traffic()


def told(cuts: set[int]) -> list[bytes]:
    """The summaries of all requests, cut there."""
    shards, out = Shards(PARAMETERS, ["s"]), []
    for a, b in itertools.pairwise([0, *sorted(cuts), len(REQUESTS)]):
        clock_ms = REQUESTS[b - 16].at_ms if b >= 16 else NO_CLOCK_MS
        frame = frame_of(REQUESTS[a:b], after=a - 1, clock_ms=clock_ms, ended=b == len(REQUESTS))
        assert shards.apply(frame) is Applied.APPLIED
        out += [encode_summary(one) for one in shards.summaries()]
    assert shards.accounts.evicted > 5
    return out


WHOLE = told(set())


def in_partitions(partitions: int, size: int) -> dict[int, list[Summary]]:
    """The whole ticks of frames of so many requests, divided by account."""
    parts = [Shards(PARAMETERS, ["s"], at, partitions) for at in range(partitions)]
    join, ticks = Join(), {}
    for a in range(0, len(REQUESTS), size):
        b = min(a + size, len(REQUESTS))
        clock_ms = REQUESTS[b - 16].at_ms if b >= 16 else NO_CLOCK_MS
        frame = frame_of(REQUESTS[a:b], after=a - 1, clock_ms=clock_ms)
        for part, split in zip(parts, split_frame(frame, partitions), strict=True):
            part.apply(split)
            for summary in part.summaries():
                ticks.update(join.add(summary))
    return ticks


@pytest.mark.parametrize("partitions", [3, 8])
def test_who_is_forgotten_does_not_depend_on_who_shares_a_partition(partitions):
    """Rows are given up a twentieth at once, which is another moment in every partition."""
    whole, split = in_partitions(1, 50), in_partitions(partitions, 50)
    hours = [tick for tick, (one,) in whole.items() if one.accounts is not None]

    assert len(hours) > 50
    for tick in hours:
        parts = [one.accounts for one in split[tick] if one.accounts is not None]
        same_columns(joined(parts), whole[tick][0].accounts)


@pytest.mark.parametrize("size", [1, 5, 50])
def test_frames_of_any_size_tell_the_same(size):
    assert told(set(range(size, len(REQUESTS), size))) == WHOLE


@settings(max_examples=10, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.sets(st.integers(1, len(REQUESTS) - 1), max_size=12))
def test_any_cut_tells_the_same(cuts):
    assert told(cuts) == WHOLE
