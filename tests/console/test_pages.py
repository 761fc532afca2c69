"""What a person reads: every page, whole without JavaScript, whatever strangers call themselves."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

HOSTILE = "<script>alert(1)</script>"
PAGES = ("/", "/alerts", "/watchlist", "/releases", "/expected", "/about", "/runbook", "/cohort?dimension=org&id=org_7")


def only(told):
    return told.desk.view.alerts()[0].last


async def test_the_overview_of_a_quiet_week_says_what_is_normal(quiet, visit):
    quiet.step(12, ["acct_1"])
    async with visit(quiet.desk) as visitor:
        text = await visitor.page("/")
    assert "No alert is firing" in text
    assert "Nobody needs to get up." in text


async def test_before_the_first_tick_the_overview_does_not_take_silence_for_calm(quiet, visit):
    async with visit(quiet.desk) as visitor:
        text = await visitor.page("/")
    assert "waiting for the first tick" in text
    assert "Nobody needs to get up." not in text


async def test_the_overview_leads_to_what_fires_and_says_how_the_fleet_is(campaign, visit):
    async with visit(campaign.desk) as visitor:
        text = await visitor.page("/")
    assert "1 alert firing" in text
    assert f'href="/alerts/{only(campaign).alert_id}"' in text
    assert only(campaign).summary in unescape(text)
    assert "<b>61</b> accounts in 24 h" in text
    assert "<b>1</b> requests/s" in text
    assert "atlas-4 released" in text


async def test_the_alert_page_holds_what_a_decision_needs(campaign, visit):
    alert = only(campaign)
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page(f"/alerts/{alert.alert_id}"))
    assert alert.summary in text
    for said in (
        "● critical", "Acknowledge", "Snooze…", "Expected…", "Campaign", "Harmless", "these accounts",
        "payment card-net-1",
        "Is it one operator?", "unevenness of the load", "+1.20 nats, for", "-0.70 nats, against",
        "a page needs +2.00 nats", "opened as critical", "acct_00000", "share expected", "CSV",
        "Harmless if", "/runbook#release_shift", "atlas-4 released",
    ):  # fmt: skip
        assert said in text, said


async def test_a_member_has_a_course_and_a_page_of_its_own(campaign, visit):
    async with visit(campaign.desk) as visitor:
        page = await visitor.page(f"/alerts/{only(campaign).alert_id}")
        account = unescape(await visitor.page("/account?id=acct_00003"))
    assert page.count('class="spark"') == 20
    assert only(campaign).summary in account
    assert "Share of its requests by model" in account


async def test_an_account_that_nobody_knows_is_not_there_and_told_why_nothing_fired(campaign, visit):
    async with visit(campaign.desk) as visitor:
        status, text = await visitor.get("/account?id=nobody")
        told = await visitor.get("/api/v1/accounts/nobody")
    assert (status, told[0]) == (404, 404)
    assert "An account alone is not judged" in text


@pytest.mark.parametrize("path", ["/alerts/deadbeef", "/nowhere", "/alerts?severity=loud", "/account?id=nobody"])
async def test_an_error_is_a_page_with_a_way_on_for_whoever_reads_pages(quiet, visit, path):
    async with visit(quiet.desk) as visitor:
        status, text = await visitor.get(path, headers={"Accept": "text/html"})
    assert status in (400, 404)
    assert '<nav aria-label="pages">' in text
    assert f'<span class="soft">{status}</span></h1>' in text


async def test_the_runbook_about_swerve_itself_has_every_section_that_a_rule_links_to(quiet, visit, pytestconfig):
    rules = (pytestconfig.rootpath / "deploy/monitoring/alerts/swerve.yaml").read_text()
    async with visit(quiet.desk) as visitor:
        text = await visitor.page("/runbook/self")
        first = await visitor.page("/runbook")
    linked = re.findall(r"/runbook/self#(\w+)", rules)
    assert len(linked) > 20
    assert [one for one in linked if f'<h2 id="{one}">' not in text] == []
    assert 'href="/runbook/self"' in first


async def test_a_defect_is_told_and_kept_from_nobody(quiet, visit, monkeypatch):
    monkeypatch.setattr("stream.console.shown.look.moving", lambda view: 1 / 0)
    async with visit(quiet.desk) as visitor:
        status, text = await visitor.get("/", headers={"Accept": "text/html"})
    assert (status, "A defect of Swerve" in text) == (500, True)


async def test_the_cohort_page_draws_what_it_used(campaign, visit):
    async with visit(campaign.desk) as visitor:
        text = await visitor.page("/cohort?dimension=org&id=org_7")
        carriers = await visitor.page("/cohort?dimension=payment&id=card-net-1")
    assert text.count('<figure class="chart"') == 1
    assert only(campaign).alert_id in carriers


@pytest.mark.parametrize(
    "path", ["/account?id={}", "/cohort?dimension={}&id={}", "/alerts?q={}", "/expected?subject={}"]
)
async def test_text_of_strangers_is_never_markup(campaign, visit, path):
    async with visit(campaign.desk) as visitor:
        text = await visitor.page(path.replace("{}", quote(HOSTILE, safe="")))
        page = await visitor.page(f"/alerts/{only(campaign).alert_id}")
    for one in (text, page):
        assert HOSTILE not in one
        assert "&lt;script&gt;alert(1)" in one


async def test_pages_hold_nothing_inline_and_nothing_of_another_host(campaign, visit):
    async with visit(campaign.desk) as visitor:
        for path in (*PAGES, f"/alerts/{only(campaign).alert_id}", "/account?id=acct_00003"):
            text = await visitor.page(path)
            assert not re.search(r"<style|<script(?! src=\"/static/)|\sstyle=|\son[a-z]+=|javascript:", text), path
            assert not re.findall(r'(?:src|href|action)="(?!/|#|/static)[^"]*"', text), path


async def test_searching_for_an_account_leads_to_it_and_to_its_alerts(campaign, visit):
    async with visit(campaign.desk) as visitor:
        text = await visitor.page("/alerts?q=acct_00003")
        none = await visitor.page("/alerts?q=nobody")
    assert "/account?id=acct_00003" in text
    assert only(campaign).alert_id in text
    assert "0 alerts for" in none


async def test_members_are_sorted_and_paged_by_the_server(campaign, visit):
    path = f"/alerts/{only(campaign).alert_id}"
    async with visit(campaign.desk) as visitor:
        first = await visitor.page(f"{path}?sort=account&limit=5")
        second = await visitor.page(f"{path}?sort=account&limit=5&offset=5")
        wrong, said = await visitor.get(f"{path}?sort=nonsense")
    assert "acct_00001" in first
    assert "acct_00001" not in second
    assert (wrong, "expected one of" in said) == (400, True)


async def test_an_alert_that_nobody_knows_is_told_in_words(quiet, visit):
    async with visit(quiet.desk) as visitor:
        status, text = await visitor.get("/alerts/deadbeef")
    assert (status, text) == (404, "no alert deadbeef: mistyped, or it ended more than 90 days ago\n")


async def test_a_worker_that_stands_by_says_so_and_takes_no_word(campaign, visit):
    alert_id = only(campaign).alert_id
    campaign.desk.voice, campaign.desk.view.is_active = None, False
    async with visit(campaign.desk) as visitor:
        assert "This worker stands by" in await visitor.page("/")
        action = f"/alerts/{alert_id}/verdict"
        status, text = await visitor.press(f"/alerts/{alert_id}", action, verdict="campaign", by="kim")
    assert (status, "stands by" in text) == (503, True)


async def test_what_is_wrong_with_swerve_itself_is_on_every_page(quiet, visit):
    quiet.desk.ready = lambda: "correlate: waits for its partitions"
    async with visit(quiet.desk) as visitor:
        assert "Swerve itself: correlate: waits for its partitions" in await visitor.page("/about")


async def test_the_runbook_has_a_section_for_every_kind(quiet, visit):
    async with visit(quiet.desk) as visitor:
        text = await visitor.page("/runbook")
    for kind in ("release_shift", "capability_shift", "coordinated_shift", "swerve_watchdog", "swerve_canary"):
        assert f'<h2 id="{kind}">' in text
    assert "&lt;a id" not in text


def test_the_runbook_of_the_console_is_the_one_of_the_documentation(pytestconfig):
    root = pytestconfig.rootpath
    for name in ("runbook.md", "self-alerts.md"):
        copy, original = root / "stream/console" / name, root / "docs" / name
        assert copy.read_text() == original.read_text(), f"cp docs/{name} stream/console/{name}"


async def test_the_alert_names_its_next_step_and_finds_a_member(campaign, visit):
    path = f"/alerts/{only(campaign).alert_id}"
    async with visit(campaign.desk) as visitor:
        text = unescape(await visitor.page(f"{path}?q=00007"))
    assert "<b>Next step:</b> Hand the members to the team that bans" in text
    assert "acct_00007" in text
    assert "acct_00008" not in text


async def test_who_has_an_alert_is_named_and_it_can_be_handed_over(campaign, visit):
    path = f"/alerts/{only(campaign).alert_id}"
    async with visit(campaign.desk) as visitor:
        status, said = await visitor.press(path, f"{path}/ack")
        assert (status, "your name: expected who has it" in said) == (400, True)
        _, text = await visitor.press(path, f"{path}/ack", by="kim")
        assert "acknowledged by kim" in text
        assert "Hand it over" in text
        _, text = await visitor.press(path, f"{path}/ack", by="lee")
        assert "acknowledged by lee" in text
