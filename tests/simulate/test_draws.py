"""Chance for many owners at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream.simulate.chance.draws import NOTHING, Choices, chance, scattered, scrambled, shares, some_of

triples = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 50), st.floats(0.01, 100.0)), min_size=1, max_size=60
)  # fmt: skip


@given(triples, st.floats(0, 1, exclude_max=True))
def test_an_owner_draws_only_what_it_was_offered(offers, u):
    owner, item, weight = (np.array(column) for column in zip(*offers, strict=True))

    drawn = Choices.of(10, owner, item, weight).draw(np.arange(10), np.full(10, u))

    for one, got in enumerate(drawn.tolist()):
        own = {offered for by, offered, _ in offers if by == one}
        assert got in own if own else got == NOTHING


def test_items_come_as_often_as_they_weigh():
    choices = Choices.of(2, np.array([1, 1, 1, 0]), np.array([4, 5, 6, 9]), np.array([1.0, 2.0, 5.0, 1.0]))

    drawn = choices.draw(np.ones(80_000, np.int64), chance(3, "weights").random(80_000))

    assert np.allclose(np.bincount(drawn)[4:] / 80_000, [0.125, 0.25, 0.625], atol=0.01)


def test_an_owner_near_the_end_never_draws_its_neighbours_item():
    """Between a large owner index and a u next to 1 the sum rounds up to the next owner."""
    many = 600_000
    choices = Choices.of(many, np.arange(many), np.arange(many), np.ones(many))

    drawn = choices.draw(np.array([many - 2]), np.array([np.nextafter(1.0, 0.0)]))

    assert drawn.tolist() == [many - 2]


def test_what_one_purpose_draws_does_not_move_what_another_draws():
    alone = chance(7, "second").random(5)
    chance(7, "first").random(1_000)

    assert (chance(7, "second").random(5) == alone).all()
    assert not (chance(7, "first").random(5) == alone).any()


def test_scrambling_keeps_different_numbers_different():
    serial = np.arange(200_000)

    assert len(np.unique(scrambled(serial, 5))) == len(serial)
    assert not (scrambled(serial, 5) == scrambled(serial, 6)).any()


def test_scattered_draws_are_even_and_belong_to_their_number():
    drawn = scattered(1, np.arange(50_000))

    assert np.allclose(np.histogram(drawn, 10, (0, 1))[0] / 50_000, 0.1, atol=0.01)
    assert (scattered(1, np.array([40, 7])) == drawn[[40, 7]]).all()


def test_some_of_gives_each_owner_different_items_of_the_pool():
    owner, item = some_of(chance(1, "pool"), np.array([3, 8, 11]), np.array([2, 0, 3]))

    pairs = list(zip(owner.tolist(), item.tolist(), strict=True))

    assert len(pairs) == len(set(pairs))
    assert set(owner.tolist()) == {0, 2}
    assert set(item.tolist()) <= {3, 8, 11}


def test_shares_sum_to_one_and_follow_their_weights():
    mix = shares(chance(2, "mix"), np.tile([[8.0, 2.0]], (5_000, 1)))

    assert np.allclose(mix.sum(axis=1), 1.0)
    assert np.allclose(mix.mean(axis=0), [0.8, 0.2], atol=0.01)
