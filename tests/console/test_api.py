"""What programs get, and what they may say: the JSON API against its own description."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from urllib.parse import quote

from detectors.comparison.findings import Level, Subject
from stream.console.routes.openapi import description
from tests.pace import PATIENCE_S

HOSTILE = "<script>alert(1)</script>"


def only(told):
    return told.desk.view.alerts()[0].last


async def test_openapi_describes_every_route_of_the_api_and_no_other(quiet, visit):
    from stream.console.health import Health
    from stream.console.routes.site import attach

    app = Health(quiet.desk.settings.http).app
    attach(quiet.desk, app)
    routes = {
        (route.method.lower(), route.resource.canonical)
        for route in app.router.routes()
        if route.resource.canonical.startswith("/api/") and route.method != "HEAD"
    }
    described = {(method, path) for path, methods in description()["paths"].items() for method in methods}
    assert described == routes


async def test_openapi_is_whole(quiet, visit):
    async with visit(quiet.desk) as visitor:
        told = await visitor.json("/api/v1/openapi.json")
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(told)))
    assert referred <= told["components"]["schemas"].keys()
    for path, methods in told["paths"].items():
        for operation in methods.values():
            in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert in_path == set(re.findall(r"\{(\w+)\}", path))


async def test_answers_have_exactly_the_fields_that_are_described(campaign, visit):
    alert_id = only(campaign).alert_id
    addresses = {
        "/api/v1/alerts": "/api/v1/alerts",
        "/api/v1/alerts/{alert_id}": f"/api/v1/alerts/{alert_id}",
        "/api/v1/alerts/{alert_id}/accounts": f"/api/v1/alerts/{alert_id}/accounts",
        "/api/v1/accounts/{account_id}": "/api/v1/accounts/acct_00001",
        "/api/v1/cohorts/{dimension}/{cohort_id}": "/api/v1/cohorts/org/org_7",
        "/api/v1/fleet": "/api/v1/fleet",
        "/api/v1/watchlist": "/api/v1/watchlist",
        "/api/v1/releases": "/api/v1/releases",
        "/api/v1/expected": "/api/v1/expected",
        "/api/v1/verdicts": "/api/v1/verdicts",
    }
    async with visit(campaign.desk) as visitor:
        for path, address in addresses.items():
            operation = description()["paths"][path]["get"]
            schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert (await visitor.json(address)).keys() == schema["properties"].keys(), path


async def test_alerts_are_filtered_and_paged(campaign, visit, make_finding):
    campaign.findings += [
        make_finding(f"org-{n}", Subject("cohort", f"org_{n}", "org"), level=Level.WARNING, model="atlas-3")
        for n in range(5)
    ]
    campaign.step(3)
    async with visit(campaign.desk) as visitor:
        everything = await visitor.json("/api/v1/alerts")
        loud = await visitor.json("/api/v1/alerts?severity=critical&status=firing")
        other = await visitor.json("/api/v1/alerts?target=atlas-3&limit=2")
        rest = await visitor.json(other["next"])
        wrong = await visitor.json("/api/v1/alerts?severity=loud")
    assert (everything["total"], everything["alerts"][0]["severity"]) == (6, "critical")
    assert [one["alert_id"] for one in loud["alerts"]] == [only(campaign).alert_id]
    assert (other["total"], len(other["alerts"]), len(rest["alerts"])) == (5, 2, 2)
    assert not {one["alert_id"] for one in other["alerts"]} & {one["alert_id"] for one in rest["alerts"]}
    assert wrong == {"error": "severity: expected one of info, warning, critical, got 'loud'"}


async def test_the_alert_holds_the_record_of_the_contract(campaign, visit):
    from stream.contract.alert import decode

    alert = only(campaign)
    async with visit(campaign.desk) as visitor:
        told = await visitor.json(f"/api/v1/alerts/{alert.alert_id}")
    assert decode(json.dumps(told["alert"]).encode()) == alert
    assert [one["change"] for one in told["timeline"]] == ["opened"]


async def test_members_come_as_json_csv_and_ndjson_with_ids_unharmed(campaign, visit):
    path = f"/api/v1/alerts/{only(campaign).alert_id}/accounts"
    async with visit(campaign.desk) as visitor:
        paged = await visitor.json(f"{path}?limit=7&offset=56")
        status, lines = await visitor.get(f"{path}?format=ndjson")
        _, table = await visitor.get(f"{path}?format=csv")
        async with visitor.session.get(f"{visitor.address}{path}?format=csv") as answer:
            named = answer.headers["Content-Disposition"]
    assert (paged["total"], len(paged["accounts"]), paged["next"]) == (60, 4, None)
    ids = [json.loads(line)["account_id"] for line in lines.splitlines()]
    assert (status, len(ids), ids[:3]) == (200, 60, [HOSTILE, "=1+1", ".."])
    rows = list(csv.DictReader(io.StringIO(table)))
    assert (len(rows), rows[0]["account_id"], rows[1]["account_id"]) == (60, HOSTILE, "'=1+1")
    assert {row["since"] for row in rows} == {"2026-02-05T02:00:00.000Z"}
    assert re.fullmatch(r'attachment; filename="alert-[0-9a-f]+\.csv"', named)


async def test_an_account_is_found_whatever_it_is_called(campaign, visit):
    async with visit(campaign.desk) as visitor:
        for account in (HOSTILE, "=1+1", "acct_00004"):
            told = await visitor.json(f"/api/v1/accounts/{quote(account, safe='')}")
            assert [one["alert_id"] for one in told["alerts"]] == [only(campaign).alert_id]
            assert told["requests"], account


async def test_a_verdict_holds_from_the_next_tick(campaign, visit):
    alert_id = only(campaign).alert_id
    async with visit(campaign.desk) as visitor:
        status, said = await visitor.send(
            "/api/v1/verdicts", {"alert_id": alert_id, "verdict": "harmless", "by": "kim", "note": "a course"}
        )
        assert (status, said["by"], said["note"]) == (202, "kim", "a course")
        campaign.step()
        assert (await visitor.json("/api/v1/verdicts"))["verdicts"] == [said]
        assert (await visitor.json(f"/api/v1/alerts/{alert_id}"))["alert"]["resolved_reason"] == "harmless"


async def test_an_expected_shift_resolves_what_it_covers_and_can_be_withdrawn(campaign, visit):
    shift = {
        "id": "migration", "subject": {"kind": "cohort", "dimension": "payment", "id": "card-net-1"},
        "target": {"kind": "model", "id": "atlas-4"}, "from": 0, "until": campaign.fleet.at_ms + 86_400_000,
        "reason": "announced",
    }  # fmt: skip
    async with visit(campaign.desk) as visitor:
        assert await visitor.send("/api/v1/expected", shift) == (202, shift)
        campaign.step()
        assert only(campaign).resolved_reason == "expected"
        assert (await visitor.json("/api/v1/expected"))["expected"] == [shift]
        await visitor.send("/api/v1/expected", shift | {"from": 0, "until": 0})
        assert (await visitor.json("/api/v1/expected"))["expected"] == []


async def test_what_breaks_the_contract_is_refused_in_words(campaign, visit):
    async with visit(campaign.desk) as visitor:
        status, said = await visitor.send("/api/v1/verdicts", {"alert_id": only(campaign).alert_id, "verdict": "bad"})
        assert (status, "$.verdict" in said["error"]) == (400, True)
        status, said = await visitor.send("/api/v1/verdicts", {"alert_id": "nobody", "verdict": "harmless"})
        assert (status, "no alert nobody" in said["error"]) == (404, True)
        status, said = await visitor.send("/api/v1/expected", {"id": "x"})
        assert (status, "$.subject" in said["error"]) == (400, True)
        status, said = await visitor.send(f"/api/v1/alerts/{only(campaign).alert_id}/snooze", {"until": True})
        assert (status, "until: expected" in said["error"]) == (400, True)


async def test_acknowledge_and_snooze_reach_the_delivery(campaign, visit):
    alert_id = only(campaign).alert_id
    until = campaign.desk.now_ms() + 3_600_000
    async with visit(campaign.desk) as visitor:
        _, said = await visitor.send(f"/api/v1/alerts/{alert_id}/ack", {"by": "kim"})
        assert (said["acknowledged"]["by"], said["snoozed"]) == ("kim", None)
        _, said = await visitor.send(f"/api/v1/alerts/{alert_id}/snooze", {"by": "lee", "until": until})
        assert (await visitor.json(f"/api/v1/alerts/{alert_id}"))["attention"] == said
        assert (await visitor.json("/api/v1/alerts"))["attention"] == {alert_id: said}
        for path in ("/", "/alerts", f"/alerts/{alert_id}"):
            page = await visitor.page(path)
            assert "acknowledged by kim" in page
            assert "snoozed" in page
    attention = campaign.desk.voice.attention.of(alert_id)
    assert (attention.acknowledged, attention.snoozed_until_ms) == (True, until)


async def test_a_snooze_that_is_over_is_shown_nowhere(campaign, visit):
    alert_id, now_ms = only(campaign).alert_id, campaign.desk.now_ms()
    async with visit(campaign.desk) as visitor:
        await visitor.send(f"/api/v1/alerts/{alert_id}/snooze", {"by": "lee", "until": now_ms + 3_600_000})
        campaign.desk.now_ms = lambda: now_ms + 3_600_000
        for path in ("/", "/alerts", f"/alerts/{alert_id}"):
            assert "snoozed" not in await visitor.page(path)
        assert (await visitor.json("/api/v1/alerts"))["attention"] == {}


async def test_events_tell_every_change_and_what_was_missed(campaign, visit):
    async with visit(campaign.desk) as visitor:
        headers = {"Last-Event-ID": "0"}
        async with visitor.session.get(f"{visitor.address}/api/v1/events", headers=headers) as answer:
            assert answer.content_type == "text/event-stream"
            text = ""
            async with asyncio.timeout(PATIENCE_S):
                while "event: alert" not in text or "event: tick" not in text:
                    text += (await answer.content.readany()).decode()
    told = json.loads(re.search(r"event: alert\ndata: (.*)\n", text)[1])
    assert told["alert_id"] == only(campaign).alert_id
    assert "id: 1\n" in text
