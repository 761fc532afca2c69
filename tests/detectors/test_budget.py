"""The budget: how often ordinary groups pass a line by themselves decides where the line is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.budget import DRAWS_MIN, HONEST_PASS, LINE_MAX, Budget
from detectors.parameters import Parameters

EASY = Parameters(page_z=0.5)  # a floor that is never in the way


def calibrated(parameters=EASY, *, days=30, placebos=20, spread=1.0, networks=3, seed=1):
    """A budget after so many days in which every placebo's statistic was noise that lasts two hours."""
    rng = np.random.default_rng(seed)
    budget = Budget(parameters)
    for hour in range(24 * days):
        if hour % 2 == 0:
            z = np.abs(rng.normal(0.0, spread, placebos))
        budget.learn(hour, {key: {"model:a": float(z[key])} for key in range(placebos)}, networks)
    return budget


def test_the_line_is_that_of_the_configuration_until_enough_placebo_days_are_known():
    budget = calibrated(Parameters(page_z=4.5), days=2, placebos=DRAWS_MIN // 2 - 1)
    assert budget.line == 4.5
    assert budget.expected == Parameters().false_pages_per_month


def test_a_network_of_noise_passes_the_line_as_often_as_the_budget_allows():
    """Held against fresh noise of the same fleet: false pages a month at the derived line, within a factor of two."""
    parameters = dataclasses.replace(EASY, false_pages_per_month=0.5)
    budget = calibrated(parameters, days=60)
    fresh = calibrated(parameters, days=60, seed=2)
    passing = np.mean(np.array(fresh.draws) >= budget.line)
    a_month = 30 * budget.networks * passing * HONEST_PASS
    assert 0.25 <= a_month <= 1.0
    assert budget.expected == pytest.approx(0.5, rel=0.01)


def test_half_the_budget_is_a_higher_line_and_more_networks_are_too():
    lines = [
        calibrated(dataclasses.replace(EASY, false_pages_per_month=pages), networks=networks).line
        for pages, networks in ((0.5, 3), (0.25, 3), (0.25, 12))
    ]
    assert lines[0] < lines[1] < lines[2]


def test_a_fleet_whose_ordinary_groups_swing_twice_as_far_has_a_line_twice_as_high():
    assert calibrated(spread=2.0).line == pytest.approx(2 * calibrated(spread=1.0).line, rel=0.05)


def test_a_warning_which_no_operator_test_stands_before_needs_more_than_a_page():
    budget = calibrated(dataclasses.replace(EASY, false_pages_per_month=1.0, false_warnings_per_month=3.0))
    assert budget.warning_line > budget.line


def test_the_line_is_never_below_what_is_configured_nor_above_what_could_ever_page():
    assert calibrated(Parameters(page_z=5.0), spread=0.3).line == 5.0
    assert calibrated(spread=50.0).line == LINE_MAX


def test_what_is_usual_for_a_placebo_is_no_excursion():
    """A group that always stands at 3 says nothing of how far others swing."""
    flat, odd = Budget(EASY), Budget(EASY)
    rng = np.random.default_rng(3)
    for hour in range(24 * 20):
        noise = rng.normal(0.0, 0.3, 10)
        flat.learn(hour, {key: {"a": abs(float(noise[key]))} for key in range(10)}, 3)
        odd.learn(hour, {key: {"a": 3.0 + float(noise[key])} for key in range(10)}, 3)
    assert np.median(list(odd.draws)[-50:]) < 1.0
    assert odd.line < 4.0


def test_one_hour_alone_counts_for_nothing():
    budget = Budget(EASY)
    for hour in range(24 * 10):
        budget.learn(hour, {key: {"a": 9.0} if hour % 24 == 5 else {} for key in range(10)}, 3)
    assert max(budget.draws) == 0.0


def test_what_was_spent_is_the_sum_of_the_hours_of_a_month():
    budget = calibrated(days=40)
    assert budget.spent_in_month == pytest.approx(EASY.false_pages_per_month, rel=0.2)


def test_a_restart_changes_nothing():
    budget, again = calibrated(days=10), Budget(EASY)
    again.restore(budget.state())
    rng = np.random.default_rng(7)
    for hour in range(240, 300):
        placebos = {key: {"model:a": float(z)} for key, z in enumerate(rng.normal(2.0, 1.0, 20))}
        budget.learn(hour, placebos, 5)
        again.learn(hour, placebos, 5)
    assert (again.line, again.expected, again.spent_in_month) == (budget.line, budget.expected, budget.spent_in_month)
    assert again.state() == budget.state()
