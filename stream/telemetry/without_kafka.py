"""What do the metrics say of a composition that runs without Kafka? Every occurrence is told where it happens."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence

from detectors.counts.rows import NO_CLOCK_MS
from detectors.counts.summary import Summary
from stream.contract.alert import Alert
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded
from stream.telemetry import metrics
from stream.telemetry.per_tick import MeasuredFleet, MeasuredShards

STAGES = ("ingest", "detect", "correlate")


def serving() -> None:
    """Show the metrics of all three stages: they live in this process."""
    metrics.serving(STAGES, importlib.metadata.version("swerve"))


def ready() -> None:
    """All three do their work."""
    for stage in STAGES:
        metrics.ready(stage, True)


class Metered:
    """A judge whose ticks and alerts are measured: `Embedded(..., fleet=Metered(fleet, lateness_ms))`."""

    def __init__(
        self, fleet: Fleet, lateness_ms: int, state_of: Callable[[str], str] = lambda alert_id: "firing"
    ) -> None:
        """state_of: see MeasuredFleet."""
        self._fleet = fleet
        # Embedded there is nothing between a tick's end and its judgement but the lateness.
        self._measured = MeasuredFleet(fleet, late_s=lambda at_ms: lateness_ms / 1000, state_of=state_of)

    def apply(self, summary: Summary) -> Sequence[Alert]:
        """Judge, and tell what was seen, how long it took, and what changed."""
        self._measured.begin()
        alerts = self._fleet.apply(summary)
        metrics.summary_seen("first", summary.tick)
        for stage in ("detect", "correlate"):
            metrics.records_accepted(stage, summary.counters.get("accepted", 0))
        for alert in alerts:
            metrics.alert_changed(alert)
        return alerts


class Intake:
    """What went through since the last time, told as counters. One a composition."""

    def __init__(self) -> None:
        self._records = 0
        self._no_requests = 0
        self._refused: Mapping[str, int] = {}
        self._shards: MeasuredShards | None = None

    def tell(self, embedded: Embedded, sources: Sequence[str]) -> None:
        """Move the counters of what was read and refused, and show the clocks of the sources. Call once a batch."""
        seen = embedded.seen
        refused = dict(seen.not_counted)
        metrics.records_accepted("ingest", max(0, seen.records - self._records))
        for reason, count in refused.items():
            if count > self._refused.get(reason, 0):
                metrics.records_refused(reason, count - self._refused.get(reason, 0))
        metrics.records_no_request(max(0, seen.no_requests - self._no_requests))
        metrics.long_names(embedded.long_names())
        self._records, self._no_requests, self._refused = seen.records, seen.no_requests, refused
        if self._shards is None:
            self._shards = MeasuredShards()
        self._shards.after(embedded.shards)
        for source in sources:
            clock_ms = embedded.clock_ms(source)
            if clock_ms != NO_CLOCK_MS:
                metrics.source_clock("ingest", source, clock_ms)
