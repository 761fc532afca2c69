"""Who belongs: what is shared with the rest of the group and turning with it speak for an account."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from detectors.ties.holdings import Holdings
from detectors.ties.membership import (
    CONCENTRATED,
    DIMENSION_NATS_MAX,
    KEEP_SCORE,
    TURNED,
    VALUE_NATS_MAX,
    candidates_of,
    carried_of,
    cleaned,
    log_odds,
    shared_nats,
    values_of,
)
from tests.detectors.fleets import (
    PARAMETERS,
    Account,
    carried,
    holdings_of,
    operated,
    population,
    private_values,
    rows_named,
    still_fleet,
)


class Fleet:
    """A population, what its accounts hold, and who turned: those named here, and nobody else."""

    def __init__(self, accounts, *turned, nats=TURNED + 1.0):
        self.one = population(accounts)
        self.holdings = holdings_of(self.one)
        self.evidence = np.zeros(len(self.one))
        self.evidence[self.rows(turned)] = nats

    def rows(self, accounts):
        return rows_named(self.one, [getattr(one, "id", one) for one in accounts])

    def ids(self, rows):
        return [self.one.columns.ids[row] for row in rows.tolist()]

    def scores(self, group, candidates):
        rows = self.rows(candidates)
        scores = log_odds(self.holdings, self.evidence, self.rows(group), rows)
        return dict(zip(self.ids(rows), scores.tolist(), strict=True))

    def shared(self, group, candidates):
        rows = self.rows(candidates)
        return dict(zip(self.ids(rows), shared_nats(self.holdings, self.rows(group), rows).tolist(), strict=True))

    def candidates(self, part, *taken):
        theirs = np.zeros(len(self.one), bool)
        theirs[self.rows(taken)] = True
        return set(self.ids(candidates_of(self.holdings, self.evidence, self.rows(part), theirs)))


def ids(accounts):
    return {one.id for one in accounts}


def with_value(one, dimension, value):
    return dataclasses.replace(one, values={**one.values, (dimension, value): one.n})


STRANGERS = private_values(still_fleet(400, orgs_of=1))
POOL = operated(still_fleet(40, prefix="z", orgs_of=1), each=5)


def test_members_of_a_pool_that_turned_belong_and_strangers_do_not_though_some_turned_as_well():
    turned = STRANGERS[:20]
    scores = Fleet([*STRANGERS, *POOL], *POOL, *turned).scores(POOL, [*STRANGERS, *POOL])
    assert all(scores[name] >= KEEP_SCORE for name in ids(POOL))
    assert all(scores[name] < KEEP_SCORE for name in ids(STRANGERS))
    assert min(scores[name] for name in ids(turned)) > max(scores[name] for name in ids(STRANGERS[20:]))


def test_who_shares_and_did_not_turn_scores_less_than_who_did():
    still, *others = sorted(ids(POOL))
    both = [Fleet([*STRANGERS, *POOL], *names).scores(POOL, POOL) for names in (others, [still, *others])]
    assert both[0][still] < min(both[0][name] for name in others)
    assert both[0][still] < both[1][still] - 2.0


def test_how_far_an_account_turned_is_no_matter_once_it_did():
    scores = [Fleet([*STRANGERS, *POOL], *POOL, nats=nats).scores(POOL, POOL) for nats in (TURNED, TURNED + 5.0)]
    assert scores[0] == scores[1]
    assert set(Fleet([*STRANGERS, *POOL], *POOL, nats=TURNED - 0.01).scores(POOL, POOL).values()) != set(
        scores[0].values()
    )


def sharers(count, turned, prefix="s", value="common", **more):
    """Accounts of strangers on one value of the group's, and the ids of the first so many, which turned."""
    accounts = [Account(f"{prefix}{i:03}", f"{prefix}o{i}", values={("template", value): 3}, **more)
                for i in range(count)]  # fmt: skip
    return accounts, [one.id for one in accounts[:turned]]


CORE = [
    Account(f"z{i:02}", f"zo{i}", values={("payment", f"p{i % 3}"): 3, ("ip_prefix", f"e{i % 3}"): 3,
                                          ("template", "common"): 3})
    for i in range(30)
]  # fmt: skip


