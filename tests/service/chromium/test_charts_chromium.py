"""The console's charts as a reader sees them: drawn by Chromium, each line in its colour, as wide as the screen lets.

What is asked about pixels is asked of the canvas itself.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from stream import spoken
from tests.console.conftest import CLUSTER, HOUR_MS, T0, Told, Visitor, finding, members, told, visiting
from tests.service.browser import Browser

pytestmark = pytest.mark.service("chromium")
MARKUP = "<img src=x onerror=alert(1)>"
# Of each chart: the pixels of each line's own colour, how many colours there are, and what can be read of it.
SEEN = """[...document.querySelectorAll('figure[data-chart]')].map(figure => {
  const canvas = figure.querySelector('canvas');
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const colours = new Map();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 255) {
    const colour = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
    colours.set(colour, (colours.get(colour) ?? 0) + 1);
  }
  const samples = [...figure.querySelectorAll('tbody .swatch line')].map(one => getComputedStyle(one).stroke);
  return {
    canvases: figure.querySelectorAll('canvas').length,
    right: canvas.getBoundingClientRect().right,
    width: canvas.getBoundingClientRect().width,
    room: figure.getBoundingClientRect().width,
    lines: samples.map(colour => colours.get(colour) ?? 0),
    colours: colours.size,
    legend: [...figure.querySelectorAll('.u-series')].map(row => row.innerText.replace(/\\s+/g, ' ').trim()),
    off: figure.querySelectorAll('.u-series.u-off').length,
    table: figure.querySelector('.told').getBoundingClientRect().width,
  };
})"""
RANGE = "(() => { const {min, max} = uPlot.sync('page').plots[0].scales.x; return [min, max]; })()"
POINTED = "[...document.querySelectorAll('.u-series')].map(one => one.innerText.replace(/\\s+/g, ' ').trim())"


@pytest.fixture
def fleet() -> Told:
    """A day and a half of a campaign, in a fleet where one model and its release have names like an attack."""
    one = told()
    named = members(12)
    one.findings = [finding("net-1", CLUSTER, named, T0)]
    one.step(2)
    one.pass_hours(36, [member.account_id for member in named] + ["honest_1"])
    view = one.desk.view
    for hour in view.fleet.hours:
        view.fleet.counts[f"model:{MARKUP}"][hour] = 900
    released = view.released()
    view.released = lambda: released | {MARKUP: T0 + 9 * HOUR_MS}
    return one


@pytest.fixture
async def visitor(fleet: Told) -> AsyncIterator[Visitor]:
    async with visiting(fleet.desk) as one:
        yield one


def pages_of(one: Told) -> dict[str, int]:
    """Every page with charts, and how many."""
    alert_id = one.desk.view.alerts()[0].last.alert_id
    return {"/": 2, f"/alerts/{alert_id}": 1, "/account?id=acct_00003": 1, "/cohort?dimension=org&id=org_7": 1,
            "/releases": 2}  # fmt: skip


async def middle(browser: Browser, of: str) -> tuple[float, float]:
    """The place of an element, after the page has moved to it."""
    x, y = await browser.run(
        f"(() => {{ const one = document.querySelector('{of}'); one.scrollIntoView({{block: 'center'}});"
        "const at = one.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]; })()"
    )
    return x, y


@pytest.mark.parametrize(("width", "dark"), [(360, True), (360, False), (1280, True), (1280, False)])
async def test_every_line_is_drawn_in_its_colour_at_the_width_of_the_screen(fleet, visitor, browser, width, dark):
    await browser.look(width, dark=dark)
    for path, count in pages_of(fleet).items():
        await browser.open(visitor.address + path)
        charts = await browser.run(SEEN)
        assert len(charts) == count, path
        for chart in charts:
            assert chart["canvases"] == 1, path
            assert min(chart["lines"]) > 20, (path, chart)
            assert chart["colours"] > len(chart["lines"]), (path, chart)  # the grid is none of the lines
            assert chart["room"] - 2 <= chart["width"] <= chart["room"], (path, chart)
            assert chart["right"] <= width, (path, chart)
            assert chart["legend"][0].startswith("UTC Feb 5 "), (path, chart)
            assert all(" → " in line for line in chart["legend"][1:]), (path, chart)
            assert chart["table"] <= 1, "what is drawn is not read twice"
        assert await browser.run("document.documentElement.scrollWidth") <= width, path
    assert browser.errors == []
    assert [one for one in browser.fetched if not one.startswith(visitor.address)] == []


@pytest.mark.parametrize("by", ["mouse", "finger"])
async def test_where_a_reader_points_the_legend_says_the_hour_and_its_shares(fleet, visitor, browser, by):
    await browser.look(1280 if by == "mouse" else 360)
    await browser.open(visitor.address + "/")
    x, y = await middle(browser, ".u-over")
    if by == "mouse":
        await browser.mouse("mouseMoved", x, y)
    else:
        await browser.ask("Emulation.setTouchEmulationEnabled", enabled=True)
        await browser.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        await browser.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    points = {f"Feb {5 + (at - T0 + 3 * HOUR_MS) // (24 * HOUR_MS)} {(at // HOUR_MS) % 24:02}:00": share
              for at, share in fleet.desk.view.fleet.shares("model:atlas-4")}  # fmt: skip
    utc, *lines = await browser.until(
        f"{json.dumps([f'UTC {hour}' for hour in points])}.includes({POINTED}[0]) && {POINTED}"
    )
    (told_of,) = [line for line in lines if line.startswith("atlas-4 ")]
    share = float(told_of.removeprefix("atlas-4 ").removesuffix("%"))
    assert share == pytest.approx(100 * points[utc.removeprefix("UTC ")], abs=0.06)
    assert f"UTC {utc.removeprefix('UTC ')}" in lines, "the chart beside it points at the same hour"


async def test_a_name_that_is_markup_is_a_line_and_a_mark_and_never_markup(fleet, visitor, browser):
    await browser.open(visitor.address + "/")
    charts = await browser.run(SEEN)
    assert any(line.startswith(f"{MARKUP} ") for line in charts[0]["legend"]), charts[0]["legend"]
    assert f"{MARKUP[:24]}" in await browser.text()
    assert await browser.run("document.querySelectorAll('main img').length") == 0
    assert browser.errors == []


async def test_a_page_that_is_fresh_draws_what_is_new_and_keeps_what_the_reader_did(fleet, visitor, browser):
    """One line of the first chart is hidden, and a part of the time looked closer at."""
    await browser.look(1280)
    await browser.open(visitor.address + "/")
    await browser.until("document.body.matches('.listening')")
    before = await browser.run(SEEN)
    await browser.run("document.querySelector('.u-series:nth-child(2) th').click()")
    x, y = await middle(browser, ".u-over")
    for event, at in (("mousePressed", x), ("mouseMoved", x + 60), ("mouseReleased", x + 60)):
        await browser.mouse(event, at, y)
    closer = await browser.until(f"({RANGE}[1] - {RANGE}[0]) * 1000 < {12 * HOUR_MS} && {RANGE}")
    fleet.findings = []
    fleet.step(24 * 12)  # the alert ends, which every open page is told
    ended = "document.querySelector('h1').textContent === 'No alert is firing'"
    await browser.until(ended)
    after = await browser.run(SEEN)
    assert [chart["canvases"] for chart in after] == [1, 1]
    until = spoken.moment(max(at for at, _ in fleet.desk.view.fleet.shares("model:atlas-4")))
    assert before[0]["legend"][0] != after[0]["legend"][0]
    assert after[0]["legend"][0].endswith(until[11:16])
    assert [chart["off"] for chart in after] == [1, 0]
    assert after[0]["lines"][0] == 0
    assert await browser.run(RANGE) == closer
    assert await browser.run("uPlot.sync('page').plots.length") == 2, "what was drawn before is let go"
    assert browser.errors == []


async def test_an_open_page_follows_its_screen_and_the_light(fleet, visitor, browser):
    await browser.look(1280)
    await browser.open(visitor.address + "/")
    light = await browser.run(SEEN)
    await browser.look(360, dark=True)
    await browser.until("getComputedStyle(document.querySelector('.swatch .c0')).stroke === 'rgb(255, 138, 128)'")
    await browser.until(f"{SEEN}[0].width < {light[0]['width']} && Math.min(...{SEEN}[0].lines) > 20")
    assert await browser.run("document.documentElement.scrollWidth") <= 360


async def test_without_javascript_the_ends_of_every_line_and_the_marks_are_read(fleet, visitor, browser):
    await browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    await browser.open(visitor.address + "/")
    text = " ".join((await browser.text()).split())
    assert "line at first at last" in text
    assert "Lines are drawn where JavaScript may run" in text
    assert "atlas-4 released Feb 5 04:30" in text
    first, *_, last = fleet.desk.view.fleet.shares("model:atlas-4")
    assert f"atlas-4 {spoken.percent(first[1])} {spoken.percent(last[1])}" in text
