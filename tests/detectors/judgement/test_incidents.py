"""What an incident does now: it moves, it is quiet, or what it did became normal for it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from detectors.comparison.findings import Level, Phase, Target
from detectors.comparison.population import Population
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.judgement import belonging
from detectors.judgement.belonging import LATE_NATS, NAME_ODDS, Evidence
from detectors.judgement.hand import Verdict
from detectors.judgement.incidents import (
    FOLLOWED_H,
    QUIET_TICKS_ADOPTED,
    QUIET_TICKS_OPERATOR,
    Incident,
    Incidents,
    _account,
    _inherit,
    _is_of,
    members_of,
    phase_of,
)

NEW, CODING = "model:new", "capability:coding"
ACCOUNTS = 10


def incident() -> Incident:
    """Ten accounts that moved to a model in hour 0."""
    one = Incident("net-1", "release_shift", 0, 0, NEW, True, Level.CRITICAL, 0, targets={NEW: 0}, suspect=1)
    for key in range(ACCOUNTS):
        one.evidence[key] = Evidence(f"a{key}", 2, 5.0, 0, 0, True, 0, moved=2)
    return one


class Active(SimpleNamespace):
    """Of a population, what a test needs, and where each account is in it."""

    places = Population.places

    @property
    def by_key(self):
        return np.argsort(self.columns.keys)


def then(one: Incident, hour: int, share: float, *strong: str) -> Phase:
    """What it does in this hour, at this share of the model, where these targets are over the line."""
    targets = (CODING, NEW)
    population = Active(
        targets=targets,
        n=np.full(ACCOUNTS, 100.0),
        X=np.tile([20.0, 100.0 * share], (ACCOUNTS, 1)),
        columns=SimpleNamespace(keys=np.arange(ACCOUNTS, dtype=np.uint64)),
    )
    groups = [SimpleNamespace(strong=np.array([targets.index(name) for name in strong]))] if strong else []
    if strong:
        one.last = hour
    one.share, one.peak = share, max(one.peak, share)
    return phase_of(SimpleNamespace(population=population, hour=hour), one, groups)


@pytest.fixture
def adopted() -> Incident:
    one = incident()
    assert then(one, 1, 0.5, NEW) is Phase.MOVING
    assert then(one, 2, 0.5) is Phase.QUIET
    assert then(one, 1 + QUIET_TICKS_OPERATOR, 0.5) is Phase.ADOPTED
    return one


def test_an_operators_accounts_that_rest_for_less_than_a_whole_window_have_not_ended():
    operators, honest = incident(), replace(incident(), passed=False)
    for one in (operators, honest):
        assert then(one, 1, 0.5, NEW) is Phase.MOVING
    quiet = [then(one, 1 + QUIET_TICKS_ADOPTED, 0.5) for one in (operators, honest)]
    assert quiet == [Phase.QUIET, Phase.ADOPTED]


def test_what_became_normal_and_hovers_at_the_line_is_no_news(adopted):
    assert [then(adopted, 30 + hour, 0.52, NEW) for hour in range(3)] == [Phase.ADOPTED] * 3


def test_what_rises_by_a_fifth_above_what_became_normal_moves_again(adopted):
    assert then(adopted, 30, 0.61, NEW) is Phase.MOVING


def test_another_target_is_news(adopted):
    adopted.targets[CODING] = 30
    assert then(adopted, 30, 0.5, NEW, CODING) is Phase.MOVING


def test_what_was_given_up_and_comes_back_moves_again(adopted):
    assert then(adopted, 30, 0.1) is Phase.QUIET
    assert then(adopted, 50, 0.5, NEW) is Phase.MOVING


# Whom an incident names


def incidents(*known: Incident) -> Incidents:
    """These, as if they had been opened in their hours."""
    them = Incidents(lambda name: Target("model", name))
    them.incidents = list(known)
    return them


def rows_in(them: Incidents, hour: int, *keys: int) -> list[list[int]]:
    """The networks of the incidents, in rows of a population of these accounts."""
    columns = SimpleNamespace(keys=np.array(keys, np.uint64))
    return [rows.tolist() for rows in them.networks(Active(hour=hour, columns=columns))]


def test_the_accounts_that_an_open_incident_names_are_looked_at_again():
    one = incident()
    one.evidence[3].named = False
    assert rows_in(incidents(one), 1, *range(20)) == [[0, 1, 2, 4, 5, 6, 7, 8, 9]]
    assert rows_in(incidents(one), 1, 7, 50, 3, 2) == [[0, 3]]  # of those who are active, in their rows


def test_who_is_not_active_or_was_named_long_ago_is_not():
    assert rows_in(incidents(incident()), 1, 50, 51) == []
    assert rows_in(incidents(incident()), FOLLOWED_H, *range(20)) != []
    assert rows_in(incidents(incident()), FOLLOWED_H + 1, *range(20)) == []


@pytest.mark.parametrize(("suspect", "networks"), [(0, 0), (1, 1)])
def test_only_whose_traits_and_names_are_worth_a_warning_is_looked_at_again(suspect, networks):
    one = incident()
    one.suspect = suspect
    assert len(rows_in(incidents(one), 1, *range(20))) == networks


def active(first_seen_h: list[int]) -> Active:
    """Accounts 0, 1, ... each with 100 requests now, half of them to the model, and 50 before, a tenth to it."""
    count = len(first_seen_h)
    keys = np.arange(count, dtype=np.uint64)
    columns = SimpleNamespace(keys=keys, first_seen_ms=np.array(first_seen_h, np.int64) * 3_600_000)
    return Active(
        targets=(CODING, NEW), columns=columns, n=np.full(count, 100.0), nb=np.full(count, 50.0),
        X=np.tile([0.0, 50.0], (count, 1)), XB=np.tile([0.0, 5.0], (count, 1)),
    )  # fmt: skip


def one_active() -> Active:
    return active([0])


def test_a_member_tells_of_its_own_requests_and_who_is_new_has_no_past():
    one = incident()
    one.onset = 100
    members = {member.account_id: member for member in members_of(active([10, 90]), one, NEW)}
    assert (members["a0"].requests, members["a0"].share_before, members["a0"].share_after) == (100, 0.1, 0.5)
    assert (members["a1"].share_before, members["a1"].share_after) == (None, 0.5)
    assert (members["a2"].requests, members["a2"].share_before) == (0, None)


def test_an_account_is_likelier_of_a_campaign_the_more_it_belongs(monkeypatch):
    monkeypatch.setattr(belonging, "NAMED", ((0.0, 0.0), (8.0, 4.0)))
    one = incident()
    one.evidence[4].score = 8.0
    one.evidence[5].named = False
    members = members_of(one_active(), one, NEW)
    assert members[0].account_id == "a4"
    assert "a5" not in {member.account_id for member in members}
    assert members[0].score > members[1].score


def near(score: float, ticks: int = 4, **more) -> Evidence:
    """An account near a network that is not named."""
    return Evidence("near", ticks, score, 0, 0, False, 0, **more)


def test_one_operators_incident_is_known_again_by_those_that_belong_and_by_nobody_near_it():
    one = incident()
    one.evidence |= {key: near(-0.5, moved=4) for key in range(ACCOUNTS, 50)} | {60: near(0.5, moved=4), 61: near(0.5)}
    assert one.accounts() == {*range(ACCOUNTS), 60}


def test_any_other_is_known_again_by_all_that_moved_in_it():
    one = incident()
    one.passed, one.evidence = False, {1: near(-0.5, moved=3), 2: near(0.5)}
    assert one.accounts() == {1}


def test_any_other_is_known_again_by_who_was_of_its_networks_and_not_by_who_seemed_near():
    one = incident()
    one.passed = False
    one.evidence = {key: near(0.5, moved=4, inside=4) for key in range(4)} | {9: near(0.5, moved=4, inside=1)}
    assert one.accounts() == {0, 1, 2, 3}


def test_whom_an_incident_did_not_know_in_hours_in_which_it_could_needs_more_to_be_named():
    one = incident()
    one.ticks = 40
    old, new = 0, 90
    tick = SimpleNamespace(
        hour=100,
        population=SimpleNamespace(
            columns=SimpleNamespace(ids=["old", "new"], first_seen_ms=np.array([old, new]) * 3_600_000)
        ),
    )
    one.evidence = {}
    for hour in range(97, 101):
        tick.hour = hour
        for row in (0, 1):
            _account(tick, one, row, row, NAME_ODDS + 1.0, True, True)
    assert {known.account_id: known.named for known in one.evidence.values()} == {"old": False, "new": True}
    assert one.evidence[0].late == pytest.approx(LATE_NATS * np.log(40 / 4))


def moved(rows: range, verdict: Verdict) -> SimpleNamespace:
    """A group of these accounts, all of whom moved to what it moved to."""
    return SimpleNamespace(
        keys=np.array(rows, np.uint64), strong=np.array([0]), verdict=verdict,
        shift=SimpleNamespace(used_more=np.ones((len(rows), 1))),
    )  # fmt: skip


def test_a_part_of_a_crowd_is_held_to_the_lines_of_the_crowd_and_its_neighbours_are_not():
    alone = Verdict((), 2.5, 2.5, 2.0, 1.0, None)
    crowd = incident()
    crowd.passed, crowd.crowd = False, "one_place"
    crowd.evidence = {key: near(0.5, moved=4, inside=4) for key in range(ACCOUNTS)}
    part, others = moved(range(6), alone), moved(range(ACCOUNTS - 2, ACCOUNTS + 6), alone)
    for group in (part, others):
        incidents(crowd)._know_crowd(group)
    assert (part.verdict.crowd, part.verdict.one_hand) == ("one_place", False)
    assert others.verdict == alone


def test_what_those_do_who_are_near_a_page_and_unlikely_to_belong_is_not_told_with_it():
    one = incident()
    one.evidence |= {key: near(-0.5, moved=4) for key in range(ACCOUNTS, 50)}
    assert not _is_of(one, set(range(ACCOUNTS, 50)))
    one.evidence |= {key: near(0.5) for key in range(ACCOUNTS, 50)}
    assert _is_of(one, set(range(ACCOUNTS, 50)))


def test_an_incident_that_turns_out_to_be_a_part_of_another_leaves_it_what_it_knew_of_its_accounts():
    whole, part = incident(), Incident("net-2", "release_shift", 3, 3, NEW, False, Level.WARNING, 8)
    whole.ticks, part.ticks = 9, 5
    part.evidence = {3: near(-1.0), 20: replace(near(2.0, ticks=4), since_tick=1)}
    _inherit(whole, part)
    assert whole.evidence[3].named
    assert whole.evidence[20] == replace(near(2.0, ticks=4), since_tick=5)


def test_restored_incidents_are_the_same():
    them, again = incidents(incident()), incidents()
    again.restore(from_bytes(to_bytes(them.state())))
    assert again.incidents == them.incidents


def test_incidents_of_a_snapshot_that_holds_more_or_less_are_read():
    """An earlier version kept the number of a component, and did not keep what became normal."""
    state = from_bytes(to_bytes(incidents(incident()).state()))
    state[0]["component"] = 7
    del state[0]["adopted"]
    again = incidents()
    again.restore(state)
    assert again.incidents == [incident()]
