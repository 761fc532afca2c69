"""docs/sinks.md: every block in it works."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import orjson
import pytest

from stream.configuration.settings import load
from stream.sinks.catalogue import SINKS, deliveries
from stream.sinks.sink import Links
from stream.sinks.webhook import EXAMPLE, Webhook, signature

PAGE = (Path(__file__).parents[2] / "docs" / "sinks.md").read_text()


def block(language):
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_the_configuration_is_read_and_shows_every_kind_of_sink(tmp_path):
    path = tmp_path / "swerve.toml"
    path.write_text(block("toml"))
    settings = load(path)
    assert {one.kind for one in settings.sinks} == set(SINKS)
    built = {one.name: one for one in deliveries(settings).each}
    assert [one.alert_id for one in built["alertmanager"].always] == ["swerve-watchdog"]
    assert built["soar"].sink._links.base == "https://swerve.example"


def test_the_severities_are_those_that_the_page_tells(tmp_path):
    path = tmp_path / "swerve.toml"
    path.write_text(block("toml"))
    told = {one.kind: one.severity_min for one in load(path).sinks}
    assert told == {
        "file": "info", "stdout": "warning", "alertmanager": "warning", "webhook": "warning", "slack": "warning",
        "pagerduty": "critical", "grafana": "warning",
    }  # fmt: skip


def test_the_receiver_of_the_page_tells_genuine_from_forged():
    names: dict = {}
    exec(block("python"), names)
    stamp = str(int(time.time()))
    headers = {"X-Swerve-Timestamp": stamp, "X-Swerve-Signature": signature(b"key", stamp, b"{}")}
    assert names["is_genuine"](b"key", headers, b"{}")
    assert not names["is_genuine"](b"key", headers, b"{ }")
    assert not names["is_genuine"](b"other", headers, b"{}")


def test_the_template_of_the_page_gives_what_it_promises():
    body = orjson.loads(
        Webhook("hook", "http://127.0.0.1:1", Links("https://s"), template=block("jinja")).body(EXAMPLE)
    )
    assert body == {
        "title": EXAMPLE.summary, "open": True, "urgency": 1, "accounts": 2,
        "links": ["https://s/alerts/0000000000000000", "https://s/runbook#coordinated_shift"],
    }  # fmt: skip


@pytest.mark.service("alertmanager")
def test_the_routes_of_the_page_pass_alertmanagers_own_check(program, tmp_path):
    path = tmp_path / "alertmanager.yml"
    path.write_text(block("yaml"))
    amtool = program("amtool", of="alertmanager")
    checked = subprocess.run([amtool, "check-config", path], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    routes = [
        ("alertname=SwerveReleaseShift service=swerve severity=critical", "pager"),
        ("alertname=SwerveWatchdog service=swerve severity=info", "dead-mans-switch"),
        ("alertname=SwerveReleaseShift service=swerve severity=warning", "tickets"),
    ]
    for labels, receiver in routes:
        command = [amtool, "config", "routes", "test", f"--config.file={path}", *labels.split()]
        assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == receiver
