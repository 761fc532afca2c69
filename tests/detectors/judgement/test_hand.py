"""One operator's hand: nats of each trait add up, over hours, and are held against lines that budgets draw."""

from __future__ import annotations

from itertools import pairwise

import pytest

from detectors.judgement import hand, learnt
from detectors.judgement.hand import CROWD_NATS, SMOOTH, curve, hand_of, lines_of
from detectors.parameters import Parameters

TRAITS = {
    "synchrony": ((0.8, -1.0), (1.2, 2.0)),
    "load_spread": ((0.2, 3.0), (1.0, -1.0)),
    "night_share": ((0.0, -0.5), (0.2, 4.0)),
}
LINES = ((0.1, 5.0), (1.0, 3.0), (10.0, 1.0))
BUDGETS = Parameters(false_pages_per_month=1.0, false_warnings_per_month=10.0)


@pytest.fixture(autouse=True)
def numbers(monkeypatch):
    """Numbers that are easy to add up, in place of those that were learnt."""
    monkeypatch.setattr(hand, "TRAITS", TRAITS)
    monkeypatch.setattr(hand, "LINES", LINES)
    monkeypatch.setattr(hand, "BASE", -0.25)


def now(parameters=BUDGETS, **traits):
    """What the traits of this hour say by themselves."""
    return hand_of(traits, parameters).log_odds_now


def test_log_odds_of_the_traits_add_up_to_the_base():
    alone = [now(synchrony=1.2), now(load_spread=0.2), now(night_share=0.2)]
    assert alone == [1.75, 2.75, 3.75]
    assert now(synchrony=1.2, load_spread=0.2, night_share=0.2) == pytest.approx(sum(alone) + 2 * 0.25)


def test_a_trait_that_is_missing_says_nothing_and_neither_does_one_that_was_not_learnt():
    assert now() == -0.25
    assert hand_of({}, BUDGETS).votes == ()
    assert now(synchrony=1.2, colour_of_the_logo=9.0) == now(synchrony=1.2)


def test_every_vote_tells_its_trait_its_value_and_for_what_it_speaks():
    votes = {vote.trait: vote for vote in hand_of({"synchrony": 1.0, "load_spread": 1.0}, BUDGETS).votes}
    assert (votes["synchrony"].value, votes["synchrony"].nats, votes["synchrony"].one_hand) == (1.0, 0.5, True)
    assert (votes["load_spread"].value, votes["load_spread"].nats, votes["load_spread"].one_hand) == (1.0, -1.0, False)
    assert hand_of({"synchrony": 1.0, "load_spread": 1.0}, BUDGETS).votes_for == 1


def test_the_votes_are_what_the_log_odds_are_made_of():
    found = hand_of({"synchrony": 0.93, "load_spread": 0.37, "night_share": 0.11}, BUDGETS)
    assert found.log_odds_now == pytest.approx(-0.25 + sum(vote.nats for vote in found.votes))


def test_with_the_clock_switched_off_night_share_does_not_vote():
    traits = {"synchrony": 1.2, "night_share": 0.2}
    off = hand_of(traits, Parameters(clock_vote=False))
    assert [vote.trait for vote in off.votes] == ["synchrony"]
    assert off.log_odds_now == now(synchrony=1.2)
    assert [vote.trait for vote in hand_of(traits, Parameters(clock_vote=True)).votes] == ["synchrony", "night_share"]


# Curves


def test_a_curve_is_straight_between_its_points_and_level_beyond_its_ends():
    points = ((0.0, -1.0), (1.0, 1.0), (3.0, 0.0))
    assert [curve(points, value) for value in (0.0, 0.5, 1.0, 2.0, 3.0)] == [-1.0, 0.0, 1.0, 0.5, 0.0]
    assert [curve(points, value) for value in (-1e9, -0.1)] == [-1.0, -1.0]
    assert [curve(points, value) for value in (3.1, 1e9)] == [0.0, 0.0]


def test_no_trait_says_more_than_its_curve_however_odd_its_value():
    assert now(synchrony=1e6) == now(synchrony=1.2)
    assert now(load_spread=-1e6) == now(load_spread=0.2)


# Over hours


def test_log_odds_follow_what_each_hour_says_and_one_odd_hour_is_no_operator():
    said = 0.0
    for _ in range(3):
        said = hand_of({"synchrony": 0.8}, BUDGETS, said).log_odds
    assert said == pytest.approx(-1.25 * (1 - SMOOTH**3), abs=1e-3)
    odd = hand_of({"synchrony": 1.2, "load_spread": 0.2}, BUDGETS, said)
    assert odd.log_odds_now > odd.page > odd.log_odds
    assert odd.log_odds == pytest.approx(said + SMOOTH * (odd.log_odds_now - said), abs=1e-3)


def test_what_every_hour_says_is_believed_in_the_end():
    said = 0.0
    for _ in range(20):
        found = hand_of({"synchrony": 1.2, "load_spread": 0.2}, BUDGETS, said)
        assert said <= found.log_odds <= found.log_odds_now
        said = found.log_odds
    assert said == pytest.approx(found.log_odds_now, abs=0.01)


# Lines


def test_the_lines_are_those_of_the_budgets():
    assert lines_of(BUDGETS) == (3.0, 1.0)


@pytest.mark.parametrize("name", ["false_pages_per_month", "false_warnings_per_month"])
def test_a_smaller_budget_gives_a_higher_line(name):
    budgets = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
    other = {"false_pages_per_month": "false_warnings_per_month"}.get(name, "false_pages_per_month")
    lines = [
        lines_of(Parameters(**{name: budget, other: 0.1}))[name == "false_warnings_per_month"] for budget in budgets
    ]
    assert all(larger < smaller for smaller, larger in pairwise(lines))


