"""Everybody can read every page: axe finds nothing, in light and dark, on a screen and on a phone."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.console.conftest import CLUSTER, HOSTILE, T0, Told, finding, holding, members, told, visiting, watched
from tests.report.test_in_chromium import page as report
from tests.service.browser import Browser

pytestmark = pytest.mark.service("chromium")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
# What it says, by rule, with the first element of each: enough to find it.
FOUND = """axe.run(document, {resultTypes: ["violations"]}).then(told => told.violations.map(
  one => `${one.id}: ${one.nodes.length} times, ${one.nodes[0].html.slice(0, 160)} ${one.nodes[0].failureSummary}`))"""
SCREENS = [(width, dark) for width in (1400, 390) for dark in (False, True)]


def campaign() -> Told:
    """Everything that a page can show: an alert with its network, one that is acknowledged and noted, a watch list."""
    one = told()
    named = members(60, first=[HOSTILE])
    held = {member.account_id: [("payment", "card-net-1")] for member in named}
    one.findings = [finding("net-1", CLUSTER, named, T0)]
    one.fleet.judge.watch.rows = (watched("acct_w1", others=4, because="ip_prefix=campus"), watched("acct_w2"))
    one.carry(holding(held | {"near_1": [("payment", "card-net-1"), ("template", HOSTILE)]}, org={"near_1": "org_7"}))
    one.step(60, [member.account_id for member in named])
    return one


def paths_of(one: Told) -> list[str]:
    alert_id = one.desk.view.alerts()[0].last.alert_id
    return ["/", "/alerts", f"/alerts/{alert_id}", "/account?id=acct_00003", "/account?id=near_1", "/watchlist",
            "/releases", "/releases?model=atlas-4", "/cohort?dimension=org&id=org_7", "/expected",
            f"/silence?kind=expected&alert={alert_id}&subject=fleet", "/runbook", "/runbook/self", "/about",
            "/nowhere"]  # fmt: skip


async def violations(browser: Browser) -> dict[tuple[int, bool], list[str]]:
    """What axe finds on the page that is open, with everything unfolded, by width and whether it is dark."""
    await browser.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    await browser.run(f"{AXE};0")
    found = {}
    for width, dark in SCREENS:
        await browser.look(width, dark=dark)
        found[width, dark] = await browser.run(FOUND)
    return {screen: said for screen, said in found.items() if said}


async def test_axe_finds_nothing_on_any_page_of_the_console(browser: Browser):
    one = campaign()
    alert_id = one.desk.view.alerts()[0].last.alert_id
    found = {}
    async with visiting(one.desk) as visitor:
        await visitor.send(f"/api/v1/alerts/{alert_id}/ack", {"by": "kim"})
        await visitor.send(f"/api/v1/alerts/{alert_id}/notes", {"by": "kim", "note": "asked sales"})
        for path in paths_of(one):
            await browser.open(visitor.address + path)
            found[path] = await violations(browser)
    assert {path: said for path, said in found.items() if said} == {}


async def test_axe_finds_nothing_on_a_report(browser: Browser, tmp_path: Path):
    (tmp_path / "report.html").write_text(report())
    await browser.open((tmp_path / "report.html").as_uri())
    assert await violations(browser) == {}
    await browser.run("document.documentElement.removeAttribute('lang')")
    assert await violations(browser) != {}, "axe looks at nothing"
