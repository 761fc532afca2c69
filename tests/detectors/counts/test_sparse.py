"""Sparse counts: as a dictionary would keep them, in sorted columns."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.counts.sparse import SparseCounts, reduced

ENTRIES = st.dictionaries(st.integers(0, 199), st.integers(1, 9), max_size=30)


def of(entries):
    codes = np.array(sorted(entries), np.int64)
    return codes, np.array([entries[code] for code in codes.tolist()], np.int64)


@given(st.lists(ENTRIES, max_size=6))
def test_adding_is_adding_of_dictionaries(batches):
    counts, expected = SparseCounts(10, np.int64), {}
    for batch in batches:
        counts.add(*of(batch))
        for code, count in batch.items():
            expected[code] = expected.get(code, 0) + count
    assert counts.codes.tolist() == sorted(expected)
    assert counts.counts.tolist() == [expected[code] for code in sorted(expected)]


@given(ENTRIES, ENTRIES)
def test_what_leaves_leaves_nothing_behind(stays, leaves):
    counts = SparseCounts(10, np.int64)
    counts.add(*of(stays))
    before = (counts.codes.tolist(), counts.counts.tolist())
    codes, added = of(leaves)
    counts.add(codes, added)
    counts.add(codes, -added)
    assert (counts.codes.tolist(), counts.counts.tolist()) == before


@given(ENTRIES, st.lists(st.integers(0, 19), min_size=1, max_size=8))
def test_rows_are_given_as_they_are_asked_for(entries, rows):
    counts = SparseCounts(10, np.int64)
    counts.add(*of(entries))
    start, column, count = counts.of_rows(np.array(rows))
    for i, row in enumerate(rows):
        inside = slice(start[i], start[i + 1])
        expected = {code % 10: n for code, n in entries.items() if code // 10 == row}
        assert dict(zip(column[inside].tolist(), count[inside].tolist(), strict=True)) == expected


@given(ENTRIES, st.sets(st.integers(0, 19)))
def test_renumbering_keeps_what_stays_and_forgets_the_rest(entries, kept):
    counts = SparseCounts(10, np.int64)
    counts.add(*of(entries))
    new_row = np.full(20, -1)
    new_row[sorted(kept)] = np.arange(len(kept))
    counts.renumbered(new_row)
    place = {row: i for i, row in enumerate(sorted(kept))}
    expected = {place[c // 10] * 10 + c % 10: n for c, n in entries.items() if c // 10 in kept}
    assert dict(zip(counts.codes.tolist(), counts.counts.tolist(), strict=True)) == expected


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), max_size=30), st.randoms(use_true_random=False))
def test_reducing_does_not_see_the_order(pairs, random):
    shuffled = list(pairs)
    random.shuffle(shuffled)

    def result(these):
        codes, counts = reduced(np.array([p[0] for p in these], np.int64), np.array([p[1] for p in these], np.int64))
        return codes.tolist(), counts.tolist()

    assert result(pairs) == result(shuffled)
    assert sum(result(pairs)[1]) == sum(count for _, count in pairs)


def test_scaling_and_dropping_forget_what_has_faded():
    counts = SparseCounts(10, np.float32)
    counts.add(np.array([3, 8]), np.array([1.0, 0.015]))
    counts.scale(0.5)
    counts.drop_below(0.01)
    assert counts.codes.tolist() == [3]
    assert counts.counts.tolist() == [0.5]
