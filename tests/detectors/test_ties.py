"""Ties: unrelated accounts that share what strangers do not share, and hardly anybody by chance."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from detectors import ties as module
from detectors.movement import movement_of
from detectors.ties import ties_of
from tests.detectors.fleets import PARAMETERS, carried, moving, population, private_values, still_fleet


def tied(fleet, parameters=PARAMETERS):
    """The pairs of ids that are tied, and all that ties_of gave."""
    one = population(fleet)
    found = ties_of(one, movement_of(one), carried(one), parameters, seed=one.hour)
    ids = one.columns.ids
    pairs = {frozenset((ids[a], ids[b])) for a, b in zip(found.a[found.tied], found.b[found.tied], strict=True)}
    return pairs, found, one


def sharing(accounts, dimension, value):
    return [dataclasses.replace(one, values={**one.values, (dimension, value): one.n}) for one in accounts]


def test_accounts_that_share_nothing_are_tied_to_nobody():
    assert tied(private_values(still_fleet(300)))[0] == set()


def test_two_accounts_of_different_organisations_that_share_several_rare_values_are_tied():
    fleet = private_values(still_fleet(300, orgs_of=1))
    for dimension in ("payment", "template", "ip_prefix"):
        fleet = [*sharing(fleet[:2], dimension, "shared"), *fleet[2:]]
    assert tied(fleet)[0] == {frozenset((fleet[0].id, fleet[1].id))}


def test_accounts_of_one_organisation_are_never_tied():
    fleet = private_values(still_fleet(300, orgs_of=2))
    for dimension in ("payment", "template", "ip_prefix"):
        fleet = [*sharing(fleet[:2], dimension, "shared"), *fleet[2:]]
    assert tied(fleet)[0] == set()


def test_a_value_that_more_organisations_use_than_the_limit_ties_nobody():
    fleet = private_values(still_fleet(300, orgs_of=1))
    limit = PARAMETERS.value_organisations_max
    popular = fleet
    for dimension in ("payment", "template", "ip_prefix"):
        popular = [*sharing(popular[: limit + 1], dimension, "pack"), *popular[limit + 1 :]]
    assert tied(popular)[0] == set()


def crowd_sharing(dimensions):
    """80 of 1,000 strangers on one value of each of these dimensions: too many for each to be rare."""
    fleet = private_values(still_fleet(1_000, orgs_of=1))
    for dimension in dimensions:
        fleet = [*sharing(fleet[:80], dimension, "popular"), *fleet[80:]]
    return fleet


def test_a_popular_value_alone_ties_nobody_however_much_it_is_worth():
    _, found, _ = tied(crowd_sharing(["template"]))
    assert len(found.a) == 0


def test_popular_values_of_two_dimensions_tie_those_who_share_both_by_what_each_is_worth():
    _, found, one = tied(crowd_sharing(["template", "payment"]))
    assert one.organisations == 1_000
    assert len(found.a) == 80 * 79 // 2
    assert found.link.round(6).tolist() == [round(2 * math.log(1_000 / 80), 6)] * len(found.a)


def test_a_rare_value_counts_by_itself_and_a_popular_one_beside_it_too():
    fleet = crowd_sharing(["template"])
    fleet = [*sharing(fleet[:3], "ip_prefix", "rare"), *fleet[3:]]
    _, found, _ = tied(fleet)
    assert found.link.round(6).tolist() == [round(math.log(1_000 / 80) + math.log(1_000 / 3), 6)] * 3


def test_what_is_shared_counts_by_how_rare_it_is():
    """Without caps: ln(organisations / carriers) of the one shared value."""
    fleet = private_values(still_fleet(400, orgs_of=1))
    _, found, one = tied([*sharing(fleet[:10], "template", "shared"), *fleet[10:]])
    assert one.organisations == 400
    assert set(found.link.round(6).tolist()) <= {round(math.log(400 / 10), 6)}
    few = [*sharing(sharing(fleet[:2], "template", "s"), "template", "t"), *fleet[2:]]
    _, found, _ = tied(few)
    assert found.link.round(6).tolist() == [round(2 * math.log(400 / 2), 6)]


def test_what_a_large_customer_shares_is_worth_less():
    """It has many chances."""
    small = private_values(still_fleet(300, orgs_of=1))
    large = [dataclasses.replace(one, org="giant") if i >= 200 or i == 0 else one for i, one in enumerate(small)]
    values = ("template", "payment")
    links = []
    for fleet in (small, large):
        for dimension in values:
            fleet = [*sharing(fleet[:2], dimension, "shared"), *fleet[2:]]
        links.append(tied(fleet)[1].link.sum())
    assert links[1] < links[0] - 1.0


def test_chance_alone_ties_an_account_to_less_than_a_fifth_of_another():
    """Strangers that happen upon common values: 4 accounts an exit, 12 a template, of their own choosing."""
    rng = np.random.default_rng(3)
    fleet = private_values(still_fleet(1_500, orgs_of=1))
    fleet = [
        dataclasses.replace(
            one,
            values={
                ("payment", f"own {one.id}"): 1,
                ("ip_prefix", f"{rng.integers(375)}"): 1,
                ("template", f"{rng.integers(125)}"): 1,
            },
        )
        for one in fleet
    ]
    assert 2 * len(tied(fleet)[0]) <= 0.2 * len(fleet)


def test_moving_alike_strengthens_what_is_shared_and_makes_nothing_of_nothing():
    fleet = private_values(still_fleet(600, orgs_of=1))
    shared = sharing(sharing(fleet[:2], "template", "s"), "template", "t")
    still = tied([*shared, *fleet[2:]])[1]
    moved = tied([*moving(shared, "model:atlas-4", 0.8), *fleet[2:]])[1]
    assert len(still.link) == len(moved.link) == 1
    assert moved.strength[0] > still.strength[0] + 1.0
    assert (moved.strength - moved.link <= module.MOVE_NATS_MAX).all()
    alone = tied([*moving(fleet[:2], "model:atlas-4", 0.8), *fleet[2:]])[1]
    assert len(alone.link) == 0


def test_a_value_with_very_many_carriers_costs_no_more_than_its_sample(monkeypatch):
    monkeypatch.setattr(module, "CARRIERS_MAX", 10)
    fleet = private_values(still_fleet(300, orgs_of=10))
    for dimension in ("payment", "template", "ip_prefix"):
        fleet = sharing(fleet, dimension, "everybody's")
    _, found, _ = tied(fleet)
    assert len(np.unique(np.concatenate((found.a, found.b)))) <= 10


def test_order_and_names_of_accounts_and_values_change_no_link():
    rng = np.random.default_rng(5)
    fleet = private_values(still_fleet(200, orgs_of=1))
    fleet = [dataclasses.replace(a, values={**a.values, ("template", f"t{rng.integers(40)}"): 3,
                                            ("ip_prefix", f"p{rng.integers(30)}"): 2}) for a in fleet]  # fmt: skip
    other = [
        dataclasses.replace(
            a, id=f"z{a.id[::-1]}", org=f"q{a.org}", values={(d, f"{v[::-1]}x"): n for (d, v), n in a.values.items()}
        )
        for a in fleet
    ]
    links = []
    for one, name in ((fleet, lambda i: i), (other, lambda i: i[:0:-1])):
        _, found, seen = tied(one)
        ids = [name(i) for i in seen.columns.ids]
        links.append(
            {frozenset((ids[a], ids[b])): round(x, 9) for a, b, x in zip(found.a, found.b, found.link, strict=True)}
        )
    assert links[0] == links[1]
    assert links[0]
