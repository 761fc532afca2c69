"""One hand or many? The traits equal their plain definitions, and speak as they should of clear cases."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.membership import Holdings
from detectors.operator import Activity, likeness, ordinary_of, synchrony, verdict_of
from detectors.snapshot import from_bytes, to_bytes
from tests.detectors.fleets import (
    HOUR,
    PARAMETERS,
    Account,
    carried,
    columns_of,
    moving,
    operated,
    population,
    private_values,
    still_fleet,
)

COUNTS = st.lists(
    st.integers(2, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=3, max_size=9
)


def naive_anova(pairs):
    """One-way analysis of variance of single requests, 0 or 1, by account."""
    groups = [np.repeat([1.0, 0.0], [x, n - x]) for x, n in pairs]
    everything = np.concatenate(groups)
    k, total = len(groups), len(everything)
    between = sum(len(g) * (g.mean() - everything.mean()) ** 2 for g in groups) / (k - 1)
    within = sum(((g - g.mean()) ** 2).sum() for g in groups) / max(total - k, 1)
    size = (total - sum(len(g) ** 2 for g in groups) / total) / (k - 1)
    return np.clip((between - within) / max(between + (size - 1) * within, 1e-12), 0.0, 1.0)


@given(COUNTS)
def test_likeness_is_the_intra_class_correlation_of_an_analysis_of_variance(pairs):
    x, n = np.array(pairs, float).T
    expected = naive_anova(pairs) if 0 < x.sum() < n.sum() else 0.0
    assert likeness(x, n) == pytest.approx(expected, abs=1e-6)


def test_likeness_of_accounts_that_draw_from_one_mix_is_nothing():
    rng = np.random.default_rng(1)
    n = rng.integers(10, 60, 400).astype(float)
    assert likeness(rng.binomial(n.astype(int), 0.3).astype(float), n) < 0.02


@pytest.mark.parametrize("rho", [0.1, 0.4])
def test_likeness_recovers_how_much_accounts_differ(rho):
    """Shares drawn from a beta distribution of a known intra-class correlation."""
    rng = np.random.default_rng(2)
    weight = (1 - rho) / rho
    share = rng.beta(0.3 * weight, 0.7 * weight, 3_000)
    n = rng.integers(10, 60, 3_000)
    assert likeness(rng.binomial(n, share).astype(float), n.astype(float)) == pytest.approx(rho, abs=0.03)


def test_independent_accounts_have_a_synchrony_of_one():
    rng = np.random.default_rng(3)
    values = [synchrony(rng.poisson(0.2, (80, 576)).astype(float)) for _ in range(20)]
    assert np.mean(values) == pytest.approx(1.0, abs=0.03)
    assert max(values) < 1.25


def test_common_pauses_raise_synchrony_and_a_slow_daily_rhythm_does_not():
    rng = np.random.default_rng(3)
    pause = np.repeat(rng.random(144) < 0.3, 4)
    day = 1 + 0.8 * np.sin(np.arange(576) * 2 * np.pi / 288)
    assert synchrony(rng.poisson(np.where(pause, 0.02, 0.28), (80, 576)).astype(float)) > 1.5
    assert synchrony(rng.poisson(0.2 * day, (80, 576)).astype(float)) < 1.1


def test_synchrony_does_not_see_scale_or_order_of_accounts():
    bins = np.random.default_rng(4).poisson(0.5, (30, 300)).astype(float)
    assert synchrony(bins) == pytest.approx(synchrony(3 * bins[::-1]))


def test_of_too_short_a_time_synchrony_says_nothing():
    assert synchrony(np.ones((5, 40))) == 0.0


def test_activity_gives_every_bin_in_order_and_zeros_for_silence():
    activity = Activity(keep_h=3)
    for hour in range(5):
        one = Account("a", bins=(hour,) * 12)
        activity.learn(columns_of([one, Account("b", bins=(0,) * 12)], HOUR + hour), HOUR + hour)
    keys = columns_of([Account("a"), Account("b"), Account("never seen")]).keys
    bins = activity.of(keys)
    assert bins.shape == (3, 36)
    assert bins[0].tolist() == [2.0] * 12 + [3.0] * 12 + [4.0] * 12
    assert bins[1:].sum() == 0
    again = Activity(keep_h=3)
    again.restore(from_bytes(to_bytes(activity.state())))
    assert again.of(keys).tolist() == bins.tolist()


def verdict(group, fleet, waves, target="model:atlas-4"):
    """The verdict on a group whose requests follow `waves` (a rate by 5 minutes over two days, or by account)."""
    one = population([*fleet, *group])
    rows = np.flatnonzero(np.isin(one.columns.ids, [account.id for account in group]))
    activity, rng = Activity(), np.random.default_rng(5)
    for hour in range(48):
        rate = waves[..., hour * 12 : hour * 12 + 12]
        bins = rng.poisson(np.broadcast_to(rate, (len(group), 12)))
        busy = [dataclasses.replace(a, bins=b.tolist()) for a, b in zip(group, bins, strict=True)]
        activity.learn(columns_of(busy, HOUR - 48 + hour), HOUR - 48 + hour)
    capabilities = np.flatnonzero([name.startswith("capability:") for name in one.targets])
    return verdict_of(
        one, ordinary_of(one, capabilities), Holdings(one, carried(one), PARAMETERS.value_organisations_max), activity,
        rows, capabilities, one.targets.index(target), clock=False,
    )  # fmt: skip


def load_balanced(accounts):
    """One mix, one volume, one target that everybody moves to by the same part."""
    rng = np.random.default_rng(6)
    out = []
    for one in accounts:
        n = int(rng.poisson(40)) + 1
        coding, vision, new = rng.binomial(n, 0.4), rng.binomial(n, 0.1), rng.binomial(n, 0.5)
        now = {"capability:coding": coding, "capability:vision": vision, "model:atlas-4": new, "model:atlas-3": n - new}
        out.append(dataclasses.replace(one, n=n, now={k: int(v) for k, v in now.items() if v}))
    return out


def test_a_load_balanced_group_with_common_waves_is_one_hand():
    rng = np.random.default_rng(7)
    fleet = private_values(still_fleet(400))
    group = operated(load_balanced(still_fleet(60, seed=8, prefix="z", orgs_of=1)), payments=8, each=6)
    waves = np.repeat(np.where(rng.random(96) < 0.3, 0.0, 0.25), 6)
    found = verdict(group, fleet, waves)
    assert found.one_hand
    assert found.looks_like is None
    assert found.votes_for >= 5


def test_customers_of_one_product_each_with_a_life_of_its_own_are_not():
    """They share one template and move together, but differ in volume, mix and hours."""
    rng = np.random.default_rng(7)
    fleet = private_values(still_fleet(400))
    group = moving(private_values(still_fleet(60, seed=8, prefix="z", orgs_of=1)), "model:atlas-4", 0.5)
    group = [dataclasses.replace(a, values={**a.values, ("template", "kit"): a.n // 2 + 1}) for a in group]
    found = verdict(group, fleet, rng.gamma(0.5, 0.4, (60, 576)))
    assert not found.one_hand
    assert found.looks_like in ("product", "prompt_pack", "agency", "course", "vpn")


def test_every_vote_tells_its_value_its_limit_and_how_clearly_it_speaks():
    found = verdict(operated(load_balanced(still_fleet(40, prefix="z"))), still_fleet(200), np.full(576, 0.2))
    assert len({vote.trait for vote in found.votes}) == len(found.votes) >= 6
    for vote in found.votes:
        assert vote.one_hand == (vote.margin >= 0)
        assert -2.0 <= vote.margin <= 2.0
