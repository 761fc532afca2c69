"""What is drawn lies in its range, is dealt evenly, and never moves what else is drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields

import numpy as np
import pytest

from stream.simulate.chance.ranges import GROUPS, LIMITS, Deck, Odds, OperatorDraw, RecordsDraw, Span
from stream.simulate.chance.world import draw

SEEDS = range(200)
RANGES = {
    (name, column.name): column.metadata["range"] for name, group in GROUPS.items() for column in fields(group)
}  # fmt: skip


def _value(world, key):
    return getattr(getattr(world, key[0]), key[1])


@pytest.mark.parametrize("key", RANGES, ids="-".join)
def test_a_range_is_kept_and_used_and_has_its_reason(key):
    of = RANGES[key]
    drawn = [_value(draw(seed, "wide"), key) for seed in SEEDS]

    assert len(of.why) > 10
    if isinstance(of, Span):
        assert of.low <= min(drawn) <= max(drawn) <= of.high
        middle = np.sqrt(of.low * of.high) if of.log else (of.low + of.high) / 2
        assert 0.3 < np.mean([value <= middle for value in drawn]) < 0.75, "lopsided"
    else:
        assert set(drawn) == set(of.of if isinstance(of, Odds) else of.cards)


def test_a_thin_world_lies_in_the_thin_part_of_every_range_that_has_one():
    narrowed = {key: of for key, of in RANGES.items() if isinstance(of, Span) and of.thin is not None}

    assert len(narrowed) >= 10
    for seed in SEEDS:
        world = draw(seed, "thin")
        for key, of in narrowed.items():
            assert of.thin[0] <= _value(world, key) <= of.thin[1], (seed, key)


def test_what_one_range_draws_never_moves_another_draw():
    """The regime changes the ranges that have a thin part, and nothing else of the same seed."""
    thin, wide = draw(7, "thin"), draw(7, "wide")
    for key, of in RANGES.items():
        if not (isinstance(of, Span) and of.thin is not None):
            assert _value(thin, key) == _value(wide, key), key


@pytest.mark.parametrize(("group", "column"), [(OperatorDraw, "kind"), (RecordsDraw, "templates")])
def test_a_hand_of_seeds_holds_every_card_as_often_as_the_deck(group, column):
    (deck,) = [one.metadata["range"] for one in fields(group) if one.name == column]
    name = next(name for name, one in GROUPS.items() if one is group)
    size = sum(deck.cards.values())

    assert isinstance(deck, Deck)
    for hand in range(5):
        seeds = range(hand * size, (hand + 1) * size)
        assert Counter(_value(draw(seed), (name, column)) for seed in seeds) == deck.cards


@pytest.mark.parametrize("kind", ["pivot", *LIMITS])
def test_a_campaign_keeps_within_what_makes_its_kind(kind):
    sizes = []
    for seed in SEEDS:
        world = draw(seed)
        accounts, per_day = world.force(kind)
        sizes.append(accounts)
        limits = LIMITS.get(kind)
        part = accounts * per_day * world.fleet.days / world.fleet.records

        assert 60 <= accounts <= 800
        assert 1.0 <= per_day <= 40.0
        if limits is not None:
            assert limits.per_day[0] <= per_day <= limits.per_day[1]
        # Sixty accounts that send the least of their kind may be more than the part that is asked for.
        assert part <= 0.085 or accounts == 60
    assert np.percentile(sizes, 90) > 1.5 * np.median(sizes), "campaigns are of all sizes"


def test_a_resized_world_keeps_what_an_account_sends():
    world = draw(5)
    small = world.resized(accounts=500, days=7.0, scale=None)

    assert (small.fleet.accounts, small.fleet.days) == (500, 7.0)
    a_day = [one.fleet.records / one.fleet.accounts / one.fleet.days for one in (world, small)]
    assert a_day[0] == pytest.approx(a_day[1], rel=0.01)
    assert small.operator == world.operator


def test_what_was_drawn_is_told_whole():
    world = draw(11)
    text, document = "\n".join(world.sentences()), world.document()
    for group, column in RANGES:
        assert column in text
        assert column in document[group]
