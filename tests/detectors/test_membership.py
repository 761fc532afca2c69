"""Who belongs: what is shared with the rest of the group speaks for an account, what its own customer shares not."""

from __future__ import annotations

import dataclasses

import numpy as np

from detectors.membership import KEEP_SCORE, NAME_SCORE, Holdings, candidates_of, cleaned, log_odds
from detectors.movement import movement_of
from detectors.ties import Ties
from tests.detectors.fleets import PARAMETERS, Account, carried, operated, population, private_values, still_fleet

NO_TARGETS = np.zeros(0, np.int64)


def scored(fleet, group, candidates, **told):
    """Score of each candidate (ids) for the group (ids)."""
    one = population(fleet)
    holdings = Holdings(one, carried(one), PARAMETERS.value_organisations_max)
    rows = {name: i for i, name in enumerate(one.columns.ids)}
    group_rows, rows_asked = (np.sort(np.array([rows[name] for name in names])) for names in (group, candidates))
    scores = log_odds(holdings, movement_of(one), group_rows, rows_asked, NO_TARGETS, **told)
    return {one.columns.ids[row]: score for row, score in zip(rows_asked.tolist(), scores.tolist(), strict=True)}


def ids(accounts):
    return [one.id for one in accounts]


FLEET = private_values(still_fleet(400, orgs_of=1))
POOL = operated(still_fleet(40, prefix="z", orgs_of=1), each=5)


def test_members_of_a_pool_belong_and_strangers_do_not():
    scores = scored([*FLEET, *POOL], ids(POOL), ids([*FLEET, *POOL]))
    assert all(scores[name] >= NAME_SCORE for name in ids(POOL))
    assert all(scores[name] < 0 for name in ids(FLEET))


def test_an_account_that_shares_one_exit_by_chance_does_not_belong():
    visitor = dataclasses.replace(FLEET[0], values={**FLEET[0].values, ("ip_prefix", "pool1"): 1})
    scores = scored([visitor, *FLEET[1:], *POOL], ids(POOL), [visitor.id])
    assert scores[visitor.id] < KEEP_SCORE


def test_what_only_its_own_customer_shares_does_not_speak_for_an_account():
    agency = [dataclasses.replace(one, org="agency", values={("payment", "agency's"): one.n}) for one in FLEET[:10]]
    apart = [dataclasses.replace(one, org=f"client {i}") for i, one in enumerate(agency)]
    group = [*ids(POOL), *ids(agency)]
    together = scored([*agency, *FLEET[10:], *POOL], group, ids(agency))
    unrelated = scored([*apart, *FLEET[10:], *POOL], group, ids(apart))
    assert max(together.values()) < 0 < min(unrelated.values())


def test_the_prior_grows_with_the_size_that_the_group_is_thought_to_have():
    small = scored([*FLEET, *POOL], ids(POOL[:10]), ids(POOL[20:]))
    large = scored([*FLEET, *POOL], ids(POOL[:10]), ids(POOL[20:]), prior_size=40)
    gains = {round(large[name] - small[name], 6) for name in small}
    assert gains == {round(float(np.log((40 / 400) / (10 / 430))), 6)}


def test_cleaning_brings_back_members_that_were_missed_and_drops_who_slipped_in():
    fleet = [*FLEET, *POOL]
    one = population(fleet)
    holdings = Holdings(one, carried(one), PARAMETERS.value_organisations_max)
    rows = {name: i for i, name in enumerate(one.columns.ids)}
    pool = np.sort([rows[name] for name in ids(POOL)])
    part = np.sort([*pool[:30], rows[FLEET[0].id], rows[FLEET[1].id]])
    candidates = np.union1d(part, pool)
    group, scores = cleaned(holdings, movement_of(one), part, candidates, NO_TARGETS)
    assert group.tolist() == pool.tolist()
    assert (scores >= KEEP_SCORE).all()


def test_candidates_are_the_part_and_who_is_nearly_tied_into_two_of_its_organisations():
    one = population([Account(f"a{i}", f"o{i}") for i in range(8)])
    pairs = np.array([(0, 3), (1, 3), (0, 4), (0, 5), (1, 5), (2, 6)])
    ties = Ties(pairs[:, 0], pairs[:, 1], np.full(6, 8.0), np.full(6, 8.0), 10.0)
    taken = np.zeros(8, bool)
    taken[5] = True  # it belongs to another part
    assert candidates_of(one, ties, np.array([0, 1, 2]), taken).tolist() == [0, 1, 2, 3]
    far = dataclasses.replace(ties, strength=np.full(6, 7.0))
    assert candidates_of(one, far, np.array([0, 1, 2]), taken).tolist() == [0, 1, 2]


def test_holdings_give_everything_that_accounts_carry_and_only_what_is_rare():
    popular = [dataclasses.replace(one, values={**one.values, ("template", "pack"): 5}) for one in FLEET[:61]]
    rare = [dataclasses.replace(one, values={**one.values, ("template", "two"): 7}) for one in popular[:2]]
    one = population([*rare, *popular[2:], *FLEET[61:]])
    known = carried(one)
    position, value, count = Holdings(one, known, PARAMETERS.value_organisations_max).of(np.array([0, 1, 2]))
    assert [(p, known.name(v), c) for p, v, c in zip(position, value.tolist(), count.tolist(), strict=True)] == [
        (0, ("template", "two"), 7.0), (1, ("template", "two"), 7.0),
    ]  # fmt: skip
