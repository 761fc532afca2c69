"""A page needs an operator's traits, accounts that are named, and a movement of those whom nobody chose."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from detectors.comparison.findings import Level
from detectors.judgement.hand import CROWD_NATS, Verdict, Vote
from detectors.judgement.severity import (
    KIN_Z,
    NAMED_MIN,
    NAMED_NATS_MAX,
    NAMED_USUAL,
    PAGE_Z,
    STANDING_Z,
    SWING_H,
    TICKET_NAMED_MIN,
    TICKET_Z,
    level_of,
    page_line,
)

PAGE, TICKET = 2.0, 1.0


def group(log_odds=PAGE, z=PAGE_Z, standing=STANDING_Z, kin=None, unrelated=True, told=True):
    """A network that pages, where nothing else is said."""
    votes = () if standing is None else (Vote("standing", standing, 0.0, False),)
    return SimpleNamespace(
        verdict=Verdict(votes, log_odds, log_odds, PAGE, TICKET, None),
        coordination=SimpleNamespace(unrelated=unrelated, told=told),
        z=np.array([0.0, z]),
        strong=np.array([1]),
        kin=kin,
    )


def test_one_operators_network_that_moved_and_names_as_many_as_usual_is_a_page():
    assert level_of(group(), NAMED_USUAL) is Level.CRITICAL


@pytest.mark.parametrize(
    "wanting",
    [{"log_odds": PAGE - 0.1}, {"z": PAGE_Z - 0.1}, {"unrelated": False}],
    ids=["traits", "movement", "organisations"],
)
def test_without_any_one_of_what_a_page_needs_it_is_a_warning(wanting):
    assert level_of(group(**wanting), NAMED_USUAL) is Level.WARNING


@pytest.mark.parametrize(
    "swing",
    [{"z": TICKET_Z - 0.1}, {"standing": STANDING_Z - 0.1}, {"standing": None, "kin": KIN_Z - 0.1}],
    ids=["by chance", "that the standing network did not make", "that those who share as much did not make"],
)
def test_nobody_is_asked_to_look_at_a_swing(swing):
    assert level_of(group(log_odds=9.0, **swing), NAMED_USUAL, SWING_H - 1) is Level.INFO


def test_what_is_suspect_for_half_a_day_is_a_warning_however_little_it_moves():
    slow = group(log_odds=TICKET, z=TICKET_Z - 1, standing=0.0)
    assert level_of(slow, TICKET_NAMED_MIN, SWING_H) is Level.WARNING
    assert level_of(slow, TICKET_NAMED_MIN - 1, SWING_H) is Level.INFO


def test_where_no_network_stands_all_who_share_as_much_must_have_moved():
    assert level_of(group(standing=None, kin=KIN_Z), NAMED_USUAL) is Level.CRITICAL


def test_many_names_make_up_for_traits_and_few_need_more_of_them():
    assert level_of(group(log_odds=PAGE - 0.5, z=2 * PAGE_Z, standing=9.0), 2 * NAMED_USUAL) is Level.CRITICAL
    assert level_of(group(log_odds=PAGE + 0.3), NAMED_MIN) is Level.WARNING
    assert level_of(group(log_odds=PAGE + 0.5), NAMED_MIN) is Level.CRITICAL


def test_what_names_bring_over_the_line_must_move_further():
    assert level_of(group(log_odds=PAGE - 0.5, standing=9.0), 2 * NAMED_USUAL) is Level.WARNING
    assert level_of(group(log_odds=PAGE - 0.5, z=2 * PAGE_Z), 2 * NAMED_USUAL) is Level.WARNING


def test_no_number_of_names_makes_a_page_of_what_is_worth_no_warning():
    assert page_line(group().verdict, 100_000) == PAGE - NAMED_NATS_MAX
    assert page_line(replace(group().verdict, page=TICKET + 0.1), 100_000) == TICKET
    assert level_of(group(log_odds=TICKET - 0.1), 100_000) is Level.INFO


def test_a_crowd_in_one_place_needs_more_of_its_traits_and_no_number_of_names_makes_up_for_them():
    crowd = group(log_odds=PAGE + 0.5, z=2 * PAGE_Z, standing=9.0)
    crowd.verdict = replace(crowd.verdict, page=PAGE + CROWD_NATS, crowd="one_place")
    assert level_of(crowd, 100_000) is Level.WARNING
    crowd.verdict = replace(crowd.verdict, log_odds=PAGE + CROWD_NATS)
    assert level_of(crowd, NAMED_MIN) is Level.CRITICAL


def test_where_nobody_says_who_belongs_to_whom_names_do_not_make_up_for_traits():
    moved = {"z": 2 * PAGE_Z, "standing": 9.0, "told": False}
    assert level_of(group(log_odds=PAGE - 0.1, **moved), 100_000) is Level.WARNING
    assert level_of(group(log_odds=PAGE, **moved), NAMED_MIN) is Level.CRITICAL


def test_with_fewer_names_than_anybody_can_act_on_nobody_is_woken_or_asked_to_look():
    assert level_of(group(log_odds=9.0), NAMED_MIN - 1) is Level.WARNING
    assert level_of(group(log_odds=9.0), TICKET_NAMED_MIN - 1) is Level.INFO
