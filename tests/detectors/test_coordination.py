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
