"""What does Swerve tell of itself, as an alert like all others? It names nobody, and concerns itself alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stream.contract.alert import Alert, AlertSubject, AlertTarget, Severity


def about_itself(
    kind: str, alert_id: str, severity: Severity, subject: AlertSubject, target: AlertTarget, now_ms: int,
    evidence: Mapping[str, Any], summary: str, begun_ms: int | None = None,
) -> Alert:  # fmt: skip
    """A record that fires now. begun_ms: since when it does; now where it begins."""
    since_ms = now_ms if begun_ms is None else begun_ms
    return Alert(
        alert_id=alert_id,
        status="firing",
        severity=severity,
        kind=kind,
        subject=subject,
        target=target,
        targets=(target,),
        started_at=since_ms,
        detected_at=since_ms,
        updated_at=now_ms,
        accounts=(),
        accounts_total=0,
        evidence=dict(evidence),
        summary=summary,
    )


def over(alert: Alert, now_ms: int, summary: str, evidence: Mapping[str, Any] | None = None) -> Alert:
    """The record with which it ends. evidence: what it ends with, that of before where None."""
    return msgspec.structs.replace(
        alert,
        status="resolved",
        updated_at=now_ms,
        resolved_at=now_ms,
        resolved_reason="ended",
        evidence=alert.evidence if evidence is None else dict(evidence),
        summary=summary,
    )
