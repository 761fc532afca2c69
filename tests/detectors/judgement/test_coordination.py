"""Coordination: how many organisations a group has, what they share, and when one customer is no network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.judgement.coordination import coordination_of, without_one_customer
from detectors.ties.holdings import Holdings
from tests.detectors.fleets import PARAMETERS, Account, carried, population, private_values, still_fleet

STRANGERS = private_values(still_fleet(200, orgs_of=1))


def pooled(accounts=24, templates=6, payments=3):
    """A group on rotating pools, each member with three templates and one payment."""
    return [
        Account(
            f"z{i:02}",
            f"zo{i}",
            values={
                ("payment", f"p{i % payments}"): 3,
                **{("template", f"t{(i + k) % templates}"): 2 for k in range(3)},
            },
        )
        for i in range(accounts)
    ]


def looked_at(group):
    one = population([*STRANGERS, *group])
    holdings = Holdings(one, carried(one), PARAMETERS.value_organisations_max)
    return one, holdings, np.flatnonzero([name.startswith("z") for name in one.columns.ids])


def judged(group):
    return coordination_of(*looked_at(group))


def test_a_group_on_rotating_pools_is_coordinated_and_tells_what_it_shares():
    found = judged(pooled())
    assert found.why == "coordinated"
    assert found.holds
    assert found.organisations == 24
    assert found.values == 9
    strongest = found.shared[0]
    assert (strongest.dimension, strongest.accounts, strongest.organisations, strongest.elsewhere) == (
        "template", 12, 12, 0,
    )  # fmt: skip


def test_fewer_organisations_than_a_network_needs_are_none():
    found = judged(pooled(accounts=7))
    assert not found.holds
    assert (found.why, found.organisations) == ("few_organisations", 7)


def test_many_accounts_of_one_customer_are_one_organisation():
    found = judged([dataclasses.replace(a, org="one customer") for a in pooled()])
    assert (found.why, found.organisations) == ("few_organisations", 1)


def test_the_limit_of_organisations_is_the_configurations():
    one, holdings, rows = looked_at(pooled(accounts=12))
    found = [coordination_of(one, holdings, rows, organisations_min=least).why for least in (12, 13)]
    assert found == ["coordinated", "few_organisations"]


def test_a_group_that_shares_nothing_tells_of_no_value():
    found = judged([dataclasses.replace(a, values={("payment", f"own {i}"): 1}) for i, a in enumerate(pooled())])
    assert (found.values, found.shared, found.cover) == (0, (), 0.0)


def test_cover_is_the_part_of_the_organisations_under_the_widest_value():
    assert judged(pooled(templates=6, payments=3)).cover == pytest.approx(12 / 24)
    hall = [dataclasses.replace(a, values={**a.values, ("ip_prefix", "the hall"): 1}) for a in pooled()[:18]]
    assert judged([*hall, *pooled()[18:]]).cover == pytest.approx(18 / 24)


def test_a_popular_value_binds_a_group_that_carries_it_five_times_as_often_as_others():
    crowd = [
        dataclasses.replace(one, values={**one.values, ("template", "framework"): 1}) if i % 2 else one
        for i, one in enumerate(STRANGERS)
    ]
    group = [dataclasses.replace(a, values={**a.values, ("template", "framework"): 1}) for a in pooled(accounts=150)]
    one = population([*crowd, *group])
    rows = np.flatnonzero([name.startswith("z") for name in one.columns.ids])
    found = coordination_of(one, Holdings(one, carried(one), 10_000), rows, rare_max=20)
    assert found.values == 9
    assert "framework" not in {value.value for value in found.shared}


def test_much_of_the_requests_behind_one_exit_with_more_organisations_than_a_rotation_has_is_one_place():
    def in_the_hall(accounts):
        hall = {("ip_prefix", "the hall"): 1}
        return [dataclasses.replace(a, values={**a.values, **hall}) if i < accounts else a
                for i, a in enumerate(pooled(accounts=48))]  # fmt: skip

    assert [judged(in_the_hall(accounts)).crowd(0.6) for accounts in (0, 12, 40)] == [None, None, "one_place"]
    assert judged(in_the_hall(40)).crowd(0.3) is None


def test_those_who_have_but_one_prompt_in_common_are_a_crowd_around_it():
    def around(prompts):
        return [dataclasses.replace(a, values={("template", f"t{n}"): 1 for n in range(prompts)}) for a in pooled()]

    assert [judged(around(prompts)).crowd(0.0) for prompts in (1, 2)] == ["one_value", None]


def test_rings_that_nothing_joins_but_their_payments_are_no_crowd():
    rings = [dataclasses.replace(a, values={("payment", f"p{i // 3}"): 1}) for i, a in enumerate(pooled())]
    assert judged(rings).crowd(0.0) is None


def test_values_that_two_organisations_share_are_a_coincidence_and_do_not_count():
    def in_groups_of(size):
        return [dataclasses.replace(a, values={("payment", f"p{i // size}"): 1, ("template", f"t{i // size}"): 1})
                for i, a in enumerate(pooled())]  # fmt: skip

    assert judged(in_groups_of(2)).values == 0
    assert judged(in_groups_of(3)).values == 16


def test_where_nobody_says_who_belongs_to_whom_they_may_be_one_customer_unless_they_pay_in_many_ways():
    def without_organisations(group):
        one = population([dataclasses.replace(a, org=None) for a in [*STRANGERS, *group]])
        holdings = Holdings(one, carried(one), PARAMETERS.value_organisations_max)
        rows = np.flatnonzero([name.startswith("z") for name in one.columns.ids])
        return coordination_of(one, holdings, rows).unrelated

    assert judged(pooled()).unrelated
    assert not without_organisations(pooled())
    assert not without_organisations(pooled(accounts=300, payments=8))
    assert without_organisations(pooled(payments=8))


def test_one_customer_that_is_much_of_a_group_is_left_out_and_small_ones_stay():
    group = [Account(f"z{i:03}", "giant" if i < 30 else f"o{i // 3}") for i in range(120)]
    one = population(group)
    kept = without_one_customer(one, np.arange(120))
    assert kept.tolist() == list(range(30, 120))
    assert len(without_one_customer(one, np.arange(20, 40))) == 20
