"""The overview answers first: is it judging, on what, how old is that, what is muted, what cannot be found."""

from __future__ import annotations

import re
from html import unescape

import msgspec

DAY_MS = 86_400_000


async def test_a_fresh_fleet_is_judged_and_says_on_what(campaign, visit):
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page("/"))
    assert "✓ Judging" in text
    assert "1 requests/s of 61 accounts in 24 h" in text
    assert "0 s old" in text


async def test_whether_it_judges_stands_above_what_fires(campaign, visit):
    alert = campaign.desk.view.alerts()[0].last
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page("/")).partition("<main")[2]
    places = [text.index(words) for words in ("✓ Judging", "newest record", "cannot be found", "<h1>", alert.summary)]
    assert places == sorted(places)


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


async def test_a_row_of_a_list_says_the_number_of_the_record_whose_sentence_it_shows(campaign, visit):
    (known,) = campaign.desk.view.alerts()
    fewer = msgspec.structs.replace(
        known.last, status="resolved", resolved_reason="adopted", resolved_at=known.last.updated_at, accounts_total=7,
        summary="Adopted: what these 7 accounts send to atlas-4 is now normal for accounts like them.",
    )  # fmt: skip
    known.take(fewer)
    async with visit(campaign.desk) as visitor:
        overview, listed = await visitor.page("/"), await visitor.page("/alerts")
        account = await visitor.page("/account?id=acct_00007")
    assert "60 accounts of 104 orgs" in overview
    assert "60 named" in overview
    assert 'data-th="accounts" class="n">60<' in listed
    assert re.search(r"60 accounts of 104 orgs.*?over: it became normal", account)
    assert re.search(r"networks now</th><td>none<", account)


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
