"""How far an account moved, given its like: uniform ranks where nothing moved, large ones where something did."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from detectors.comparison.movement import NATS_MAX, kl_up, movement_of, nats_of_rank
from tests.detectors.fleets import moving, population, still_fleet


@pytest.mark.parametrize("strata", [1, 4])
def test_ranks_of_a_null_exceed_t_with_probability_at_most_exp_minus_t(strata):
    rng = np.random.default_rng(2)
    stratum = rng.integers(0, strata, 4_000)
    nats = nats_of_rank(rng.exponential(size=4_000), stratum, strata)
    for t in (0.5, 1.0, 2.0, 4.0):
        for s in range(strata):
            mine = nats[stratum == s]
            assert (mine > t).mean() <= np.exp(-t) + 1e-9
            assert (mine > t).mean() >= np.exp(-t) - 3 * np.sqrt(np.exp(-t) / len(mine)) - 2 / len(mine)


def test_the_first_of_a_stratum_gets_the_log_of_its_size_and_no_more_than_the_cap():
    small = nats_of_rank(np.arange(1.0, 51.0), np.zeros(50, np.int64), 1)
    assert small.max() == pytest.approx(np.log(50))
    large = nats_of_rank(np.arange(1.0, 1001.0), np.zeros(1000, np.int64), 1)
    assert large.max() == NATS_MAX


def test_a_score_of_nothing_gets_nothing_and_equals_share_the_larger_rank():
    nats = nats_of_rank(np.array([0.0, 3.0, 3.0, 3.0, 9.0]), np.zeros(5, np.int64), 1)
    assert nats[0] == 0.0
    assert nats[1:4] == pytest.approx(-np.log(4 / 5))
    assert nats[4] == pytest.approx(-np.log(1 / 5))


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)), min_size=1, max_size=40))
def test_ranks_depend_on_the_order_of_scores_alone(drawn):
    score = np.array([s for s, _ in drawn], float)
    stratum = np.unique(np.array([g for _, g in drawn]), return_inverse=True)[1].astype(np.int64)
    strata = int(stratum.max()) + 1
    assert nats_of_rank(score, stratum, strata).tolist() == nats_of_rank(score**3 * 7, stratum, strata).tolist()


@pytest.mark.parametrize(("n", "k", "q"), [(20, 9, 0.1), (100, 20, 0.05), (7, 7, 0.5)])
def test_the_score_is_the_log_likelihood_ratio_of_binomial_shares(n, k, q):
    ratio = binom.logpmf(k, n, k / n) - binom.logpmf(k, n, q)
    assert kl_up(np.array([float(n)]), np.array([k / n]), np.array([q]))[0] == pytest.approx(ratio, rel=1e-4)


def test_moving_down_is_no_movement():
    assert kl_up(np.array([50.0]), np.array([0.1]), np.array([0.4])).tolist() == [0.0]


def test_in_a_still_fleet_hardly_anybody_stands_out_on_any_target():
    one = population(still_fleet(1_500))
    u = movement_of(one).u[:, : len(one.targets)]
    assert ((u > 3.0).mean(axis=0) <= np.exp(-3.0) + 0.01).all()


def test_who_moves_alone_stands_out_and_who_moves_with_everybody_does_not():
    fleet = still_fleet(600)
    alone = population([*moving(fleet[:10], "model:atlas-4", 0.6), *fleet[10:]])
    everybody = population(moving(fleet, "model:atlas-4", 0.6))
    for one, low, high in ((alone, 2.0, NATS_MAX), (everybody, 0.0, 1.5)):
        u = movement_of(one).u[:10, one.targets.index("model:atlas-4")]
        assert low <= np.median(u) <= high


def test_the_order_and_names_of_accounts_and_targets_change_no_rank():
    fleet = moving(still_fleet(300), "model:atlas-4", 0.2)
    rng = np.random.default_rng(4)
    new_id = {one.id: f"z{i:05}" for i, one in zip(rng.permutation(300).tolist(), fleet, strict=True)}

    def renamed(name):
        return f"{name.partition(':')[0]}:{name[::-1]}"

    other = [
        dataclasses.replace(
            one,
            id=new_id[one.id],
            org=f"x{one.org[::-1]}",
            now={renamed(k): v for k, v in one.now.items()},
            before={renamed(k): v for k, v in one.before.items()},
        )
        for one in fleet
    ]
    ours, theirs = population(fleet), population(other)
    u, v = movement_of(ours).u, movement_of(theirs).u
    row = {name: i for i, name in enumerate(theirs.columns.ids)}
    rows = [row[new_id[name]] for name in ours.columns.ids]
    columns = [theirs.targets.index(renamed(name)) for name in ours.targets]
    assert u[:, : len(columns)] == pytest.approx(v[np.ix_(rows, columns)], abs=1e-9)


def test_growth_is_measured_against_the_accounts_own_rate():
    fleet = still_fleet(200, volume=30.0)
    steady = dataclasses.replace(fleet[0], n=24, nb=176.0, now={"model:atlas-3": 24}, before={"model:atlas-3": 176.0})
    grown = dataclasses.replace(steady, id="a99999", n=240, now={"model:atlas-3": 240})
    one = population([steady, *fleet[1:], grown])
    growth = dict(zip(one.columns.ids, movement_of(one).growth.tolist(), strict=True))
    assert growth["a99999"] > growth[steady.id] + 1.0
