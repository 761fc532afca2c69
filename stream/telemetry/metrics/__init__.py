"""Everything that Swerve tells about itself: one function per occurrence, which moves the metric and writes the line.

In: what happened, as it happens. Out: the page that Prometheus reads, and lines of the log; nothing else names a
metric.

May never touch: an account id as a label; alert ids travel as exemplars and in the log.

>>> from stream.telemetry import metrics
>>> before = metrics.value("swerve_frames_sent_total")
>>> metrics.frame_sent()
>>> metrics.value("swerve_frames_sent_total") - before
1.0
>>> page, content_type = metrics.render("application/openmetrics-text; version=1.0.0")
>>> page.decode().endswith("# EOF\\n"), content_type.split(";")[0]
(True, 'application/openmetrics-text')
"""

from __future__ import annotations

from stream.telemetry.metrics.alerts import (
    alert_changed,
    alerts_open,
    console_at,
    correlate_active,
    expected_active,
    groups,
    partial_tick,
    sink_backlog,
    sink_failed,
    sink_lost,
    sink_sent,
    sinks_configured,
    tick_closed,
)
from stream.telemetry.metrics.audit import asked_by, said, token_refused
from stream.telemetry.metrics.exposition import DEFINED, STAGES, Defined, render, value
from stream.telemetry.metrics.fleet import (
    adoption,
    alert_lines,
    false_page_budget,
    fleet_shares,
    releases,
    strongest_shift,
)
from stream.telemetry.metrics.intake import (
    dead_letters,
    deleted_unread,
    event_ids_reused,
    frame_applied,
    frame_sent,
    long_names,
    message_set_aside,
    other_deployment,
    records_accepted,
    records_no_request,
    records_refused,
    source_clock,
    source_lag,
    source_left,
    sources,
    summary_seen,
    topic_made_anew,
)
from stream.telemetry.metrics.state import (
    accounts_evicted,
    accounts_left,
    accounts_tracked,
    bound_reached,
    name_taken,
    names_held,
    partitions_left,
    ready,
    rebalance,
    recovery,
    serving,
    snapshot_written,
    state_held,
    tasks,
)

__all__ = [
    "DEFINED", "STAGES", "Defined", "accounts_evicted", "accounts_left", "accounts_tracked", "adoption",
    "alert_changed", "alert_lines", "alerts_open", "asked_by", "bound_reached", "console_at", "correlate_active",
    "dead_letters", "deleted_unread", "event_ids_reused", "expected_active", "false_page_budget", "fleet_shares",
    "frame_applied", "frame_sent", "groups", "long_names", "message_set_aside", "name_taken", "names_held",
    "other_deployment", "partial_tick", "partitions_left", "ready", "rebalance", "records_accepted",
    "records_no_request", "records_refused", "recovery", "releases", "render", "said", "serving", "sink_backlog",
    "sink_failed", "sink_lost", "sink_sent", "sinks_configured", "snapshot_written", "source_clock", "source_lag",
    "source_left", "sources", "state_held", "strongest_shift", "summary_seen", "tasks", "tick_closed", "token_refused",
    "topic_made_anew", "value",
]  # fmt: skip
