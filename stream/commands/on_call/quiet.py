"""What does a word keep from people, that is said of one alert at a terminal? Told before it holds, and confirmed."""

from __future__ import annotations

from urllib.parse import quote

import typer

from stream.commands.on_call import reach
from stream.commands.on_call.records import last_of_each
from stream.configuration.settings import Settings
from stream.contract.alert import decode
from stream.errors import SwerveError
from stream.oncall.silence import typed
from stream.oncall.silence.preview import Preview


def meant(settings: Settings, url: str | None, kafka: bool, kind: str, alert_id: str, confirm: str | None) -> None:
    """Say what it would have covered; return where it is meant. Raises SwerveError, UsageError: nothing is silent."""
    if kafka:
        typed.confirmed(_by_its_record(settings, alert_id).confirm, confirm)
        return
    told = reach.ask(settings, url, "GET", f"/api/v1/alerts/{quote(alert_id, safe='')}/preview?kind={kind}")
    typer.echo(told["said"], err=True)
    typed.confirmed(told["confirm"], confirm)


def _by_its_record(settings: Settings, alert_id: str) -> Preview:
    """What the topic of alerts says of it; whatever else its group may cover only a running Swerve knows."""
    topic = settings.kafka.topics.alerts
    last = last_of_each(decode(raw) for raw in reach.records(settings, topic)).get(alert_id)
    if last is None:
        raise SwerveError(f"{topic}: no alert {alert_id}, so nothing is silent")
    return Preview((last,), 1, this=alert_id)
