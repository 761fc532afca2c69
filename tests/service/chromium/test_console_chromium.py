"""The console as its readers have it: Chromium opens the alert's link, presses buttons, and keeps to the policy."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.console.conftest import HOSTILE, Told, fired, members, visiting
from tests.service.browser import Browser

pytestmark = pytest.mark.service("chromium")
PICTURES = Path(os.environ.get("SWERVE_PICTURES", "out/pictures"))
WIDTHS = {"phone": 360, "desk": 1280}


@pytest.fixture
def campaign() -> Told:
    """A campaign of 60 accounts; the first is called like an attack."""
    return fired(members(60, first=[HOSTILE, "=1+1", ".."]))


def pages_of(one: Told) -> dict[str, str]:
    alert_id = one.desk.view.alerts()[0].last.alert_id
    return {
        "overview": "/", "alerts": "/alerts", "alert": f"/alerts/{alert_id}", "account": "/account?id=acct_00003",
        "hostile": "/account?id=%3Cscript%3Ealert(1)%3C/script%3E", "cohort": "/cohort?dimension=org&id=org_7",
        "releases": "/releases", "expected": "/expected", "runbook": "/runbook", "about": "/about",
    }  # fmt: skip


async def typed(browser: Browser, **fields: str) -> None:
    for name, text in fields.items():
        await browser.run(f"document.querySelector('main [name={name}]').value = {text!r}")


async def test_the_link_is_opened_the_shift_marked_expected_and_the_alert_resolves(campaign: Told, browser: Browser):
    path = pages_of(campaign)["alert"]
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + path)
        assert "60 accounts of 104 orgs moved 2% -> 48% of traffic to atlas-4" in await browser.text()
        await browser.click("Expected…")
        await browser.press_in("Expected…", "See what it covers")
        assert "1 of the last 30 days' 1 alert would have been covered, this page among them." in await browser.text()
        await typed(browser, reason="migration, ticket 4711", by="kim", confirm="silence 1 page")
        await browser.click("Announce it")
        campaign.step()
        await browser.open(visitor.address + path)
        assert "Announced meanwhile" in await browser.text()
        await browser.open(visitor.address + "/expected")
        assert "migration, ticket 4711, says kim" in await browser.text()
        assert browser.errors == []
    assert campaign.desk.view.alerts()[0].last.resolved_reason == "expected"


async def test_two_clicks_silence_nothing_and_what_is_muted_is_seen_everywhere_and_undone(
    campaign: Told, browser: Browser
):
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + pages_of(campaign)["alert"])
        await browser.click("Expected…")
        await browser.run("document.querySelector('main [name=subject]').value = 'fleet'")
        await browser.press_in("Expected…", "See what it covers")
        await browser.run("document.querySelector('main form [class=strong]').click()")
        assert not campaign.fleet.expected, "a reason, a name and the words are asked for"
        await typed(browser, reason="launch", by="kim", confirm="silence the fleet and 1 page")
        await browser.click("Announce it")
        for name, path in pages_of(campaign).items():
            await browser.open(visitor.address + path)
            assert "the whole fleet is muted" in await browser.text(), name
        await browser.click("Undo")
        assert "Muted now" not in await browser.text()
        assert not [one for one in campaign.fleet.expected if one.until_ms > one.from_ms]


async def test_buttons_say_who_has_it_and_what_it_was(campaign: Told, browser: Browser):
    path = pages_of(campaign)["alert"]
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + path)
        await browser.click("Acknowledge…")
        await typed(browser, by="kim")
        await browser.click("I have it")
        assert "acknowledged by kim" in await browser.text()
        await browser.click("Campaign…")
        await browser.press_in("Campaign…", "It is a campaign")
        assert "campaign, says kim" in await browser.text()
        await browser.click("Harmless…")
        await typed(browser, reason="a course", confirm="silence 1 page")
        await browser.click("It is harmless")
        campaign.step()
        await browser.open(visitor.address + path)
        assert "Harmless by verdict" in await browser.text()


async def test_an_open_page_follows_what_happens(campaign: Told, browser: Browser):
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + "/")
        await browser.until("document.body.matches('.listening')")
        campaign.findings = []
        campaign.step(24 * 12)
        seen = "document.querySelector('h1').textContent === 'No alert is firing'"
        await browser.until(seen)
        assert browser.errors == []


async def test_an_open_page_learns_what_another_one_mutes_and_that_it_is_undone(campaign: Told, browser: Browser):
    shift = {"id": "m", "subject": {"kind": "fleet"}, "target": None, "from": campaign.fleet.at_ms,
             "until": campaign.fleet.at_ms + 3_600_000, "reason": "launch"}  # fmt: skip
    banner = "document.getElementById('muted').textContent"
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + pages_of(campaign)["about"])
        await browser.until("document.body.matches('.listening')")
        await browser.run("window.was = 'never loaded again'")
        assert "Muted now" not in await browser.text()
        assert await visitor.send("/api/v1/expected", shift) == (202, shift)
        await browser.until(f"{banner}.includes('the whole fleet is muted')")
        assert "launch" in await browser.text()
        await visitor.press("/about", "/silence/end", key="expected/m", back="/about")
        await browser.until(f"{banner}.trim() === ''")
        assert "Muted now" not in await browser.text()
        assert await browser.run("window.was") == "never loaded again"
        assert browser.errors == []


async def test_keys_lead_through_the_rows(campaign: Told, browser: Browser):
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + pages_of(campaign)["alert"])
        await browser.press("j")
        await browser.press("j")
        await browser.press("k")
        assert await browser.run("document.activeElement.textContent") == HOSTILE
        await browser.press("?")
        assert await browser.run("document.getElementById('help').open") is True
        await browser.press("?")
        await browser.press("/")
        assert await browser.run("document.activeElement.id") == "search"


async def test_pages_fit_a_phone_and_fetch_nothing_from_elsewhere(campaign: Told, browser: Browser):
    """Pictures of all of them, light and dark, stay in out/pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with visiting(campaign.desk) as visitor:
        for name, path in pages_of(campaign).items():
            for screen, width in WIDTHS.items():
                await browser.look(width, dark=screen == "phone")
                await browser.open(visitor.address + path)
                assert await browser.run("document.documentElement.scrollWidth") <= width, (name, screen)
                await browser.picture(PICTURES / f"console-{name}-{screen}.png")
        assert [one for one in browser.fetched if not one.startswith(visitor.address)] == []
        assert browser.errors == []


async def test_a_name_that_is_a_script_is_read_and_never_run(campaign: Told, browser: Browser):
    async with visiting(campaign.desk) as visitor:
        for path in (pages_of(campaign)["alert"], pages_of(campaign)["hostile"]):
            await browser.open(visitor.address + path)
            assert HOSTILE in await browser.text()
            assert await browser.run("[...document.scripts].every(one => one.src && !one.textContent)") is True


async def test_light_and_dark_follow_the_reader(campaign: Told, browser: Browser):
    async with visiting(campaign.desk) as visitor:
        for dark, colour in ((False, "rgb(246, 247, 249)"), (True, "rgb(16, 21, 27)")):
            await browser.look(1280, dark=dark)
            await browser.open(visitor.address + "/")
            assert await browser.run("getComputedStyle(document.body).backgroundColor") == colour
