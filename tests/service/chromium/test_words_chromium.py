"""What people on call expect: who has an alert, what was noted, lists to filter and take away, what comes next."""

from __future__ import annotations

import pytest

from tests.console.conftest import visiting
from tests.service.browser import Browser
from tests.service.chromium.test_axe_chromium import campaign

pytestmark = pytest.mark.service("chromium")
NAMES = "[...document.querySelectorAll('tbody tr .id a')].map(one => one.textContent)"


async def written(browser: Browser, opened: str, **fields: str) -> None:
    """Unfold what has these words, and type into its fields."""
    await browser.click(opened)
    for name, text in fields.items():
        await browser.run(
            f"[...document.querySelectorAll('details')].find(one => one.firstElementChild.textContent === {opened!r})"
            f".querySelector('[name={name}]').value = {text!r}"
        )


async def test_who_has_an_alert_hands_it_over_with_what_the_next_one_must_know(browser: Browser):
    one = campaign()
    path = f"/alerts/{one.desk.view.alerts()[0].last.alert_id}"
    async with visiting(one.desk) as visitor:
        await browser.open(visitor.address + path)
        assert "Next step: Hand the members to the team that bans" in await browser.text()
        await written(browser, "Acknowledge…", by="kim")
        await browser.press_in("Acknowledge…", "I have it")
        await written(browser, "Hand over…", to="lee", note="banned 40 so far")
        await browser.press_in("Hand over…", "Hand it over")
        await written(browser, "Note…", note="asked sales")
        await browser.press_in("Note…", "Write it down")
        text = await browser.text()
        assert "acknowledged by lee" in text
        assert "kim: handed over to lee: banned 40 so far" in text
        assert "kim: asked sales" in text
        await browser.open(visitor.address + "/")
        assert "acknowledged by lee" in await browser.text()
        assert browser.errors == []


async def test_members_and_the_watch_list_are_filtered_sorted_and_taken_away(browser: Browser):
    one = campaign()
    path = f"/alerts/{one.desk.view.alerts()[0].last.alert_id}"
    async with visiting(one.desk) as visitor:
        await browser.open(visitor.address + path)
        await browser.run("document.querySelector('#members [name=q]').value = 'acct_0002'")
        await browser.click("Show")
        await browser.click("requests")
        members = "[...document.querySelectorAll('#members tbody tr')].map(one => [one.cells[0], one.cells[2]])"
        rows = await browser.run(f"{members}.map(row => row.map(one => one.textContent))")
        assert len(rows) == 10
        assert {name[:9] for name, _ in rows} == {"acct_0002"}
        assert [int(requests) for _, requests in rows] == sorted((int(many) for _, many in rows), reverse=True)

        await browser.open(visitor.address + "/watchlist")
        await browser.run("document.querySelector('main [name=q]').value = 'w2'")
        await browser.click("Show")
        assert await browser.run(NAMES) == ["acct_w2"]
        table = await browser.run("fetch(document.querySelector('h1 a').href).then(one => one.text())")
        assert [line.count("acct_w") for line in table.splitlines()] == [0, 1]
        assert "2026-02-05T03:00:00.000Z" in table


async def test_an_accounts_page_and_a_releases_page_say_what_belongs_to_them(browser: Browser):
    one = campaign()
    async with visiting(one.desk) as visitor:
        await browser.open(visitor.address + "/account?id=near_1")
        assert await browser.run("document.querySelector('.facts td a').textContent") == "org_7"
        assert "near net-1, and no member" in await browser.text()
        await browser.open(visitor.address + "/account?id=acct_00003")
        titles = await browser.run("[...document.querySelectorAll('figcaption')].map(one => one.textContent)")
        assert [title.partition(",")[0] for title in titles] == ["Share of its requests by model"]
        assert "card-net-1" in await browser.text()
        await browser.open(visitor.address + "/releases?model=atlas-4")
        text = await browser.text()
        assert "What adoption to expect" in text
        assert "Who took it up first" in text
