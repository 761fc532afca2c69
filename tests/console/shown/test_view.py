"""What the read model remembers, and what a word does: restarts, partitions, long lives."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from detectors.comparison.findings import Subject
from detectors.counts.summary import Summary
from stream.configuration.settings import Settings
from stream.console.desk import Desk
from stream.console.shown.cohorts import CohortHistory
from stream.console.shown.tracks import mix_of
from stream.console.shown.view import RECORDS_MAX, REMEMBERED_MS, Known, View
from stream.contract.expected import Expected, ExpectedSubject
from stream.contract.verdict import Verdict
from stream.errors import SwerveError, UsageError
from stream.oncall.voice import EmbeddedVoice
from stream.pipeline.composition import Fleet, Judged


def only(told) -> Known:
    return told.desk.view.alerts()[0]


def restarted(told) -> tuple[Desk, Fleet]:
    """Another process that goes on where this one stood."""
    fleet = Fleet(told.desk.settings.parameters)
    fleet.restore(told.fleet.snapshot())
    desk = Desk(Settings())
    desk.view.follow(fleet)
    return desk, fleet


def test_after_a_restart_every_alert_and_its_members_are_there(campaign):
    desk, _ = restarted(campaign)
    assert [one.last for one in desk.view.firing()] == [only(campaign).last]
    assert desk.view.firing()[0].members == only(campaign).members


def test_older_records_keep_what_the_timeline_says_and_no_more(campaign):
    known = Known()
    last = only(campaign).last
    for number in range(RECORDS_MAX + 5):
        known.take(msgspec.structs.replace(last, updated_at=last.updated_at + number))
    assert len(known.records) == RECORDS_MAX
    assert known.last.accounts == last.accounts
    assert {len(one.accounts) for one in known.records[:-1]} == {0}
    assert {tuple(sorted(one.evidence)) for one in known.records[:-1]} == {("change", "share_after", "why")}


def test_an_alert_that_ended_is_forgotten_after_ninety_days(campaign):
    campaign.findings = []
    campaign.step(12 * 24)
    ended_ms = only(campaign).last.resolved_at
    view = campaign.desk.view
    view._forget(ended_ms + REMEMBERED_MS)
    assert len(view.alerts()) == 1
    view._forget(ended_ms + REMEMBERED_MS + 1)
    assert view.alerts() == []


def test_alerts_that_name_the_same_accounts_are_like_each_other(campaign, make_finding):
    other = make_finding("net-2", Subject("cluster", "net-2"), count=10)
    shared = dataclasses.replace(other, members=campaign.findings[0].members[:7])
    campaign.findings.append(shared)
    campaign.findings.append(make_finding("net-3", Subject("cluster", "net-3"), count=10))
    campaign.step(3)
    view = campaign.desk.view
    first = next(one for one in view.alerts() if one.last.subject.id == "net-1")
    assert [(one.last.subject.id, common) for one, common in view.similar(first)] == [("net-2", 7)]


def test_partitions_of_one_tick_are_shown_as_one_fleet(quiet, make_summary):
    whole = make_summary(11, ["a", "b", "c"])
    parts = [
        dataclasses.replace(make_summary(11, accounts), shards=shards)
        for accounts, shards in ((["a", "c"], tuple(range(128))), (["b"], tuple(range(128, 256))))
    ]
    views = [View(quiet.desk.settings.parameters) for _ in range(2)]
    for view, summaries in zip(views, ([whole], parts), strict=True):
        view.judged(Judged(3_600_000, summaries, (), ()), quiet.fleet)
    assert [view.pulse.accounts for view in views] == [3, 3]
    assert [len(view.courses.kept) for view in views] == [1, 1]
    assert mix_of(list(views[1].courses.kept), "b") == mix_of(list(views[0].courses.kept), "b")


def test_counts_of_a_cohort_add_up_over_the_ticks_of_an_hour(make_summary):
    history = CohortHistory(300_000)
    for tick in (0, 1, 12):
        history.see(make_summary(tick, ()))
    hours, counts = history.course("org", "org_7")
    assert hours == {0: 60, 1: 30}
    assert counts == {"model:atlas-3": {0: 20, 1: 10}, "model:atlas-4": {0: 40, 1: 20}}
    assert history.course("org", "nobody") == ({}, {})
    assert history.dimensions() == {"org": 1}


def test_cohorts_that_are_numbered_out_of_order_are_still_found(make_summary):
    """Numbers are given as cohorts are first seen, so that a later tick may hold them in any order."""
    history = CohortHistory(300_000)
    first = make_summary(0, ())
    history.see(dataclasses.replace(first, cohorts=dataclasses.replace(first.cohorts, cohorts=(("", ""), ("z", "z")))))
    columns = first.cohorts
    history.see(dataclasses.replace(first, tick=1, cohorts=dataclasses.replace(
        columns, cohorts=(("a", "a"), ("z", "z")))))  # fmt: skip
    assert history.course("a", "a")[0] == {0: 300}
    assert history.course("z", "z")[0] == {0: 60}
    assert isinstance(first, Summary)


async def test_words_survive_a_restart_where_there_is_a_file(campaign, tmp_path):
    path = tmp_path / "words.json"
    voice = EmbeddedVoice(campaign.fleet, path)
    shift = Expected("m", ExpectedSubject("cohort", "card-net-1", "payment"), None, 0, 2 * campaign.fleet.at_ms, "why")
    await voice.expect(shift)
    await voice.judge(Verdict("a1", "campaign", "kim", campaign.fleet.at_ms, ""))
    _, fleet = restarted(campaign)
    EmbeddedVoice(fleet, path)
    assert (list(fleet.expected), [one.by for one in fleet.verdicts]) == ([shift], ["kim"])
    path.write_text("{")
    with pytest.raises(SwerveError, match="delete it"):
        EmbeddedVoice(fleet, path)


async def test_where_no_tick_will_follow_a_word_holds_at_once(campaign):
    desk, fleet = campaign.desk, campaign.fleet
    desk.voice.at_once = lambda alerts: desk.view.told(alerts, fleet)
    await desk.voice.judge(Verdict(only(campaign).last.alert_id, "harmless", "kim", fleet.at_ms, ""))
    assert only(campaign).last.resolved_reason == "harmless"


async def test_what_the_configuration_allows_cannot_be_withdrawn_here(quiet):
    from stream.alerts.expected_shifts import allow_list
    from stream.console import actions

    quiet.fleet.expected = allow_list(["org_7"], [])
    quiet.desk.voice = EmbeddedVoice(quiet.fleet)
    with pytest.raises(UsageError, match=r"\[allow\]"):
        await actions.withdraw(quiet.desk, "allow-list: org=org_7")
