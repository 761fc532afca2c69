"""What a person opens says the numbers of the record and no others: page, API, exports, report, and every sink."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from html import unescape
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.parameters import Parameters
from stream.contract.alert import Alert, encode
from stream.report import page as report
from stream.report.history import FleetHistory
from stream.sinks import lines
from stream.sinks.alertmanager import annotations_of
from stream.sinks.sink import Links
from stream.sinks.webhook import Webhook, preset
from stream.spoken import moment, past, percent
from tests.console.conftest import CLUSTER, T0, Told, finding, members, told, visiting
from tests.properties.test_one_number import accounts, share
from tests.properties.test_one_number import told as recorded

PRESETS = {"slack": {}, "pagerduty": {"routing_key": "k"}, "grafana": {}}


def shown(rows: list[tuple[int, int, int, int, bool]], judged: tuple[float, float, float]) -> Told:
    """A console that shows an alert over these accounts, out of a judged group with numbers of its own."""
    named = tuple(
        dataclasses.replace(
            member, requests=now, share_before=None if new else share(xb, before), share_after=share(x, now)
        )
        for member, (now, x, before, xb, new) in zip(members(len(rows)), rows, strict=True)
    )
    now, x, before, xb, new = (sum(column) for column in zip(*rows, strict=True))
    sums = {
        "until_ms": T0, "target": "model:atlas-4", "accounts": len(rows), "active": len(rows), "new": int(new),
        "organisations": len(rows), "requests": now, "target_requests": x, "share_after": share(x, now),
        "baseline": float(before), "share_before": share(xb, before), "share_expected": round(judged[2], 6),
    }  # fmt: skip
    tested = {"accounts": len(rows) + 9, "requests": 7 * now + 1, "share_before": judged[0], "share_after": judged[1]}
    one, found = told(), finding("net-1", CLUSTER, named, T0)
    one.findings = [dataclasses.replace(found, evidence={**found.evidence, **tested, "named": sums})]
    one.step(25, [member.account_id for member in named])
    return one


def text_of(page: str) -> str:
    """What can be read of it, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def cells(page: str, name: str) -> list[str]:
    """A column of the table of members."""
    table = page.partition('id="members"')[2].partition("</section>")[0]
    return [text_of(one) for one in re.findall(rf'data-th="{name}"[^>]*>(.*?)</t[dh]>', table)]


async def fetched(one: Told) -> tuple[str, Any, Any, list[Any]]:
    """The alert's page, what the API says of it and of its members, and the export of them."""
    alert_id = one.desk.view.alerts()[0].last.alert_id
    async with visiting(one.desk) as visitor:
        page = await visitor.page(f"/alerts/{alert_id}?limit=100")
        about = await visitor.json(f"/api/v1/alerts/{alert_id}")
        of = await visitor.json(f"/api/v1/alerts/{alert_id}/accounts?limit=1000")
        export = await visitor.page(f"/api/v1/alerts/{alert_id}/accounts?format=ndjson")
    return page, about, of["accounts"], [orjson.loads(line) for line in export.splitlines()]


@settings(deadline=None, max_examples=6)
@given(st.lists(accounts(), min_size=1, max_size=20), st.tuples(*[st.floats(0, 1, width=32)] * 3))
def test_the_alerts_page_and_the_api_say_what_the_record_says(rows, judged):
    one = shown(rows, judged)
    page, about, of, export = asyncio.run(fetched(one))
    evidence, text = about["alert"]["evidence"], text_of(page)

    assert text_of(re.search(r"<h1>(.*?)</h1>", page)[1]) == about["alert"]["summary"]
    said = {row["label"]: row["value"] for part in about["explanation"]
            if part["title"] == "Numbers" for row in part["rows"]}  # fmt: skip
    for label, value in (
        ("share now", percent(evidence["share_after"])),
        ("share before", past(evidence["share_before"])),
        ("share expected", percent(evidence["share_expected"])),
        ("requests", f"{evidence['requests']:,}"),
    ):
        assert said[label] == value
        assert f"{label} {value}" in text

    assert sum(row["requests"] for row in of) == evidence["requests"] == sum(row[0] for row in rows)
    assert len(of) == evidence["accounts"] == about["alert"]["accounts_total"] == len(cells(page, "account"))
    by_id = {row["account_id"]: row for row in of}
    drawn = [by_id[name] for name in cells(page, "account")]
    assert cells(page, "requests") == [f"{row['requests']:,}" for row in drawn]
    assert cells(page, "before") == [past(row["share_before"]) for row in drawn]
    assert cells(page, "now") == [percent(row["share_after"]) for row in drawn]
    assert [(row["account_id"], row["requests"], row["share_before"], row["share_after"]) for row in export] == [
        (row["account_id"], row["requests"], row["share_before"], row["share_after"]) for row in of
    ]

    # What is newer than the sentence says of when it is, and the chart ends with it.
    course = dict(about["course"]["accounts"])
    (at, now) = max(course.items())
    assert f"As of {moment(at)}: {percent(now)} of their requests" in text
    assert re.search(rf"these accounts \S+ {re.escape(percent(now))}", text)


def said_by(alert: Alert) -> dict[str, str]:
    """What each sink puts before a person, as text; and what a program gets as it is."""
    links = Links("https://swerve.example")
    hooks = {
        name: Webhook(name, "http://x", links, template=preset(name), extra=more) for name, more in PRESETS.items()
    }
    said = {name: hook.body(alert).decode() for name, hook in hooks.items()}
    told_of = annotations_of(alert, links)
    return said | {"alertmanager": f"{told_of['summary']}\n{told_of['description']}"}


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=25)
@given(st.lists(accounts(), min_size=1, max_size=20), st.tuples(*[st.floats(0, 1, width=32)] * 3))
def test_sinks_and_the_report_say_no_other_share_than_the_record(rows, judged):
    alert, _, history = recorded(rows, judged)
    evidence = alert.evidence
    shares = {percent(evidence[f"share_{one}"]) for one in ("after", "before", "expected")
              if evidence[f"share_{one}"] is not None}  # fmt: skip

    for sink, said in said_by(alert).items():
        assert alert.summary in said.replace("\\u003e", ">").replace("&gt;", ">"), sink
        assert set(re.findall(r"\d[\d.]*%", said)) <= shares, sink
    raw = Webhook("own", "http://x", Links("https://swerve.example")).body(alert)
    assert orjson.loads(raw)["evidence"] == orjson.loads(encode(alert))["evidence"]
    assert lines._lines([alert]) == encode(alert) + b"\n"

    seen = report.Told(["log"], Parameters(), FleetHistory(300_000), history, changes=[alert])
    text = text_of(report.render(seen))
    assert alert.summary in text
    assert f"share now {percent(evidence['share_after'])}" in text
    assert f"share before {past(evidence['share_before'])}" in text
    assert f"requests {evidence['requests']:,}" in text
