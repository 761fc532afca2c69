"""Company: whether those with whom an account shares rare values moved as well, and how many do so by chance."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from detectors.comparison.movement import EVIDENCE_MAX
from detectors.ties.neighbours import (
    CHANCE_MIN,
    COMPANY,
    DIMENSION_NATS_MAX,
    LEVELS,
    VALUE_NATS_MAX,
    Evidence,
    _dealt,
    evidence_of,
    hear,
)
from tests.detectors.fleets import (
    PARAMETERS,
    Account,
    in_rings,
    moving,
    neighbours_of,
    population,
    private_values,
    rows_named,
    still_fleet,
)

CHANCE = 0.1  # that an account moves
RING = 2 * math.log(1 / CHANCE)  # what two others of a ring of three say, when both moved


def sharing(name, org, *values):
    return Account(name, org, values=dict.fromkeys(values, 3))


def company(accounts, *moved, chance=CHANCE):
    """Nats of company of each account that moved, where each account moves by this chance."""
    one = population(accounts)
    near, rows = neighbours_of(one), rows_named(one, moved)
    by_chance = near.chance(np.zeros(len(one), np.int64), np.array([[chance]]))
    nats = near.company(rows, np.zeros(len(rows), np.int64), by_chance)[:, 0]
    return {one.columns.ids[row]: value for row, value in zip(rows.tolist(), nats.round(6).tolist(), strict=True)}


def ring(*names, value=("payment", "p"), orgs="abcdefghij"):
    return [sharing(name, orgs[i], value) for i, name in enumerate(names)]


def test_who_moves_while_its_neighbours_do_not_is_alone():
    assert company(ring("a", "b", "c"), "a") == {"a": 0.0}


def test_who_shares_nothing_is_alone_though_everybody_moves():
    alone = [sharing(f"a{i}", f"o{i}", ("payment", f"own {i}")) for i in range(5)]
    assert set(company(alone, *(one.id for one in alone)).values()) == {0.0}


def test_a_payment_of_three_who_all_moved_is_company():
    assert company(ring("a", "b", "c"), "a", "b", "c") == dict.fromkeys("abc", pytest.approx(RING))


def test_company_is_of_those_who_moved_toward_the_same_target():
    one = population(ring("a", "b", "c"))
    near = neighbours_of(one)
    by_chance = near.chance(np.zeros(3, np.int64), np.full((1, 2), CHANCE))
    assert near.company(np.arange(3), np.array([0, 0, 0]), by_chance)[:, 0].round(6).tolist() == [round(RING, 6)] * 3
    found = near.company(np.arange(3), np.array([0, 0, 1]), by_chance)[:, 0]
    assert found[2] == 0.0
    assert 0.0 < found[0] == found[1] < RING


def test_the_more_would_have_moved_anyway_the_less_company_says():
    nats = [company(ring("a", "b", "c"), "a", "b", "c", chance=p)["a"] for p in (0.05, 0.2, 0.5, 1.0)]
    assert nats == sorted(nats, reverse=True)
    assert nats[-1] == pytest.approx(0.0, abs=1e-4)


def test_an_organisation_counts_once_however_many_of_its_accounts_carry_the_value():
    few = [*ring("a", "b"), sharing("c", "c", ("payment", "p"))]
    many = [*ring("a", "b"), *(sharing(f"c{i}", "c", ("payment", "p")) for i in range(20))]
    assert company(few, "a", "b", "c")["a"] == pytest.approx(RING)
    assert company(many, *(one.id for one in many))["a"] == pytest.approx(RING)


def test_of_an_organisation_the_part_that_moved_counts():
    """One seat of two, of which half moved, and the other whole: three quarters of two."""
    many = [*ring("a", "b"), *(sharing(f"c{i}", "c", ("payment", "p")) for i in range(20))]
    expected = 2 * (0.75 * math.log(0.75 / CHANCE) + 0.25 * math.log(0.25 / (1 - CHANCE)))
    assert company(many, "a", "b", *(f"c{i}" for i in range(10)))["a"] == pytest.approx(expected)


def test_its_own_organisation_is_no_company():
    own = [*(sharing(f"a{i}", "a", ("payment", "p")) for i in range(10)), sharing("b", "b", ("payment", "p"))]
    assert set(company(own, *(f"a{i}" for i in range(10))).values()) == {0.0}


def test_what_two_dimensions_say_adds_up():
    one = [sharing(name, name, ("payment", "p"), ("ip_prefix", "e")) for name in "abc"]
    assert company(one, *"abc")["a"] == pytest.approx(2 * RING)


def test_one_value_and_one_dimension_say_no_more_than_they_may():
    crowd = [sharing(f"a{i}", f"o{i}", ("payment", "p")) for i in range(20)]
    assert company(crowd, *(one.id for one in crowd))["a0"] == VALUE_NATS_MAX
    several = [sharing(f"a{i}", f"o{i}", *(("payment", f"p{k}") for k in range(9))) for i in range(20)]
    assert company(several, *(one.id for one in several))["a0"] == DIMENSION_NATS_MAX


def test_each_neighbour_is_held_against_what_its_own_like_do():
    """Two others of a ring of three, of whom one is of a kind that always moves: he says nothing, as chance has it."""
    one = population(ring("a", "b", "c"))
    near, columns = neighbours_of(one), np.zeros(3, np.int64)
    by_chance = near.chance(np.array([0, 0, 1]), np.array([[CHANCE], [1.0]]))
    seats, values = by_chance
    assert sorted(seats.ravel().tolist()) == [CHANCE, CHANCE, 1.0]
    assert values.ravel().tolist() == [pytest.approx(2 * CHANCE + 1.0)]
    nats = near.company(np.arange(3), columns, by_chance)[:, 0].tolist()
    assert nats == pytest.approx([2 * -math.log((CHANCE + 1) / 2), 2 * -math.log((CHANCE + 1) / 2), RING])


def test_where_nobody_ever_moves_company_is_worth_no_more_than_a_chance_of_one_in_a_thousand():
    pair = ring("a", "b")
    assert company(pair, "a", "b", chance=0.0)["a"] == min(-math.log(CHANCE_MIN), VALUE_NATS_MAX)
    assert company(pair, "a", "b", chance=0.02)["a"] == pytest.approx(-math.log(0.02))


@pytest.mark.parametrize(("organisations", "says"), [(60, True), (61, False)])
def test_a_value_that_more_than_the_limit_of_organisations_use_says_nothing(organisations, says):
    assert PARAMETERS.popular_max(organisations) == 60
    crowd = [sharing(f"a{i:02}", f"o{i}", ("template", "pack")) for i in range(organisations)]
    found = company(crowd, *(one.id for one in crowd))
    assert {nats > 0 for nats in found.values()} == {says}


def test_what_one_organisation_alone_carries_is_no_value():
    own = [sharing(f"a{i}", "a", ("payment", "p")) for i in range(3)]
    assert len(neighbours_of(population(own)).names) == 0


def test_values_of_rows_are_those_that_somebody_else_carries_as_well():
    one = population([*ring("a", "b"), sharing("c", "c", ("payment", "own"))])
    table = neighbours_of(one).values_of(np.array([2, 0, 1]))
    assert table.toarray().tolist() == [[0.0], [1.0], [1.0]]


# Evidence of one window


def test_evidence_is_the_rank_among_those_who_asked_as_much():
    fleet = still_fleet(300)
    one = population([*moving(fleet[:5], "model:atlas-4", 0.9), *fleet[5:]])
    found = evidence_of(one, one.X, one.n, 24)
    k = one.targets.index("model:atlas-4")
    rows = rows_named(one, [account.id for account in fleet[:5]])
    assert (found.nats[rows, k] > LEVELS[0]).all()
    assert found.nats.max() <= EVIDENCE_MAX
    assert (np.delete(found.nats[:, k], rows) == 0.0).all()


def test_who_asked_nothing_in_the_window_has_no_evidence():
    one = population(still_fleet(100))
    counts, asked = one.X.copy(), one.n.copy()
    counts[:10], asked[:10] = 0.0, 0.0
    assert (evidence_of(one, counts, asked, 3).nats[:10] == 0.0).all()


# Dealing


def test_evidence_is_dealt_within_strata_and_to_everybody():
    stratum = np.random.default_rng(1).integers(0, 5, 400)
    dealt = _dealt(stratum, np.random.default_rng(2))
    assert sorted(dealt.tolist()) == list(range(400))
    assert (stratum[dealt] == stratum).all()
    assert (dealt != np.arange(400)).mean() > 0.9
    assert (dealt != _dealt(stratum, np.random.default_rng(3))).mean() > 0.9


def evidence(nats, stratum=None):
    """Evidence of everybody toward some targets, in one stratum or those given."""
    size = len(nats)
    stratum = np.zeros(size, np.int64) if stratum is None else stratum
    return Evidence(24, nats, stratum, int(stratum.max()) + 1)


def rings_of(accounts=600):
    fleet = still_fleet(accounts, orgs_of=1)
    return population(in_rings(in_rings(fleet, "payment", 3), "ip_prefix", 5))


RINGS = rings_of()
NEAR_RINGS = neighbours_of(RINGS)
TARGETS = np.arange(4)


def heard_over_seeds(nats_of, seeds=60, stratum=None):
    """Organisations in company of whatever kind, and by chance, over all seeds and targets, by level and line."""
    counts, chance = np.zeros((len(LEVELS), len(COMPANY))), np.zeros((len(LEVELS), len(COMPANY)))
    for seed in range(seeds):
        nats = nats_of(np.random.default_rng(1_000 + seed))
        for one in hear(NEAR_RINGS, evidence(nats, stratum), TARGETS, seed=seed).found:
            counts += one.organisations[:, :, 0]
            chance += one.by_chance[:, :, 0]
    return counts, chance


def alike(counts, chance):
    """Whether the two differ by no more than counts of accounts that come in threes may."""
    return bool((np.abs(counts - chance) <= 4.0 * np.sqrt(3.0 * (counts + chance + 1.0))).all())


def test_what_moves_at_random_is_heard_as_often_as_it_comes_by_chance():
    counts, chance = heard_over_seeds(lambda rng: rng.exponential(size=(600, 4)))
    assert counts[0, 0] > 500
    assert counts[0, 0] == pytest.approx(chance[0, 0], rel=0.2)
    assert alike(counts, chance)


def test_where_one_kind_of_account_moves_more_and_shares_more_that_is_no_company():
    """Rings are of neighbours in the list, and so are strata: who moves often sits among others who do."""
    stratum = (np.arange(600) >= 300).astype(np.int64)
    often = np.where(stratum == 1, 2.0, 0.7)[:, None]
    counts, chance = heard_over_seeds(lambda rng: often * rng.exponential(size=(600, 4)), stratum=stratum)
    assert counts[0, 0] > 500
    assert alike(counts, chance)
    # Dealt among all, the same evidence would be taken for company.
    counts, chance = heard_over_seeds(lambda rng: often * rng.exponential(size=(600, 4)))
    assert not alike(counts, chance)


def test_rings_that_move_as_one_are_heard_far_more_often_than_by_chance():
    def together(rng):
        nats = rng.exponential(size=(600, 4))
        nats[:30, 0] = 5.0
        return nats

    counts, chance = heard_over_seeds(together, seeds=3)
    assert not alike(counts, chance)
    level, line = len(LEVELS) - 1, 0
    assert counts[level, line] >= 3 * 30
    assert chance[level, line] < counts[level, line] / 3


def test_the_crowd_is_the_accounts_that_were_counted():
    nats = np.random.default_rng(5).exponential(size=(600, 4)) * 0.5
    nats[30:60, 2] = 6.0
    heard = hear(NEAR_RINGS, evidence(nats), np.array([1, 2]), seed=1)
    assert [one.target for one in heard.found] == [1, 2]
    crowd = heard.crowd(1, len(LEVELS) - 1, 1, 0)
    assert crowd.tolist() == list(range(30, 60))
    for column, found in enumerate(heard.found):
        for level in range(len(LEVELS)):
            for line, scope in product(range(len(COMPANY)), range(1 + NEAR_RINGS.dimensions)):
                rows = heard.crowd(column, level, line, scope)
                assert found.organisations[level, line, scope] == len(np.unique(RINGS.org[rows]))


def test_the_same_seed_hears_the_same_and_another_deals_anew():
    nats = np.random.default_rng(6).exponential(size=(600, 4))
    first, again, other = (
        [one.by_chance.tolist() for one in hear(NEAR_RINGS, evidence(nats), TARGETS, seed=seed).found]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_in_a_fleet_of_strangers_nobody_is_in_company():
    one = population(moving(private_values(still_fleet(200)), "model:atlas-4", 0.7))
    heard = hear(neighbours_of(one), evidence_of(one, one.X, one.n, 24), np.arange(len(one.targets)), seed=1)
    assert sum(found.organisations.sum() for found in heard.found) == 0


def test_company_is_told_of_all_dimensions_together_and_of_each_alone():
    """Two payments of three and one exit of two: each dimension says its own, and together they say the sum."""
    values = {"a": [("payment", "p"), ("ip_prefix", "e")], "b": [("payment", "p"), ("ip_prefix", "e")],
              "c": [("payment", "p")]}  # fmt: skip
    one = population([sharing(name, name, *carries) for name, carries in values.items()])
    near = neighbours_of(one)
    by_chance = near.chance(np.zeros(3, np.int64), np.array([[CHANCE]]))
    nats = near.company(np.arange(3), np.zeros(3, np.int64), by_chance)
    alone = dict(zip(PARAMETERS.link_dimensions, nats[:, 1:].T.tolist(), strict=True))
    assert alone["payment"] == [pytest.approx(RING)] * 3
    assert alone["ip_prefix"] == [pytest.approx(RING / 2)] * 2 + [0.0]
    assert alone["template"] == [0.0] * 3
    assert nats[:, 0].tolist() == pytest.approx(nats[:, 1:].sum(axis=1).tolist())
