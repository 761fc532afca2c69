"""Crowds: more who move in company than is usual for the target, and the networks into which they fall."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.ties.crowds import (
    CARRIERS_MAX,
    PAST_FROM_H,
    PAST_HOURS_MIN,
    PAST_TO_H,
    USUAL_MAX,
    Crowd,
    Usual,
    crowds_of,
    parts_of,
)
from detectors.ties.neighbours import COMPANY, LEVELS, Company, Heard, evidence_of, hear
from tests.detectors.fleets import (
    PARAMETERS,
    Account,
    in_rings,
    moving,
    neighbours_of,
    operated,
    population,
    private_values,
    rows_named,
    still_fleet,
)

LINE = 4.0
SHAPE = (len(LEVELS), len(COMPANY), 1)  # one scope: a crowd at most for each target and window
TARGETS = ("model:a", "model:b", "model:c")
NEW = "model:atlas-4"


def heard(window=24, **found):
    """What was heard of one window: (organisations, by chance) of targets by name, at every pair of lines alike."""
    targets = [TARGETS.index(f"model:{name}") for name in found]
    each = [
        Company(target, np.full(SHAPE, float(organisations)), np.full(SHAPE, float(chance)))
        for target, (organisations, chance) in zip(targets, found.values(), strict=True)
    ]
    nobody = [np.zeros(0, np.int64)] * len(LEVELS)
    return Heard(window, nobody, nobody, [np.zeros((0, 1))] * len(LEVELS), each)


def crowds(usual, hour, *windows, line=LINE):
    return crowds_of(SimpleNamespace(targets=TARGETS, hour=hour), windows, usual, line)


def z_of(organisations, chance=5, usual=None, hour=0, name="a"):
    found = crowds(usual or Usual(), hour, heard(**{name: (organisations, chance)}), line=-1e9)
    return found[0].z


def after(hours, *windows, begin=0):
    """What is usual after so many hours that were all like this."""
    usual = Usual()
    for hour in range(begin, begin + hours):
        crowds(usual, hour, *windows)
    return usual


def test_as_many_as_come_by_chance_are_no_crowd_and_many_more_are():
    assert crowds(Usual(), 0, heard(a=(6, 5))) == []
    (found,) = crowds(Usual(), 0, heard(a=(40, 5)))
    assert (found.target, found.window, found.organisations, found.expected) == (0, 24, 40.0, 6.0)
    assert found.z == pytest.approx((40 - 6) / np.sqrt(6 + (0.25 * 6) ** 2))


def test_the_more_organisations_the_further_beyond_what_is_expected():
    z = [z_of(organisations) for organisations in range(0, 200, 10)]
    assert all(later > earlier for earlier, later in pairwise(z))


def test_the_more_come_by_chance_the_less_the_same_number_says():
    z = [z_of(40, chance) for chance in (0, 1, 5, 20, 40, 100)]
    assert z == sorted(z, reverse=True)
    assert z[-1] < 0


def test_a_crowd_must_stand_out_in_proportion_where_very_many_come_anyway():
    """A tenth more than 10,000 is sixteen times the noise of counting, and no more than crowds swing by themselves."""
    assert z_of(11_000, 10_000) < 1


def test_a_target_whose_company_is_always_high_is_usual_and_makes_no_crowd():
    always = heard(a=(60, 5))
    known_from = PAST_TO_H + PAST_HOURS_MIN - 1
    usual = Usual()
    said = [len(crowds(usual, hour, always)) for hour in range(60)]
    assert said == [1] * known_from + [0] * (60 - known_from)
    assert len(crowds(usual, 60, heard(a=(600, 5)))) == 1


def test_what_began_in_the_last_day_is_not_usual_yet():
    usual = after(96, heard(a=(6, 5)))
    said = [len(crowds(usual, hour, heard(a=(60, 5)))) for hour in range(96, 96 + PAST_TO_H)]
    assert said == [1] * PAST_TO_H


def test_a_new_target_is_held_against_the_usual_of_the_others():
    usual = after(48, heard(a=(60, 5), b=(60, 5)))
    assert crowds(usual, 48, heard(a=(6, 5), c=(60, 5))) == []
    assert len(crowds(usual, 49, heard(a=(6, 5), c=(600, 5)))) == 1
    assert len(crowds(Usual(), 49, heard(c=(60, 5)))) == 1


def test_a_quiet_target_is_held_against_its_own_past_and_not_that_of_the_others():
    usual = after(48, heard(a=(60, 5), b=(60, 5), c=(6, 5)))
    assert [found.target for found in crowds(usual, 48, heard(a=(60, 5), b=(60, 5), c=(60, 5)))] == [2]


def test_each_window_has_a_usual_of_its_own():
    usual = after(48, heard(24, a=(60, 5)), heard(3, a=(6, 5)))
    found = crowds(usual, 48, heard(24, a=(60, 5)), heard(3, a=(60, 5)))
    assert [one.window for one in found] == [3]


def test_a_new_target_is_held_against_the_usual_of_its_window():
    usual = after(48, heard(24, a=(60, 5)), heard(3, a=(6, 5)))
    found = crowds(usual, 48, heard(24, a=(60, 5), c=(60, 5)), heard(3, a=(6, 5), c=(60, 5)))
    assert [(one.target, one.window) for one in found] == [(2, 3)]


def test_less_than_chance_is_never_usual():
    usual = after(48, heard(a=(0, 50)))
    assert usual.of(48, [("model:a", 24)])["model:a", 24].tolist() == np.zeros(SHAPE).tolist()


def test_nobodys_usual_is_more_than_twenty_times_chance():
    usual = after(48, heard(a=(10_000, 1)))
    assert usual.of(48, [("model:a", 24)])["model:a", 24].tolist() == np.full(SHAPE, USUAL_MAX).tolist()
    assert len(crowds(usual, 48, heard(a=(10_000, 1)))) == 1


def test_what_was_long_ago_is_forgotten():
    usual = after(48, heard(a=(60, 5)))
    for hour in range(48, 48 + PAST_FROM_H + PAST_TO_H):
        crowds(usual, hour, heard(b=(6, 5)))
    assert len(usual.hours) <= PAST_FROM_H + 1
    assert usual.of(hour, [("model:c", 24)])["model:c", 24].max() == pytest.approx(np.log(7 / 6))


def test_restored_it_knows_what_is_usual():
    usual, again = after(48, heard(24, a=(60, 5)), heard(3, b=(9, 5))), Usual()
    again.restore(from_bytes(to_bytes(usual.state())))
    for hour in range(48, 60):
        asked = [("model:a", 24), ("model:b", 3), ("model:c", 24)]
        told = [{name: one.tolist() for name, one in each.of(hour, asked).items()} for each in (usual, again)]
        assert told[0] == told[1]
        said = [[one.z for one in crowds(each, hour, heard(24, a=(70, 5)), line=-9)] for each in (usual, again)]
        assert said[0] == said[1]


# Who is in it, and into which networks they fall


def campaign(prefix, accounts=40, values=None, share=0.6):
    """Accounts of strangers, in pools of their own, that turn to one new model."""
    group = operated(still_fleet(accounts, seed=ord(prefix), prefix=prefix, orgs_of=1), seed=ord(prefix), each=5)
    named = [
        dataclasses.replace(one, values={(d, f"{values or prefix} {v}"): n for (d, v), n in one.values.items()})
        for one in group
    ]
    return moving(named, NEW, share, seed=ord(prefix))


STRANGERS = private_values(still_fleet(500, orgs_of=1))


def judged(accounts):
    """(crowds, parts in ids, population) of one tick of these accounts."""
    one = population(accounts)
    near = neighbours_of(one)
    targets = np.flatnonzero(one.X.sum(axis=0) >= 30)
    found = crowds_of(one, [hear(near, evidence_of(one, one.X, one.n, 24), targets, seed=1)], Usual(), LINE)
    parts = parts_of(one, near, found, PARAMETERS)
    return found, [{one.columns.ids[row] for row in part.tolist()} for part in parts], one


def ids(accounts):
    return {one.id for one in accounts}


def test_a_campaign_in_a_fleet_of_strangers_is_one_crowd_and_one_network():
    group = campaign("z")
    found, parts, one = judged([*STRANGERS, *group])
    assert {one.targets[crowd.target] for crowd in found} == {NEW}
    assert len(parts) == 1
    assert parts[0] <= ids(group)
    assert len(parts[0]) >= 36


def test_a_campaign_in_rings_of_three_is_a_crowd():
    """No value of it has more than three carriers."""
    rings = in_rings(in_rings(still_fleet(60, seed=3, prefix="z", orgs_of=1), "payment", 3), "ip_prefix", 2)
    found, _, one = judged([*STRANGERS, *moving(rings, NEW, 0.7)])
    assert {one.targets[crowd.target] for crowd in found} == {NEW}
    assert {one.columns.ids[row][0] for crowd in found for row in crowd.rows.tolist()} == {"z"}
    assert found[0].organisations >= 50


def test_rings_that_share_payments_alone_are_a_crowd_beside_a_prompt_that_everybody_tries():
    """A third of the strangers who use one prompt tries the model: in the same hours, and in no ring."""
    tried = [dataclasses.replace(a, values={**a.values, ("template", "pack"): 3}) for a in STRANGERS[:55]]
    rings = moving(in_rings(private_values(still_fleet(24, seed=3, prefix="z", orgs_of=1)), "payment", 3), NEW, 0.7)
    found, _, one = judged([*moving(tried[:18], NEW, 0.7), *tried[18:], *STRANGERS[55:], *rings])
    crowds_of_rings = [{one.columns.ids[row][0] for row in crowd.rows.tolist()} for crowd in found]
    assert {"z"} in crowds_of_rings


def test_two_campaigns_that_share_no_values_are_two_networks_though_both_move_to_one_model():
    first, second = campaign("y"), campaign("z")
    _, parts, _ = judged([*STRANGERS, *first, *second])
    assert sorted({name[0] for name in part} for part in parts) == [{"y"}, {"z"}]


def test_two_campaigns_on_the_same_values_are_one_network():
    _, parts, _ = judged([*STRANGERS, *campaign("y", values="same"), *campaign("z", values="same")])
    assert [{name[0] for name in part} for part in parts] == [{"y", "z"}]


def test_a_pool_of_accounts_that_stay_as_they_are_seldom_makes_a_crowd_and_never_a_large_one():
    """Those who share come in clumps: once in a while a dozen of them happen to look as if they moved."""
    sizes = []
    for seed in range(8):
        strangers = private_values(still_fleet(300, seed=100 + seed, orgs_of=1))
        found, _, _ = judged([*strangers, *operated(still_fleet(60, seed=seed, prefix="z", orgs_of=1), seed=seed)])
        sizes += [len(one.rows) for one in found]
    assert len(sizes) <= 3
    assert max(sizes, default=0) < 20


def test_strangers_that_move_alike_are_no_crowd():
    found, _, _ = judged([*moving(STRANGERS[:60], NEW, 0.7), *STRANGERS[60:]])
    assert found == []


def crowd_of(one, names, target=0):
    return Crowd(target, 24, 9.0, float(len(names)), 1.0, rows_named(one, names))


def split(accounts, *crowds_named):
    """The parts, in ids, of these crowds: (ids, target) each."""
    one = population([*STRANGERS, *accounts])
    found = [crowd_of(one, names, target) for names, target in crowds_named]
    parts = parts_of(one, neighbours_of(one), found, PARAMETERS)
    return [{one.columns.ids[row] for row in part.tolist()} for part in parts]


def test_who_is_in_the_crowds_of_two_windows_is_in_one_network_once():
    group = campaign("z")
    early, late = sorted(ids(group))[:30], sorted(ids(group))[10:]
    assert split(group, (early, 0), (late, 0)) == [ids(group)]


def test_each_target_has_networks_of_its_own():
    group = campaign("z")
    half = sorted(ids(group))[:20]
    assert split(group, (half, 1), (sorted(ids(group)), 0)) == [ids(group), set(half)]


def test_who_shares_nothing_with_the_others_of_the_crowd_is_in_no_network():
    group = campaign("z")
    lone = [one.id for one in STRANGERS[:30]]
    assert split(group, ([*lone, *ids(group)], 0)) == [ids(group)]


def test_a_network_of_fewer_organisations_than_a_group_needs_is_none():
    least = PARAMETERS.group_organisations_min
    few = [Account(f"z{i}", f"o{i % (least - 1)}", values={("payment", "p"): 3}) for i in range(40)]
    enough = [dataclasses.replace(one, org=f"o{i % least}") for i, one in enumerate(few)]
    assert split(few, (ids(few), 0)) == []
    assert split(enough, (ids(enough), 0)) == [ids(enough)]


def test_a_value_that_the_crowd_carries_no_more_often_than_everybody_ties_nobody_in_it():
    """Half of the crowd are on a prompt, as is half of the fleet."""
    parameters = dataclasses.replace(PARAMETERS, value_organisations_max=10_000)
    fleet = [
        dataclasses.replace(one, values={**one.values, ("template", "popular"): 1}) if i % 2 else one
        for i, one in enumerate(STRANGERS)
    ]
    one = population(fleet)
    names = [account.id for account in fleet[:60]]
    near = neighbours_of(one, parameters)
    assert len(near.names) == 1
    assert parts_of(one, near, [crowd_of(one, names)], parameters) == []


@pytest.mark.parametrize(("more", "parts"), [(0, 1), (1, 0)])
def test_what_very_many_of_a_crowd_carry_says_nothing_of_who_belongs_to_whom(more, parts):
    parameters = dataclasses.replace(PARAMETERS, value_organisations_max=10_000)
    crowd = [Account(f"z{i:04}", f"o{i}", values={("template", "t"): 1}) for i in range(CARRIERS_MAX + more)]
    one = population([*private_values(still_fleet(3_000)), *crowd])
    found = parts_of(one, neighbours_of(one, parameters), [crowd_of(one, ids(crowd))], parameters)
    assert len(found) == parts
