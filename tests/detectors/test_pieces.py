"""Pieces: parts that draw on the same pools are one network; parts with kits of their own are not."""

from __future__ import annotations

import numpy as np

from detectors.membership import Holdings
from detectors.pieces import rejoined
from tests.detectors.fleets import Account, carried, population, private_values, still_fleet

STRANGERS = private_values(still_fleet(400, orgs_of=1))


def team(name, payment, exits, accounts=30):
    """Accounts on one payment, each behind three of some exits in turn."""
    return [
        Account(f"{name}{i:02}", f"{name}o{i}", values={
            ("payment", payment): 3, **{("ip_prefix", exits[(i + k) % len(exits)]): 1 for k in range(3)},
        })
        for i in range(accounts)
    ]  # fmt: skip


def parts_after(*teams):
    """Rows of each part by the first letters of its accounts, after rejoining; and the components."""
    one = population([account for accounts in (STRANGERS, *teams) for account in accounts])
    names = np.array([id[0] for id in one.columns.ids])
    parts = [(np.flatnonzero(names == accounts[0].id[0]), number) for number, accounts in enumerate(teams)]
    found = rejoined(Holdings(one, carried(one), 500), parts)
    return [("".join(sorted(set(names[rows].tolist()))), component) for rows, component in found]


EXITS = [f"exit{n}" for n in range(8)]


def test_two_parts_on_different_payments_behind_the_same_exits_are_one_of_the_larger_ones_component():
    assert parts_after(team("x", "px", EXITS), team("y", "py", EXITS, accounts=40)) == [("xy", 1)]


def test_parts_with_values_of_their_own_stay_apart():
    other = [f"other{n}" for n in range(8)]
    assert parts_after(team("x", "px", EXITS), team("y", "py", other)) == [("x", 0), ("y", 1)]


def test_four_exits_in_common_are_not_enough():
    some = [*EXITS[:4], *(f"other{n}" for n in range(12))]
    assert len(parts_after(team("x", "px", EXITS), team("y", "py", some))) == 2


def test_what_everybody_carries_joins_nobody():
    popular = [Account(f"f{i:03}", f"fo{i}", values={("ip_prefix", e): 1 for e in EXITS}) for i in range(300)]
    assert len(parts_after(team("x", "px", EXITS), team("y", "py", EXITS), popular)) == 3


def test_three_parts_become_one_in_whatever_order_they_come():
    teams = [team(name, f"p{name}", EXITS, accounts=20 + n) for n, name in enumerate("xyz")]
    assert parts_after(*teams) == [("xyz", 2)]
    assert parts_after(*teams[::-1]) == [("xyz", 0)]
