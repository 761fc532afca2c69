"""On the alert's page no two numbers disagree: the sentence, the chart, the members and what was tested."""

from __future__ import annotations

import dataclasses
import json

import pytest

from tests.console.conftest import CLUSTER, T0, finding, members, told, visiting
from tests.service.browser import Browser

pytestmark = pytest.mark.service("chromium")
HOUR_MS = 3_600_000


async def test_the_sentence_the_chart_and_the_members_say_the_same_and_who_is_new_has_no_share(browser: Browser):
    one = told()
    old = tuple(dataclasses.replace(member, requests=100, share_before=0.1, share_after=0.21) for member in members(30))
    young = tuple(dataclasses.replace(member, share_before=None) for member in old)
    names = [member.account_id for member in old]
    given = finding("net-1", CLUSTER, young, T0)
    named = {
        "until_ms": T0, "target": "model:atlas-4", "accounts": 30, "active": 30, "new": 30, "organisations": 30,
        "requests": 3_000, "target_requests": 630, "share_after": 0.21, "baseline": 900.0, "share_before": 0.1,
        "share_expected": 0.09,
    }  # fmt: skip
    judged = {"accounts": 23, "share_before": 0.10, "share_after": 0.18}
    one.findings = [dataclasses.replace(given, evidence={**given.evidence, **judged, "named": named})]
    one.step(1, names)
    one.findings = [dataclasses.replace(given, evidence={**given.evidence, **judged, "named": named, "series": [
        [T0, 0.0, 0.0], [T0 + 2 * HOUR_MS, 0.21, 0.09]]})]  # fmt: skip
    one.step(24, names)
    async with visiting(one.desk) as visitor:
        await browser.open(f"{visitor.address}/alerts/{one.desk.view.alerts()[0].last.alert_id}")
        text = await browser.text()
        assert await browser.run("document.querySelector('h1').textContent") == (
            "30 mostly new accounts of 30 orgs send 21% of traffic to atlas-4 for 9 h; comparable accounts 9%. "
            "One operator likely."
        )
        before = await browser.run(
            "[...document.querySelectorAll('#members tbody tr')].map(one => one.cells[3].textContent)"
        )
        assert set(before) == {"new"}
        assert "18%" not in text.split("What was tested")[0], "the tested group's numbers stand under their own name"
        assert "23 were judged together" not in text
        data = json.loads(await browser.run("document.querySelector('[data-chart]').dataset.chart"))
        assert data["lines"][1][-1] is not None
