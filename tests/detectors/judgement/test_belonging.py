"""How alike is an account to a network's core, and not to its neighbours?"""

from __future__ import annotations

import numpy as np
import pytest

from detectors.judgement.belonging import alike_nats, by_part, probability

AGES = np.concatenate([np.linspace(1, 9, 20), np.linspace(100, 900, 40)])
CORE = np.arange(60) < 20


def test_who_is_as_young_as_the_core_is_alike_and_who_is_as_old_as_the_neighbours_is_not():
    nats = alike_nats(AGES, CORE, ~CORE)
    assert nats[:20].min() > 1.0
    assert nats[40:].max() < -1.0


def test_what_core_and_neighbours_have_alike_says_nothing():
    same = np.tile(np.arange(20.0), 3)
    assert np.abs(alike_nats(same, CORE, ~CORE)).max() < 0.5


def test_an_account_is_no_evidence_for_itself():
    alone = np.arange(60) == 0
    assert alike_nats(AGES, alone, ~alone)[0] < 0.2


@pytest.mark.parametrize("values", [np.zeros(60), np.full(60, 7.0)])
def test_a_trait_that_all_have_alike_says_nearly_nothing_and_is_no_error(values):
    assert np.abs(alike_nats(values, CORE, ~CORE)).max() < 0.1


@pytest.mark.parametrize("score", [-1e9, 1e9])
def test_however_sure_it_stays_a_probability(score):
    assert 0.0 < probability(score, 1e9) < 1.0


@pytest.mark.parametrize("score", [1.0, 9.0])
def test_an_account_is_no_surer_than_its_network(score):
    told = [probability(score, hand) for hand in (0.0, 1.5, 3.0, 6.0)]
    assert told == sorted(told)
    assert told[0] < 0.6


def test_among_its_like_an_account_needs_to_say_less_for_itself():
    among = by_part(np.array([0.5] * 90 + [-4.0] * 10))
    assert among[0] > 0.5 + 0.5


def test_the_few_of_a_campaign_among_hundreds_are_told_no_less_surely():
    odds = np.array([0.5] * 5 + [-4.0] * 300)
    assert by_part(odds).tolist() == odds.tolist()


def test_a_handful_of_accounts_does_not_say_what_part_of_them_belongs():
    assert by_part(np.array([6.0, 6.0]))[0] < 7.5