@pytest.mark.parametrize(("turned", "is_member"), [(2, False), (26, True)])
def test_how_much_sharing_makes_a_member_is_what_those_who_share_as_much_do(turned, is_member):
    """28 share one prompt with the group, of whom as many turned as of strangers, or as many as of members."""
    others, who = sharers(28, turned)
    fleet = Fleet([*STRANGERS, *others, *CORE], *CORE[:27], *who, *STRANGERS[:20])
    assert fleet.shared(CORE, others)[who[0]] > 1.0
    scores = fleet.scores(CORE, others)
    assert (scores[who[0]] >= KEEP_SCORE) is is_member
    assert all(fleet.scores(CORE, CORE)[one.id] >= KEEP_SCORE for one in CORE[:27])


def test_the_more_of_those_who_share_as_much_turned_the_likelier_is_each_of_them():
    scores = []
    for turned in (2, 8, 14, 20):
        others, who = sharers(28, turned)
        scores.append(Fleet([*STRANGERS, *others, *CORE], *CORE[:27], *who).scores(CORE, others)[who[0]])
    assert scores == sorted(set(scores))


def test_names_of_those_who_share_as_much_change_nothing():
    """Four of 28 that share one prompt with the group turned: the first of them by name, or the last."""
    others, who = sharers(28, 4)
    fleets = [
        Fleet([*STRANGERS, *others, *CORE], *CORE[:27], *turned) for turned in (who, [one.id for one in others[-4:]])
    ]
    first, last = (fleet.scores(CORE, others) for fleet in fleets)
    assert sorted(first.values()) == pytest.approx(sorted(last.values()))


def test_who_shares_more_never_belongs_less_where_both_turned():
    fleet = Fleet([*STRANGERS, *POOL], *POOL)
    group = POOL[:25]
    shared, scores = fleet.shared(group, POOL), fleet.scores(group, POOL)
    in_order = [scores[name] for name in sorted(ids(POOL), key=shared.__getitem__)]
    assert in_order == sorted(in_order)


def test_a_release_that_everybody_takes_up_makes_turning_say_little():
    """The same group and its sharers: where two in five strangers turned as well, who turned may be anybody."""
    others, who = sharers(28, 14)
    quiet = Fleet([*STRANGERS, *others, *CORE], *CORE[:27], *who)
    release = Fleet([*STRANGERS, *others, *CORE], *CORE[:27], *who, *STRANGERS[:160])
    assert release.scores(CORE, others)[who[0]] < quiet.scores(CORE, others)[who[0]] - 2.0
    assert release.scores(CORE, others)[who[0]] < KEEP_SCORE


def test_a_customer_with_many_accounts_on_the_groups_value_speaks_once():
    """Ten of one customer turned as one, and sixteen of eighteen others on the value did not."""
    others, who = sharers(18, 2)
    large, all_of_it = sharers(10, 10, prefix="l")
    one_customer = [dataclasses.replace(one, org="large") for one in large]
    turned = [*CORE[:27], *who, *all_of_it]
    unrelated = Fleet([*STRANGERS, *others, *large, *CORE], *turned).scores(CORE, others)[who[0]]
    alone = Fleet([*STRANGERS, *others, *one_customer, *CORE], *turned).scores(CORE, others)[who[0]]
    assert alone < unrelated - 0.5


def test_an_account_that_shares_one_exit_by_chance_does_not_belong_unless_it_turned():
    visitors = [with_value(one, "ip_prefix", "pool1") for one in STRANGERS[:5]]
    fleet = Fleet([*visitors, *STRANGERS[5:], *POOL], *POOL)
    assert max(fleet.scores(POOL, visitors).values()) < KEEP_SCORE
    assert fleet.candidates(POOL) == ids(POOL)


