"""A real Prometheus scrapes a Swerve in which everything happens: every panel has data, exemplars lead to alerts."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.pace import PATIENCE_S
from tests.ports import free_port
from tests.service.stack.monitors import Prometheus
from tests.service.stack.panels import faults, queries

pytestmark = pytest.mark.service("prometheus")
T = TypeVar("T")


@pytest.fixture(scope="module")
def prometheus(program, tmp_path_factory):
    """Prometheus beside a process under load, once the panels had time to fill."""
    path = program("prometheus", of="prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    port = free_port()
    with (folder / "loaded.log").open("wb") as log:
        loaded = subprocess.Popen(
            [sys.executable, "-m", "tests.service.stack.loaded", str(port)],
            cwd=Path(__file__).parents[3], stdout=log, stderr=log,
        )  # fmt: skip
    try:
        running = Prometheus(path, folder, [f"127.0.0.1:{port}"])
        try:
            _until_filled(running)
            yield running
        finally:
            running.stop()
    finally:
        loaded.kill()
        loaded.wait()


def _until_filled(running: Prometheus) -> None:
    """Rates need a few scrapes: ask until no panel lacks data, and let the tests say what is still missing."""
    _soon(lambda: faults(running), lambda found: not found)


def _soon(ask: Callable[[], T], holds: Callable[[T], bool]) -> T:
    """The first answer that holds, else the last: a busy machine misses a scrape, which has a second, now and then."""
    until = time.monotonic() + PATIENCE_S
    while not holds(answer := ask()) and time.monotonic() < until:
        time.sleep(0.5)
    return answer


def test_every_query_of_every_panel_is_valid_and_every_panel_has_data(prometheus):
    assert len(list(queries())) > 40
    assert faults(prometheus) == []


def test_prometheus_accepts_every_scrape_as_openmetrics(prometheus):
    def scraped() -> list[tuple[str, str]]:
        return [(one["health"], one["lastError"]) for one in prometheus.get("/api/v1/targets")["data"]["activeTargets"]]

    assert _soon(scraped, lambda targets: targets == [("up", "")]) == [("up", "")]


def test_the_exemplar_of_an_alert_carries_its_id_into_prometheus(prometheus):
    found = _soon(lambda: prometheus.exemplars("swerve_alert_changes_total"), bool)

    assert found
    assert all(labels["alert_id"].startswith("alert") for labels in found)


def test_a_process_of_a_large_fleet_costs_prometheus_under_1000_series(prometheus):
    (series,) = _soon(
        lambda: prometheus.query('scrape_samples_scraped{job="swerve"}'),
        lambda told: bool(told) and float(told[0]["value"][1]) > 0,
    )

    assert 300 < float(series["value"][1]) < 1_000


def test_the_recording_rules_compute_what_the_alerts_read(prometheus):
    refused = _soon(lambda: prometheus.query("fleet:swerve_records_refused:ratio_rate5m"), bool)

    assert refused, "the rule has not computed anything"
    assert 0 < float(refused[0]["value"][1]) < 0.02


def test_a_swerve_that_is_well_raises_no_alert_about_itself(prometheus):
    def pending() -> list[str]:
        return [one["labels"]["alertname"] for one in prometheus.get("/api/v1/alerts")["data"]["alerts"]]

    assert _soon(pending, lambda names: not names) == []
