"""What the metrics say of shards and of a judged fleet, each value as an operator would read it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from detectors.counts.summary import CohortCounts, Summary
from detectors.judgement.hand import lines_of
from detectors.parameters import Parameters
from stream.pipeline.composition import Fleet, Judged
from stream.telemetry import metrics
from stream.telemetry.per_tick import Adoption, MeasuredFleet, MeasuredShards, fleet_counts

HOUR_MS = 3_600_000
BEGIN_MS = 1_772_323_200_000


def counts(**requests: int) -> CohortCounts:
    """The fleet's row of a tick; names as targets, with two underscores for the colon."""
    targets = tuple(sorted(name.replace("__", ":") for name in requests))
    values = np.array([requests[name.replace(":", "__")] for name in targets], np.int64)
    rows = np.zeros(len(targets), np.int64)
    one = np.array([int(values.sum())], np.int64)
    return CohortCounts((("", ""),), targets, one, one, rows, np.arange(len(targets)), values)


def summary(cohorts: CohortCounts) -> Summary:
    return Summary(0, tuple(range(256)), {}, cohorts, None)


def alert(name: str, severity: str = "critical", status: str = "firing", at_ms: int = BEGIN_MS) -> SimpleNamespace:
    return SimpleNamespace(alert_id=name, severity=severity, status=status, updated_at=at_ms)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(Parameters(), {"atlas-4": BEGIN_MS})


def test_the_partitions_of_one_tick_are_added_up():
    parts = [counts(model__a=3, capability__coding=2), counts(model__a=1, model__b=6)]

    assert fleet_counts(parts) == {"model": {"a": 4, "b": 6}, "capability": {"coding": 2}}


def test_a_judged_tick_shows_shares_lateness_and_its_end(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 1_234.0)
    before = metrics.value("swerve_ticks_closed_total", kind="cohort") or 0

    fleet.on_tick(Judged(BEGIN_MS, [summary(counts(model__a=3, model__b=1))], [], []))

    assert metrics.value("swerve_ticks_closed_total", kind="cohort") == before + 1
    assert metrics.value("swerve_tick_end_timestamp_seconds", kind="cohort") == BEGIN_MS / 1000
    assert metrics.value("swerve_fleet_share_ratio", kind="model", name="a") == 0.75
    assert metrics.value("swerve_release_timestamp_seconds", release="atlas-4") == BEGIN_MS / 1000


def test_an_alert_counts_as_open_until_it_is_resolved_at_the_severity_that_it_has_now(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 0.0)

    fleet.on_tick(Judged(BEGIN_MS, [], [], [alert("one", "warning"), alert("two", "warning")]))
    fleet.on_tick(Judged(BEGIN_MS, [], [], [alert("one", "critical"), alert("two", status="resolved")]))

    assert metrics.value("swerve_alerts", state="firing", severity="warning") == 0
    assert metrics.value("swerve_alerts", state="firing", severity="critical") == 1


def test_a_page_judged_harmless_spends_the_budget_for_a_month(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 0.0)
    network = SimpleNamespace(cohorts=counts(model__a=1), accounts=object())
    fleet.verdicts = [SimpleNamespace(alert_id="one", verdict="harmless", at_ms=BEGIN_MS)]

    fleet.on_tick(Judged(BEGIN_MS, [network], [], [alert("one"), alert("two")]))
    fleet.on_tick(Judged(BEGIN_MS + HOUR_MS, [network], [], []))
    assert metrics.value("swerve_false_pages_spent") == 1
    assert metrics.value("swerve_false_pages_budget") == Parameters().false_pages_per_month

    fleet.on_tick(Judged(BEGIN_MS + 31 * 24 * HOUR_MS, [network], [], []))
    assert metrics.value("swerve_false_pages_spent") == 0


def test_the_lines_of_alerts_are_those_that_the_budgets_of_false_ones_allow(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 0.0)
    network = SimpleNamespace(cohorts=counts(model__a=1), accounts=object())

    fleet.on_tick(Judged(BEGIN_MS, [network], [], []))

    page, ticket = lines_of(Parameters())
    assert metrics.value("swerve_alert_line_nats", severity="critical") == page
    assert metrics.value("swerve_alert_line_nats", severity="warning") == ticket
    assert page > ticket


def test_the_strongest_shift_of_each_dimension_is_shown_and_of_one_that_fell_silent_none(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 0.0)
    fleet.judge.declared.strongest = {"org": 4.5, "country": 1.0}
    fleet.on_tick(Judged(BEGIN_MS, [], [], []))
    fleet.judge.declared.strongest = {"country": 2.0}
    fleet.on_tick(Judged(BEGIN_MS, [], [], []))

    assert metrics.value("swerve_strongest_shift_sigmas", dimension="country") == 2.0
    assert metrics.value("swerve_strongest_shift_sigmas", dimension="org") == 0.0


def test_the_bounds_of_correlate_are_told(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 0.0)
    before = metrics.value("swerve_bound_reached_total", bound="memberships")
    fleet.judge.carriers.dropped = 7

    fleet.on_tick(Judged(BEGIN_MS, [], [], []))
    fleet.on_tick(Judged(BEGIN_MS, [], [], []))

    assert metrics.value("swerve_bound_reached_total", bound="memberships") == before + 7


