"""What do the metrics say of a composition that runs without Kafka? Every occurrence is told where it happens."""

from __future__ import annotations

import importlib.metadata
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from detectors.rows import NO_CLOCK_MS
from detectors.summary import CohortCounts, Summary
from stream import metrics
from stream.contract.alert import Alert
from stream.embedded import Embedded, Judge

STAGES = ("ingest", "detect", "correlate")


def serving() -> None:
    """Show the metrics of all three stages: they live in this process."""
    metrics.serving(STAGES, importlib.metadata.version("swerve"))


def ready() -> None:
    """All three do their work."""
    for stage in STAGES:
        metrics.ready(stage, True)


class Metered:
    """A judge whose ticks and alerts are measured: `Embedded(..., fleet=Metered(fleet, tick_ms, lateness_ms))`."""

    def __init__(self, judge: Judge, tick_ms: int, lateness_ms: int) -> None:
        self._judge = judge
        self._tick_ms = tick_ms
        self._late_s = lateness_ms / 1000
        self._open: dict[str, str] = {}

    def apply(self, summary: Summary) -> Sequence[Alert]:
        """Judge, and tell the fleet's shares, how long it took, and what changed."""
        began = time.perf_counter()
        alerts = self._judge.apply(summary)
        kind = "cohort" if summary.accounts is None else "network"
        # Embedded there is no way between a tick's end and its judgement but the lateness.
        metrics.tick_closed(kind, (summary.tick + 1) * self._tick_ms, time.perf_counter() - began, self._late_s)
        metrics.summary_seen("first", summary.tick)
        metrics.records_accepted("detect", summary.counters.get("accepted", 0))
        _tell_shares(summary.cohorts)
        if summary.accounts is not None:
            metrics.accounts_tracked(len(summary.accounts))
        self._tell_alerts(alerts)
        return alerts

    def _tell_alerts(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            metrics.alert_changed(alert)
            if alert.status == "firing":
                self._open[alert.alert_id] = alert.severity
            else:
                self._open.pop(alert.alert_id, None)
        if alerts:
            metrics.alerts_open(Counter(("firing", severity) for severity in self._open.values()))


def _tell_shares(cohorts: CohortCounts) -> None:
    if ("", "") not in cohorts.cohorts:
        return
    fleet = cohorts.cohorts.index(("", ""))
    own = cohorts.at == fleet
    counts: dict[str, dict[str, int]] = {"model": {}, "capability": {}}
    for target, count in zip(cohorts.target[own].tolist(), cohorts.count[own].tolist(), strict=True):
        kind, _, name = cohorts.targets[target].partition(":")
        counts[kind][name] = count
    metrics.fleet_shares(counts["model"], counts["capability"], int(cohorts.requests[fleet]))


class Intake:
    """What went through since the last time, told as counters. One a composition."""

    def __init__(self) -> None:
        self._records = 0
        self._refused: Mapping[str, int] = {}

    def tell(self, embedded: Embedded, sources: Sequence[str]) -> None:
        """Move the counters of what was read and refused, and show the clocks of the sources. Call once a batch."""
        seen = embedded.seen
        refused = dict(seen.not_counted)
        metrics.records_accepted("ingest", max(0, seen.records - self._records))
        for reason, count in refused.items():
            if count > self._refused.get(reason, 0):
                metrics.records_refused(reason, count - self._refused.get(reason, 0))
        self._records, self._refused = seen.records, refused
        for source in sources:
            clock_ms = embedded.clock_ms(source)
            if clock_ms != NO_CLOCK_MS:
                metrics.source_clock("ingest", source, clock_ms)
