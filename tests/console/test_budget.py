"""What a page may cost: 1,000 open alerts, an alert of 10,000 accounts, and a phone's line."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest

from detectors.comparison.findings import Level, Subject
from stream.console.shown.look import DAYS_DRAWN
from stream.report.charts import STYLES
from tests.console.conftest import HOUR_MS, T0
from tests.pace import ROUNDS, Pace

PAGE_BYTES_MAX = 200_000
COST_MAX = 12.0  # yardsticks, of server and reader: 42 ms where this was written; charts of two weeks cost 4.3


@pytest.fixture(scope="module")
def crowd(make_told, make_finding):
    """1,000 alerts that fire, one of them of 10,000 accounts that were all seen for hours."""
    quiet = make_told()
    quiet.findings = [
        make_finding(f"n{number}", Subject("cluster", f"n{number}"), count=3, level=Level.WARNING)
        for number in range(999)
    ]
    big = make_finding("big", Subject("cluster", "big"), count=10_000)
    quiet.findings.append(big)
    quiet.step(2)
    quiet.pass_hours(36, [one.account_id for one in big.members])
    return quiet


async def weight(visitor, text: str) -> int:
    """Bytes of a page with its style sheets, scripts and icon."""
    fetched = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert len(fetched) == 6
    return len(text.encode()) + sum([len((await visitor.page(one)).encode()) for one in fetched])


async def priced(visitor, path: str, before: Callable[[], None] = lambda: None) -> tuple[float, str]:
    """(yardsticks that the quickest of some answers took, of server and reader; the answer)."""
    pace, text = Pace(), ""
    for _ in range(ROUNDS):
        before()
        with pace.of():
            text = await visitor.page(path)
    return pace.cost, text


async def test_a_thousand_open_alerts_and_ten_thousand_members_are_quick_and_light(crowd, visit):
    assert len(crowd.desk.view.firing()) == 1_000
    big = crowd.desk.view.firing()[0].last
    assert big.accounts_total == 10_000
    async with visit(crowd.desk) as visitor:
        own = f"/alerts/{big.alert_id}"
        for path in ("/", "/alerts", "/alerts?q=big", own, f"{own}?sort=-requests", "/account?id=big_00007"):
            cost, text = await priced(visitor, path)
            assert len(text.encode()) < PAGE_BYTES_MAX, (path, len(text))
            assert cost < COST_MAX, (path, cost)


async def test_the_first_page_with_all_that_it_fetches_is_under_200_kb(crowd, visit):
    async with visit(crowd.desk) as visitor:
        text = await visitor.page("/")
        whole = await weight(visitor, text)
    assert whole < PAGE_BYTES_MAX


@pytest.fixture
def full(make_told, make_finding):
    """1,000 alerts that fire, and charts as full as they come: every style of line in both, and a release a day."""
    quiet = make_told()
    quiet.findings = [make_finding(f"n{number}", Subject("cluster", f"n{number}"), count=3) for number in range(1_000)]
    quiet.step(2)
    fleet, until = quiet.desk.view.fleet, T0 // HOUR_MS
    for hour in range(until - 24 * DAYS_DRAWN, until):
        fleet.hours[hour] = 9_973
        for kind, line in itertools.product(("model", "capability"), range(STYLES)):
            fleet.counts[f"{kind}:{kind}-with-a-long-name-{line}"][hour] = 500 + 97 * line + hour * (line + 3) % 89
    released = {f"model-with-a-long-name-{n}": T0 - n * 24 * HOUR_MS for n in range(DAYS_DRAWN)}
    quiet.desk.view.released = lambda: released
    return quiet


async def test_the_first_page_with_charts_of_two_weeks_is_quick_and_light(full, visit):
    def forget() -> None:
        full.desk._drawn.clear()

    async with visit(full.desk) as visitor:
        cost, text = await priced(visitor, "/", before=forget)
        whole = await weight(visitor, text)
    assert text.count("data-chart=") == 2
    assert text.count("with-a-long-name") >= 2 * STYLES
    assert cost < COST_MAX
    assert whole < PAGE_BYTES_MAX


async def test_all_members_of_a_large_alert_can_be_taken_away(crowd, visit):
    big = crowd.desk.view.firing()[0].last
    async with visit(crowd.desk) as visitor:
        _, lines = await visitor.get(f"/api/v1/alerts/{big.alert_id}/accounts?format=ndjson")
    assert len(set(lines.splitlines())) == 10_000
