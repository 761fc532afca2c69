"""Join: partitions' summaries of a tick come together, each counted once, in the order of ticks."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.rows import SHARDS
from detectors.counts.summary import CohortCounts, Summary
from stream.pipeline.messages.join import Join

EMPTY = CohortCounts((), (), *(np.zeros(0, np.int64) for _ in range(5)))


def summary(tick, partition=0, partitions=1):
    return Summary(tick, tuple(range(partition, SHARDS, partitions)), {}, EMPTY, None)


def ticks_of(ready):
    return [tick for tick, _ in ready]


def test_a_single_partition_is_whole_at_once():
    join = Join()
    assert ticks_of(join.add(summary(5))) == [5]
    assert ticks_of(join.add(summary(6))) == [6]


def test_a_tick_waits_for_every_partition():
    join = Join()
    assert join.add(summary(5, 0, 2)) == []
    ((tick, parts),) = join.add(summary(5, 1, 2))
    assert tick == 5
    assert [part.shards[0] for part in parts] == [0, 1]


def test_a_partition_that_is_ahead_waits_and_what_is_whole_comes_oldest_first():
    join = Join()
    for tick in (5, 6, 7):
        assert join.add(summary(tick, 0, 2)) == []
    assert ticks_of(join.add(summary(5, 1, 2))) == [5]
    assert ticks_of(join.add(summary(7, 1, 2))) == [6, 7]


def test_what_lies_before_a_partitions_first_report_was_empty_there():
    join = Join()
    join.add(summary(5, 0, 2))
    ((tick, parts), *_) = join.add(summary(6, 1, 2))
    assert tick == 5
    assert len(parts) == 1


def test_a_repeat_is_dropped_and_counted():
    join = Join()
    join.add(summary(5))
    assert join.add(summary(5)) == []
    assert join.add(summary(4)) == []
    assert join.repeats == 2


@pytest.mark.parametrize("partitions", [1, 3, 12, 256])
@settings(max_examples=15)
@given(seed=st.integers(0, 1 << 32))
def test_any_interleaving_with_repeats_gives_every_tick_once_in_order_with_every_partition(partitions, seed):
    """Each partition in its own order; a repeat may come any time after its original."""
    random = Random(seed)
    left = {p: list(range(10, 14)) for p in range(partitions)}
    sent, ready, join = [], [], Join()
    while left:
        if sent and random.random() < 0.2:
            join.add(random.choice(sent))
            continue
        p = random.choice(sorted(left))
        sent.append(summary(left[p].pop(0), p, partitions))
        ready += join.add(sent[-1])
        if not left[p]:
            del left[p]
    assert ticks_of(ready) == [10, 11, 12, 13]
    assert all(sorted(shard for part in parts for shard in part.shards) == list(range(SHARDS)) for _, parts in ready)