def test_between_budgets_that_were_measured_the_line_is_straight_in_their_logarithm():
    assert lines_of(Parameters(false_pages_per_month=0.1**0.5))[0] == pytest.approx(4.0)


def test_beyond_what_was_measured_the_line_stays_and_no_budget_at_all_is_no_error():
    assert lines_of(Parameters(false_pages_per_month=0.0, false_warnings_per_month=1_000.0)) == (5.0, 1.0)


def test_a_ticket_never_needs_more_than_a_page():
    page, ticket = lines_of(Parameters(false_pages_per_month=10.0, false_warnings_per_month=0.1))
    assert page == ticket == 1.0


@pytest.mark.parametrize(("before", "page", "ticket"), [(8.0, True, True), (3.0, False, True), (0.0, False, False)])
def test_over_the_page_line_it_is_one_hand_and_over_the_ticket_line_worth_a_look(before, page, ticket):
    found = hand_of({}, BUDGETS, before)
    assert (found.one_hand, found.worth_a_ticket) == (page, ticket)
    assert (found.looks_like is None) is page


def test_a_crowd_needs_more_for_a_page_and_for_a_ticket_and_says_what_it_is_gathered_around():
    page, ticket = lines_of(BUDGETS)
    found = hand_of({}, BUDGETS, 8.0, crowd="one_place")
    assert (found.page, found.ticket, found.one_hand) == (page + CROWD_NATS, ticket + CROWD_NATS, False)
    assert found.looks_like == "one_place"
    assert hand_of({}, BUDGETS, 8.0 + 2 * CROWD_NATS, crowd="one_place").one_hand


def test_on_the_line_is_over_it():
    assert hand_of({}, BUDGETS, 2 * 3.0 + 0.25).one_hand


# What it resembles


@pytest.mark.parametrize(
    ("traits", "kind"),
    [
        ({"prefix_dominance": 0.9, "template_cover": 0.9}, "course"),
        ({"prefix_dominance": 0.9, "template_cover": 0.1}, "vpn"),
        ({"template_cover": 0.9, "mix_likeness": 0.9}, "prompt_pack"),
        ({"template_cover": 0.9, "mix_likeness": 0.1}, "product"),
        ({"kit_spread": 0.9}, "agency"),
        ({"load_spread": 0.9}, "agency"),
        ({}, "prompt_pack"),
    ],
)
def test_what_does_not_page_looks_like_the_honest_network_whose_traits_speak_against_it(monkeypatch, traits, kind):
    falling = ((0.2, 1.0), (0.8, -1.0))
    names = ("prefix_dominance", "template_cover", "mix_likeness", "kit_spread", "load_spread")
    monkeypatch.setattr(hand, "TRAITS", dict.fromkeys(names, falling))
    assert hand_of(traits, BUDGETS).looks_like == kind


# The numbers that were learnt, whatever they are


def test_the_points_of_a_learnt_curve_are_in_their_order():
    """In another order the look-up would say nothing, and not fail."""
    for name, points in {**learnt.TRAITS, **learnt.ACCOUNT, "named": learnt.NAMED}.items():
        assert len(points) >= 2, name
        assert all(left < right for (left, _), (right, _) in pairwise(points)), name


def test_a_higher_score_never_makes_an_account_less_likely():
    assert all(lower <= higher for (_, lower), (_, higher) in pairwise(learnt.NAMED))


def test_the_learnt_lines_fall_as_budgets_grow():
    budgets, lines = zip(*learnt.LINES, strict=True)
    assert all(0 < smaller < larger for smaller, larger in pairwise(budgets))
    assert all(higher >= lower for higher, lower in pairwise(lines))


OPERATOR = {
    "load_spread": 0.3, "mix_likeness": 0.1, "shift_dispersion": 0.1, "synchrony": 1.3, "night_share": 0.2,
    "kit_spread": 0.15, "template_cover": 0.25, "prefix_dominance": 0.05, "two_kinds": 0.8,
    "widest": 0.3, "exclusive": 0.6, "turned": 0.7, "moved": 0.8, "clock_likeness": 0.2, "more_volume": 0.1,
}  # fmt: skip
PRODUCT = {
    "load_spread": 1.1, "mix_likeness": 0.9, "shift_dispersion": 0.5, "synchrony": 0.9, "night_share": 0.0,
    "kit_spread": 0.3, "template_cover": 0.95, "prefix_dominance": 0.1, "two_kinds": 0.1,
    "widest": 0.1, "exclusive": 0.6, "turned": 0.3, "moved": 0.4, "clock_likeness": 0.9, "more_volume": -0.1,
}  # fmt: skip
AGENCY = PRODUCT | {
    "template_cover": 0.3,
    "two_kinds": 0.8,
    "widest": 1.0,
    "night_share": -0.05,
}


@pytest.mark.parametrize("honest", [PRODUCT, AGENCY])
def test_what_was_learnt_tells_a_textbook_operator_from_honest_networks(monkeypatch, honest):
    for name in ("BASE", "TRAITS", "LINES"):
        monkeypatch.setattr(hand, name, getattr(learnt, name))
    operator, other = (hand_of(traits, Parameters()) for traits in (OPERATOR, honest))
    assert operator.log_odds_now > other.log_odds_now + 2.0
    assert other.log_odds_now < other.ticket
    assert operator.log_odds_now > operator.page
