"""Prometheus Alertmanager, API v2: labels that never change, numbers in annotations, every member of a cluster.

An alert of Alertmanager is its label set. Firing ones must be sent again before they expire, which the delivery does
every `resend_s`; resolved ones for five minutes. `endsAt` lies four intervals ahead: if Swerve dies, the alert ends
by itself. `startsAt` is when Swerve told, not the estimated onset: else a shift found late would look hours old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from stream.contract.alert import SEVERITIES, Alert, Severity
from stream.sinks.posting import Poster
from stream.sinks.sink import Links, SinkRefusedError
from stream.spoken import harmless

PATH = "/api/v2/alerts"
INTERVALS_AHEAD = 4
BATCH_MAX = 100  # alerts a request: at 2 kB each 200 kB
LABEL_MAX = 256
SPAN_MAX_MS = 253_402_300_799_000  # the year 9999, where its time stamps end


class Alertmanager:
    """All members of one Alertmanager cluster; who of them notifies is their business.

    now_s: wall clock, for endsAt. A record counts as handed over when one member took it: the others get it with
    the next repeat, and members tell each other.
    """

    def __init__(
        self,
        name: str,
        urls: Sequence[str],
        links: Links,
        resend_s: float = 60.0,
        timeout_s: float = 10.0,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.resend_s = resend_s
        self._urls = [url.rstrip("/") + PATH for url in urls]
        self._links = links
        self._now_s = now_s
        self._poster = Poster(timeout_s)
        self._severity: dict[str, Severity] = {}

    async def send(self, alerts: Sequence[Alert]) -> None:
        """Post to every member. Raises when no member took it."""
        told = [one for alert in alerts for one in self._forms(alert)]
        for at in range(0, len(told), BATCH_MAX):
            await self._post(orjson.dumps(told[at : at + BATCH_MAX]))
        for alert in alerts:
            if alert.status == "resolved":
                self._severity.pop(alert.alert_id, None)
            else:
                self._severity[alert.alert_id] = alert.severity

    async def _post(self, body: bytes) -> None:
        results = await asyncio.gather(*(self._poster.post(url, body) for url in self._urls), return_exceptions=True)
        failures = [one for one in results if isinstance(one, BaseException)]
        if len(failures) < len(results):
            return
        # One that may pass is worth waiting for, even where another member said no.
        passing = [one for one in failures if not isinstance(one, SinkRefusedError)]
        raise next(iter(passing or failures))

    def _forms(self, alert: Alert) -> list[dict[str, Any]]:
        """The alert; and where its severity rose, the end of the label set that it had before."""
        now_ms = int(1000 * self._now_s())
        before = self._severity.get(alert.alert_id, alert.severity)
        forms = [self._form(alert, alert.severity, now_ms, alert.status == "resolved")]
        if SEVERITIES.index(before) < SEVERITIES.index(alert.severity):
            forms.append(self._form(alert, before, now_ms, True))
        return forms

    def _form(self, alert: Alert, severity: Severity, now_ms: int, is_over: bool) -> dict[str, Any]:
        starts_ms = min(alert.detected_at, now_ms)
        # The clock of the wall: event time may be a replay's, and an end in the future would not resolve.
        ended_ms = max(starts_ms, min(alert.resolved_at or now_ms, now_ms))
        ends_ms = ended_ms if is_over else now_ms + int(1000 * INTERVALS_AHEAD * self.resend_s)
        return {
            "labels": labels_of(alert, severity),
            "annotations": annotations_of(alert, self._links),
            "startsAt": instant(starts_ms),
            "endsAt": instant(ends_ms),
            "generatorURL": self._links.page(alert),
        }

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def labels_of(alert: Alert, severity: Severity) -> dict[str, str]:
    """Only what never changes while an alert lives. The target may change, and no score is ever a label."""
    labels = {
        "alertname": "Swerve" + "".join(part.capitalize() for part in alert.kind.split("_")),
        "service": "swerve",
        "severity": severity,
        "kind": alert.kind,
        "alert_id": alert.alert_id,
        "subject_kind": alert.subject.kind,
        "subject": alert.subject.id[:LABEL_MAX],
    }
    if alert.subject.dimension is not None:
        labels["dimension"] = alert.subject.dimension[:LABEL_MAX]
    return {key: harmless(text) for key, text in labels.items()}


def annotations_of(alert: Alert, links: Links) -> dict[str, str]:
    """What a notification shows; replaced by the newest."""
    told = {
        "summary": alert.summary,
        "description": _description(alert),
        "runbook_url": links.runbook(alert),
        "target": f"{alert.target.kind} {alert.target.id}",
        "accounts": str(alert.accounts_total),
        "onset": instant(alert.started_at),
        "resolved_reason": alert.resolved_reason or "",
    }
    return {key: harmless(text, lines=True) for key, text in told.items() if text}


def _description(alert: Alert) -> str:
    """The numbers, a line each, as the sentence compares them."""
    wanted = ("requests", "share_before", "share_after", "share_expected", "statistic", "threshold", "organisations")
    lines = [f"{key}: {alert.evidence[key]:g}" for key in wanted if _is_number(alert.evidence.get(key))]
    return "\n".join([f"Shift since {instant(alert.started_at)}.", *lines])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def instant(at_ms: int) -> str:
    """RFC 3339 in UTC.

    >>> instant(1_770_260_400_500)
    '2026-02-05T03:00:00.500Z'
    """
    at = datetime.fromtimestamp(min(max(at_ms, 0), SPAN_MAX_MS) / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
