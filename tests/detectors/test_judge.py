"""A week of a small fleet, hour by hour: who is found, when, and what changes nothing."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from detectors.findings import Level, Phase
from detectors.fleet import Judge
from detectors.groups import UNCALIBRATED_MORE
from detectors.parameters import Parameters
from detectors.snapshot import from_bytes, to_bytes
from detectors.why import why_target
from tests.detectors.fleets import HOUR, PARAMETERS, columns_of, moving, operated, private_values, still_fleet

ONSET_H = 80
HOURS = range(ONSET_H - 54, ONSET_H + 14)  # a new model may speak after two days of history
NEW = "model:atlas-4"
FLEET = private_values(still_fleet(240, orgs_of=1))


def operators(accounts=60):
    """One operator's accounts: one volume, one mix, a rotating pool."""
    rng = np.random.default_rng(9)
    group = []
    for one in still_fleet(accounts, seed=4, prefix="z", orgs_of=1):
        n = int(rng.poisson(40)) + 5
        coding = int(rng.binomial(n, 0.4))
        now = {"capability:coding": coding, "model:atlas-3": n}
        before = {"capability:coding": 60.0, "model:atlas-3": 150.0}
        group.append(dataclasses.replace(one, n=n, nb=150.0, now=now, before=before))
    return operated(group, payments=10, each=6)


POOL = operators()
WAVES = np.random.default_rng(12).random((ONSET_H + 60, 3)) < 0.3  # pauses of 20 minutes that all of the pool have


def hour_of(hour, pool=POOL, share=0.6, fleet=FLEET):
    """The columns of one hour, drawn once."""
    if pool is POOL and fleet is FLEET:
        return known_hour_of(hour, share)
    return drawn_hour_of(hour, pool, share, fleet)


@cache
def known_hour_of(hour, share):
    return drawn_hour_of(hour, POOL, share, FLEET)


def drawn_hour_of(hour, pool, share, fleet):
    """The columns of one hour: the pool begins to move at ONSET_H and is done six hours later."""
    rng = np.random.default_rng(hour)
    part = share * min(max(hour - ONSET_H, 0) / 6, 1.0)
    pool = moving(pool, NEW, part, seed=hour) if part else pool
    rate = np.repeat(np.where(WAVES[hour], 0.0, 0.25), 4)
    pool = [dataclasses.replace(one, bins=rng.poisson(rate).tolist()) for one in pool]
    fleet = [dataclasses.replace(one, bins=rng.poisson(0.1, 12).tolist()) for one in fleet]
    return columns_of([*fleet, *pool], HOUR + hour)


def findings_of(judge, hours, **told):
    return [(hour, finding) for hour in hours for finding in judge.judge(hour_of(hour, **told), HOUR + hour)]


def loudest(found):
    return max((finding.level for _, finding in found), default=Level.NONE)


@pytest.fixture(scope="module")
def story():
    """The story with its operator, told once."""
    return findings_of(Judge(PARAMETERS), HOURS)


def test_an_operator_that_moves_is_found_within_hours_as_one_story(story):
    assert {finding.key for _, finding in story} == {story[0][1].key}
    first = next(hour for hour, finding in story if finding.level is Level.CRITICAL)
    assert ONSET_H < first <= ONSET_H + 8
    assert story[-1][1].kind == "release_shift"
    assert [target.id for target in story[-1][1].targets] == ["atlas-4"]


def test_it_names_the_operators_accounts_and_nobody_else(story):
    named = {member.account_id for member in story[-1][1].members}
    pool = {one.id for one in POOL}
    assert len(named & pool) >= 0.9 * len(pool)
    assert named <= pool
    assert all(0.5 <= member.score <= 1.0 for member in story[-1][1].members)


