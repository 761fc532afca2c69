"""Who gets in, and whose forms are believed."""

from __future__ import annotations

import re

import pytest

from stream.configuration.sections import Http

TOKEN = "correct-horse-battery-staple"


def only(told):
    return told.desk.view.alerts()[0].last


async def test_on_loopback_it_is_open_and_every_page_has_the_strict_headers(campaign, visit):
    async with visit(campaign.desk) as visitor, visitor.session.get(visitor.address + "/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        assert answer.status == 200
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie


async def test_an_open_console_answers_to_names_of_its_machine_only(campaign, visit):
    async with visit(campaign.desk) as visitor:
        assert (await visitor.get("/", headers={"Host": "rebound.example"}))[0] == 403
        assert (await visitor.get("/", headers={"Host": "localhost:8321"}))[0] == 200
        assert (await visitor.get("/livez", headers={"Host": "10.0.0.7:8321"}))[0] == 200


async def test_a_form_without_its_own_token_is_not_believed(campaign, visit):
    action = f"/alerts/{only(campaign).alert_id}/verdict"
    async with visit(campaign.desk) as visitor:
        await visitor.page("/")
        assert (await visitor.post(action, verdict="harmless"))[0] == 403
        assert (await visitor.post(action, verdict="harmless", csrf="0" * 64))[0] == 403
        status, _ = await visitor.press(f"/alerts/{only(campaign).alert_id}", action, verdict="campaign", by="kim")
    assert status == 200
    assert [one.verdict for one in campaign.desk.voice.verdicts()] == ["campaign"]


async def test_a_form_of_one_browser_is_not_believed_from_another(campaign, visit):
    action = f"/alerts/{only(campaign).alert_id}/verdict"
    async with visit(campaign.desk) as visitor:
        stolen = re.search(r'name="csrf" value="([0-9a-f]+)"', await visitor.page(action.rpartition("/")[0]))[1]
        visitor.session.cookie_jar.clear()
        await visitor.page("/")
        assert (await visitor.post(action, verdict="harmless", csrf=stolen))[0] == 403


async def test_another_site_cannot_speak_through_a_browser(campaign, visit):
    body = {"alert_id": only(campaign).alert_id, "verdict": "harmless"}
    async with visit(campaign.desk) as visitor:
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        assert (await visitor.send("/api/v1/verdicts", body, headers=elsewhere))[0] == 403
        async with visitor.session.post(f"{visitor.address}/api/v1/verdicts", data="{}") as answer:
            assert answer.status == 400
            assert "application/json" in (await answer.json())["error"]


@pytest.fixture
def guarded(make_told):
    """A console with a token."""
    return make_told(Http(port=0, token=TOKEN))


async def test_with_a_token_nothing_is_told_without_it(guarded, visit):
    async with visit(guarded.desk) as visitor:
        for path in ("/api/v1/alerts", "/api/v1/openapi.json", "/api/v1/events"):
            status, text = await visitor.get(path)
            assert (status, "alerts" in text) == (401, False)
        async with visitor.session.get(visitor.address + "/alerts?q=x", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login?next=%2Falerts%3Fq%3Dx")
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await visitor.get(path))[0] == 200


async def test_a_bearer_token_opens_and_a_wrong_one_does_not(guarded, visit):
    async with visit(guarded.desk) as visitor:
        for given, status in (
            (TOKEN, 200),
            (TOKEN + "x", 401),
            ("", 401),
            ("\N{SNOWMAN}".encode().decode("latin-1"), 401),
        ):
            headers = {"Authorization": f"Bearer {given}"}
            assert (await visitor.get("/api/v1/alerts", headers=headers))[0] == status


async def test_logging_in_once_is_enough_and_leads_back_to_this_console_only(guarded, visit):
    async with visit(guarded.desk) as visitor:
        assert (await visitor.press("/login", "/login", token="wrong", next="/"))[0] == 403
        status, text = await visitor.press("/login", "/login", token=TOKEN, next="//evil.example/")
        assert (status, "No alert is firing" in text) == (200, True)
        assert TOKEN not in text
        assert TOKEN not in await visitor.page("/about")
        status, text = await visitor.press("/about", "/logout")
        assert "The door is closed" in text
        assert "The door is closed" in await visitor.page("/")


async def test_a_forged_or_old_session_does_not_open(guarded, visit):
    door = guarded.desk.door
    async with visit(guarded.desk) as visitor:
        for cookie in (
            "9999999999.00",
            "1." + door._signed("session 1"),
            "x",
            "9999999999." + door._signed("session 1"),
        ):
            assert (await visitor.get("/api/v1/alerts", headers={"Cookie": f"swerve_session={cookie}"}))[0] == 401


async def test_a_trusted_proxy_says_who_comes(make_told, visit):
    told = make_told(Http(port=0, trusted_proxy_header="X-User"))
    async with visit(told.desk) as visitor:
        assert (await visitor.get("/"))[0] == 401
        status, text = await visitor.get("/", headers={"X-User": "kim<b>"})
    assert (status, "kim&lt;b&gt;" in text) == (200, True)


async def test_who_comes_around_the_proxy_gets_a_page_that_leads_on_and_no_log_in_that_is_of_no_use(make_told, visit):
    told = make_told(Http(port=0, trusted_proxy_header="X-User"))
    async with visit(told.desk) as visitor:
        status, text = await visitor.get("/alerts?q=x", headers={"Accept": "text/html"})
        assert status == 401
        assert "come through it, and log in there" in text
        assert 'href="/">Try again' in text
        assert "/login" not in text
        assert (await visitor.get("/alerts?q=x", headers={"Accept": "text/html", "X-User": "kim"}))[0] == 200


async def test_where_tokens_are_taken_a_closed_door_leads_to_where_one_logs_in(guarded, visit):
    async with visit(guarded.desk) as visitor:
        answer = visitor.session.post(visitor.address + "/logout", headers={"Accept": "text/html"})
        async with answer as refused:
            assert (refused.status, 'href="/login">Log in' in await refused.text()) == (401, True)


async def test_with_both_the_header_names_and_the_token_opens(make_told, visit):
    told = make_told(Http(port=0, trusted_proxy_header="X-User", token=TOKEN))
    async with visit(told.desk) as visitor:
        assert (await visitor.get("/api/v1/alerts", headers={"X-User": "kim"}))[0] == 401
        both = {"X-User": "kim", "Authorization": f"Bearer {TOKEN}"}
        assert "<span>kim</span>" in (await visitor.get("/", headers=both))[1]
