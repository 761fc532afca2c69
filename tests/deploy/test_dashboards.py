"""The dashboards: generated, fresh, and each panel a question that its reader could have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stream.sinks.sink import Links
from stream.sinks.webhook import EXAMPLE, Webhook, preset
from stream.telemetry import metrics

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "deploy" / "monitoring" / "dashboards").glob("*.json"))
HERE = 'job=~"$job",instance=~"$instance"'


def panels(path: Path) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(path.read_text())["panels"] if panel["type"] != "row"]


EACH = [pytest.param(panel, id=f"{path.stem}: {panel['title']}") for path in FILES for panel in panels(path)]


def test_the_dashboards_are_those_of_the_code():
    checked = subprocess.run(
        [sys.executable, "-m", "tools.dashboards", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_data_source_job_and_instance_can_be_chosen(path: Path):
    board = json.loads(path.read_text())

    assert [one["name"] for one in board["templating"]["list"]] == ["datasource", "job", "instance"]
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
            assert HERE in labels or name == "ALERTS", f"{name} ignores $job and $instance"


@pytest.mark.parametrize("panel", EACH)
def test_counters_are_shown_as_rates_over_an_interval_that_fits_the_zoom(panel):
    for target in panel["targets"]:
        for function, rest in re.findall(r"\b(rate|increase|delta)\(([^()]*)\)", target["expr"]):
            assert re.search(r"\[(\$__rate_interval|\$__range|30m|1h)\]$", rest), f"{function}({rest})"
        for name in re.findall(r"(\w+_total)\{", target["expr"]):
            assert re.search(rf"(rate|increase)\({name}", target["expr"]), f"{name} is a counter: show its rate"