def test_an_honest_account_that_shares_one_popular_value_stays_out():
    """All of a group and 36 others use one public prompt; three of these turned, as one in twelve of all did."""
    honest = [with_value(one, "template", "common") for one in STRANGERS[:24]]
    fleet = Fleet([*honest, *STRANGERS[24:], *CORE], *CORE[:27], *honest[:2], *STRANGERS[24:55])
    assert max(fleet.scores(CORE, honest).values()) < KEEP_SCORE
    members = cleaned(fleet.holdings, fleet.evidence, fleet.rows(CORE), fleet.rows([*CORE, *honest]))
    assert set(fleet.ids(members)) <= ids(CORE)


# What is shared


def test_a_value_speaks_by_how_much_more_of_the_group_carries_it_than_of_others_up_to_its_cap():
    group = [Account(f"z{i}", f"zo{i}", values={("payment", "p"): 3}) for i in range(10)]
    others = [with_value(one, "payment", "p") for one in STRANGERS[:20]]
    fleet = Fleet([*others, *STRANGERS[20:], *group])
    assert fleet.shared(group, group)["z0"] == pytest.approx(np.log((9 / 10) / ((30 - 9 + 1) / (400 + 1))))
    assert fleet.shared(group, others)[others[0].id] == pytest.approx(np.log((10 / 10) / ((30 - 10 + 1) / (400 + 1))))
    assert Fleet([*STRANGERS, *group]).shared(group, group)["z0"] == VALUE_NATS_MAX


def test_the_values_of_one_dimension_add_up_to_its_cap_and_dimensions_to_more():
    def shared(*values):
        group = [Account(f"z{i}", f"zo{i}", values=dict.fromkeys(values, 3)) for i in range(10)]
        return Fleet([*STRANGERS, *group]).shared(group, group)["z0"]

    payments = [("payment", f"p{k}") for k in range(4)]
    assert shared(*payments) == DIMENSION_NATS_MAX
    assert shared(*payments, ("ip_prefix", "e")) == DIMENSION_NATS_MAX + VALUE_NATS_MAX


def test_what_only_its_own_customer_shares_does_not_speak_for_an_account():
    agency = [dataclasses.replace(one, org="agency", values={("payment", "agency's"): one.n}) for one in STRANGERS[:10]]
    partner = with_value(STRANGERS[10], "payment", "agency's")
    fleet = Fleet([*agency, partner, *STRANGERS[11:], *POOL])
    group = [*POOL, *agency]
    assert set(fleet.shared(group, agency).values()) == {0.0}
    assert fleet.shared(group, [partner])[partner.id] > 2.0


def test_who_shares_nothing_or_what_others_carry_more_often_has_no_nats():
    popular = [with_value(one, "template", "t") for one in STRANGERS[:50]]
    group = [*popular[:1], *STRANGERS[50:70]]
    fleet = Fleet([*popular, *STRANGERS[50:]])
    assert set(fleet.shared(group, [*popular, *STRANGERS[50:]]).values()) == {0.0}


# Cleaning


def test_cleaning_brings_back_members_that_were_missed_and_drops_who_slipped_in():
    fleet = Fleet([*STRANGERS, *POOL], *POOL)
    part = fleet.rows([*POOL[:30], *STRANGERS[:2]])
    group = cleaned(fleet.holdings, fleet.evidence, part, np.union1d(part, fleet.rows(POOL)))
    assert fleet.ids(group) == sorted(ids(POOL))
    assert (log_odds(fleet.holdings, fleet.evidence, group, group) >= KEEP_SCORE).all()


def test_a_part_of_strangers_that_stayed_is_cleaned_to_nobody():
    fleet = Fleet([*STRANGERS, *POOL], *POOL)
    part = fleet.rows(STRANGERS[:20])
    group = cleaned(fleet.holdings, fleet.evidence, part, part)
    assert not len(group)


def test_a_part_of_strangers_that_turned_is_cleaned_to_next_to_nobody():
    fleet = Fleet([*STRANGERS, *POOL], *STRANGERS[:20])
    part = fleet.rows(STRANGERS[:20])
    group = cleaned(fleet.holdings, fleet.evidence, part, part)
    assert len(group) < 5


