"""What does a word keep from people, that is said at a terminal? Told before it holds, and confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

import typer

from stream.alerts.case import Involved
from stream.commands.on_call import reach
from stream.configuration.settings import Settings
from stream.contract.alert import SEVERITIES, Alert, MalformedAlertError, decode
from stream.contract.expected import Expected
from stream.errors import SwerveError, UsageError
from stream.oncall.silence import typed
from stream.oncall.silence.preview import Preview, of_shifts


def meant(settings: Settings, url: str | None, kafka: bool, kind: str, alert_id: str, confirm: str | None) -> None:
    """Say what it would have covered; return where it is meant. Raises SwerveError, UsageError: nothing is silent."""
    if kafka:
        typed.confirmed(_by_its_record(settings, alert_id).confirm, confirm)
        return
    told = reach.ask(settings, url, "GET", f"/api/v1/alerts/{quote(alert_id, safe='')}/preview?kind={kind}")
    typer.echo(told["said"], err=True)
    typed.confirmed(told["confirm"], confirm)


def recorded(settings: Settings, alert_id: str) -> Alert:
    """The last record of an alert in the topic. Raises UsageError where the topic has none."""
    topic = settings.kafka.topics.alerts
    last = next((one.last for one in _in_topic(settings) if one.last.alert_id == alert_id), None)
    if last is None:
        raise UsageError(f"{topic}: no alert {alert_id}, so nothing is silent")
    return last


def by_the_topic(settings: Settings, shifts: Sequence[Expected], now_ms: int) -> Preview:
    """What announcements would have covered of the alerts whose records are in the topic."""
    return of_shifts(shifts, _in_topic(settings), now_ms)


def _by_its_record(settings: Settings, alert_id: str) -> Preview:
    """What the topic of alerts says of it; whatever else its group may cover only a running Swerve knows."""
    return Preview((recorded(settings, alert_id),), 1, this=alert_id)


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An alert as the topic tells of it: of older records it keeps what was not compacted yet."""

    last: Alert
    worst: str

    @property
    def members(self) -> tuple[Involved, ...]:
        """Those that the record names; of what they did only a running Swerve knows."""
        return tuple(Involved(one, 1.0, self.last.started_at, 0, None, 0.0) for one in self.last.accounts)


def _in_topic(settings: Settings) -> list[_Recorded]:
    topic = settings.kafka.topics.alerts
    found: dict[str, _Recorded] = {}
    for raw in reach.records(settings, topic):
        try:
            alert = decode(raw)
        except MalformedAlertError as error:
            raise SwerveError(f"{topic}: {error}") from None
        before = found.get(alert.alert_id)
        severities = (alert.severity, alert.severity if before is None else before.worst)
        found[alert.alert_id] = _Recorded(alert, max(severities, key=SEVERITIES.index))
    return list(found.values())
