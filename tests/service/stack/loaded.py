"""A process in which everything happens that Swerve can tell, served by its own HTTP server: `... loaded PORT`."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass

from stream.configuration.sections import Http
from stream.console.health import Health
from stream.telemetry import metrics

PARTITIONS = 8
MODELS = {f"model-{number}": 100 * (200 - number) for number in range(200)}
CAPABILITIES = {f"capability_{number}": 50 * number for number in range(1, 31)}


@dataclass(slots=True)
class Record:
    """As much of an alert record as the metrics ask."""

    alert_id: str
    status: str
    severity: str
    kind: str
    started_at: int
    detected_at: int
    updated_at: int


def once() -> None:
    """What happens when stages start."""
    metrics.serving(metrics.STAGES, "0.1.0")
    metrics.sinks_configured(["alertmanager", "webhook"], calling=["alertmanager", "webhook"])
    metrics.correlate_active(True)
    for stage in metrics.STAGES:
        metrics.rebalance(stage, PARTITIONS, 1.5)
        metrics.ready(stage, True)
    for stage in ("detect", "correlate"):
        metrics.recovery(stage, "restored", 2.0)


def flush(now_ms: int) -> None:
    """What happens each second."""
    for stage, behind_ms in (("ingest", 2_000), ("detect", 4_000)):
        metrics.records_accepted(stage, 9_990)
        metrics.sources(stage, PARTITIONS - 1, 1)
        for number in range(PARTITIONS):
            metrics.source_clock(stage, f"swerve.requests[{number}]", now_ms - behind_ms - 100 * number)
            metrics.source_lag(stage, f"swerve.requests[{number}]", 500)
    metrics.records_refused("not_json", 3)
    metrics.records_refused("duplicate_event", 7)
    metrics.dead_letters(3)
    for _ in range(PARTITIONS):
        metrics.frame_sent(120_000)
        metrics.frame_applied("applied")


def tick(now_ms: int, number: int) -> None:
    """What happens when a tick closes; here a few times a second."""
    metrics.summary_seen("first")
    for kind in ("cohort", "network"):
        metrics.tick_closed(kind, now_ms - 1_200_000, 0.4, 1_200.0)
    metrics.fleet_shares({name: n + number for name, n in MODELS.items()}, CAPABILITIES)
    metrics.adoption("model-4", 0.11, 0.10)
    for dimension in ("org", "payment", "network"):
        metrics.strongest_shift(dimension, 2.5)
    metrics.groups(12, {"none": 3, "warning": 1})
    metrics.false_page_budget(2.0, 1.0)
    metrics.alert_lines(critical=4.5, warning=1.2)
    metrics.accounts_tracked(400_000, 2_000_000)
    for stage in ("detect", "correlate"):
        metrics.snapshot_written(stage, 40_000_000, 0.8)
    hour_ms = 3_600_000
    at_ms = now_ms - 1_200_000
    metrics.alert_changed(
        Record(f"alert{number}", "firing", "critical", "release_shift", at_ms - 9 * hour_ms, at_ms, at_ms)
    )
    metrics.alerts_open({("firing", "critical"): 1, ("firing", "warning"): 2})
    metrics.sink_sent("alertmanager", f"alert{number}", 1_230.0)


async def serve(port: int) -> None:
    """Until killed."""
    once()
    async with Health(Http(port=port)):
        number = 0
        while True:
            now_ms = int(time.time() * 1000)
            flush(now_ms)
            tick(now_ms, number)
            number += 1
            await asyncio.sleep(0.3)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