def test_its_evidence_is_that_of_the_accounts(story):
    """Recomputed from the columns: what share of the group's requests goes to the target."""
    hour, finding = story[-1]
    columns = hour_of(hour)
    k = columns.targets.index(NEW)
    rows = [row for row, name in enumerate(columns.ids) if name.startswith("z")]
    counts = [
        columns.fast_count[columns.fast.start[r] : columns.fast.start[r + 1]][columns.fast[r] == k].sum() for r in rows
    ]
    assert finding.evidence["accounts"] == len(rows)
    assert finding.evidence["requests"] == columns.n[rows].sum()
    assert finding.evidence["share_after"] == pytest.approx(sum(counts) / columns.n[rows].sum(), abs=1e-3)
    assert finding.evidence["statistic"] >= finding.evidence["threshold"]


def test_a_fleet_in_which_nobody_moves_has_no_finding():
    assert findings_of(Judge(PARAMETERS), HOURS, share=0.0) == []


def test_strangers_that_move_alike_are_no_network():
    strangers = private_values(operators())
    assert findings_of(Judge(PARAMETERS), HOURS, pool=strangers) == []


def test_before_there_is_history_only_a_model_that_is_new_may_speak():
    """The same operator, who does from the first hour what others do not."""
    early = findings_of(Judge(PARAMETERS), range(ONSET_H + 10, ONSET_H + 40))
    assert loudest(early) is Level.NONE


def test_a_group_that_returns_to_its_past_is_quiet_and_not_moving():
    judge = Judge(PARAMETERS)
    findings_of(judge, HOURS)
    after = [judge.judge(hour_of(ONSET_H - 1), HOUR + HOURS.stop + hour) for hour in range(6)]
    assert [finding.phase for finding in after[-1]] == [Phase.QUIET]


def test_names_of_accounts_organisations_and_values_change_nothing(story):
    def renamed(accounts):
        return [
            dataclasses.replace(
                one,
                id=f"{one.id[0]}{int(one.id[1:]) * 7919 % 100_003:06}",
                org=f"q{one.org[::-1]}",
                values={(d, f"{v[::-1]}!"): n for (d, v), n in one.values.items()},
            )
            for one in accounts
        ]

    other = findings_of(Judge(PARAMETERS), HOURS, pool=renamed(POOL), fleet=renamed(FLEET))
    ours = story
    assert [(hour, f.level, f.phase) for hour, f in other] == [(hour, f.level, f.phase) for hour, f in ours]
    back = {theirs.id: mine.id for theirs, mine in zip(renamed(POOL), POOL, strict=True)}
    theirs = {back[member.account_id] for member in other[-1][1].members}
    mine = {member.account_id for member in ours[-1][1].members}
    assert len(theirs ^ mine) <= 2  # who is drawn for the null of "moving alike" depends on names


@pytest.mark.parametrize("at", [ONSET_H - 20, ONSET_H + 5, ONSET_H + 9])
def test_a_restored_judge_goes_on_to_the_last_digit_as_if_nothing_had_happened(story, at):
    judge = Judge(PARAMETERS)
    found = findings_of(judge, range(HOURS.start, at))
    second = Judge(PARAMETERS)
    second.restore(from_bytes(to_bytes(judge.state())))
    assert [*found, *findings_of(second, range(at, HOURS.stop))] == story


def test_with_the_clock_switched_off_it_does_not_vote():
    judge = Judge(Parameters(clock_vote=False))
    found = findings_of(judge, HOURS)
    assert found
    assert all(vote["trait"] != "night_share" for _, finding in found for vote in finding.evidence.get("votes", ()))


def test_until_the_fleets_swings_are_known_what_is_not_new_needs_more_and_why_says_so():
    judge = Judge(PARAMETERS)
    findings_of(judge, HOURS)
    limits = {name: why_target(judge, name)[2].limit for name in (NEW, "capability:coding")}

    assert not judge.budget.calibrated
    assert limits[NEW].startswith(f"z at least {PARAMETERS.page_z:g};")
    assert limits["capability:coding"].startswith(f"z at least {PARAMETERS.page_z + UNCALIBRATED_MORE:g};")


def test_the_threshold_in_the_evidence_is_the_one_that_its_strongest_target_had_to_reach(story):
    assert story[-1][1].evidence["threshold"] == PARAMETERS.page_z
