"""Whatever is said through the console leaves a line of the log: who, from where, what."""

from __future__ import annotations

import structlog

from stream.configuration.sections import Http
from stream.telemetry import metrics

TOKEN = "correct-horse-battery-staple"


def alert_of(told) -> str:
    return told.desk.view.alerts()[0].last.alert_id


async def test_words_about_alerts_leave_a_line_each_with_who_said_them(campaign, visit):
    alert_id = alert_of(campaign)
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        async with visit(campaign.desk) as visitor:
            await visitor.send(f"/api/v1/alerts/{alert_id}/ack", {"by": "kim", "note": "mine"})
            await visitor.send("/api/v1/verdicts", {"alert_id": alert_id, "verdict": "unsure", "by": "lee"})
            shift = {"id": "s1", "subject": {"kind": "fleet"}, "target": None, "from": 1, "until": 2, "reason": "x"}
            await visitor.send("/api/v1/expected", shift)

    told = [(one["word"], one.get("by"), one["who"], one["remote"]) for one in lines if one["event"] == "said"]
    assert told == [
        ("ack", "kim", "console", "127.0.0.1"),
        ("verdict", "lee", "console", "127.0.0.1"),
        ("expected", None, "console", "127.0.0.1"),
    ]


async def test_wrong_tokens_are_counted_and_told_once_a_minute(make_told, visit, monkeypatch):
    monkeypatch.setattr("stream.console.door.REFUSED_S", 0)
    monkeypatch.setattr("stream.telemetry.metrics.audit._refused_told", metrics.audit.Seldom())
    before = metrics.value("swerve_tokens_refused_total") or 0
    with structlog.testing.capture_logs() as lines:
        async with visit(make_told(Http(port=0, token=TOKEN)).desk) as visitor:
            for _ in range(20):
                status, _ = await visitor.get("/api/v1/alerts", headers={"Authorization": "Bearer guess"})
                assert status == 401

    assert metrics.value("swerve_tokens_refused_total") == before + 20
    assert [one["n"] for one in lines if one["event"] == "token_refused"] == [1]
