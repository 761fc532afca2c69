"""What binds a group: the traits of its shared values equal their plain definitions on small groups made for them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.comparison.population import population_of
from detectors.judgement.binding import FRESH_H, KNOWN_H, ties_of
from detectors.ties.carriers import Carriers
from detectors.ties.holdings import Holdings
from detectors.ties.membership import TURNED
from tests.detectors.fleets import (
    HOUR,
    PARAMETERS,
    Account,
    columns_of,
    holdings_of,
    population,
    private_values,
    rows_named,
    still_fleet,
)

FLEET = private_values(still_fleet(200, orgs_of=1))


def made(*counts):
    """A group of one account for each count of requests, all for one model."""
    return [Account(f"z{i:02}", f"zo{i}", n, now={"model:atlas-3": n}) for i, n in enumerate(counts)]


def carrying(*values, n=20):
    """A group whose accounts carry these values with so many requests each: {value: requests} of each account."""
    return [Account(f"z{i}", f"zo{i}", n, now={"model:atlas-3": n}, values=each) for i, each in enumerate(values)]


def ties(group, fleet=FLEET, **turned):
    """The ties of a group in a fleet, where these accounts turned and nobody else."""
    one = population([*fleet, *group])
    evidence = np.zeros(len(one))
    evidence[rows_named(one, turned)] = [turned[name] for name in sorted(turned)]
    return ties_of(holdings_of(one), rows_named(one, [account.id for account in group]), evidence, 72)


def bound(accounts=10, exits=10, payments=10, prompts=0):
    """A group of which so many share one exit, payment and prompt."""
    shared = (("ip_prefix", exits), ("payment", payments), ("template", prompts))
    return carrying(*({(d, "shared"): 5 for d, most in shared if i < most} for i in range(accounts)))


def test_two_kinds_is_the_part_of_the_accounts_that_share_values_of_two_dimensions():
    assert ties(bound(exits=10, payments=4))["two_kinds"] == pytest.approx(0.4)
    assert ties(bound(exits=10, payments=4, prompts=6))["two_kinds"] == pytest.approx(0.6)
    one_dimension = carrying(*[{("payment", "p"): 5, ("payment", "q"): 5}] * 10)
    assert ties(one_dimension)["two_kinds"] == 0.0


def test_widest_is_the_part_of_the_organisations_under_one_payment_or_exit_and_prompts_do_not_count():
    assert ties(bound(exits=7, payments=4, prompts=10))["widest"] == pytest.approx(0.7)
    assert ties(bound(exits=0, payments=0, prompts=10))["widest"] == 0.0
    customers = [dataclasses.replace(a, org=f"zo{i // 2}") for i, a in enumerate(bound(exits=7, payments=4))]
    assert ties(customers)["widest"] == pytest.approx(4 / 5)


def test_carriers_is_how_many_of_the_group_carry_one_of_its_values():
    assert ties(bound(exits=10, payments=4))["carriers"] == pytest.approx(np.log10(7))
    assert ties(bound(exits=2, payments=2))["carriers"] == pytest.approx(np.log10(2))


def test_exclusive_is_the_part_of_the_carriers_of_its_values_that_are_of_the_group():
    assert ties(bound())["exclusive"] == 1.0
    others = [dataclasses.replace(one, values={("payment", "shared"): 1}) for one in FLEET[:5]]
    assert ties(bound(), [*others, *FLEET[5:]])["exclusive"] == pytest.approx(20 / 25)


def test_turned_is_the_part_of_all_carriers_of_two_of_its_values_that_turned_of_the_group_or_not():
    turned = {f"z{i}": TURNED for i in range(6)}
    assert ties(bound(), **turned)["turned"] == pytest.approx(0.6)
    both = {("payment", "shared"): 1, ("ip_prefix", "shared"): 1}
    others = [dataclasses.replace(one, values=both) for one in FLEET[:10]]
    assert ties(bound(), [*others, *FLEET[10:]], **turned)["turned"] == pytest.approx(6 / 20)
    one_value = [dataclasses.replace(one, values={("payment", "shared"): 1}) for one in FLEET[:10]]
    assert ties(bound(), [*one_value, *FLEET[10:]], **turned)["turned"] == pytest.approx(0.6)
    just_below = dict.fromkeys(turned, TURNED - 0.01)
    assert ties(bound(), **just_below)["turned"] == 0.0


def test_what_others_carry_as_often_binds_nobody():
    everybody = [dataclasses.replace(one, values={("payment", "shared"): 1}) for one in FLEET[:50]]
    group = bound(exits=0)
    found = ties(group, [*everybody, *FLEET[50:]], z0=9.0)
    assert found["two_kinds"] == found["widest"] == found["turned"] == 0.0


def test_a_group_that_shares_nothing_is_bound_by_nothing():
    assert set(ties(private_values(made(*[20] * 6))).values()) == {0.0}


def test_fresh_is_what_they_began_to_carry_in_the_last_day_of_what_they_share():
    group = carrying(*[{("payment", "old"): 5, ("ip_prefix", "new"): 5}] * 10)
    before = [dataclasses.replace(a, values={("payment", "old"): 5}) for a in group]
    carriers = Carriers(PARAMETERS.carried_h)
    carriers.learn(columns_of([*FLEET, *before], HOUR - FRESH_H), HOUR - FRESH_H)
    columns = columns_of([*FLEET, *group], HOUR)
    carriers.learn(columns, HOUR)
    one = population_of(columns, HOUR, PARAMETERS, {})
    holdings = Holdings(one, carriers.of(one, PARAMETERS.link_dimensions), 100)
    rows, nobody = rows_named(one, [a.id for a in group]), np.zeros(len(one))
    assert ties_of(holdings, rows, nobody, KNOWN_H)["fresh"] == pytest.approx(0.5)
    assert "fresh" not in ties_of(holdings, rows, nobody, KNOWN_H - 1)  # then everything is new
