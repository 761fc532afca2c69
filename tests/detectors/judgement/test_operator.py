"""How a group works, and what binds it: the traits equal their plain definitions on small groups made up for them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.judgement.operator import GIANT, Activity, likeness, ordinary_of, synchrony, traits_of
from tests.detectors.fleets import (
    HOUR,
    PARAMETERS,
    Account,
    columns_of,
    holdings_of,
    moving,
    operated,
    population,
    private_values,
    rows_named,
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


FLEET = private_values(still_fleet(200, orgs_of=1))
NEW = "model:atlas-4"


def traits(group, fleet=FLEET, bins=None, target="model:atlas-3"):
    """The traits of a group in a fleet. bins: requests by account and 5 minutes of the last hours."""
    one = population([*fleet, *group])
    activity = Activity()
    for hour in range(0 if bins is None else bins.shape[1] // 12):
        busy = [
            dataclasses.replace(a, bins=b.tolist())
            for a, b in zip(group, bins[:, hour * 12 : hour * 12 + 12], strict=True)
        ]
        activity.learn(columns_of(busy, HOUR + hour), HOUR + hour)
    capabilities = np.flatnonzero([name.startswith("capability:") for name in one.targets])
    holdings = holdings_of(one, dataclasses.replace(PARAMETERS, value_organisations_max=10_000))
    rows = rows_named(one, [account.id for account in group])
    ordinary = ordinary_of(one, holdings.carried, capabilities)
    return traits_of(one, ordinary, holdings, activity, rows, capabilities, one.targets.index(target))


def made(*counts):
    """A group of one account for each count of requests, all for one model."""
    return [Account(f"z{i:02}", f"zo{i}", n, now={"model:atlas-3": n}) for i, n in enumerate(counts)]


def spread_of_the_fleet(group, fleet=FLEET):
    return np.std(np.log([one.n for one in [*fleet, *group] if one.n >= 3]))


def test_load_spread_is_that_of_the_volumes_against_the_fleets():
    group = made(10, 20, 40, 20, 10)
    expected = np.std(np.log([10, 20, 40, 20, 10])) / spread_of_the_fleet(group)
    assert traits(group)["load_spread"] == pytest.approx(expected, abs=1e-4)
    assert traits(made(30, 30, 30, 30))["load_spread"] == 0.0


def test_load_spread_leaves_out_who_asked_next_to_nothing_where_enough_others_remain():
    idle = made(10, 20, 40, 20, 10, 1, 2)
    expected = np.std(np.log([10, 20, 40, 20, 10])) / spread_of_the_fleet(idle)
    assert traits(idle)["load_spread"] == pytest.approx(expected, abs=1e-4)
    few = made(10, 20, 1)
    expected = np.std(np.log([10, 20, 1])) / spread_of_the_fleet(few)
    assert traits(few)["load_spread"] == pytest.approx(expected, abs=1e-4)


def mixed(*pairs, targets=("capability:coding", "capability:vision"), n=20):
    """A group whose accounts use two capabilities so often, of so many requests."""
    return [
        Account(f"z{i:02}", f"zo{i}", n, now={**dict(zip(targets, pair, strict=True)), "model:atlas-3": n})
        for i, pair in enumerate(pairs)
    ]


def test_mix_likeness_is_nothing_where_all_use_capabilities_alike_and_large_where_each_has_its_own():
    assert traits(mixed(*[(10, 4)] * 8))["mix_likeness"] == 0.0
    apart = traits(mixed(*[(20, 0), (0, 20)] * 4))["mix_likeness"]
    assert apart > 1.0  # accounts of the fleet differ less than that
    assert 0.0 < traits(mixed(*[(12, 6), (6, 12)] * 4))["mix_likeness"] < apart


def test_shift_dispersion_is_the_likeness_of_the_shares_of_the_target():
    shares = (5, 10, 15, 10, 5, 10)
    group = [Account(f"z{i}", f"zo{i}", 20, now={NEW: x, "model:atlas-3": 20 - x}) for i, x in enumerate(shares)]
    expected = likeness(np.array(shares, float), np.full(6, 20.0))
    assert traits(group, target=NEW)["shift_dispersion"] == pytest.approx(expected, abs=1e-4)
    some = [Account(f"z{i}", f"zo{i}", 20, now={NEW if i % 2 else "model:atlas-3": 20}) for i in range(6)]
    assert traits(some, target=NEW)["shift_dispersion"] == 1.0


def test_synchrony_is_that_of_the_activity_of_the_last_two_days():
    rng = np.random.default_rng(7)
    waves = np.repeat(np.where(rng.random(48) < 0.3, 0.0, 0.5), 12)
    together = rng.poisson(np.broadcast_to(waves, (20, 576)))
    group = made(*[20] * 20)
    assert traits(group, bins=together)["synchrony"] == pytest.approx(synchrony(together.astype(float)), abs=1e-4)
    assert traits(group, bins=together)["synchrony"] > 2.0
    assert traits(group, bins=rng.poisson(0.4, (20, 576)))["synchrony"] < 1.3


def by_night(fleet_hours, *group_hours, country="FR"):
    """night_share of a group of the country whose accounts work at these hours, in a fleet that works at those."""

    def at(hours):
        return [12 if hour in hours else 0 for hour in range(24)]

    fleet = [dataclasses.replace(one, country=country, hours=at(fleet_hours)) for one in FLEET]
    group = [
        dataclasses.replace(one, country=country, hours=at(hours))
        for one, hours in zip(made(*[20] * len(group_hours)), group_hours, strict=True)
    ]
    return traits(group, fleet)["night_share"]


def test_night_share_is_the_part_of_the_requests_at_night_beyond_that_of_compatriots():
    day = range(8, 24)  # which leaves eight hours of night
    assert by_night(day, *[day] * 6) == pytest.approx(0.0, abs=0.02)
    assert by_night(day, *[range(24)] * 6) == pytest.approx(8 / 24, abs=0.02)
    assert by_night(day, *[range(8)] * 6) == pytest.approx(1.0, abs=0.05)


def test_who_works_at_night_no_more_than_compatriots_do_is_no_machine():
    some = [3 if hour < 8 else 12 for hour in range(24)]
    fleet = [dataclasses.replace(one, country="FR", hours=some) for one in FLEET]
    group = [dataclasses.replace(one, country="FR", hours=some) for one in made(*[20] * 6)]
    assert traits(group, fleet)["night_share"] == pytest.approx(0.0, abs=1e-3)
    twice = [dataclasses.replace(one, hours=[6 if hour < 8 else 12 for hour in range(24)]) for one in group]
    assert traits(twice, fleet)["night_share"] == pytest.approx(48 / 240 - 24 / 216, abs=0.01)


def test_the_night_is_that_of_each_country():
    """Half of the world works when the other half sleeps: who works with their own works by day."""
    shifted = {"FR": range(8, 24), "NZ": [*range(12), *range(20, 24)]}
    fleet = [
        dataclasses.replace(one, country=country, hours=[12 if h in shifted[country] else 0 for h in range(24)])
        for one, country in zip(FLEET, ["FR", "NZ"] * 100, strict=True)
    ]
    group = [dataclasses.replace(one, country="NZ", hours=fleet[1].hours) for one in made(*[20] * 6)]
    assert traits(group, fleet)["night_share"] == pytest.approx(0.0, abs=0.02)
    abroad = [dataclasses.replace(one, country="FR") for one in group]
    assert traits(abroad, fleet)["night_share"] > 0.3


def test_one_giants_cron_is_no_countrys_night():
    day = [12 if h in range(8, 24) else 0 for h in range(24)]
    fleet = [dataclasses.replace(one, country="FR", hours=day) for one in FLEET]
    cron = dataclasses.replace(fleet[0], hours=[60_000] * 8 + [0] * 16)
    group = [dataclasses.replace(one, country="FR", hours=day) for one in made(*[20] * 6)]
    assert traits(group, [cron, *fleet[1:]])["night_share"] == pytest.approx(
        traits(group, fleet)["night_share"], abs=0.02
    )


def carrying(*values, n=20):
    """A group whose accounts carry these values with so many requests each: {value: requests} of each account."""
    return [Account(f"z{i}", f"zo{i}", n, now={"model:atlas-3": n}, values=each) for i, each in enumerate(values)]


def template(name):
    return "template", name


def test_kit_spread_is_how_much_the_part_under_shared_prompts_differs():
    """Shared is what three organisations use; the rest is each account's own work."""
    kit = [16, 12, 8, 4]
    group = carrying(*({template("kit"): k, template(f"own {i}"): 20 - k} for i, k in enumerate(kit)))
    # What an account alone carries is no shared value, and is still of its requests.
    assert traits(group)["kit_spread"] == pytest.approx(np.std(np.array(kit) / 20), abs=1e-4)
    alike = carrying(*({template("kit"): 12, template(f"own {i}"): 8} for i in range(4)))
    assert traits(alike)["kit_spread"] == 0.0


