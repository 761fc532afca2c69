"""The rules about Swerve itself, by the real promtool: each fires when it should, and an ordinary hour calls nobody."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from stream.telemetry import metrics
from tests.pace import PATIENCE_S

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = sorted([*MONITORING.glob("rules/*.yaml"), *MONITORING.glob("alerts/*.yaml")])
TESTS = sorted(MONITORING.glob("tests/*.yaml"))


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def rules(kind: str) -> list[dict[str, Any]]:
    return [rule for path in RULES for group in loaded(path)["groups"] for rule in group["rules"] if kind in rule]


ALERTS = rules("alert")


@pytest.fixture(scope="module")
def promtool(program) -> str:
    return program("promtool", of="prometheus")


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.mark.service("prometheus")
def test_promtool_accepts_every_rule(promtool):
    checked = run(promtool, "check", "rules", *RULES)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.service("prometheus")
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_rules_fire_when_they_should_and_else_do_not(promtool, path: Path):
    tested = run(promtool, "test", "rules", path, cwd=path.parent)

    assert tested.returncode == 0, tested.stdout + tested.stderr


def expectations() -> dict[str, set[bool]]:
    """Per alert, whether some test expects it to fire (True), and some other not to (False)."""
    found: dict[str, set[bool]] = {}
    for path in TESTS:
        for one in loaded(path)["tests"] if path.stem != "healthy" else []:
            for case in one["alert_rule_test"]:
                found.setdefault(case["alertname"], set()).add(bool(case["exp_alerts"]))
    return found


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_is_tested_firing_and_silent(rule):
    assert expectations().get(rule["alert"]) == {True, False}


def test_the_healthy_hour_asks_after_every_alert():
    cases = loaded(MONITORING / "tests" / "healthy.yaml")["tests"][0]["alert_rule_test"]

    assert {case["alertname"] for case in cases if case["exp_alerts"] == []} == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_says_what_it_means_how_loud_and_where_to_read_on(rule):
    anchors = re.findall(r"^## (\w+)$", (ROOT / "docs" / "self-alerts.md").read_text(), re.MULTILINE)

    assert rule["alert"].startswith("Swerve")
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{" not in rule["annotations"]["summary"], "a summary is one fixed sentence"
    assert len(rule["annotations"]["summary"]) < 80
    assert rule["annotations"]["runbook_url"].endswith(f"/runbook/self#{rule['alert'].lower()}")
    assert rule["alert"] in anchors, f"docs/self-alerts.md has no section ## {rule['alert']}"


def test_no_section_of_the_runbook_is_about_an_alert_that_is_gone():
    anchors = re.findall(r"^## (\w+)$", (ROOT / "docs" / "self-alerts.md").read_text(), re.MULTILINE)

    assert anchors == [rule["alert"] for rule in ALERTS]


@pytest.mark.parametrize("rule", [*ALERTS, *rules("record")], ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_read_metrics_that_exist(rule):
    known = {one.name for one in metrics.DEFINED} | {other["record"] for other in rules("record")}
    known |= {f"{one.name}_{part}" for one in metrics.DEFINED for part in ("bucket", "sum", "count")}

    read = set(re.findall(r"(?:[a-z]+:)?swerve_\w+(?::\w+)?", rule["expr"]))

    assert read
    assert read <= known, f"nothing exposes {sorted(read - known)}"
