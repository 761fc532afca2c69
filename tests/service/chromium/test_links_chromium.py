"""Every link leads somewhere, and where something is wrong there is a page with a way on, on a phone too."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from stream.configuration.sections import Http
from tests.console.conftest import CLUSTER, finding, fired, members, told, visiting
from tests.service.browser import Browser

pytestmark = pytest.mark.service("chromium")
ERRORS = {"/nowhere": 404, "/alerts/deadbeef": 404, "/account?id=nobody": 404, "/alerts?severity=loud": 400}


async def test_every_link_of_every_page_leads_to_a_page(browser: Browser):
    one = told()
    named = members(60)
    one.findings = [finding("net-1", CLUSTER, named, 0)]
    one.step(25, [member.account_id for member in named])
    async with visiting(one.desk) as visitor:
        waiting, seen = ["/"], set()
        while waiting and len(seen) < 60:
            path = waiting.pop(0)
            await browser.open(visitor.address + path)
            links = await browser.run("[...document.querySelectorAll('a[href]')].map(one => one.getAttribute('href'))")
            assert await browser.run("performance.getEntriesByType('navigation')[0].responseStatus") == 200, path
            for link in links:
                page = link.partition("#")[0]
                is_new = page.startswith("/") and not page.startswith(
                    ("/api/", "/metrics", "/static/", "/livez", "/readyz")
                )
                if is_new and page not in seen:
                    seen.add(page)
                    waiting.append(page)
        assert {"/runbook", "/runbook/self", "/expected", "/about"} <= seen


async def test_an_error_is_a_page_that_fits_a_phone_and_leads_on(browser: Browser):
    async with visiting(told().desk) as visitor:
        await browser.look(390)
        for path, status in ERRORS.items():
            await browser.open(visitor.address + path)
            assert await browser.run("performance.getEntriesByType('navigation')[0].responseStatus") == status
            assert await browser.run("document.documentElement.scrollWidth") <= 390, path
            assert await browser.run("document.querySelectorAll('nav a').length") >= 7, path


async def test_a_closed_door_a_conflict_and_a_defect_are_pages_as_well(browser: Browser, monkeypatch):
    closed = told(Http(port=0, token=SecretStr("a-token-of-this-test")))
    one = fired(members(60))
    path = f"/alerts/{one.desk.view.alerts()[0].last.alert_id}"
    await browser.look(390)
    async with visiting(closed.desk) as visitor:
        await browser.open(f"{visitor.address}{path}")
        assert "The door is closed" in await browser.text()
        await browser.run("document.querySelector('[name=token]').value = 'a-wrong-one-of-this-test'")
        await browser.click("Come in")
        assert "That is not the token." in await browser.text()
    async with visiting(one.desk) as visitor:
        await browser.open(visitor.address + path)
        await visitor.send(f"/api/v1{path}/ack", {"by": "lee"})
        await browser.click("Acknowledge…")
        await browser.run("document.querySelector('main [name=by]').value = 'kim'")
        await browser.click("I have it")
        assert "That changed meanwhile 409" in " ".join((await browser.text()).split())
        assert "lee has this alert since" in await browser.text()
        monkeypatch.setattr("stream.console.shown.look.moving", lambda view: 1 / 0)
        await browser.click("Overview")
        assert "A defect of Swerve 500" in " ".join((await browser.text()).split())
        assert await browser.run("document.querySelectorAll('nav a').length") >= 7
        assert await browser.run("document.documentElement.scrollWidth") <= 390


async def test_the_runbook_url_of_an_alert_about_swerve_itself_leads_to_its_section(browser: Browser):
    async with visiting(told().desk) as visitor:
        await browser.open(visitor.address + "/runbook/self#swervefleetmuted")
        shown = await browser.run(f"document.querySelector({json.dumps(':target')})?.textContent")
        assert shown == "SwerveFleetMuted"