def test_a_correlate_that_stands_by_shows_nothing_of_what_it_judged_before(fleet: Fleet):
    MeasuredFleet(fleet, late_s=lambda at_ms: 0.0)
    metrics.correlate_active(True)
    metrics.sinks_configured(["pager"], calling=["pager"])
    metrics.snapshot_written("correlate", 1000, 0.5)
    network = SimpleNamespace(cohorts=counts(model__a=1), accounts=object())
    fleet.on_tick(Judged(BEGIN_MS, [network], [], [alert("one")]))
    told = metrics.value("swerve_ticks_closed_total", kind="network")

    metrics.correlate_active(False)
    metrics.partitions_left("correlate")

    assert metrics.value("swerve_alerts", state="firing", severity="critical") is None
    assert metrics.value("swerve_tick_end_timestamp_seconds", kind="network") is None
    assert metrics.value("swerve_fleet_share_ratio", kind="model", name="a") is None
    assert metrics.value("swerve_sink_backlog", sink="pager") is None
    assert metrics.value("swerve_sink_pages_waiting", sink="pager") is None
    assert metrics.value("swerve_false_pages_budget") is None
    assert metrics.value("swerve_alert_line_nats", severity="critical") is None
    assert metrics.value("swerve_snapshot_timestamp_seconds", stage="correlate") is None
    assert metrics.value("swerve_ticks_closed_total", kind="network") == told, "a counter never goes back"


def test_a_release_that_grows_steadily_is_forecast_and_one_that_is_not_out_yet_is_not_shown():
    adoption = Adoption()
    released = {"atlas-4": BEGIN_MS, "atlas-9": BEGIN_MS + 1_000 * HOUR_MS}

    for hour in range(20):
        adoption.learn(BEGIN_MS + hour * HOUR_MS, {"atlas-4": hour, "atlas-3": 100 - hour}, released)

    share = metrics.value("swerve_release_adoption_ratio", release="atlas-4")
    forecast = metrics.value("swerve_release_forecast_ratio", release="atlas-4")
    assert share == 0.18, "the last whole hour"
    assert forecast == pytest.approx(share, abs=0.02)
    assert metrics.value("swerve_release_adoption_ratio", release="atlas-9") is None


def test_what_a_restored_fleet_remembers_is_open_before_anything_changes(fleet: Fleet, monkeypatch):
    remembered = [alert("a1"), alert("a2", "warning"), alert("over", status="resolved")]
    for one in remembered:
        one.detected_at = BEGIN_MS
    monkeypatch.setattr(fleet.life, "alerts", lambda: remembered)
    MeasuredFleet(fleet, lambda at_ms: 0.0, state_of={"a1": "acknowledged", "a2": "firing"}.__getitem__)

    fleet.on_tick(Judged(BEGIN_MS, [summary(counts(model__a=1))], [], []))

    assert metrics.value("swerve_alerts", state="acknowledged", severity="critical") == 1
    assert metrics.value("swerve_alerts", state="firing", severity="warning") == 1
    assert metrics.value("swerve_alerts", state="firing", severity="critical") == 0


def shards(accounts: int, evicted: int = 0, targets_over: int = 0, without_room: int = 0) -> SimpleNamespace:
    class Accounts:
        most = 100

        def __len__(self) -> int:
            return accounts

    held = Accounts()
    held.evicted, held.known = evicted, SimpleNamespace(cohorts_over=0, targets_over=targets_over, held=dict)
    return SimpleNamespace(
        accounts=held,
        reused=0,
        without_room=without_room,
        ticks=SimpleNamespace(values_over=0),
        bytes_held=lambda: {"accounts": 10 * accounts, "names": 7},
    )


def test_accounts_of_several_partitions_are_added_and_leave_with_their_partition():
    def told() -> list[float]:
        tracked = [metrics.value(name) for name in ("swerve_accounts_tracked", "swerve_accounts_limit")]
        held = [metrics.value("swerve_state_held_bytes", kind=kind) for kind in ("accounts", "names")]
        return [one or 0.0 for one in (*tracked, *held)]

    def more() -> list[float]:
        return [now - then for now, then in zip(told(), before, strict=True)]

    before = told()  # what another test of this process has left there
    one, two = MeasuredShards("of a test, 0"), MeasuredShards("of a test, 1")
    one.after(shards(30))
    two.after(shards(12))
    assert more() == [42, 200, 420, 14]

    metrics.accounts_left("of a test, 0")
    assert more() == [12, 100, 120, 7]
    metrics.accounts_left("of a test, 1")
    assert more() == [0, 0, 0, 0]


def test_a_bound_is_told_by_how_often_it_was_hit_since_the_last_tick():
    measured = MeasuredShards("bounds")
    before = metrics.value("swerve_bound_reached_total", bound="models") or 0

    measured.after(shards(1, targets_over=3))
    measured.after(shards(1, targets_over=5, without_room=7))

    assert metrics.value("swerve_bound_reached_total", bound="models") == before + 5
    assert metrics.value("swerve_bound_reached_total", bound="accounts") == 7
    metrics.accounts_left("bounds")