def test_what_two_of_the_group_share_is_no_kit_of_it():
    pair = [template("pair")] * 2 + [template("lone 2"), template("lone 3")]
    group = carrying(*({template("kit"): 8, each: 8, template(f"own {i}"): 4} for i, each in enumerate(pair)))
    assert traits(group)["kit_spread"] == 0.0


def test_template_cover_is_the_part_of_the_organisations_under_the_widest_prompt():
    group = carrying(*({template("wide"): 1} if i < 6 else {template("narrow"): 9} for i in range(8)))
    assert traits(group)["template_cover"] == pytest.approx(6 / 8)
    one_customer = [dataclasses.replace(a, org="one") if i < 5 else a for i, a in enumerate(group)]
    assert traits(one_customer)["template_cover"] == pytest.approx(2 / 4)


def test_prefix_dominance_is_the_part_of_all_requests_behind_the_favourite_exit():
    exits = [{("ip_prefix", "office"): 15, ("ip_prefix", f"home {i}"): 5} for i in range(4)]
    assert traits(carrying(*exits))["prefix_dominance"] == pytest.approx(0.75)
    rotating = [{("ip_prefix", f"e{k}"): 2 for k in range(i, i + 10)} for i in range(4)]
    assert traits(carrying(*rotating))["prefix_dominance"] == pytest.approx(0.1)


