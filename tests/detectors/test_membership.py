"""Who belongs: what is shared with the rest of the group and turning with it speak for an account."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from detectors.membership import (
    CONCENTRATED,
    DIMENSION_NATS_MAX,
    KEEP_SCORE,
    MOVED_BY_CHANCE,
    MOVED_MAX,
    STAYED,
    TURNED,
    VALUE_NATS_MAX,
    Holdings,
    candidates_of,
    carried_of,
    cleaned,
    log_odds,
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

CLEARLY = 4.5  # nats: a score at which nobody doubts
LIKE_ANY = MOVED_BY_CHANCE  # nats of an account that moved as any may


class Fleet:
    """A population, what its accounts hold, and how far each turned."""

    def __init__(self, accounts, **turned):
        self.one = population(accounts)
        self.holdings = holdings_of(self.one)
        self.evidence = np.full(len(self.one), LIKE_ANY)
        for name, nats in turned.items():
            self.evidence[self.rows([name])] = nats

    def rows(self, accounts):
        return rows_named(self.one, [getattr(one, "id", one) for one in accounts])

    def ids(self, rows):
        return [self.one.columns.ids[row] for row in rows.tolist()]

    def scores(self, group, candidates, **told):
        rows = self.rows(candidates)
        scores = log_odds(self.holdings, self.evidence, self.rows(group), rows, **told)
        return dict(zip(self.ids(rows), scores.tolist(), strict=True))

    def candidates(self, part, *taken):
        theirs = np.zeros(len(self.one), bool)
        theirs[self.rows(taken)] = True
        return set(self.ids(candidates_of(self.holdings, self.evidence, self.rows(part), theirs)))


def ids(accounts):
    return {one.id for one in accounts}


def with_value(one, dimension, value):
    return dataclasses.replace(one, values={**one.values, (dimension, value): one.n})


STRANGERS = private_values(still_fleet(400, orgs_of=1))
MANY = private_values(still_fleet(1_500, orgs_of=1))
POOL = operated(still_fleet(40, prefix="z", orgs_of=1), each=5)


def test_members_of_a_pool_belong_and_strangers_do_not():
    scores = Fleet([*STRANGERS, *POOL]).scores(POOL, [*STRANGERS, *POOL])
    assert all(scores[name] >= CLEARLY for name in ids(POOL))
    assert all(scores[name] < KEEP_SCORE for name in ids(STRANGERS))


def test_who_shares_and_did_not_turn_scores_less_than_who_did():
    first, second = sorted(ids(POOL))[:2]
    still = Fleet([*STRANGERS, *POOL], **{first: 0.0}).scores(POOL, [first, second])
    turned = Fleet([*STRANGERS, *POOL], **{first: 4.0}).scores(POOL, [first, second])
    assert turned[first] == pytest.approx(still[first] + 4.0)
    assert turned[second] == still[second]


def test_how_an_account_turned_adds_and_takes_only_so_much():
    name = POOL[0].id
    scores = {nats: Fleet([*STRANGERS, *POOL], **{name: nats}).scores(POOL, [name])[name] for nats in (0.0, 1.0, 50.0)}
    assert scores[0.0] == pytest.approx(scores[1.0] + STAYED)
    assert scores[50.0] == pytest.approx(scores[1.0] + MOVED_MAX)


def test_who_turned_and_shares_nothing_is_no_candidate_and_no_clear_member():
    name = STRANGERS[0].id
    fleet = Fleet([*STRANGERS, *POOL], **{name: 9.0})
    assert fleet.scores(POOL, [name])[name] < CLEARLY
    assert fleet.candidates(POOL) == ids(POOL)


def test_an_account_that_shares_one_exit_by_chance_and_stayed_is_no_candidate_and_no_clear_member():
    visitor = with_value(MANY[0], "ip_prefix", "pool1")
    fleet = Fleet([visitor, *MANY[1:], *POOL], **{visitor.id: 0.0})
    assert fleet.scores(POOL, [visitor])[visitor.id] < CLEARLY
    assert fleet.candidates(POOL) == ids(POOL)


def test_an_honest_account_that_shares_one_popular_value_stays_out_unless_it_turned_far():
    """All of a pool, and 110 others, use one public prompt."""
    popular = ("template", "public")
    honest = [with_value(one, *popular) for one in MANY[:110]]
    group = [with_value(one, *popular) for one in POOL]
    turned, stayed = honest[0].id, honest[1].id
    fleet = Fleet([*honest, *MANY[110:], *group], **{turned: TURNED, stayed: 0.0})
    scores = fleet.scores(group, honest)
    assert scores[stayed] < scores[honest[2].id] < scores[turned] < KEEP_SCORE
    assert min(fleet.scores(group, group).values()) >= CLEARLY
    members, _ = cleaned(fleet.holdings, fleet.evidence, fleet.rows(group), fleet.rows([*group, *honest]))
    assert fleet.ids(members) == sorted(ids(group))


def test_what_only_its_own_customer_shares_does_not_speak_for_an_account():
    agency = [dataclasses.replace(one, org="agency", values={("payment", "agency's"): one.n}) for one in STRANGERS[:10]]
    apart = [dataclasses.replace(one, org=f"client {i}") for i, one in enumerate(agency)]
    together = Fleet([*agency, *STRANGERS[10:], *POOL]).scores([*POOL, *agency], agency)
    unrelated = Fleet([*apart, *STRANGERS[10:], *POOL]).scores([*POOL, *apart], apart)
    assert max(together.values()) < KEEP_SCORE < min(unrelated.values())


def test_a_value_speaks_by_how_much_more_of_the_group_carries_it_than_of_others_up_to_its_cap():
    group = [Account(f"z{i}", f"zo{i}", values={("payment", "p"): 3}) for i in range(10)]
    others = [with_value(one, "payment", "p") for one in STRANGERS[:20]]
    fleet = Fleet([*others, *STRANGERS[20:], *group])
    prior = np.log(10 / 400)
    assert fleet.scores(group, group)["z0"] == pytest.approx(prior + np.log((9 / 10) / ((30 - 9 + 1) / (400 + 1))))
    alone = Fleet([*STRANGERS, *group])
    assert alone.scores(group, group)["z0"] == pytest.approx(prior + VALUE_NATS_MAX)


def test_the_values_of_one_dimension_add_up_to_its_cap_and_dimensions_to_more():
    def scored(*values):
        group = [Account(f"z{i}", f"zo{i}", values=dict.fromkeys(values, 3)) for i in range(10)]
        return Fleet([*STRANGERS, *group]).scores(group, group)["z0"] - np.log(10 / 400)

    payments = [("payment", f"p{k}") for k in range(4)]
    assert scored(*payments) == pytest.approx(DIMENSION_NATS_MAX)
    assert scored(*payments, ("ip_prefix", "e")) == pytest.approx(DIMENSION_NATS_MAX + VALUE_NATS_MAX)


def test_who_belongs_to_a_large_customer_needs_more():
    group = [Account(f"z{i}", f"zo{i}", values={("payment", "p"): 3}) for i in range(10)]
    large = [Account(f"l{i:02}", "large", values={("payment", "p"): 3} if not i else {}) for i in range(50)]
    scores = Fleet([*STRANGERS, *group, *large]).scores([*group, large[0]], [large[0], group[0]])
    assert scores["l00"] == pytest.approx(scores["z0"] - np.log(50 / 5))


def test_the_prior_grows_with_the_size_that_the_group_is_thought_to_have():
    fleet = Fleet([*STRANGERS, *POOL])
    small = fleet.scores(POOL[:10], POOL[20:])
    large = fleet.scores(POOL[:10], POOL[20:], prior_size=40)
    gains = {round(large[name] - small[name], 6) for name in small}
    assert gains == {round(float(np.log((40 / 400) / (10 / 430))), 6)}


def test_cleaning_brings_back_members_that_were_missed_and_drops_who_slipped_in():
    fleet = Fleet([*STRANGERS, *POOL])
    part = fleet.rows([*POOL[:30], *STRANGERS[:2]])
    group, scores = cleaned(fleet.holdings, fleet.evidence, part, np.union1d(part, fleet.rows(POOL)))
    assert fleet.ids(group) == sorted(ids(POOL))
    assert (scores >= KEEP_SCORE).all()
    assert scores.tolist() == log_odds(fleet.holdings, fleet.evidence, group, group).tolist()


def test_a_part_of_strangers_is_cleaned_to_next_to_nobody():
    fleet = Fleet([*STRANGERS, *POOL])
    part = fleet.rows(STRANGERS[:20])
    group, scores = cleaned(fleet.holdings, fleet.evidence, part, part)
    assert len(group) == len(scores) < 5


# The values of a group, and who carries them


def carrying(accounts, group):
    """(values that are the group's, how many of them each account carries), by name."""
    fleet = Fleet(accounts)
    rows = fleet.rows(group)
    names = [fleet.holdings.carried.name(v)[1] for v in np.flatnonzero(values_of(fleet.holdings, rows)).tolist()]
    counts = carried_of(fleet.holdings, rows)
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
    lone = STRANGERS[0].id
    asked = Fleet(fleet, **{"turned": TURNED, lone: 9.0})
    assert asked.candidates(part) == {*ids(part), "two", "turned"}
    assert asked.candidates(part, "two", "turned") == ids(part)
    assert asked.candidates(part, *part) == {*ids(part), "two", "turned"}  # who is in the part is its own candidate


# Holdings


def test_holdings_give_everything_that_accounts_carry_and_only_what_is_rare():
    popular = [with_value(one, "template", "pack") for one in STRANGERS[:61]]
    rare = [dataclasses.replace(one, values={**one.values, ("template", "two"): 7}) for one in popular[:2]]
    one = population([*rare, *popular[2:], *STRANGERS[61:]])
    known = carried(one)
    position, value, count = Holdings(one, known, PARAMETERS.value_organisations_max).of(np.array([0, 1, 2]))
    assert [(p, known.name(v), c) for p, v, c in zip(position, value.tolist(), count.tolist(), strict=True)] == [
        (0, ("template", "two"), 7.0), (1, ("template", "two"), 7.0),
    ]  # fmt: skip


def test_holdings_know_the_requests_of_each_dimension_rare_or_not():
    one = population([with_value(STRANGERS[0], "template", "second"), *STRANGERS[1:10]])
    totals = dict(zip(PARAMETERS.link_dimensions, holdings_of(one).requests_by_dimension(), strict=True))
    n = one.n.tolist()
    assert totals["payment"].tolist() == n
    assert totals["template"].tolist() == [2 * n[0], *n[1:]]
