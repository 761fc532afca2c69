"""`make stack-test`: everything real, under simulated load. Is the campaign found, told, and seen; is Swerve well?

Some minutes long, so that it is not part of `make test`; test_stack_smoke.py is.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.service.stack.panels import faults
from tests.service.stack.stack import Load, Stack, until

pytestmark = [
    pytest.mark.service("kafka"), pytest.mark.service("prometheus"), pytest.mark.service("alertmanager"),
    pytest.mark.slow, pytest.mark.timeout(900),
]  # fmt: skip
FOUND_S = 600.0


@pytest.fixture(scope="module")
def loaded(stack: Stack) -> Stack:
    """The stack, from the moment at which the campaign is in Alertmanager."""
    stack.start_load(Load())
    until(lambda: bool(stack.found()), "a critical alert in Alertmanager", stack.told, FOUND_S)
    return stack


def test_the_planted_campaign_is_in_alertmanager(loaded: Stack):
    until(lambda: loaded.caught() > 0.5, "most of its accounts are named", loaded.told)

    (one, *_) = loaded.found()
    assert one["annotations"]["summary"]
    assert one["labels"]["alert_id"] in {record["alert_id"] for record in loaded.records()}


def test_every_panel_of_every_dashboard_has_data(loaded: Stack):
    until(lambda: faults(loaded.prometheus) == [], f"no fault; last: {faults(loaded.prometheus)}", loaded.told)


def test_every_dimension_shows_its_strongest_shift(loaded: Stack):
    found = {one["metric"]["dimension"] for one in loaded.prometheus.query("swerve_strongest_shift_sigmas")}

    assert {"network", "country"} <= found


def test_the_exemplar_of_the_alert_is_in_prometheus(loaded: Stack):
    ids = {labels["alert_id"] for labels in loaded.prometheus.exemplars("swerve_alert_changes_total")}

    assert ids & {record["alert_id"] for record in loaded.records()}


def test_swerve_raises_no_alert_about_itself(loaded: Stack):
    assert loaded.prometheus.targets_up()
    assert loaded.prometheus.firing() == []


def test_one_correlate_judges_and_the_other_stands_by(loaded: Stack):
    assert loaded.active_correlates() == 1


def test_every_page_of_metrics_is_accepted_by_promtool(loaded: Stack, program):
    promtool = program("promtool", of="prometheus")
    for stage in loaded.stages:
        page = stage.get("/metrics")
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=page, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, f"{stage.stage}: {checked.stderr}{checked.stdout}"


def test_every_stage_stops_in_time_and_says_that_all_is_well(loaded: Stack):
    codes = loaded.stop()

    assert codes == [0] * len(loaded.stages), loaded.told()
