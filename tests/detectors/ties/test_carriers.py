"""Memberships: who carried what in the last three days, as a dictionary would keep it."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.ties import carriers as module
from detectors.ties.carriers import RECENT, Carriers
from tests.detectors.fleets import HOUR, PARAMETERS, Account, columns_of, population


def account(name, *values, org=None):
    return Account(name, org or name, values={("template", v): 2 for v in values})


def learnt(*hours, keep_h=72):
    carriers = Carriers(keep_h)
    for at, accounts in enumerate(hours):
        carriers.learn(columns_of(accounts, HOUR + at), HOUR + at)
    return carriers


def memberships(carriers, accounts):
    one = population(accounts)
    carried = carriers.of(one, PARAMETERS.link_dimensions)
    return {
        (one.columns.ids[row], carried.name(value)[1]): count
        for row, value, count in zip(carried.row.tolist(), carried.value.tolist(), carried.count.tolist(), strict=True)
    }


def test_a_membership_counts_requests_and_fades_by_the_hour():
    carriers = learnt([account("a", "t")], [account("a", "t")], [account("b", "t")])
    assert memberships(carriers, [account("a"), account("b")]) == {
        ("a", "t"): pytest.approx(2 * RECENT**2 + 2 * RECENT), ("b", "t"): 2.0,
    }  # fmt: skip


def test_a_membership_is_forgotten_after_its_time_whoever_carried_it():
    carriers = learnt([account("a", "t")], [account("b", "u")], [account("b", "u")], keep_h=2)
    assert set(memberships(carriers, [account("a"), account("b")])) == {("b", "u")}


def test_organisations_of_a_value_are_those_of_active_accounts():
    one = population([account("a", org="x"), account("b", org="x"), account("c", org="y")])
    carried = learnt([account("a", "t"), account("b", "t"), account("c", "t"), account("gone", "t")]).of(
        one, PARAMETERS.link_dimensions
    )
    assert carried.organisations.tolist() == [2]


def test_over_the_bound_the_oldest_memberships_go_and_are_counted(monkeypatch):
    monkeypatch.setattr(module, "MEMBERSHIPS_MAX", 3)
    carriers = learnt([account("quiet", "t")], [account("a", "u", "v")], [account("b", "w", "x")])
    assert len(carriers.value) == 3
    assert carriers.dropped == 2
    assert {name for name, _ in memberships(carriers, [account(n) for n in ("quiet", "a", "b")])} <= {"a", "b"}


def test_names_of_values_that_nobody_carries_any_more_do_not_pile_up():
    carriers = Carriers(2)
    for at in range(40):
        carriers.learn(columns_of([account("a", *(f"t{at}-{i}" for i in range(100)))], HOUR + at), HOUR + at)
    assert len(carriers.names) < 2_000


def test_a_snapshot_goes_on_as_if_nothing_had_happened():
    first = [[account("a", "t"), account("b", "t", "u")], [account("c", "u")]]
    carriers, again = learnt(*first), Carriers(72)
    again.restore(from_bytes(to_bytes(carriers.state())))
    for one in (carriers, again):
        one.learn(columns_of([account("a", "u")], HOUR + 2), HOUR + 2)
    assert carriers.state()["names"] == again.state()["names"]
    assert all(np.array_equal(getattr(carriers, n), getattr(again, n)) for n in ("value", "account", "hour", "count"))
