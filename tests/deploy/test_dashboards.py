"""The dashboards: generated, fresh, and each panel a question that its reader could have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from stream.configuration.settings import Settings
from stream.console.desk import Desk
from stream.console.routes import pages
from stream.sinks.sink import Links
from stream.sinks.webhook import EXAMPLE, Webhook, preset
from stream.telemetry import metrics
from tools.dashboards.panels import KAFKA, NEEDS_KAFKA

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "monitoring" / "dashboards").glob("*.json"))
HERE = 'cluster=~"$cluster",namespace=~"$namespace",job=~"$job",instance=~"$instance"'
CHOSEN = ["datasource", "cluster", "namespace", "job", "instance", "console"]
WITH_KAFKA = ("stream/ingest/", "stream/detect/", "stream/correlate/", "stream/stages/", "stream/kafka/")


def panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


EACH = [pytest.param(panel, id=f"{path.stem}: {panel['title']}") for path in FILES for panel in panels(path)]


def test_the_dashboards_are_those_of_the_code():
    checked = subprocess.run(
        [sys.executable, "-m", "tools.dashboards", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_data_source_cluster_namespace_job_and_instance_can_be_chosen(path: Path):
    board = json.loads(path.read_text())

    assert [one["name"] for one in board["templating"]["list"]] == CHOSEN
    assert [one["name"] for one in board["templating"]["list"] if one.get("hide")] == ["console"]
    assert board["editable"] is False, "change tools/dashboards, not the page"
    assert board["uid"].startswith("swerve-")
    assert board["description"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_two_panels_share_a_place_or_a_number(path: Path):
    every = json.loads(path.read_text())["panels"]
    cells = [
        (x, y)
        for panel in every
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]

    assert len({panel["id"] for panel in every}) == len(every)
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_releases_and_alerts_are_marked(path: Path):
    releases, alerts = json.loads(path.read_text())["annotations"]["list"]

    assert releases["expr"] == f"1000 * swerve_release_timestamp_seconds{{{HERE}}}", "milliseconds are asked for"
    assert releases["useValueForTime"] is True
    assert "swerve_release_timestamp_seconds" in {one.name for one in metrics.DEFINED}
    written = json.loads(Webhook("grafana", "http://x", Links("http://x"), template=preset("grafana")).body(EXAMPLE))
    assert set(alerts["target"]["tags"]) <= set(written["tags"])


@pytest.mark.parametrize("panel", EACH)
def test_a_panel_asks_a_question_names_its_unit_and_says_how_to_read_it(panel):
    assert panel["title"].endswith("?")
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert panel["datasource"]["uid"] == "${datasource}"


@pytest.mark.parametrize("panel", EACH)
def test_its_queries_read_metrics_that_exist_for_the_chosen_job_and_instance(panel):
    known = {one.name for one in metrics.DEFINED} | {"process_resident_memory_bytes", "process_cpu_seconds_total"}
    known |= {f"{one.name}_{part}" for one in metrics.DEFINED for part in ("sum", "count", "bucket")}
    for target in panel["targets"]:
        selectors = re.findall(r"([a-zA-Z_:]+)\{([^}]*)\}", target["expr"])
        assert selectors, target["expr"]
        for name, labels in selectors:
            assert name in known | {"ALERTS"}, f"nothing exposes {name}"
            assert HERE in labels or name == "ALERTS", f"{name} ignores what was chosen"


@pytest.mark.parametrize("panel", EACH)
def test_a_panel_links_to_a_page_of_the_console(panel, console_pages):
    (link,) = panel["links"]
    where = link["url"].removeprefix("${console}")
    assert link["url"] != where
    assert where.partition("?")[0] in console_pages


@pytest.fixture(scope="module")
def console_pages() -> set[str]:
    app = web.Application()
    pages.attach(Desk(Settings()), app.router)
    return {route.resource.canonical for route in app.router.routes() if route.resource is not None}


@pytest.mark.parametrize("panel", EACH)
def test_a_panel_that_swerve_watch_cannot_fill_says_so_and_no_other_does(panel):
    read = {re.sub(r"_(sum|count|bucket)$", "", name)
            for target in panel["targets"] for name in re.findall(r"(swerve_\w+)\{", target["expr"])}  # fmt: skip
    is_empty = bool(read) and read <= KAFKA.keys()
    assert (NEEDS_KAFKA in panel["description"]) == is_empty
    assert panel["fieldConfig"]["defaults"].get("noValue") == (NEEDS_KAFKA if is_empty else None)


@pytest.mark.parametrize("function", sorted(set(KAFKA.values())))
def test_what_needs_kafka_is_told_by_its_stages_alone(function):
    telling = re.compile(rf"metrics\.{function}\(")
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "stream").rglob("*.py")
             if telling.search(path.read_text()) and "telemetry/metrics" not in str(path)]  # fmt: skip
    assert files
    assert [file for file in files if not file.startswith(WITH_KAFKA)] == []


@pytest.mark.parametrize("panel", EACH)
def test_counters_are_shown_as_rates_over_an_interval_that_fits_the_zoom(panel):
    for target in panel["targets"]:
        for function, rest in re.findall(r"\b(rate|increase|delta)\(([^()]*)\)", target["expr"]):
            assert re.search(r"\[(\$__rate_interval|\$__range|30m|1h)\]$", rest), f"{function}({rest})"
        for name in re.findall(r"(\w+_total)\{", target["expr"]):
            assert re.search(rf"(rate|increase)\({name}", target["expr"]), f"{name} is a counter: show its rate"
