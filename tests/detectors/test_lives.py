"""Lives of their own: exits, prompts, hours and history that an account has beside what its group shares."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.carriers import Carriers
from detectors.holdings import Holdings
from detectors.lives import FRESH_H, fresh_part, life_traits, lives_of
from detectors.population import population_of
from tests.detectors.fleets import (
    HOUR,
    PARAMETERS,
    Account,
    carried,
    columns_of,
    population,
    private_values,
    rows_named,
    still_fleet,
)

FLEET = private_values(still_fleet(100, orgs_of=1))


def traits(group, fleet=FLEET):
    """What the accounts of a group have of their own, in a fleet."""
    one = population([*fleet, *group])
    known = carried(one)
    return life_traits(one, known, lives_of(one, known), rows_named(one, [account.id for account in group]))


def made(*values, n=20, **more):
    """A group whose accounts carry these values with so many requests each."""
    return [
        Account(f"z{i:02}", f"zo{i}", n, now={"model:atlas-3": n}, values=each, **more) for i, each in enumerate(values)
    ]


def exits(i, shared, own):
    return {("ip_prefix", "pool"): shared, ("ip_prefix", f"home {i}"): own}


def test_the_requests_of_each_dimension_are_known_of_every_account_whoever_else_carries_the_value():
    second = dataclasses.replace(FLEET[0], values={**FLEET[0].values, ("template", "second"): FLEET[0].n})
    one = population([second, *FLEET[1:10]])
    lives = lives_of(one, carried(one))
    n = one.n.tolist()
    assert lives.requests[PARAMETERS.link_dimensions.index("payment")].tolist() == n
    assert lives.requests[PARAMETERS.link_dimensions.index("template")].tolist() == [2 * n[0], *n[1:]]


def test_private_exits_are_requests_under_exits_that_nobody_else_has_less_what_the_fleet_has_of_them():
    """Everybody of the fleet has an exit alone; of the group, whose pool hides a quarter of its requests."""
    found = traits(made(*(exits(i, 5, 15) for i in range(20))))
    fleet = (100 * 1.0 + 20 * 0.75) / 120
    assert found["private_exits"] == pytest.approx(0.75 - fleet)
    alone = traits(made(*(exits(i, 0, 20) for i in range(20))))
    assert alone["private_exits"] == pytest.approx(0.0)


def test_a_customers_own_office_is_private_to_it_however_many_of_its_accounts_are_there():
    office = made(*[{("ip_prefix", "office"): 20}] * 6)
    apart = traits(office)["private_exits"]
    one_customer = traits([dataclasses.replace(a, org="one") for a in office])["private_exits"]
    assert apart < one_customer == pytest.approx(0.0)


def test_more_exits_is_how_many_an_account_uses_beside_those_of_its_like():
    rotating = made(*({("ip_prefix", f"e{(i + k) % 30}"): 2 for k in range(10)} for i in range(20)))
    found = traits(rotating)
    assert found["more_exits"] > 0.5
    assert traits(made(*({("ip_prefix", "pool"): 20} for _ in range(20))))["more_exits"] == pytest.approx(0.0)


def test_more_volume_is_how_much_beyond_their_own_rate_accounts_ask():
    """A baseline of 100 requests over 240 hours is ten a day."""
    busy = made(*[{}] * 6, n=40, nb=100.0)
    calm = made(*[{}] * 6, n=10, nb=100.0)
    assert traits(busy)["more_volume"] - traits(calm)["more_volume"] == pytest.approx(np.log(41 / 11), abs=0.01)
    assert "more_volume" not in traits(made(*[{}] * 6, n=40, nb=1.0))


def test_clock_likeness_is_nothing_where_all_work_the_same_hours_and_large_where_each_has_its_own():
    def at(*busy):
        return [10 if hour in busy else 0 for hour in range(24)]

    same = [dataclasses.replace(one, hours=at(*range(24))) for one in made(*[{}] * 8, n=240)]
    own = [dataclasses.replace(one, hours=at(*range(3 * i, 3 * i + 3))) for i, one in enumerate(made(*[{}] * 8, n=30))]
    fleet = [dataclasses.replace(one, hours=at(*range(i % 12, i % 12 + 12))) for i, one in enumerate(FLEET)]
    assert traits(same, fleet)["clock_likeness"] == pytest.approx(0.0)
    assert traits(own, fleet)["clock_likeness"] > 1.0


def test_what_is_not_recorded_is_not_told():
    found = traits(made(*[{}] * 6))
    assert {"private_exits", "private_prompts", "more_exits", "more_prompts"}.isdisjoint(found)
    assert "young" in found


def test_fresh_is_what_they_began_to_carry_in_the_last_day():
    group = made(*[{("payment", "old"): 5, ("ip_prefix", "new"): 5}] * 10)
    before = [dataclasses.replace(a, values={("payment", "old"): 5}) for a in group]
    carriers = Carriers(PARAMETERS.carried_h)
    carriers.learn(columns_of([*FLEET, *before], HOUR - FRESH_H), HOUR - FRESH_H)
    columns = columns_of([*FLEET, *group], HOUR)
    carriers.learn(columns, HOUR)
    one = population_of(columns, HOUR, PARAMETERS, {})
    holdings = Holdings(one, carriers.of(one, PARAMETERS.link_dimensions), 100)
    rows = rows_named(one, [a.id for a in group])
    everything = np.ones(len(holdings.accounts), bool)
    assert fresh_part(holdings, rows, everything) == pytest.approx(0.5)
    assert fresh_part(holdings, rows, ~everything) is None
