"""Difference in differences: nothing where nothing moved, whatever the level; much where a group moved by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.comparison.shift import (
    HEAVY_BASELINE,
    UNREST,
    comparison_of,
    moments_of,
    own_past,
    shift_of,
    statistics_of,
)
from tests.detectors.fleets import PARAMETERS, moving, population, rows_named, still_fleet


def shifted(fleet, members):
    """The shift of the accounts with these ids, and the population."""
    one = population(fleet)
    return shift_of(one, comparison_of(one), rows_named(one, members), PARAMETERS), one


def ids(accounts):
    return [one.id for one in accounts]


def z_of(fleet, members, target):
    shift, one = shifted(fleet, members)
    return shift.z[one.targets.index(target)]


def test_groups_of_a_null_stay_below_what_a_normal_statistic_would_reach():
    """300 random groups in which nobody moved: z beyond 2 in at most 1 of 20 tests, beyond 3.5 in none of 500."""
    one = population(still_fleet(1_200))
    comparison = comparison_of(one)
    rng = np.random.default_rng(1)
    z = []
    for _ in range(300):
        rows = np.sort(rng.choice(len(one), 40, replace=False))
        shift = shift_of(one, comparison, rows, PARAMETERS)
        z += [shift.z_share, shift.z_breadth]
    z = np.array(z)
    assert (z > 2.0).mean() <= 0.05
    assert (z > 3.5).mean() <= 0.002
    assert abs(z.mean()) < 0.25
    assert 0.2 < z.std() < 1.1


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_group_that_moves_by_itself_stands_far_out(share):
    fleet = still_fleet(600)
    group = fleet[:60]
    assert z_of([*moving(group, "model:atlas-4", share), *fleet[60:]], ids(group), "model:atlas-4") > 6


def test_a_group_that_moves_with_everybody_does_not():
    fleet = moving(still_fleet(600), "model:atlas-4", 0.3)
    assert z_of(fleet, ids(fleet[:60]), "model:atlas-4") < 2.5


def test_a_group_whose_share_was_always_high_has_not_moved():
    """Light accounts too, of which little is known: the prior is the group's own past, not the fleet's."""
    fleet = still_fleet(600)
    group = still_fleet(60, seed=3, prefix="g", targets=("model:own", "model:atlas-3"), volume=6.0, orgs_of=1)
    assert z_of([*fleet, *group], ids(group), "model:own") < 2.0


def test_one_customer_speaks_once_however_many_accounts_it_has():
    fleet, one_customer = still_fleet(600), still_fleet(40, seed=5, prefix="c", orgs_of=40)
    others = still_fleet(40, seed=6, prefix="d", orgs_of=1)
    moved = moving(one_customer, "model:atlas-4", 0.5)
    alone = z_of([*fleet, *moved, *others], ids([*moved, *others]), "model:atlas-4")
    many = [dataclasses.replace(one, org=f"m{i}") for i, one in enumerate(moved)]
    assert alone < 2.0 < 5.0 < z_of([*fleet, *many, *others], ids([*many, *others]), "model:atlas-4")


def test_one_heavy_account_does_not_speak_for_its_group():
    fleet = still_fleet(600)
    giant = dataclasses.replace(fleet[0], n=5_000, now={"model:atlas-4": 4_000, "model:atlas-3": 1_000})
    assert z_of([giant, *fleet[1:]], ids(fleet[:40]), "model:atlas-4") < 2.5


def test_shares_that_are_told_are_of_all_requests_of_the_group():
    fleet = still_fleet(400)
    group = moving(fleet[:50], "model:atlas-4", 0.4)
    shift, one = shifted([*group, *fleet[50:]], ids(group))
    k = one.targets.index("model:atlas-4")
    assert shift.share_now[k] == pytest.approx(
        sum(a.now["model:atlas-4"] for a in group if "model:atlas-4" in a.now) / sum(a.n for a in group)
    )
    assert shift.share_before[k] == pytest.approx(0.0, abs=0.01)
    assert shift.organisations == 25
    assert shift.moved[k] > 0.9


def test_the_comparison_leaves_the_group_out_exactly():
    """Moments without some accounts are those of the others, up to the shrinking that the docstring tells."""
    one = population(still_fleet(400))
    rows = np.arange(0, 120, 3)
    without, _ = moments_of(one, one.change).without(one.stratum[rows], one.change[rows])
    rest = np.setdiff1d(np.arange(400), rows)
    everywhere = one.change[rest].mean(axis=0)
    for s in range(one.strata):
        mine = one.change[rest][one.stratum[rest] == s]
        expected = (mine.sum(axis=0) + 20.0 * everywhere) / (len(mine) + 20.0)
        assert without[s] == pytest.approx(expected, abs=1e-9)


def test_a_members_own_past_never_counts_in_its_prior():
    one = population(still_fleet(60))
    rows = np.arange(10)
    share, weight = one.XB[rows] / one.nb[rows][:, None], np.minimum(one.nb[rows], HEAVY_BASELINE)
    before = own_past(one, rows, PARAMETERS)
    for i in rows:
        others = rows != i
        prior = (weight[others] @ share[others] + 10 * one.fleet) / (weight[others].sum() + 10)
        shrink = PARAMETERS.shrink_requests
        assert before[i] == pytest.approx((one.XB[i] + shrink * prior) / (one.nb[i] + shrink))


def test_order_and_names_change_no_statistic():
    fleet = still_fleet(300)
    fleet = [*moving(fleet[:40], "model:atlas-4", 0.3), *fleet[40:]]
    other = [dataclasses.replace(one, id=f"z{one.id[::-1]}", org=f"q{one.org[::-1]}") for one in fleet]
    ours, one = shifted(fleet, ids(fleet[:40]))
    theirs, two = shifted(other, ids(other[:40]))
    assert ours.z == pytest.approx(theirs.z, abs=1e-9)
    assert one.targets == two.targets


def test_however_sure_a_change_is_a_small_one_is_within_what_any_two_groups_differ_by():
    """Two hundred accounts of ten thousand requests each tell one point of share from nothing without a doubt."""

    def turned_by(points):
        before = {"model:atlas-3": 15_000.0, "model:brio-2": 15_000.0}
        now = {"model:atlas-3": 5_000 - 100 * points, "model:brio-2": 5_000 + 100 * points}
        return [dataclasses.replace(one, n=10_000, nb=30_000.0, now=now, before=before) for one in fleet[:200]]

    fleet = still_fleet(1_000, orgs_of=1, targets=("model:atlas-3", "model:brio-2"))
    rest = [dataclasses.replace(one, id=f"r{one.id}") for one in fleet[200:]]
    shift, one = shifted([*turned_by(1), *rest], ids(fleet[:200]))
    k = one.targets.index("model:brio-2")
    assert shift.excess[k] == pytest.approx(0.01, abs=0.01)
    assert 0 < shift.z_share[k] <= shift.excess[k] / UNREST < 1
    assert z_of([*turned_by(20), *rest], ids(fleet[:200]), "model:brio-2") > 4


def test_many_groups_at_once_are_told_what_each_is_told_alone_to_the_bit(monkeypatch):
    fleet = still_fleet(600)
    one = population([*moving(fleet[:60], "model:atlas-4", 0.3), *fleet[60:]])
    comparison, rng = comparison_of(one), np.random.default_rng(7)
    groups = [np.sort(rng.choice(len(one), size, replace=False)) for size in (3, 9, 40, 150, 17, 300)]
    alone = np.stack([shift_of(one, comparison, rows, PARAMETERS).z for rows in groups])
    for at_once in (1, 60, 10_000):
        monkeypatch.setattr("detectors.comparison.shift.AT_ONCE", at_once)
        assert statistics_of(one, comparison, groups, PARAMETERS).tolist() == alone.tolist()
    assert statistics_of(one, comparison, [], PARAMETERS).shape == (0, len(one.targets))