def test_what_nobody_of_the_group_carries_tells_nothing():
    found = traits(made(*[20] * 5))
    assert {"kit_spread", "template_cover", "prefix_dominance"}.isdisjoint(found)
    assert {"load_spread", "shift_dispersion", "night_share"} <= set(found)
    with_exits = traits(carrying(*[{("ip_prefix", "office"): 15}] * 5))
    assert "prefix_dominance" in with_exits
    assert "template_cover" not in with_exits


def test_where_no_capability_is_recorded_nothing_is_said_of_the_mix():
    fleet = [dataclasses.replace(one, now={"model:atlas-3": one.n}, before={"model:atlas-3": 60.0}) for one in FLEET]
    assert "mix_likeness" not in traits(made(*[20] * 6), fleet)


def test_before_a_few_hours_are_known_nothing_is_said_of_synchrony():
    assert "synchrony" not in traits(made(*[20] * 6), bins=np.ones((6, 24), np.int64))


def test_one_giants_habits_are_not_the_groups():
    group = carrying(*({template("a"): 10, template("b"): 10, ("ip_prefix", f"e{i % 3}"): 20} for i in range(9)))
    large = int(20 * GIANT) + 1
    giant = Account("z9", "zo9", 20, now={NEW: 20}, values={template("b"): large, ("ip_prefix", "e0"): large})
    ours = traits([*group, dataclasses.replace(giant, n=large, now={NEW: large})], target=NEW)
    theirs = traits([*group, giant], target=NEW)
    assert ours["prefix_dominance"] == pytest.approx(1 / 3, abs=1e-4) != theirs["prefix_dominance"]
    assert ours["shift_dispersion"] == 0.0 != theirs["shift_dispersion"]
    assert ours["load_spread"] > 0.0  # who spreads its load so unevenly is asked with all that it has


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


def test_the_traits_tell_a_load_balanced_pool_from_customers_of_one_product():
    """Each trait speaks for one hand in the first, and against it in the second."""
    rng = np.random.default_rng(7)
    fleet = private_values(still_fleet(400))
    pool = operated(load_balanced(still_fleet(60, seed=8, prefix="z", orgs_of=1)), payments=8, each=6)
    waves = rng.poisson(np.broadcast_to(np.repeat(np.where(rng.random(96) < 0.3, 0.0, 0.25), 6), (60, 576)))
    customers = moving(private_values(still_fleet(60, seed=8, prefix="z", orgs_of=1)), NEW, 0.5)
    customers = [dataclasses.replace(a, values={**a.values, template("kit"): a.n // 2 + 1}) for a in customers]
    own_lives = rng.poisson(rng.gamma(0.5, 0.4, (60, 576)))
    one_hand = traits(pool, fleet, waves, target=NEW)
    many = traits(customers, fleet, own_lives, target=NEW)
    for trait in ("load_spread", "mix_likeness", "template_cover"):
        assert one_hand[trait] < 0.75 * many[trait], trait
    assert one_hand["synchrony"] > 1.25 * many["synchrony"]


def test_more_volume_is_how_much_beyond_their_own_rate_accounts_ask():
    """A baseline of 100 requests over 240 hours is ten a day."""
    busy = asking(40, 100.0)
    calm = asking(10, 100.0)
    assert traits(busy)["more_volume"] - traits(calm)["more_volume"] == pytest.approx(np.log(41 / 11), abs=0.01)
    assert "more_volume" not in traits(asking(40, 1.0))


def asking(n, before):
    return [Account(f"z{i}", f"zo{i}", n, before, now={"model:atlas-3": n}) for i in range(6)]


def test_clock_likeness_is_nothing_where_all_work_the_same_hours_and_large_where_each_has_its_own():
    def at(*busy):
        return [10 if hour in busy else 0 for hour in range(24)]

    same = [dataclasses.replace(one, hours=at(*range(24))) for one in made(*[240] * 8)]
    own = [dataclasses.replace(one, hours=at(*range(3 * i, 3 * i + 3))) for i, one in enumerate(made(*[30] * 8))]
    fleet = [dataclasses.replace(one, hours=at(*range(i % 12, i % 12 + 12))) for i, one in enumerate(FLEET)]
    assert traits(same, fleet)["clock_likeness"] == pytest.approx(0.0)
    assert traits(own, fleet)["clock_likeness"] > 1.0


def test_the_requests_of_each_dimension_are_known_of_every_account_whoever_else_carries_the_value():
    second = dataclasses.replace(FLEET[0], values={**FLEET[0].values, ("template", "second"): FLEET[0].n})
    one = population([second, *FLEET[1:10]])
    requests = ordinary_of(one, holdings_of(one).carried, np.zeros(0, np.int64)).requests
    n = one.n.tolist()
    assert requests[PARAMETERS.link_dimensions.index("payment")].tolist() == n
    assert requests[PARAMETERS.link_dimensions.index("template")].tolist() == [2 * n[0], *n[1:]]
