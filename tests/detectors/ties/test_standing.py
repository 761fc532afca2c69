"""Networks that stand whoever moves: organisations tied by the rare values that they share."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.ties.standing import CARRIERS_MAX, EVERY_H, NONE, Standings
from tests.detectors.fleets import (
    HOUR,
    Account,
    holdings_of,
    moving,
    population,
    private_values,
    rows_named,
    still_fleet,
)

FLEET = private_values(still_fleet(200, orgs_of=1))


def ring(count, value, first=0):
    """Accounts of so many organisations that share one value."""
    return [
        Account(f"z{first + i:03}", f"zo{first + i}", 5, now={"model:atlas-3": 5}, values={value: 3})
        for i in range(count)
    ]


def chained(count, size=3):
    """Accounts of so many organisations in rings of payments, each tied to the next by an exit."""
    out = []
    for i in range(count):
        values = {("payment", f"ring {i // size}"): 3, ("ip_prefix", f"exit {(i + 1) // size}"): 3}
        out.append(Account(f"z{i:03}", f"zo{i}", 5, now={"model:atlas-3": 5}, values=values))
    return out


def standing(accounts, hour=HOUR, standings=None):
    one = population(accounts, hour)
    return one, (standings or Standings()).of(holdings_of(one))


def ids(one, rows):
    return {one.columns.ids[row] for row in rows.tolist()}


def test_organisations_that_share_a_rare_value_are_a_network():
    one, found = standing([*FLEET, *ring(6, ("payment", "p"))])
    (part,) = found.parts(5)
    assert ids(one, part) == {f"z{i:03}" for i in range(6)}


def test_rings_of_three_that_are_tied_to_each_other_are_one_network():
    _, found = standing([*FLEET, *chained(18)])
    assert max(len(part) for part in found.parts(5)) >= 9


def test_who_moves_has_no_part_in_it():
    accounts = [*FLEET, *ring(6, ("payment", "p")), *ring(6, ("ip_prefix", "x"), 10)]
    still = standing(accounts)[1]
    moved = standing([*moving(accounts[:-6], "model:atlas-4", 0.9), *accounts[-6:]])[1]
    assert np.array_equal(still.label, moved.label)


def test_a_value_that_many_organisations_carry_ties_nobody():
    many = ring(CARRIERS_MAX + 1, ("ip_prefix", "vpn"))
    assert standing([*FLEET, *many])[1].parts(5) == []


def test_an_account_that_carries_nothing_of_its_organisations_network_is_not_in_it():
    accounts = [*FLEET, *ring(6, ("payment", "p")), Account("y", "zo0", 5, now={"model:atlas-3": 5})]
    one, found = standing(accounts)
    assert "y" not in ids(one, found.parts(5)[0])
    assert found.label[rows_named(one, ["y"])].tolist() == [NONE]


def test_the_network_of_a_group_is_the_one_to_which_most_of_it_belongs():
    accounts = [*FLEET, *ring(6, ("payment", "p"))]
    one, found = standing(accounts)
    assert ids(one, found.of(rows_named(one, ["z000", "z001", "z002"]))) == {f"z{i:03}" for i in range(6)}
    stranger = next(account.id for account in FLEET)
    assert len(found.of(rows_named(one, [stranger, "z000"]))) == 6
    assert len(found.of(rows_named(one, [account.id for account in FLEET[:3]]))) == 0


@pytest.mark.parametrize(("later", "known"), [(EVERY_H - 1, False), (EVERY_H, True)])
def test_networks_are_found_anew_every_few_hours(later, known):
    standings = Standings()
    standing([*FLEET, *ring(6, ("payment", "p"))], HOUR, standings)
    one, found = standing([*FLEET, *ring(6, ("payment", "p")), *ring(6, ("payment", "q"), 10)], HOUR + later, standings)
    assert bool(found.label[rows_named(one, ["z010"])][0] != NONE) is known


def test_who_was_not_there_when_they_were_found_belongs_to_none_until_then():
    standings = Standings()
    standing(FLEET, HOUR, standings)
    assert standing([*FLEET, *ring(6, ("payment", "p"))], HOUR + 1, standings)[1].parts(5) == []


def test_a_restored_judge_knows_the_same_networks():
    accounts, standings, again = [*FLEET, *ring(6, ("payment", "p"))], Standings(), Standings()
    standing(accounts, HOUR, standings)
    again.restore(standings.state())
    more = [*accounts, *ring(6, ("payment", "q"), 10)]
    assert np.array_equal(standing(more, HOUR + 1, standings)[1].label, standing(more, HOUR + 1, again)[1].label)
