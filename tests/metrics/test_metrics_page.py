"""The page that Prometheus reads: its size, its price, its form, and what it leaves out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from stream.telemetry import metrics
from stream.telemetry.metrics import alerts, exposition
from tests.pace import PATIENCE_S, ROUNDS, Pace

ROOT = Path(__file__).parents[2]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@dataclass
class Record:
    """As much of an alert record as is told to the metrics."""

    alert_id: str = "a1b2"
    status: str = "firing"
    severity: str = "critical"
    kind: str = "release_shift"
    started_at: int = 0
    detected_at: int = 7_200_000
    updated_at: int = 7_200_000


def everything_happens(models: int = 200, capabilities: int = 30) -> None:
    """A fleet larger than every bound, in one process that runs all stages."""
    metrics.serving(metrics.STAGES, "0.1.0")
    metrics.expected_active({"fleet": 1})
    metrics.console_at("https://swerve.example")
    for number in range(300):
        for stage in ("ingest", "detect"):
            metrics.source_clock(stage, f"swerve.requests[{number}]", 1_700_000_000_000 + number)
            metrics.source_lag(stage, f"swerve.requests[{number}]", number)
        metrics.records_refused(f"vendor_{number}")
        metrics.bound_reached(f"bound_{number}")
        metrics.adoption(f"release-{number}", 0.1, 0.2)
        metrics.strongest_shift(f"dimension_{number}", 3.0)
        metrics.sinks_configured([f"sink-{number}"], calling=[f"sink-{number}"])
        metrics.sink_sent(f"sink-{number}", "a1b2", 1000.0)
        metrics.sink_lost(f"sink-{number}", "critical", "a1b2", "answered 400")
    metrics.releases({f"release-{number}": 1_700_000_000_000 + number for number in range(300)})
    for stage in metrics.STAGES:
        metrics.records_accepted(stage, 1)
        metrics.rebalance(stage, 4, 1.0)
    for stage in ("detect", "correlate"):
        metrics.snapshot_written(stage, 1000, 0.5)
        metrics.recovery(stage, "restored", 1.0)
    for severity in alerts.SEVERITIES:
        metrics.alert_changed(Record(severity=severity))
    states = ("firing", "acknowledged", "snoozed", "resolved")
    metrics.alerts_open({(state, severity): 1 for state in states for severity in alerts.SEVERITIES})
    for tick in alerts.TICKS:
        metrics.tick_closed(tick, 1_700_000_000_000, 0.1, 900.0)
    metrics.partial_tick(3)
    metrics.groups(7, {"warning": 2})
    metrics.accounts_tracked(1_000_000, 2_000_000)
    metrics.frame_sent(100_000)
    metrics.long_names(1)
    metrics.records_no_request(1)
    metrics.message_set_aside("detect", "frames[0]@7", "not a frame")
    metrics.other_deployment("detect", "frames", "one", "another")
    metrics.deleted_unread("detect", "requests[0]", 7)
    metrics.topic_made_anew("detect", "partition 0", 7)
    metrics.name_taken("detect", "pod-0", "process 7 on another")
    metrics.tasks(12)
    metrics.event_ids_reused(64)
    metrics.names_held({"targets": 12, "values": 300})
    metrics.said("ack", by="kim")
    metrics.token_refused("127.0.0.1", "/api/v1/alerts")
    metrics.sources("ingest", 1, 1)
    metrics.correlate_active(True)
    metrics.false_page_budget(2.0, 1.0)
    metrics.alert_lines(critical=4.5, warning=1.2)
    metrics.fleet_shares(
        {f"model-{number}": number + 1 for number in range(models)},
        {f"capability_{number}": number + 1 for number in range(capabilities)},
    )


def samples(page: bytes) -> list[str]:
    return [line for line in page.decode().splitlines() if line and not line.startswith("#")]


def test_the_page_of_a_large_fleet_has_under_1000_series():
    """In a process of its own: here other tests have left series of theirs."""
    code = (
        "from tests.metrics.test_metrics_page import OPENMETRICS, everything_happens, metrics, samples; "
        "everything_happens(models=200, capabilities=30); print(len(samples(metrics.render(OPENMETRICS)[0])))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert 400 < int(done.stdout.splitlines()[-1]) < 1_000


def test_reading_the_page_costs_next_to_nothing():
    """What the scrape takes away from the work: 12 ms where this was written, 3.5 yardsticks."""
    everything_happens()
    pace = Pace()
    for _ in range(ROUNDS):
        with pace.of():
            metrics.render(OPENMETRICS)

    assert pace.cost < 8


def test_every_metric_is_on_the_page_once_everything_happened():
    everything_happens()

    page, _ = metrics.render(OPENMETRICS)

    shown = {line.split("{")[0].split(" ")[0] for line in samples(page)}
    for one in metrics.DEFINED:
        assert {one.name, f"{one.name}_bucket"} & shown, f"{one.name} is defined, and nothing sets it"


def test_an_alert_leaves_its_id_as_exemplar_and_only_in_openmetrics():
    metrics.alert_changed(Record(alert_id="f00d"))

    assert b'# {alert_id="f00d"} 1.0' in metrics.render(OPENMETRICS)[0]
    assert b"f00d" not in metrics.render("")[0]


def test_no_label_names_an_account():
    allowed = {
        "stage", "reason", "scope", "result", "public_url",
        "source", "state", "kind", "status", "severity", "level", "sink", "bound",
        "name", "release", "dimension", "version", "word",
    }  # fmt: skip
    for one in metrics.DEFINED:
        assert set(one.labels) <= allowed, f"{one.name} has labels {one.labels}: bound them, then allow them here"


def test_a_gauge_that_nobody_set_is_left_out():
    unset = exposition.gauge("swerve_example_unset", "An example.")
    exposition.DEFINED.pop()

    assert [sample.value != sample.value for sample in next(iter(unset.collect())).samples] == [True]


def test_a_process_shows_the_metrics_of_its_own_stages():
    metrics.serving(["ingest"], "0.1.0")
    try:
        page = metrics.render("")[0].decode()
    finally:
        metrics.serving(metrics.STAGES, "0.1.0")

    assert "swerve_frames_sent_total" in page
    assert "swerve_ticks_closed_total" not in page
    assert "swerve_frames_applied_total" not in page


def test_an_unknown_stage_is_refused_by_name():
    with pytest.raises(ValueError, match="got digest"):
        metrics.serving(["digest"], "0.1.0")


@pytest.mark.parametrize("one", metrics.DEFINED, ids=lambda one: one.name)
def test_a_name_ends_with_its_unit_and_its_help_says_what_to_do(one: metrics.Defined):
    assert one.name.startswith("swerve_")
    assert one.name.endswith("_total") == (one.kind == "counter")
    if one.kind == "histogram":
        assert one.name.endswith(("_seconds", "_bytes"))
    if one.name != "swerve_build_info":
        assert one.help.count(". ") >= 1 or ";" in one.help, f"{one.name}: what should a reader do about it?"


@pytest.mark.service("prometheus")
def test_promtool_accepts_the_page(program):
    everything_happens()
    promtool = program("promtool", of="prometheus")

    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=metrics.render("")[0],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert checked.returncode == 0, checked.stderr.decode() + checked.stdout.decode()


def test_the_documented_metrics_are_those_of_the_code():
    checked = subprocess.run(
        [sys.executable, ROOT / "tools" / "metrics_page.py", "--check"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr
