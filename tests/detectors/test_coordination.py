"""The coordination rule: each of its parts by itself keeps an event, a customer or an office from being a network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.coordination import coordination_of, without_one_customer
from detectors.membership import Holdings
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


def judged(group):
    one = population([*STRANGERS, *group])
    holdings = Holdings(one, carried(one), PARAMETERS.value_organisations_max)
    rows = np.flatnonzero([name.startswith("z") for name in one.columns.ids])
    return coordination_of(one, holdings, rows)


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


@pytest.mark.parametrize(
    ("group", "why"),
    [
        (pooled(accounts=7), "few_organisations"),
        (pooled(templates=3, payments=1), "few_shared_values"),
        ([dataclasses.replace(a, values={v: n for v, n in a.values.items() if v[0] == "template"}) for a in pooled()],
         "one_dimension"),
        ([dataclasses.replace(a, values={**a.values, ("ip_prefix", "the hall"): 1}) for a in pooled()],
         "one_value_covers"),
        ([dataclasses.replace(a, org="one customer") for a in pooled()], "few_organisations"),
    ],
)  # fmt: skip
def test_whatever_breaks_one_rule_is_not_and_says_which(group, why):
    found = judged(group)
    assert not found.holds
    assert found.why == why


def with_prompts(group, prompts, exits):
    """The group on so few prompts that each is nearly everybody's, and on these exits in turn."""
    return [
        dataclasses.replace(
            a,
            values={
                **{v: n for v, n in a.values.items() if v[0] == "payment"},
                **{("template", f"t{k}"): 4 for k in range(prompts)},
                **{("ip_prefix", f"e{(i + k) % exits}"): 1 for k in range(6)},
            },
        )
        for i, a in enumerate(group)
    ]


def test_a_few_prompts_may_be_everybodys_where_payments_and_exits_are_shared_as_well():
    found = judged(with_prompts(pooled(payments=3), prompts=3, exits=10))
    assert found.why == "coordinated"
    assert found.cover == 1.0


def test_an_exit_that_all_pass_through_covers_only_where_it_has_their_requests():
    rotating = with_prompts(pooled(payments=3), prompts=3, exits=8)
    assert judged(rotating).why == "coordinated"
    office = [dataclasses.replace(a, values={**a.values, ("ip_prefix", "e0"): 20}) for a in rotating]
    assert judged(office).why == "one_value_covers"


def test_one_payment_for_all_is_an_agency_whatever_else_they_share():
    assert judged(with_prompts(pooled(payments=1), prompts=3, exits=10)).why == "one_value_covers"


def test_a_public_prompt_pack_is_no_network_though_some_of_its_users_share_payments_and_exits():
    strangers = with_prompts(pooled(payments=3), prompts=3, exits=10)
    pack = [
        dataclasses.replace(a, values={v: n for v, n in a.values.items() if v[0] == "template" or i < 10})
        for i, a in enumerate(strangers)
    ]
    assert judged(pack).why == "one_value_covers"


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


def test_values_that_two_organisations_share_are_a_coincidence_and_do_not_count():
    group = [dataclasses.replace(a, values={("payment", f"p{i // 2}"): 1, ("template", f"t{i // 2}"): 1})
             for i, a in enumerate(pooled())]  # fmt: skip
    assert judged(group).why == "few_shared_values"


def test_one_customer_that_is_much_of_a_group_is_left_out_and_small_ones_stay():
    group = [Account(f"z{i:03}", "giant" if i < 30 else f"o{i // 3}") for i in range(120)]
    one = population(group)
    kept = without_one_customer(one, np.arange(120))
    assert kept.tolist() == list(range(30, 120))
    assert len(without_one_customer(one, np.arange(20, 40))) == 20
