"""The watch list: who comes onto it, for which numbers, since when; what one cause explains is one row."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from detectors.comparison.movement import movement_of
from detectors.comparison.population import population_of
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.fleet import Judge
from detectors.parameters import HOUR_MS
from detectors.ties.carriers import Carriers
from detectors.triage import watchlist
from detectors.triage.watchlist import WatchList, nats_of
from tests.detectors.fleets import HOUR, PARAMETERS, Account, columns_of, population, still_fleet

CODING, TOOLS, AGENTS, VISION = (f"capability:{name}" for name in ("coding", "tool_use", "agents", "vision"))
TARGETS = (CODING, TOOLS, AGENTS, VISION, "capability:chat", "model:atlas-3", "model:brio-2")
FLEET = still_fleet(600, orgs_of=1, targets=TARGETS)
WARM = PARAMETERS.warm_up_h


def turned(id, *, org=None, values=None, n=30, before=75.0, share=0.9):
    """An account that did a bit of everything, and is now put to agents that code; and asks twice as much."""
    mix = {CODING: 0.1 * before, TOOLS: 0.05 * before, VISION: 0.4 * before, "model:atlas-3": before}
    now = {CODING: int(share * n), TOOLS: int(share * n / 2), AGENTS: int(share * n / 2), "model:atlas-3": n}
    return Account(id, org or f"org-{id}", n, before, now, mix, values or {}, age_h=150.0, hours=[1] * 24)


def listed(accounts, hours=12, *, watch=None, first=0, named=(), parameters=PARAMETERS):
    """The list after some ticks of the same accounts."""
    watch = watch or WatchList(parameters)
    carriers = Carriers(PARAMETERS.carried_h)
    for hour in range(HOUR + first, HOUR + first + hours):
        columns = columns_of(accounts, hour)
        carriers.learn(columns, hour)
        people = population_of(columns, hour, PARAMETERS, {})
        carried = carriers.of(people, PARAMETERS.link_dimensions)
        watch.learn(people, movement_of(people), carried, WARM + hour - HOUR, named)
    return watch


def ids(watch):
    return [row.account_id for row in watch.rows]


def test_an_account_that_grows_and_turns_to_other_work_is_first():
    watch = listed([*FLEET, turned("z")])
    assert ids(watch)[0] == "z"


def test_a_row_says_with_which_numbers_and_since_when():
    row = listed([*FLEET, turned("z")]).rows[0]
    assert row.target == AGENTS
    assert (row.requests, row.share_after) == (30, 0.4333)
    assert row.share_before == pytest.approx(6 * 0.2 / 81, abs=0.02)  # none, shrunk to the fleet's by six requests
    assert row.requests_usual == pytest.approx(76 / 127 * 24, abs=0.1)
    assert row.p < 0.05
    assert row.score == pytest.approx(row.moved + row.grew + row.odd, abs=0.02)
    assert HOUR * HOUR_MS < row.since_ms < (HOUR + 12) * HOUR_MS


def test_nobody_is_listed_before_there_is_a_past():
    watch = WatchList(PARAMETERS)
    people = population([*FLEET, turned("z")])
    carried = Carriers(72).of(people, PARAMETERS.link_dimensions)
    watch.learn(people, movement_of(people), carried, WARM - 1, ())
    assert watch.rows == ()


def test_what_lasts_outranks_what_was_strong_for_an_hour():
    watch = listed([*FLEET, turned("lasting", share=0.7)])
    listed([*FLEET, turned("lasting", share=0.7), turned("sudden", share=1.0)], 2, watch=watch, first=12)
    assert "sudden" not in ids(watch)[: ids(watch).index("lasting") + 1]
    listed([*FLEET, turned("lasting", share=0.7), turned("sudden", share=1.0)], 10, watch=watch, first=14)
    assert {"lasting", "sudden"} < set(ids(watch))


def test_who_stopped_leaves_the_list_within_days():
    watch = listed([*FLEET, turned("z")], hours=20)
    still = dataclasses.replace(turned("z"), now={VISION: 12, CODING: 3, "model:atlas-3": 30})
    listed([*FLEET, still], 60, watch=watch, first=20)
    assert "z" not in ids(watch)[:20]


def test_where_everybody_moves_moving_is_no_news():
    """A feature that half of the fleet takes up puts nobody onto the list for taking it up."""

    def takes_up(account, part):
        """part of its requests become the new kind of work."""
        new = int(part * account.n)
        return dataclasses.replace(account, now={"capability:new": new, **account.now})

    crowd = [takes_up(one, 0.5) if i % 2 else one for i, one in enumerate(FLEET)]
    few = [takes_up(one, 0.5) if i < 5 else one for i, one in enumerate(FLEET)]
    of_crowd, of_few = (nats_of(people, movement_of(people)) for people in map(population, (crowd, few)))
    assert of_few.work[:5].mean() > 2.0 + of_crowd.work[[i for i in range(600) if i % 2]].mean()


def test_accounts_of_one_organisation_are_one_row_that_says_so():
    migrated = [turned(f"z{i}", org="acme") for i in range(5)]
    watch = listed([*FLEET, *migrated])
    (row,) = [row for row in watch.rows if row.account_id.startswith("z")]
    assert (row.others, row.because) == (4, "org=acme")


def test_accounts_that_one_value_explains_are_one_row_that_says_so():
    course = [turned(f"z{i}", values={("ip_prefix", "campus"): 3}) for i in range(5)]
    watch = listed([*FLEET, *course])
    (row,) = [row for row in watch.rows if row.account_id.startswith("z")]
    assert (row.others, row.because) == (4, "ip_prefix=campus")


def test_a_value_that_everybody_carries_explains_nobody():
    carrying = [dataclasses.replace(one, values={("ip_prefix", "carrier"): 1}) for one in FLEET]
    apart = [turned(f"z{i}", values={("ip_prefix", "carrier"): 3}) for i in range(5)]
    watch = listed([*carrying, *apart])
    assert sum(row.account_id.startswith("z") for row in watch.rows) == 5


def test_who_has_an_alert_has_no_row():
    watch = listed([*FLEET, turned("z"), turned("y")], named={"z"})
    assert "z" not in ids(watch)
    assert "y" in ids(watch)


def test_an_account_with_two_requests_has_no_mix_and_no_row():
    watch = listed([*FLEET, turned("z", n=2, share=1.0)])
    assert "z" not in ids(watch)


def test_the_list_is_as_long_as_the_configuration_says():
    parameters = dataclasses.replace(PARAMETERS, watch_rows=3)
    watch = listed([*FLEET, *(turned(f"z{i}") for i in range(9))], parameters=parameters)
    assert len(watch.rows) == 3


def test_what_is_remembered_is_bounded_and_the_strongest_stay(monkeypatch):
    monkeypatch.setattr(watchlist, "KEPT_MAX", 5)
    watch = listed([*FLEET, turned("z")])
    assert len(watch.state()["keys"]) == 5
    assert ids(watch)[0] == "z"


def test_other_names_give_the_same_numbers():
    """Who is sampled for the trees goes by name; all else does not."""

    def numbers(accounts):
        nats = nats_of(population(accounts), movement_of(population(accounts)))
        return sorted(nats.moved.round(9).tolist()), sorted(nats.grew.round(9).tolist())

    renamed = [dataclasses.replace(one, id=f"q{len(FLEET) - i:06}") for i, one in enumerate(FLEET)]
    assert numbers(renamed) == numbers(FLEET)


def test_a_restored_list_goes_on_as_if_nothing_had_happened():
    accounts = [*FLEET, turned("z")]
    whole, restored = listed(accounts, 5), WatchList(PARAMETERS)
    restored.restore(from_bytes(to_bytes(whole.state())))
    assert restored.rows == whole.rows
    for watch in (whole, restored):
        listed(accounts, 3, watch=watch, first=5)
    assert to_bytes(restored.state()) == to_bytes(whole.state())


def test_the_trees_of_river_feed_the_list(river_sees_nothing):
    """Without them nobody's score has a part for being odd."""
    accounts = [*FLEET, turned("z")]
    assert listed(accounts).rows[0].odd > 1.0
    river_sees_nothing()
    assert {row.odd for row in listed(accounts).rows} == {0.0}


def test_the_judge_draws_it_up_and_keeps_it_over_a_restart():
    judge = Judge(PARAMETERS)
    for hour in range(WARM + 4):
        judge.judge(columns_of([*FLEET[:200], turned("z")], HOUR + hour), HOUR + hour)
    assert judge.watch.rows[0].account_id == "z"
    again = Judge(PARAMETERS)
    again.restore(from_bytes(to_bytes(judge.state())))
    assert again.watch.rows == judge.watch.rows


def test_the_cost_of_the_trees_does_not_grow_with_the_fleet():
    """Scored are candidates, learnt is a sample: both bounded, whatever the fleet."""
    scored = []
    watch = WatchList(PARAMETERS)
    nats, learn = watch._oddity.nats, watch._oddity.learn
    watch._oddity.nats = lambda traits: scored.append(len(traits)) or nats(traits)
    watch._oddity.learn = lambda traits: scored.append(len(traits)) or learn(traits)
    listed(still_fleet(9_000, orgs_of=1), 1, watch=watch)
    assert max(scored) <= watchlist.CANDIDATES * PARAMETERS.watch_rows
    assert np.sum(scored) <= watchlist.CANDIDATES * PARAMETERS.watch_rows + watchlist.SAMPLE
