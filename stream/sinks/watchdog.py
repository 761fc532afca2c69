"""The alert that always fires, so that its silence says that the way to a person is broken."""

from __future__ import annotations

from stream.contract.alert import Alert, AlertSubject, AlertTarget

ALERT_ID = "swerve-watchdog"


def watchdog(now_ms: int) -> Alert:
    """For sinks that repeat what fires. Its id is always the same: restarts and replicas fire one and the same alert.

    >>> watchdog(5).kind, watchdog(5).severity
    ('swerve_watchdog', 'info')
    """
    target = AlertTarget("mix", "the way to a person")
    return Alert(
        alert_id=ALERT_ID,
        status="firing",
        severity="info",
        kind="swerve_watchdog",
        subject=AlertSubject("cluster", "swerve"),
        target=target,
        targets=(target,),
        started_at=now_ms,
        detected_at=now_ms,
        updated_at=now_ms,
        accounts=(),
        accounts_total=0,
        evidence={"is_watchdog": True},
        summary="Always fires: Swerve can reach you. Wire it to what calls when it stops.",
    )
