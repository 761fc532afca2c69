"""A number has one value wherever it stands: alerts are drawn, and every place that shows them is read and compared."""

from __future__ import annotations

import re
from html import unescape

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from detectors.counts.rows import Sets, key_of
from stream.alerts.explain import explain
from stream.alerts.life import Life
from stream.console.shown import export
from stream.console.shown.charts import chart_of
from stream.contract.alert import Alert
from stream.report.history import AlertHistory, Seen
from stream.report.page import cases_of
from stream.sinks.alertmanager import annotations_of
from stream.sinks.sink import Links
from stream.sinks.webhook import Webhook, preset
from stream.spoken import past, percent

HOUR_MS = 3_600_000
AT_MS = 1_770_260_400_000
TARGETS = ("model:atlas-3", "model:atlas-4")
counts = st.integers(1, 400)


@st.composite
def accounts(draw):
    """(requests now, of these to the target, requests before, of these to the target, whether it is new)."""
    now, before = draw(counts), draw(counts)
    return now, draw(st.integers(0, now)), before, draw(st.integers(0, before)), draw(st.booleans())


def share(part, whole):
    return round(part / whole, 6) if whole else 0.0


def told(rows, judged) -> tuple[Alert, tuple, AlertHistory]:
    """The record of a finding that names these accounts, out of a judged group with numbers of its own."""
    members = tuple(
        Member(f"a{n}", 0.9, AT_MS, now, None if new else share(xb, before), share(x, now))
        for n, (now, x, before, xb, new) in enumerate(rows)
    )
    now, x, before, xb, new = (sum(column) for column in zip(*rows, strict=True))
    named = {
        "until_ms": AT_MS, "target": TARGETS[1], "accounts": len(rows), "active": len(rows), "new": int(new),
        "organisations": len(rows), "requests": now, "target_requests": x, "share_after": share(x, now),
        "baseline": float(before), "share_before": share(xb, before), "share_expected": round(judged[2], 6),
    }  # fmt: skip
    series = [[AT_MS - HOUR_MS, 0.0, 0.0], [AT_MS, named["share_after"], named["share_expected"]]]
    evidence = {
        "requests": 7 * now + 1, "window_h": 24, "accounts": len(rows) + 9, "organisations": len(rows) + 5,
        "share_before": judged[0], "share_after": judged[1], "share_expected": judged[0], "statistic": 9.0,
        "threshold": 5.0, "ticks": 2, "shared_values": [], "votes": [], "series": series, "named": named,
    }  # fmt: skip
    finding = Finding(
        "n", "coordinated_shift", Subject("cluster", "n"), (Target("model", "atlas-4"),), Level.CRITICAL, Phase.MOVING,
        AT_MS, AT_MS - 9 * HOUR_MS, members, evidence, "one_operator",
    )  # fmt: skip
    life, history = Life(), AlertHistory(300_000)
    history.kept.extend(seen(rows, at_ms) for at_ms in (AT_MS - HOUR_MS, AT_MS))
    (alert,) = life.step([finding], AT_MS)
    history.changed([alert], life.member_ids)
    return alert, life.members(alert.alert_id), history


def seen(rows, at_ms):
    order = np.argsort([key_of(f"a{n}") for n in range(len(rows))])
    ordered = [rows[n] for n in order]
    keys = np.array([key_of(f"a{n}") for n in order], np.uint64)
    fast = Sets(np.arange(len(rows) + 1) * 2, np.tile([0, 1], len(rows)))
    count = np.array([[now - x, x] for now, x, *_ in ordered], np.uint32).ravel()
    return Seen(at_ms, keys, np.array([one[0] for one in ordered], np.uint32), TARGETS,
                np.diff(fast.start).astype(np.uint16), fast.items.astype(np.uint16), count)  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(accounts(), min_size=1, max_size=30), st.tuples(*[st.floats(0, 1, width=32)] * 3))
def test_every_place_says_the_same_number_by_the_same_name(rows, judged):
    alert, members, history = told(rows, judged)
    evidence, named = alert.evidence, alert.evidence["named"]
    after, before, expected = (evidence[f"share_{one}"] for one in ("after", "before", "expected"))

    # The record: what stands at the top is of the accounts that it names, to the request.
    assert (evidence["requests"], evidence["accounts"]) == (named["requests"], alert.accounts_total)
    assert after == pytest.approx(named["share_after"], abs=1e-6)
    assert sum(one.requests for one in members) == evidence["requests"]
    assert sum(one.requests * one.share_after for one in members) == pytest.approx(named["target_requests"], abs=0.1)

    # Young accounts have no past: the word, and no share.
    is_new = 2 * sum(one[4] for one in rows) > len(rows)
    assert (before is None) is is_new
    assert [one.share_before is None for one in members] == [one[4] for one in rows]

    # The sentence. What has not risen over a day has not moved: it says no more than its share.
    rose = before is None or after > before
    assert re.search(rf"\b{percent(after)} of {'traffic to atlas-4' if rose else 'a day'}", alert.summary)
    assert alert.summary.startswith(f"{alert.accounts_total:,} {'mostly new ' * is_new}account")
    if not is_new and rose and before >= 0.01:
        assert f" {percent(before)} -> {percent(after)} " in alert.summary
    assert f"comparable accounts {percent(expected)}" in alert.summary

    # What explains it, on the page, in the API and at the terminal.
    numbers = {
        row.label: row.value for section in explain([alert]) for row in section.rows if section.title == "Numbers"
    }
    assert (numbers["share now"], numbers["share before"]) == (percent(after), past(before))
    assert (numbers["share expected"], numbers["requests"]) == (percent(expected), f"{evidence['requests']:,}")

    # The chart, on the page and in the report, and the report's facts.
    (case,) = cases_of([alert], history.courses, [])
    ends = {line.name: line.points[-1][1] for line in case.lines}
    assert ends["these accounts"] == pytest.approx(after, abs=1e-6)
    assert ends["expected of accounts like them"] == pytest.approx(expected, abs=1e-6)
    drawn = {row.name: row.last for row in chart_of(case.lines).rows}
    assert drawn["these accounts"] == percent(ends["these accounts"])
    facts = dict(case.facts)
    assert (facts["share now"], facts["share before"]) == (percent(after), past(before))

    # The sinks, and the exports.
    links = Links("https://swerve.example")
    said = annotations_of(alert, links)
    assert said["summary"] == alert.summary
    assert f"share_after: {after:g}" in said["description"]
    paged = orjson.loads(
        Webhook("p", "http://x", links, template=preset("pagerduty"), extra={"routing_key": "k"}).body(alert)
    )
    details = paged["payload"]["custom_details"]
    assert (details["share_before"], details["share_after"]) == (before, after)
    table = unescape(b"".join(export.as_csv(members)).decode()).splitlines()[1:]
    assert [line.split(",")[4].strip('"') for line in table] == [
        "new" if one.share_before is None else str(one.share_before) for one in members
    ]
