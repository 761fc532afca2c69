"""Names in their order, sorted in short calls: the same as in one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.counts import interned
from detectors.counts.interned import in_order, order_of, order_of_pairs, ordered

NAMES = st.lists(st.text(max_size=3), unique=True, max_size=60)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(interned, "RUN", 4)


@given(NAMES, st.data())
def test_indexes_are_ordered_by_their_names(names, data):
    indexes = data.draw(st.permutations(range(len(names))))

    assert ordered(indexes, names).tolist() == sorted(indexes, key=names.__getitem__)
    assert in_order(names) == sorted(names)


@given(NAMES, st.lists(st.integers(0, 60), max_size=4))
def test_names_that_came_in_parts_are_in_the_order_of_all(names, cuts):
    order = np.zeros(0, np.int64)
    for end in sorted({*(cut for cut in cuts if cut < len(names)), len(names)}):
        order = order_of(names[:end], order)

    assert order.tolist() == sorted(range(len(names)), key=names.__getitem__)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=2)), unique=True, max_size=60))
def test_pairs_are_ordered_by_dimension_and_value(pairs):
    assert order_of_pairs(pairs) == sorted(range(len(pairs)), key=pairs.__getitem__)


@pytest.mark.parametrize("kind", ["random", "sorted", "reversed", "alike"])
def test_no_call_sorts_many_names_whatever_their_order(monkeypatch, kind):
    """Of fifty thousand names, the largest part that is sorted at once is a tenth at most."""
    monkeypatch.setattr(interned, "RUN", 1_000)
    numbers = np.random.default_rng(1).permutation(50_000)
    numbers = {"sorted": np.sort(numbers), "reversed": np.sort(numbers)[::-1]}.get(kind, numbers)
    names = [f"{'x' * 40 if kind == 'alike' else ''}{number:08d}" for number in numbers.tolist()]
    sizes = []

    def noting(values, **how):
        out = sorted(values, **how)
        sizes.append(len(out))
        return out

    monkeypatch.setattr(interned, "sorted", noting, raising=False)
    order = ordered(range(len(names)), names)

    assert order.tolist() == sorted(range(len(names)), key=names.__getitem__)
    assert max(sizes) <= 5_000