def test_cleaning_drops_who_turned_and_shares_nothing():
    fleet = Fleet([*STRANGERS, *POOL], *POOL, *STRANGERS[:20])
    part = fleet.rows([*POOL, *STRANGERS[:2]])
    group = cleaned(fleet.holdings, fleet.evidence, part, part)
    assert set(fleet.ids(group)) <= ids(POOL)


# The values of a group, and who carries them


def carrying(accounts, group):
    """(values that are the group's, how many of them each account carries), by name."""
    fleet = Fleet(accounts)
    rows = fleet.rows(group)
    names = [fleet.holdings.carried.name(v)[1] for v in np.flatnonzero(values_of(fleet.holdings, rows)).tolist()]
    counts = carried_of(fleet.holdings, values_of(fleet.holdings, rows))
    return set(names), Counter(dict(zip(fleet.one.columns.ids, counts.tolist(), strict=True)))


def test_a_value_is_the_groups_where_two_of_it_carry_it_and_others_seldom_do():
    group = [Account(f"z{i}", f"zo{i}") for i in range(10)]
    group[:2] = [with_value(one, "payment", "two") for one in group[:2]]
    group[2] = with_value(group[2], "payment", "one")
    group = [with_value(one, "template", "all") for one in group]
    outside = with_value(STRANGERS[0], "payment", "one")
    outside = with_value(outside, "template", "all")
    found, counts = carrying([outside, *STRANGERS[1:], *group], group)
    assert found == {"two", "all"}
    assert counts == Counter({"z0": 2, "z1": 2, outside.id: 1}) + Counter({f"z{i}": 1 for i in range(2, 10)})


@pytest.mark.parametrize(("others", "is_theirs"), [(39, True), (40, False)])
def test_a_value_is_the_groups_only_where_it_carries_it_five_times_as_often_as_everybody_else(others, is_theirs):
    """Half of ten carry it, and of 399 others as many as make up to a tenth of them, one added to each."""
    group = [with_value(Account(f"z{i}", f"zo{i}"), "template", "t") for i in range(5)]
    group += [Account(f"z{i}", f"zo{i}") for i in range(5, 10)]
    crowd = [with_value(one, "template", "t") for one in STRANGERS[:others]]
    fleet = [*crowd, *STRANGERS[others:399], *group]
    assert (CONCENTRATED * (others + 1) / 400 <= 0.5) is is_theirs
    assert (carrying(fleet, group)[0] == {"t"}) is is_theirs


def test_candidates_carry_two_values_of_the_part_or_one_and_turned():
    part = [Account(f"z{i}", f"zo{i}", values={("payment", "p"): 3, ("ip_prefix", "e"): 3}) for i in range(10)]
    two = Account("two", "two", values={("payment", "p"): 1, ("ip_prefix", "e"): 1})
    one = Account("one", "one", values={("payment", "p"): 1})
    turned = dataclasses.replace(one, id="turned", org="turned")
    fleet = [*STRANGERS, *part, two, one, turned]
    asked = Fleet(fleet, "turned", STRANGERS[0])
    assert asked.candidates(part) == {*ids(part), "two", "turned"}
    assert asked.candidates(part, "two", "turned") == ids(part)
    assert asked.candidates(part, *part) == {*ids(part), "two", "turned"}  # who is in the part is its own candidate


# Holdings


def test_holdings_give_everything_that_accounts_carry_and_only_what_is_rare():
    popular = [with_value(one, "template", "pack") for one in STRANGERS[:61]]
    rare = [dataclasses.replace(one, values={**one.values, ("template", "two"): 7}) for one in popular[:2]]
    one = population([*rare, *popular[2:], *STRANGERS[61:]])
    known = carried(one)
    holdings = Holdings(one, known, PARAMETERS.value_organisations_max)
    at, position = holdings.places(np.array([0, 1, 2]))
    names = [known.name(v) for v in holdings.value[at].tolist()]
    assert list(zip(position.tolist(), names, holdings.count[at].tolist(), strict=True)) == [
        (0, ("template", "two"), 7.0), (1, ("template", "two"), 7.0),
    ]  # fmt: skip
    assert [p for p, _ in zip(*holdings.of(np.array([0, 1, 2])), strict=True)] == position.tolist()
