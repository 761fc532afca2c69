"""The alert that always fires, so that its silence says that the way to a person is broken."""

from __future__ import annotations

from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.contract.own_alert import about_itself

ALERT_ID = "swerve-watchdog"


def watchdog(now_ms: int) -> Alert:
    """For sinks that repeat what fires. Its id is always the same: restarts and replicas fire one and the same alert.

    >>> watchdog(5).kind, watchdog(5).severity
    ('swerve_watchdog', 'info')
    """
    return about_itself(
        "swerve_watchdog", ALERT_ID, "info", AlertSubject("cluster", "swerve"),
        AlertTarget("mix", "the way to a person"), now_ms, {"is_watchdog": True},
        "Always fires: Swerve can reach you. Wire it to what calls when it stops.",
    )  # fmt: skip
