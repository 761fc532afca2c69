"""The overview answers first: is it judging, on what, how old is that, what is muted, what cannot be found."""

from __future__ import annotations

from html import unescape

DAY_MS = 86_400_000


async def test_a_fresh_fleet_is_judged_and_says_on_what(campaign, visit):
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page("/"))
    assert "✓ Judging" in text
    assert "1 requests/s of 61 accounts in 24 h" in text
    assert "0 s old" in text


async def test_silence_for_want_of_records_is_no_silence(quiet, visit):
    quiet.step(12)
    quiet.desk.now_ms = lambda: quiet.fleet.at_ms + 5 * DAY_MS
    async with visit(quiet.desk) as visitor:
        text = unescape(await visitor.page("/"))
    assert "No alert fires, and that says nothing: nothing new to judge: the newest record is 5 d old." in text
    assert "Nobody needs to get up" not in text
    assert "● live" not in text


async def test_what_is_not_recorded_is_told_with_what_it_costs(campaign, visit):
    campaign.desk.view.coverage = {"template": 0.0, "payment": 0.9}
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page("/"))
    assert "template, carried by 0%: most networks are not found" in text


async def test_what_is_over_says_what_it_was_and_what_was_muted_is_told_apart(campaign, visit):
    alert = campaign.desk.view.alerts()[0].last
    async with visit(campaign.desk) as visitor:
        body = {"alert_id": alert.alert_id, "verdict": "harmless", "by": "kim"}
        await visitor.send("/api/v1/verdicts", body)
        campaign.step()
        overview, listed = unescape(await visitor.page("/")), unescape(await visitor.page("/alerts"))
    assert alert.summary in overview
    assert "muted: harmless by verdict" in overview
    assert "muted: harmless" in listed
    assert alert.summary in listed
