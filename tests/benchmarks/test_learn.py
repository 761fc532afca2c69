"""What `make learn` makes of networks: curves that tell, lines that keep their budgets, probabilities that hold."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.found.additive import NATS_MAX, fitted, one_way
from benchmarks.found.learn_accounts import DIRECTIONS, belonging
from benchmarks.learn import FOLDS, Learnt, crossed, gathered, lasting, learn, lines_of, module, report
from detectors.judgement import learnt


def fleet(number: int, tells: float = 1.0, hours: int = 4) -> dict:
    """Twenty networks of which every fourth is a campaign's; its `load` is lower, its `noise` is anybody's."""
    rng = np.random.default_rng(number)
    samples = []
    for network in range(20):
        mine = network % 4 == 0
        for hour in range(hours):
            traits = {"load": float(rng.normal(-tells if mine else tells)), "noise": float(rng.normal())}
            samples.append({
                "hour": hour, "network": network, "share": 0.9 if mine else 0.0, "since": hour if mine else None,
                "traits": traits | ({"seldom": 1.0} if network % 2 else {}),
                "members": [mine] * 7 + [False],
                "near": near(number, network, mine) if network % 2 == 0 else None,
            })  # fmt: skip
    return {"name": str(number), "days": 10.0, "samples": samples}


def near(number: int, network: int, mine: bool) -> dict:
    """Thirty accounts near a network: of a campaign's, half are its own and share more than the others."""
    rng = np.random.default_rng([number, network])
    own = np.arange(30) < (15 if mine else 0)
    telling = {name: rng.normal(np.where(own, 1.5, -1.5)) for name in ("shared", "rare", "alike")}
    traits = telling | {"idle": rng.normal(size=30)}
    return {"keys": [f"a{i}" for i in range(30)], "traits": traits, "mine": own.tolist()}


@pytest.fixture(scope="module")
def samples():
    return gathered([fleet(number) for number in range(2 * FOLDS)])


def test_a_trait_that_tells_has_a_curve_and_one_that_does_not_is_level(samples):
    curves, _ = fitted(samples.traits, samples.mine, samples.weight)
    assert curves["load"][1][0] > 0.5 > -0.5 > curves["load"][1][-1]
    assert np.ptp(curves["noise"][1]) < 0.5 * np.ptp(curves["load"][1])
    assert all(np.abs(nats).max() <= NATS_MAX for _, nats in curves.values())


def test_a_trait_that_can_only_speak_for_never_speaks_against_though_the_samples_say_so(samples):
    curves, _ = fitted(samples.traits, samples.mine, samples.weight)
    assert (np.diff(curves["load"][1]) < -0.1).any()
    held = one_way(curves, {"load": 1})
    assert (np.diff(held["load"][1]) >= 0).all()
    assert np.array_equal(held["noise"][1], curves["noise"][1])


def test_the_curves_of_accounts_go_the_way_that_their_traits_can_speak():
    for trait, points in learnt.ACCOUNT.items():
        nats = np.array([y for _, y in points])
        assert (np.diff(nats) * DIRECTIONS.get(trait, 0) >= 0).all(), trait


def test_a_network_weighs_as_much_however_long_it_lasts():
    short, long = gathered([fleet(1, hours=2), fleet(2)]), gathered([fleet(1, hours=12), fleet(2)])
    for one in (short, long):
        assert one.weight[one.fleet == 0].sum() == pytest.approx(one.weight[one.fleet == 1].sum(), rel=0.35)


def test_what_a_campaigns_accounts_do_before_its_onset_is_not_the_campaigns():
    one = fleet(1)
    for sample in one["samples"]:
        sample["since"] = None if sample["since"] is None else sample["since"] - 100
    assert not gathered([one]).mine.any()


def test_a_smaller_budget_has_a_higher_line_and_honest_networks_keep_it(samples):
    left_out = crossed(samples)
    lines = lines_of(samples, left_out)
    assert [line for _, line in lines] == sorted((line for _, line in lines), reverse=True)
    budget, line = lines[-1]
    over = {int(n) for n in samples.network[~samples.mine & (lasting(samples, left_out) > line)]}
    assert len(over) <= budget * sum(samples.days) / 30.0 + 1


def test_the_module_that_is_written_is_python_with_the_tables(samples):
    curves, base = fitted(samples.traits, samples.mine, samples.weight)
    found = Learnt(curves, base, [(1.0, 2.0)], "a", belonging([fleet(number) for number in range(4)]), "b")
    told: dict = {}
    exec(module(found), told)
    assert (told["NETWORKS_FROM"], told["ACCOUNTS_FROM"]) == ("a", "b")
    assert set(told["TRAITS"]) == {"load", "noise", "seldom"}
    assert set(told["ACCOUNT"]) == {"shared", "rare", "alike", "idle"}
    assert told["LINES"] == ((1.0, 2.0),)
    assert "campaigns" in report(samples, crossed(samples), found)[1]


def test_learning_of_accounts_alone_keeps_what_is_known_of_networks(tmp_path):
    learn([fleet(number) for number in range(4)], "a test", tmp_path / "learnt.py", accounts=True)
    told: dict = {}
    exec((tmp_path / "learnt.py").read_text(), told)
    assert (told["BASE"], told["LINES"], told["TRAITS"]) == (learnt.BASE, learnt.LINES, learnt.TRAITS)
    assert told["ACCOUNTS_FROM"] == "a test" != told["NETWORKS_FROM"]


# Of accounts


@pytest.fixture(scope="module")
def accounts():
    return belonging([fleet(number) for number in range(2 * FOLDS)])


def test_what_members_share_speaks_for_an_account_and_what_says_nothing_is_level(accounts):
    assert accounts.curves["shared"][1][0] < -0.5 < 0.5 < accounts.curves["shared"][1][-1]
    assert np.ptp(accounts.curves["idle"][1]) < 0.3 * np.ptp(accounts.curves["shared"][1])


def test_of_accounts_named_in_fleets_that_were_left_out_as_many_are_right_as_was_said(accounts):
    assert accounts.told
    assert all(abs(said - right) < 0.1 for _, said, right in accounts.told)
