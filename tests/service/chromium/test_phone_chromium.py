"""On a phone and for everyone: no column is lost, an open page keeps focus and scroll, every field has a name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.console.conftest import CLUSTER, Told, finding, fired, holding, members, visiting
from tests.report.test_in_chromium import page as report
from tests.service.browser import Browser

pytestmark = pytest.mark.service("chromium")
PAPER = (559, 794)  # A5 at 96 dots an inch
NAMELESS = """[...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href], summary')]
  .filter(one => !(one.labels?.length || one.ariaLabel || one.textContent.trim()))
  .map(one => one.outerHTML)"""
HIDDEN_COLUMNS = """[...document.querySelectorAll('table.cards tbody tr:first-child > *')]
  .filter(one => one.childNodes.length && (one.getBoundingClientRect().right > innerWidth || !one.dataset.th))
  .map(one => one.outerHTML)"""


@pytest.fixture
def campaign() -> Told:
    return fired(members(60))


def paths_of(one: Told) -> list[str]:
    alert_id = one.desk.view.alerts()[0].last.alert_id
    return ["/", "/alerts", f"/alerts/{alert_id}", "/account?id=acct_00003", "/watchlist", "/expected",
            f"/silence?kind=expected&alert={alert_id}", "/about"]  # fmt: skip


async def test_at_390_px_a_row_is_a_card_with_every_column_in_sight(campaign: Told, browser: Browser):
    async with visiting(campaign.desk) as visitor:
        await browser.look(390)
        for path in paths_of(campaign):
            await browser.open(visitor.address + path)
            assert await browser.run("document.documentElement.scrollWidth") <= 390, path
            assert json.loads(await browser.run(f"JSON.stringify({HIDDEN_COLUMNS})")) == [], path
            assert json.loads(await browser.run(f"JSON.stringify({NAMELESS})")) == [], path
        await browser.open(visitor.address + paths_of(campaign)[2])
        shown = await browser.run("document.querySelector('#members tbody tr').innerText")
        for column in ("likely", "requests", "before", "now", "member since"):
            assert column in await browser.run(
                "[...document.querySelectorAll('#members tbody tr:first-child > *')].map(one => one.dataset.th).join()"
            )
        assert "acct_00000" in shown


async def test_a_page_that_updates_itself_keeps_focus_and_scroll(campaign: Told, browser: Browser):
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + paths_of(campaign)[2])
        await browser.until("document.body.matches('.listening')")
        await browser.run("[...document.querySelectorAll('#members tbody a')][12].focus()")
        before = await browser.run("[document.activeElement.textContent, scrollY]")
        assert before[1] > 100
        await browser.run("window.was = document.querySelector('main')")
        campaign.findings = [finding("net-1", CLUSTER, members(90), 0)]
        campaign.step(48)
        await browser.until("document.querySelector('main') !== was")
        assert await browser.run("[document.activeElement.textContent, scrollY]") == before


async def test_what_a_reader_unfolded_stays_unfolded_with_the_focus_and_the_page_stays_fresh(
    campaign: Told, browser: Browser
):
    campaign.carry(holding({one.account_id: [("payment", "card-net-1")] for one in members(60)}))
    campaign.step(12, ["acct_00003"])
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + paths_of(campaign)[2])
        await browser.until("document.body.matches('.listening')")
        await browser.run("window.was = document.querySelector('main')")
        summary = "[...document.querySelectorAll('summary')].find(one => one.textContent === 'The same as a table')"
        await browser.run(f"{summary}.parentElement.open = true; {summary}.focus()")
        campaign.findings = [finding("net-1", CLUSTER, members(90), 0)]
        campaign.step(48)
        await browser.until("document.querySelector('main') !== was")
        assert await browser.run(f"{summary}.parentElement.open")
        assert await browser.run("document.activeElement.textContent") == "The same as a table"


async def test_no_figure_is_torn_on_a_screen_nor_on_paper(campaign: Told, browser: Browser):
    torn = """[...document.querySelectorAll('.facts tr')].filter(row => {
      if (row.cells.length !== 3) return false;
      const words = document.createRange();
      words.selectNodeContents(row.cells[1]);
      return new Set([...words.getClientRects()].map(one => Math.round(one.top))).size > 1;
    }).map(row => row.innerText)"""
    async with visiting(campaign.desk) as visitor:
        await browser.look(1400)
        await browser.open(visitor.address + paths_of(campaign)[2])
        await browser.until("document.body.matches('.listening')")
        await browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert await browser.run("document.querySelectorAll('.facts tr').length") > 10
        assert await browser.run(torn) == []
        await browser.look(794)
        await browser.ask("Emulation.setEmulatedMedia", media="print")
        assert await browser.run(torn) == []
        hidden = "['.bar', '.actions', '.live', '.filters', 'footer']"
        assert await browser.run(f"{hidden}.filter(one => document.querySelector(one).offsetHeight)") == []


async def test_a_report_is_walked_by_keys_and_its_print_begins_on_the_first_page(browser: Browser, tmp_path: Path):
    (tmp_path / "report.html").write_text(report())
    await browser.look(390)
    await browser.open((tmp_path / "report.html").as_uri())
    await browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    lost = """[...document.querySelectorAll('main *')].filter(one => one.scrollWidth > one.clientWidth + 1
      && /auto|scroll/.test(getComputedStyle(one).overflowX) && !(one.tabIndex === 0 && one.ariaLabel))
      .map(one => one.outerHTML.slice(0, 200))"""
    assert await browser.run(lost) == []
    await browser.look(*PAPER)
    await browser.ask("Emulation.setEmulatedMedia", media="print")
    first = "document.querySelector('article')"
    assert await browser.run(f"{first}.offsetHeight") > PAPER[1], "a page alone cannot hold it"
    assert await browser.run(f"getComputedStyle({first}).breakInside") == "auto"
    assert await browser.run(f"{first}.getBoundingClientRect().top") < PAPER[1]


async def test_the_overview_says_first_that_it_has_nothing_to_judge(campaign: Told, browser: Browser):
    campaign.findings = []
    campaign.step(24 * 12)
    at_ms = campaign.fleet.at_ms
    campaign.desk.now_ms = lambda: at_ms + 5 * 86_400_000
    async with visiting(campaign.desk) as visitor:
        await browser.open(visitor.address + "/")
        text = await browser.text()
        assert "the newest record is 5 d old" in text
        assert "Nobody needs to get up" not in text
        assert "no longer stand out" not in text
