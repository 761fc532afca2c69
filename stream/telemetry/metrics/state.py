"""What does a process hold, which bounds did it reach, and how does it come and go?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import structlog
from prometheus_client import Gauge

from stream.telemetry.metrics.exposition import UNKNOWN, Bounded, counter, expose, gauge, histogram
from stream.telemetry.metrics.intake import begin
from stream.telemetry.metrics.seldom import Seldom

BOUNDS: Final = (  # of [limits] and in the code
    "models", "organisations", "cohorts", "accounts", "values", "memberships", "targets", "sink_backlog",
)  # fmt: skip
BOUNDS_MAX = 24
HELD: Final = ("accounts", "counts", "names", "values", "open_ticks", "memberships", "carried_values", "windows")
NAMES: Final = ("targets", "cohorts", "accounts_say", "values")
_STATEFUL = ("detect", "correlate")
_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]

_log = structlog.get_logger("swerve.state")
_bounds = Bounded(BOUNDS_MAX, BOUNDS)

_build = gauge("swerve_build_info", "1; version and stage of this process are its labels.", ["version", "stage"])
_ready = gauge(
    "swerve_ready",
    "1 when this stage does its work, 0 while it starts, recovers or stops. 0 for long: read its log for `recovery`.",
    ["stage"],
)
_taken = gauge(
    "swerve_instance_id_taken",
    "1 while this stage stands by, since another process works under its [kafka] instance_id. Give each worker one of "
    "its own, or none.",
    ["stage"],
    ("ingest", "detect"),
)
_tasks = gauge("swerve_tasks", "Tasks of the event loop. Growing for hours: one that never ends; report it.")
_tracked = gauge(
    "swerve_accounts_tracked", "Accounts in the state of this worker. Near the limit: add memory.", (), ["detect"]
)
_names = gauge(
    "swerve_names_held",
    "Names in the state of this worker: of models and capabilities, of cohorts, of what accounts say of themselves, of "
    "values in this hour. Memory goes with them; see the guide to sizing.",
    ["kind"],
    ["detect"],
)
_held = gauge(
    "swerve_state_held_bytes",
    "Memory that the state of this worker holds, by what holds it; names are reckoned from a sample. Near what the "
    "process is given: add memory or workers, or lower the limit of what grows.",
    ["kind"],
    _STATEFUL,
)
_limit = gauge(
    "swerve_accounts_limit",
    "Accounts that this worker may hold: [limits] accounts_max, or what its memory is enough for. Near it: add memory.",
    (),
    ["detect"],
)
_evicted = counter(
    "swerve_accounts_evicted",
    "Accounts forgotten: silent for longest, or for [detection] forget_after_h. With the tracked ones "
    "near their limit: raise it, or add workers.",
    (),
    ["detect"],
)
_reached = counter(
    "swerve_bound_reached",
    "Times that a bound was hit and its policy applied. Any: what is beyond the bound is not judged; raise that limit.",
    ["bound"],
    _STATEFUL,
)
_snapshot_at = gauge(
    "swerve_snapshot_timestamp_seconds",
    "Wall time of the last complete snapshot. Old: a restart will have to read again everything since.",
    ["stage"],
    _STATEFUL,
)
_snapshot_bytes = gauge(
    "swerve_snapshot_size_bytes",
    "Size of the last complete snapshot. It is what a recovery has to read.",
    ["stage"],
    _STATEFUL,
)
_snapshot_seconds = histogram(
    "swerve_snapshot_duration_seconds",
    "Time to write a snapshot. Near its interval: fewer accounts a worker.",
    _SECONDS,
    ["stage"],
    _STATEFUL,
)
_rebalances = counter(
    "swerve_rebalances",
    "Assignments of partitions. Repeated: a worker leaves and returns; look for restarts.",
    ["stage"],
)
_rebalance_seconds = histogram(
    "swerve_rebalance_duration_seconds",
    "From losing partitions to holding the new ones. Long: the group is too large.",
    _SECONDS,
    ["stage"],
)
_partitions = gauge(
    "swerve_partitions_assigned",
    "Partitions that this worker owns. 0 with others loaded: more workers than partitions.",
    ["stage"],
)
_recoveries = counter(
    "swerve_recoveries",
    "Restorations of state, by result. A failed one: this worker begins empty; see the runbook.",
    ["stage", "result"],
    _STATEFUL,
)
_recovery_seconds = histogram(
    "swerve_recovery_duration_seconds",
    "Time to restore the state and read what came since. It delays alerts so long.",
    _SECONDS,
    ["stage"],
    _STATEFUL,
)
_names_of_parts: dict[str, Mapping[str, int]] = {}
_held_by_parts: dict[str, Mapping[str, int]] = {}
_bound_told: dict[str, Seldom] = {}
_parts: dict[str, tuple[int, int]] = {}  # part -> accounts, and how many there may be
for _bound in BOUNDS:
    _reached.labels(_bound)


def serving(stages: Sequence[str], version: str) -> None:
    """This process runs these stages ("ingest", "detect", "correlate"): show their metrics and no others."""
    expose(stages)
    for stage in stages:
        begin(stage)
        _build.labels(version, stage).set(1)
        _ready.labels(stage).set(0)
        if stage != "correlate":
            _taken.labels(stage).set(0)
        _rebalances.labels(stage)
        if stage in _STATEFUL:
            _snapshot_seconds.labels(stage)
            for result in ("restored", "empty", "failed"):
                _recoveries.labels(stage, result)


def ready(stage: str, is_ready: bool) -> None:
    """The stage does its work, or stopped doing so."""
    _ready.labels(stage).set(int(is_ready))


def name_taken(stage: str, instance_id: str, holder: str) -> None:
    """This worker stands by, since `holder` works under its name; "": it has it now, or waits no longer."""
    _taken.labels(stage).set(int(bool(holder)))
    if holder:
        _log.error(
            "instance_id_taken",
            stage=stage,
            instance_id=instance_id,
            holder=holder,
            do="give each worker a [kafka] instance_id of its own, or none; this one stands by until the other ends",
        )


def tasks(n: int) -> None:
    """The event loop of this process has n tasks."""
    _tasks.set(n)


def accounts_tracked(n: int, limit: int | None = None, part: str = "all") -> None:
    """A part of the state of detect holds n accounts, of at most `limit` where that is known.

    The gauges show the sum over the parts (partitions of shards) of this process.
    """
    _parts[part] = (n, limit or 0)
    _show_parts()


def names_held(held: Mapping[str, int], part: str = "all") -> None:
    """A part of the state of detect knows so many names of each kind; the gauge shows the sum over the parts."""
    _names_of_parts[part] = held
    _show(_names, NAMES, _names_of_parts)


def state_held(held: Mapping[str, int], part: str = "all") -> None:
    """A part of the state holds so many bytes of each kind; the gauge shows the sum over the parts."""
    _held_by_parts[part] = held
    _show(_held, HELD, _held_by_parts)


def _show(shown: Gauge, kinds: Iterable[str], parts: Mapping[str, Mapping[str, int]]) -> None:
    """The sum over the parts, of each kind."""
    for kind in kinds:
        shown.labels(kind).set(sum(held.get(kind, 0) for held in parts.values()))


def accounts_left(part: str) -> None:
    """A part moved to another worker."""
    _parts.pop(part, None)
    _names_of_parts.pop(part, None)
    _held_by_parts.pop(part, None)
    _show(_held, HELD, _held_by_parts)
    _show(_names, NAMES, _names_of_parts)
    _show_parts()


def _show_parts() -> None:
    _tracked.set(sum(n for n, _ in _parts.values()))
    _limit.set(sum(limit for _, limit in _parts.values()) or UNKNOWN)


def accounts_evicted(n: int) -> None:
    """n accounts were forgotten for want of room."""
    _evicted.inc(n)
    _log.info("accounts_evicted", n=n)


def bound_reached(bound: str, n: int = 1) -> None:
    """A bound was hit n times, and its policy applied."""
    _reached.labels(_bounds(bound)).inc(n)
    told = _bound_told.setdefault(_bounds(bound), Seldom()).due(n)
    if told:
        _log.warning("bound_reached", bound=bound, n=told)


def snapshot_written(stage: str, size_bytes: int, seconds: float) -> None:
    """A complete snapshot is stored as of now; it took `seconds`."""
    _snapshot_at.labels(stage).set_to_current_time()
    _snapshot_bytes.labels(stage).set(size_bytes)
    _snapshot_seconds.labels(stage).observe(seconds)
    _log.info("snapshot_written", stage=stage, size_bytes=size_bytes, seconds=round(seconds, 3))


def rebalance(stage: str, partitions: int, seconds: float) -> None:
    """This worker now owns so many partitions; it took `seconds` from revoking to assignment."""
    _rebalances.labels(stage).inc()
    _rebalance_seconds.labels(stage).observe(seconds)
    _partitions.labels(stage).set(partitions)
    _log.info("rebalanced", stage=stage, partitions=partitions, seconds=round(seconds, 3))


def partitions_left(stage: str) -> None:
    """The state of this stage is another worker's now: nothing here grows old."""
    for one in (_snapshot_at, _snapshot_bytes):
        one.remove_by_labels({"stage": stage})


def recovery(stage: str, result: str, seconds: float, resumed_from: str = "") -> None:
    """State was "restored", found "empty", or its restoration "failed"."""
    _recoveries.labels(stage, result).inc()
    _recovery_seconds.labels(stage).observe(seconds)
    log = _log.error if result == "failed" else _log.info
    log("recovery", stage=stage, result=result, seconds=round(seconds, 3), resumed_from=resumed_from)
