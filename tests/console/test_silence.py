"""Nothing that a tired person presses silences more than was meant: narrow, previewed, confirmed, seen, and undone."""

from __future__ import annotations

from html import unescape

import pytest

from detectors.comparison.findings import Level, Subject
from tests.console.conftest import CLUSTER, finding, members

DAY_MS = 86_400_000


def last(told, alert_id=None):
    alerts = [one.last for one in told.desk.view.alerts()]
    return next(one for one in alerts if alert_id in (None, one.alert_id))


async def silence(visitor, question, **fields):
    given = {"reason": "ticket 4711", "by": "kim"} | fields
    return await visitor.press(f"/silence?{question}", "/silence", **given)


def fields_of(alert_id, **other):
    return {"kind": "expected", "alert": alert_id} | other


async def test_the_preview_of_an_open_page_says_that_it_is_among_what_is_covered(campaign, visit):
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page(f"/silence?kind=expected&alert={last(campaign).alert_id}"))
    assert "1 of the last 30 days' 1 alert would have been covered, this page among them." in text
    assert f"alert {last(campaign).alert_id} and its members, toward model atlas-4" in text
    assert "type “silence 1 page”" in text


@pytest.mark.parametrize(
    ("fields", "needed"),
    [
        ({}, "“silence 1 page”, typed"),
        ({"confirm": "yes"}, "“silence 1 page”, typed"),
        ({"confirm": "silence 1 page", "reason": ""}, "a reason"),
        ({"confirm": "silence 1 page", "by": " "}, "your name"),
        ({"confirm": "silence 1 page", "subject": "fleet"}, "“silence the fleet and 1 page”, typed"),
    ],
)
async def test_what_is_not_confirmed_silences_nothing(campaign, visit, fields, needed):
    alert_id = last(campaign).alert_id
    async with visit(campaign.desk) as visitor:
        status, text = await silence(visitor, f"alert={alert_id}", **fields_of(alert_id), **fields)
    assert status == 422
    assert f"Nothing is silent yet. Still needed: {needed}." in unescape(text)
    assert not campaign.fleet.expected


async def test_an_incident_is_silent_for_a_day_toward_its_own_target_and_others_are_not(campaign, visit):
    alert_id = last(campaign).alert_id
    async with visit(campaign.desk) as visitor:
        status, _ = await silence(visitor, f"alert={alert_id}", **fields_of(alert_id), confirm="silence 1 page")
    assert status == 200
    (shift,) = campaign.fleet.expected
    assert (shift.subject.dimension, shift.subject.id, shift.target.id) == ("alert", alert_id, "atlas-4")
    assert shift.until_ms == campaign.fleet.at_ms + DAY_MS
    assert shift.reason == "ticket 4711, says kim"
    stranger = finding("net-2", Subject("cluster", "net-2"), members(30, prefix="other"), 0)
    campaign.findings += [stranger]
    campaign.step(3)
    assert last(campaign, alert_id).resolved_reason == "expected"
    assert [one.last.subject.id for one in campaign.desk.view.firing()] == ["net-2"]


async def test_an_incident_that_grows_by_mostly_new_accounts_is_told_again(campaign, visit):
    alert_id = last(campaign).alert_id
    async with visit(campaign.desk) as visitor:
        await silence(visitor, f"alert={alert_id}", **fields_of(alert_id), confirm="silence 1 page")
    campaign.step()
    campaign.findings = [finding("net-1", CLUSTER, members(60) + members(20, prefix="new"), 0)]
    campaign.step(3)
    assert [one.last.accounts_total for one in campaign.desk.view.firing()] == [80]


async def test_harmless_holds_for_its_members_and_its_targets_alone(campaign, visit):
    alert_id = last(campaign).alert_id
    asked = {"kind": "harmless", "alert": alert_id, "confirm": "silence 1 page"}
    async with visit(campaign.desk) as visitor:
        await silence(visitor, f"kind=harmless&alert={alert_id}", **asked)
    campaign.step(3)
    assert last(campaign, alert_id).resolved_reason == "harmless"
    assert campaign.desk.view.firing() == []
    campaign.findings = [finding("net-1", CLUSTER, members(60) + members(20, prefix="new"), 0)]
    campaign.step(3)
    (again,) = campaign.desk.view.firing()
    campaign.findings = [finding("net-1", CLUSTER, members(60), 0)]
    campaign.step(3)
    assert [one.last.alert_id for one in campaign.desk.view.firing()] == [again.last.alert_id], "and does not flap"


async def test_what_is_muted_stands_on_every_page_and_ends_with_one_click(campaign, visit):
    alert_id = last(campaign).alert_id
    paths = ("/", "/alerts", f"/alerts/{alert_id}", "/watchlist", "/releases", "/expected", "/about", "/runbook",
             "/account?id=acct_00003", "/cohort?dimension=org&id=org_7")  # fmt: skip
    fields = {"kind": "expected", "subject": "fleet", "to": "capability:coding", "confirm": "silence the fleet"}
    async with visit(campaign.desk) as visitor:
        await silence(visitor, "subject=fleet&to=capability:coding", **fields)
        for path in paths:
            text = unescape(await visitor.page(path))
            assert "Muted now: the whole fleet is muted; 1 announced shift" in text.replace("</b>", ""), path
            assert "ticket 4711, says kim" in text, path
        (one,) = (await visitor.json("/api/v1/silences"))["silences"]
        assert (one["scope"], one["who"], one["toward"]) == ("fleet", "the whole fleet", "capability coding")
        await visitor.press("/about", "/silence/end", key=one["key"], back="/about")
        assert "Muted now" not in await visitor.page("/about")


