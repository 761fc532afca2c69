"""How late is a tick judged, what came of it, and did the alert reach anybody?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import structlog

from stream.telemetry.metrics import fleet
from stream.telemetry.metrics.exposition import UNKNOWN, Bounded, counter, gauge, histogram

STATES: Final = ("firing", "resolved")
OPEN_STATES: Final = ("firing", "acknowledged", "snoozed")  # as people treat an alert that is open
SEVERITIES: Final = ("info", "warning", "critical")
KINDS: Final = ("release_shift", "capability_shift", "coordinated_shift", "drift")
TICKS: Final = ("cohort", "network")
SINKS_MAX = 8
_CORRELATE = ("correlate",)
_HOUR = 3600.0

_log = structlog.get_logger("swerve.alerts")
_kinds = Bounded(8, KINDS)
_sinks = Bounded(SINKS_MAX)


class Changed(Protocol):
    """What of an alert record is told here. Times are event time in ms."""

    @property
    def alert_id(self) -> str:
        """The alert."""

    @property
    def status(self) -> Any:
        """Its state: "firing" or "resolved"."""

    @property
    def severity(self) -> Any:
        """How loud it is: "info", "warning" or "critical"."""

    @property
    def kind(self) -> Any:
        """What sort of shift it is about."""

    @property
    def started_at(self) -> int:
        """When the shift began."""

    @property
    def detected_at(self) -> int:
        """When it was first told."""

    @property
    def updated_at(self) -> int:
        """When it came to be what it is."""


_ticks = counter(
    "swerve_ticks_closed",
    "Ticks judged, by kind. Flat: some source holds time back; see the clocks of the sources.",
    ["kind"],
    _CORRELATE,
)
_tick_seconds = histogram(
    "swerve_tick_duration_seconds",
    "Time to judge a tick. Near the length of the tick: correlate needs a faster core.",
    [0.01, 0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 120, 300],
    ["kind"],
    _CORRELATE,
)
_tick_late = histogram(
    "swerve_tick_lateness_seconds",
    "From the end of a tick, in event time, to its judgement. The lateness setting is its floor; growth: lag upstream.",
    [60, 300, 900, 1200, 1500, 1800, 2700, _HOUR, 2 * _HOUR, 6 * _HOUR, 24 * _HOUR],
    ["kind"],
    _CORRELATE,
)
_tick_end = gauge(
    "swerve_tick_end_timestamp_seconds",
    "Event time up to which the fleet is judged. Standing still: nothing is being detected; go up the stages.",
    ["kind"],
    _CORRELATE,
)
_partial = counter(
    "swerve_partial_ticks",
    "Ticks judged with shards missing. Any: a detect worker is gone; those accounts are unseen.",
    (),
    _CORRELATE,
)
_missing = gauge(
    "swerve_shards_missing",
    "Shards that the last tick lacked. Above 0: find the detect worker that owns them.",
    (),
    _CORRELATE,
)
_active = gauge(
    "swerve_correlate_active",
    "1 where correlate judges, 0 on a standby and before the first summary. A sum of 2: stop one, read the runbook.",
    (),
    _CORRELATE,
)
_candidates = gauge(
    "swerve_candidates",
    "Networks that moved in company, under test. Far above its past: the link settings are too loose.",
    (),
    _CORRELATE,
)
_networks = gauge(
    "swerve_networks",
    "Groups being followed, by the level they reached. For context; the alerts say what to do.",
    ["level"],
    _CORRELATE,
)
_alerts = gauge(
    "swerve_alerts",
    "Alerts that are open now, by state and severity. Open the console for what to do about each.",
    ["state", "severity"],
    _CORRELATE,
)
_changes = counter(
    "swerve_alert_changes",
    "Alert records written, by the state they changed to. Its exemplar carries the alert_id: look it "
    "up in the console.",
    ["status", "severity", "kind"],
    _CORRELATE,
)
_detection = histogram(
    "swerve_alert_detection_delay_seconds",
    "From the estimated onset of a shift to its first alert, in event time. It is the detector's own; "
    "see how it decides.",
    [_HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, 24 * _HOUR, 36 * _HOUR, 48 * _HOUR, 72 * _HOUR, 168 * _HOUR],
    ["severity"],
    _CORRELATE,
)
_event_to_alert = histogram(
    "swerve_event_to_alert_seconds",
    "From the end of the tick that decided, in event time, to the delivery of its alert. Growth: lag, "
    "or a failing sink.",
    [60, 300, 900, 1200, 1500, 1800, 2700, _HOUR, 2 * _HOUR, 6 * _HOUR],
    ["sink"],
    _CORRELATE,
)
_expected = gauge(
    "swerve_expected_active",
    "Announcements that keep alerts from people now, by how wide they are; `fleet` covers everybody. Above 0 for "
    "`fleet`: see the page Expected of the console for who said so and why, and end it there.",
    ["scope"],
    _CORRELATE,
)
_console = gauge(
    "swerve_console_info",
    "1; where people reach the console is its label. Alerts about Swerve itself link to the runbook there.",
    ["public_url"],
    _CORRELATE,
)
_sent = counter(
    "swerve_sink_sent",
    "Alert records that a sink took. Flat with alerts written: see its failures and backlog.",
    ["sink"],
    _CORRELATE,
)
_failed = counter(
    "swerve_sink_failed",
    "Attempts that a sink refused or that timed out; each is tried again. Check its address and key.",
    ["sink"],
    _CORRELATE,
)
_backlog = gauge(
    "swerve_sink_backlog",
    "Alert records that wait for a sink. Above 0 for minutes: people are not told; see its failures.",
    ["sink"],
    _CORRELATE,
)
_pages = gauge(
    "swerve_sink_pages_waiting",
    "Pages that wait for a sink which can call somebody; logs and annotations call nobody. Above 0 on all of them: a "
    "campaign may be known to nobody; look at the console.",
    ["sink"],
    _CORRELATE,
)
_lost = counter(
    "swerve_sink_lost",
    "Alert records that a sink will never get: refused for good, or pushed out of its full backlog. Any: read them in "
    "the console, then correct what the sink refuses.",
    ["sink", "severity"],
    _CORRELATE,
)
_sink_success = gauge(
    "swerve_sink_success_timestamp_seconds",
    "Wall time of the last delivery that a sink took. Compare with its backlog.",
    ["sink"],
    _CORRELATE,
)


def _show_all() -> None:
    for tick in TICKS:
        _ticks.labels(tick)
        _tick_seconds.labels(tick)
        _tick_late.labels(tick)
    for severity in SEVERITIES:
        _detection.labels(severity)
        for status in STATES:
            for kind in KINDS:
                _changes.labels(status, severity, kind)


_show_all()


def tick_closed(kind: str, tick_end_ms: int, seconds: float, late_s: float) -> None:
    """A "cohort" or "network" tick that ended at tick_end_ms was judged in `seconds`, late_s after its end."""
    _ticks.labels(kind).inc()
    _tick_seconds.labels(kind).observe(seconds)
    _tick_late.labels(kind).observe(max(0.0, late_s))
    _tick_end.labels(kind).set(tick_end_ms / 1000)
    _missing.set(0)
    _log.debug("tick_closed", kind=kind, tick_end_ms=tick_end_ms, seconds=round(seconds, 3), late_s=round(late_s, 1))


def partial_tick(missing_shards: int, tick_end_ms: int = 0) -> None:
    """A tick was judged although shards were missing. Call it after `tick_closed`."""
    _partial.inc()
    _missing.set(missing_shards)
    _log.warning("partial_tick", missing_shards=missing_shards, tick_end_ms=tick_end_ms)


def correlate_active(active: bool) -> None:
    """This correlate judges, or stands by."""
    _active.set(int(active))
    if not active:
        _forget()
    _log.info("correlate_active" if active else "correlate_standby")


def _forget() -> None:
    """Who judges now shows it; what this process saw last would be added to it."""
    for one in (_tick_end, _networks, _alerts, _expected, _backlog, _pages, _sink_success):
        one.clear()
    _missing.set(UNKNOWN)
    _candidates.set(UNKNOWN)
    fleet.not_judged_here()


def groups(candidates: int, networks: Mapping[str, int]) -> None:
    """After a network tick: groups tested, and groups followed by level ("none", "info", "warning", "critical")."""
    _candidates.set(candidates)
    for level in ("none", *SEVERITIES):
        _networks.labels(level).set(networks.get(level, 0))


def alert_changed(alert: Changed) -> None:
    """One record was written to the alerts topic. Its first firing also tells the delay since the onset."""
    exemplar = {"alert_id": alert.alert_id}
    status, severity, kind = str(alert.status), str(alert.severity), str(alert.kind)
    _changes.labels(status, severity, _kinds(kind)).inc(exemplar=exemplar)
    if status == "firing" and alert.updated_at == alert.detected_at:
        delay_s = max(0.0, (alert.detected_at - alert.started_at) / 1000)
        _detection.labels(severity).observe(delay_s, exemplar=exemplar)
    _log.info(
        "alert_changed", alert_id=alert.alert_id, status=status, severity=severity, kind=kind, at_ms=alert.updated_at
    )


def alerts_open(counts: Mapping[tuple[str, str], int]) -> None:
    """Alerts that are open, by (state, severity); a state is one of OPEN_STATES."""
    for state in OPEN_STATES:
        for severity in SEVERITIES:
            _alerts.labels(state, severity).set(counts.get((state, severity), 0))


def expected_active(counts: Mapping[str, int]) -> None:
    """Announcements that hold now, by scope, the whole set of scopes each time."""
    for scope, number in counts.items():
        _expected.labels(scope).set(number)


def console_at(address: str) -> None:
    """The console of this process is reached here: `[http] public_url`, else the address that it is bound to."""
    _console.clear()
    _console.labels(address.rstrip("/")).set(1)


def sinks_configured(names: Sequence[str], calling: Sequence[str] = ()) -> None:
    """These sinks will be delivered to, some of them can call somebody: their counters begin at 0 now."""
    for name in names:
        sink = _sinks(name)
        _sent.labels(sink)
        _failed.labels(sink)
        _event_to_alert.labels(sink)
        for severity in SEVERITIES:
            _lost.labels(sink, severity)
        _backlog.labels(sink).set(0)
    for name in calling:
        _pages.labels(_sinks(name)).set(0)


def sink_sent(sink: str, alert_id: str = "", seconds_since_tick: float | None = None) -> None:
    """A sink took one record; seconds_since_tick: since the end of the tick that decided, where that is known."""
    name = _sinks(sink)
    _sent.labels(name).inc(exemplar={"alert_id": alert_id} if alert_id else None)
    _sink_success.labels(name).set_to_current_time()
    if seconds_since_tick is not None:
        _event_to_alert.labels(name).observe(
            max(0.0, seconds_since_tick), exemplar={"alert_id": alert_id} if alert_id else None
        )


def sink_failed(sink: str, reason: str, alert_id: str = "") -> None:
    """One attempt failed; it will be made again."""
    _failed.labels(_sinks(sink)).inc(exemplar={"alert_id": alert_id} if alert_id else None)
    _log.warning("sink_failed", sink=sink, reason=reason, alert_id=alert_id)


def sink_lost(sink: str, severity: str, alert_id: str, reason: str) -> None:
    """A sink will never get this record; what happened is on the alerts topic and in the console."""
    _lost.labels(_sinks(sink), severity).inc(exemplar={"alert_id": alert_id})
    _log.error("alert_not_delivered", sink=sink, severity=severity, alert_id=alert_id, reason=reason)


def sink_backlog(sink: str, records: int, pages: int | None = None) -> None:
    """So many records wait for a sink; so many of them are pages, where the sink can call somebody."""
    _backlog.labels(_sinks(sink)).set(records)
    if pages is not None:
        _pages.labels(_sinks(sink)).set(pages)
