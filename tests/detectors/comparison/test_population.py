"""The population of a tick: shares now and before, strata of comparable accounts, breadth that chance does not make."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detectors.comparison.population import STRATUM_MIN, breadth_of, population_of, strata_of, used_more_of
from detectors.counts.rows import Sets
from detectors.parameters import Parameters
from tests.detectors.fleets import HOUR, Account, columns_of, population, still_fleet


def test_shares_are_of_requests_and_the_past_is_shrunk_to_the_fleets():
    fleet = [
        Account("a", "o", n=10, nb=0.0, now={"model:x": 5, "model:y": 5}),
        Account("b", "p", n=10, nb=194.0, now={"model:x": 10}, before={"model:x": 97.0, "model:y": 97.0}),
    ]
    one = population(fleet)
    assert one.now.tolist() == [[0.5, 0.5], [1.0, 0.0]]
    # Nothing is known of the first account's past: it is the fleet's, which is the second's.
    assert one.before[0] == pytest.approx([0.5, 0.5], abs=0.01)
    assert one.before[1] == pytest.approx([0.5, 0.5], abs=0.01)


def test_an_account_without_an_organisation_is_an_organisation_of_its_own():
    one = population([Account("a"), Account("b"), Account("c", "o"), Account("d", "o")])
    assert one.organisations == 3
    assert one.org[2] == one.org[3]


@given(
    st.lists(st.tuples(st.floats(1, 5_000), st.floats(0, 2_000)), min_size=1, max_size=400),
)
def test_every_stratum_is_large_enough_or_the_only_one(drawn):
    n, nb = (np.array([pair[i] for pair in drawn]) for i in (0, 1))
    stratum, strata = strata_of(n, nb)
    count = np.bincount(stratum, minlength=strata)
    assert len(count) == strata
    assert strata == 1 or count.min() >= STRATUM_MIN


def test_strata_hold_like_volumes_together_where_there_are_enough_of_each():
    rng = np.random.default_rng(1)
    n = np.repeat([4.0, 40.0, 4_000.0], 200)
    stratum, strata = strata_of(n, rng.uniform(50, 100, 600))
    assert strata == 3
    assert all(len(set(stratum[n == volume].tolist())) == 1 for volume in (4.0, 40.0, 4_000.0))


def test_the_order_of_accounts_changes_no_stratum():
    rng = np.random.default_rng(1)
    n, nb = rng.lognormal(3, 1.5, 900), rng.lognormal(3, 1.5, 900)
    order = rng.permutation(900)
    ours, theirs = strata_of(n, nb)[0], strata_of(n[order], nb[order])[0]
    assert ours[order].tolist() == theirs.tolist()


@pytest.mark.parametrize(("n", "p"), [(3, 0.3), (10, 0.05), (40, 0.5), (500, 0.02)])
def test_breadth_of_requests_that_chance_alone_decides_is_nothing_on_average(n, p):
    """Exactly: the sum over all outcomes, weighted by their chance."""
    k = np.arange(n + 1)
    now, before = (k / n)[:, None], np.full((n + 1, 1), p)
    breadth = breadth_of(np.full(n + 1, float(n)), now, before)[:, 0]
    assert (binom.pmf(k, n, p) * breadth).sum() == pytest.approx(0.0, abs=1e-9)


def test_using_more_takes_half_as_much_again_and_four_points():
    before = np.array([[0.02, 0.2]])
    assert used_more_of(np.array([[0.05, 0.29]]), before).tolist() == [[0.0, 0.0]]
    assert used_more_of(np.array([[0.07, 0.31]]), before).tolist() == [[1.0, 1.0]]


def test_young_is_who_came_in_the_last_three_days_and_signed_up_lately():
    weeks = [f"2026-W{w:02}" for w in range(1, 11)]
    fleet = [Account(f"a{i}", week=weeks[i % 10], age_h=200.0) for i in range(40)]
    fleet += [Account("new", week="2026-W10", age_h=5.0), Account("old customer", week="2026-W01", age_h=5.0)]
    one = population(fleet)
    young = dict(zip(one.columns.ids, one.young.tolist(), strict=True))
    assert young["new"]
    assert not young["old customer"]
    assert sum(young.values()) == 1


def test_where_weeks_are_not_told_age_alone_makes_young():
    one = population([Account("new", age_h=5.0), Account("old", age_h=500.0)])
    assert one.young.tolist() == [True, False]


def test_the_order_of_items_in_a_set_changes_nothing():
    columns = columns_of(still_fleet(50))
    turned = []
    for i in range(len(columns)):
        turned += list(range(int(columns.fast.start[i + 1]) - 1, int(columns.fast.start[i]) - 1, -1))
    other = dataclasses.replace(
        columns, fast=Sets(columns.fast.start, columns.fast.items[turned]), fast_count=columns.fast_count[turned]
    )
    ours, theirs = (population_of(one, HOUR, Parameters(), {}) for one in (columns, other))
    assert ours.now.tolist() == theirs.now.tolist()