async def test_a_snooze_has_a_reason_and_is_undone(campaign, visit):
    alert_id = last(campaign).alert_id
    asked = {"kind": "snooze", "alert": alert_id, "confirm": "silence 1 page"}
    async with visit(campaign.desk) as visitor:
        await silence(visitor, f"kind=snooze&alert={alert_id}", **asked)
        (one,) = (await visitor.json("/api/v1/silences"))["silences"]
        assert (one["kind"], one["reason"]) == ("snooze", "ticket 4711, says kim")
        await visitor.press("/", "/silence/end", key=one["key"], back="/")
        assert (await visitor.json("/api/v1/silences"))["silences"] == []


async def test_a_narrow_one_without_an_open_page_needs_no_typing(campaign, visit, make_finding):
    campaign.findings = [make_finding("org-1", Subject("cohort", "org_1", "org"), level=Level.WARNING)]
    async with visit(campaign.desk) as visitor:
        status, _ = await silence(visitor, "subject=org=org_1", kind="expected", subject="org=org_1", to="atlas-4")
    assert (status, len(campaign.fleet.expected)) == (200, 1)


async def test_the_form_keeps_the_name_that_was_typed_once(campaign, visit):
    fields = {"kind": "expected", "subject": "org=org_1", "to": "*"}
    async with visit(campaign.desk) as visitor:
        await silence(visitor, "subject=org=org_1", **fields)
        assert 'name="by" required maxlength="120" autocomplete="name" value="kim"' in await visitor.page(
            "/silence?subject=org=org_2"
        )


async def test_an_expected_shift_is_previewed_for_programs_too(campaign, visit):
    shift = {"id": "m", "subject": {"kind": "fleet"}, "target": None, "from": 0, "until": 5}
    async with visit(campaign.desk) as visitor:
        status, told = await visitor.send("/api/v1/expected/preview", {"expected": [shift]})
    assert (status, told["confirm"], told["of"]) == (200, "silence the fleet and 1 page", 1)
    assert told["covered"] == told["open_pages"] == [last(campaign).alert_id]
    assert not campaign.fleet.expected


async def test_what_one_word_about_an_alert_silences_is_previewed_for_programs_too(campaign, visit):
    alert_id = last(campaign).alert_id
    async with visit(campaign.desk) as visitor:
        for kind in ("snooze", "harmless"):
            told = await visitor.json(f"/api/v1/alerts/{alert_id}/preview?kind={kind}")
            assert (told["confirm"], told["covered"]) == ("silence 1 page", [alert_id])
        assert "expected snooze or harmless" in (await visitor.json(f"/api/v1/alerts/{alert_id}/preview"))["error"]
        assert (await visitor.get("/api/v1/alerts/deadbeef/preview?kind=snooze"))[0] == 404
        assert (await visitor.json("/api/v1/silences"))["silences"] == []


async def test_a_wrong_word_costs_more_than_one_tap_and_says_who_said_it(campaign, visit):
    alert_id = last(campaign).alert_id
    page = f"/alerts/{alert_id}"
    async with visit(campaign.desk) as visitor:
        assert ">Campaign…</summary>" in await visitor.page(page)
        status, text = await visitor.press(page, f"{page}/verdict", verdict="campaign")
        assert (status, "your name" in text, campaign.desk.voice.verdicts()) == (400, True, [])
        await visitor.press(page, f"{page}/verdict", verdict="campaign", by="kim", note="keys revoked")
        (said,) = campaign.desk.voice.verdicts()
        assert (said.by, said.note) == ("kim", "keys revoked")
        await visitor.press(page, f"{page}/verdict", verdict="unsure")
        assert campaign.desk.voice.verdicts()[-1].verdict == "unsure"


def test_how_much_is_announced_is_a_metric_by_how_wide_it_is(quiet):
    from stream.contract.expected import Expected, ExpectedSubject
    from stream.pipeline.composition import Judged
    from stream.telemetry import metrics
    from stream.telemetry.per_tick import MeasuredFleet

    fleet = quiet.fleet
    fleet.expected = [
        Expected("a", ExpectedSubject("fleet"), None, 0, 10),
        Expected("b", ExpectedSubject("cohort", "a1", "alert"), None, 0, 10),
        Expected("over", ExpectedSubject("fleet"), None, 0, 5),
    ]
    MeasuredFleet(fleet, lambda at_ms: 0.0)
    fleet.on_tick(Judged(7, (), (), ()))
    shown = {name: metrics.value("swerve_expected_active", scope=name) for name in ("fleet", "alert", "cohort")}
    assert shown == {"fleet": 1, "alert": 1, "cohort": 0}


async def test_the_daily_summary_reaches_the_sinks_until_nothing_is_muted(campaign):
    import asyncio

    from stream.oncall.silence import daily
    from stream.oncall.silence.in_force import Silence

    muted = [Silence("expected", "fleet", "the whole fleet", "whatever it is", 5, "launch, says kim", "expected/a")]
    told = []
    looking = asyncio.create_task(daily.watch_over(lambda: list(muted), told.append, every_s=0))
    while not told:
        await asyncio.sleep(0)
    muted.clear()
    while len(told) < 2:
        await asyncio.sleep(0)
    looking.cancel()
    assert [(one.status, one.severity) for one in told] == [("firing", "warning"), ("resolved", "warning")]
    assert told[0].evidence["silences"][0]["reason"] == "launch, says kim"
