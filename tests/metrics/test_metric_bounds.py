"""Labels that could grow with the fleet do not."""

from __future__ import annotations

from stream.telemetry import metrics
from stream.telemetry.metrics.intake import SOURCES_MAX

CLOCK = "swerve_source_clock_timestamp_seconds"
LAG = "swerve_lag_messages"


def test_of_too_many_sources_the_rest_shows_the_one_most_behind():
    names = [f"bounded[{number:03}]" for number in range(SOURCES_MAX + 3)]
    for number, name in enumerate(names):
        metrics.source_clock("detect", name, 1_700_000_000_000 + 1000 * number)
        metrics.source_lag("detect", name, number)

    others = set(range(SOURCES_MAX, SOURCES_MAX + 3))
    assert metrics.value(CLOCK, stage="detect", source="other") == 1_700_000_000 + min(others)
    assert metrics.value(LAG, stage="detect", source="other") == max(others)
    for name in names:
        metrics.source_left("detect", name)
    assert metrics.value(CLOCK, stage="detect", source="other") is None


def test_a_source_that_moved_away_has_no_series_left():
    metrics.source_clock("ingest", "gone[0]", 1_700_000_000_000)
    metrics.source_lag("ingest", "gone[0]", 5)

    metrics.source_left("ingest", "gone[0]")

    assert metrics.value(CLOCK, stage="ingest", source="gone[0]") is None
    assert metrics.value(LAG, stage="ingest", source="gone[0]") is None


def test_an_idle_source_shows_no_clock_for_it_would_look_like_one_that_holds_time_back():
    metrics.source_clock("detect", "quiet[0]", 1_700_000_000_000)
    metrics.source_clock("detect", "quiet[0]", 1_700_000_000_000, idle=True)
    assert metrics.value(CLOCK, stage="detect", source="quiet[0]") is None

    metrics.source_clock("detect", "quiet[0]", 1_700_000_060_000)
    assert metrics.value(CLOCK, stage="detect", source="quiet[0]") == 1_700_000_060
    metrics.source_left("detect", "quiet[0]")


def test_a_source_without_a_clock_shows_none():
    metrics.source_clock("ingest", "fresh[0]", -(1 << 62))

    assert metrics.value(CLOCK, stage="ingest", source="fresh[0]") is None


def test_a_model_that_fell_out_of_the_strongest_is_counted_in_other():
    metrics.fleet_shares({f"m{number}": 1000 - number for number in range(60)}, {})

    assert metrics.value("swerve_fleet_requests", kind="model", name="m0") == 1000
    assert metrics.value("swerve_fleet_requests", kind="model", name="m55") is None
    assert metrics.value("swerve_fleet_requests", kind="model", name="other") == sum(range(941, 951))


def test_shares_are_of_all_requests_not_of_those_shown():
    metrics.fleet_shares({"atlas-4": 30, "atlas-3": 70}, {"coding": 20}, requests=100)

    assert metrics.value("swerve_fleet_share_ratio", kind="model", name="atlas-4") == 0.3
    assert metrics.value("swerve_fleet_share_ratio", kind="capability", name="coding") == 0.2


def test_a_fleet_without_requests_has_no_shares():
    metrics.fleet_shares({}, {})

    assert metrics.value("swerve_fleet_share_ratio", kind="model", name="atlas-4") is None


def test_an_unknown_reason_beyond_the_bound_is_still_counted():
    for number in range(40):
        metrics.records_refused(f"adapter_reason_{number}")
    before = metrics.value("swerve_records_refused_total", reason="other")

    metrics.records_refused("adapter_reason_99", 3)

    assert before is not None
    assert metrics.value("swerve_records_refused_total", reason="other") == before + 3
