"""Which sinks are there, and how is each made from its section of the configuration?"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from stream.configuration import sections
from stream.configuration.settings import Settings
from stream.errors import UsageError
from stream.sinks import ledger
from stream.sinks.alertmanager import Alertmanager
from stream.sinks.delivery import Attention, Deliveries, Delivery
from stream.sinks.lines import FileLines, StdoutLines
from stream.sinks.sink import Links, Sink
from stream.sinks.watchdog import watchdog
from stream.sinks.webhook import Webhook, preset

LOGS = ("stdout", "file")  # every record matters; for the others only the latest state of an alert
CALL_NOBODY = (*LOGS, "grafana")


def _stdout(one: sections.StdoutSink, links: Links) -> Sink:
    return StdoutLines(one.name)


def _file(one: sections.FileSink, links: Links) -> Sink:
    return FileLines(one.name, one.path)


def _alertmanager(one: sections.AlertmanagerSink, links: Links) -> Sink:
    return Alertmanager(one.name, one.urls, links, one.resend_s, one.timeout_s)


def _webhook(one: sections.WebhookSink, links: Links) -> Sink:
    secret = None if one.secret is None else one.secret.get_secret_value()
    return Webhook(one.name, one.url, links, secret, _source(one.name, one.template), timeout_s=one.timeout_s)


def _slack(one: sections.SlackSink, links: Links) -> Sink:
    return Webhook(one.name, one.url.get_secret_value(), links, template=preset("slack"), timeout_s=one.timeout_s)


def _pagerduty(one: sections.PagerDutySink, links: Links) -> Sink:
    extra = {"routing_key": one.routing_key.get_secret_value()}
    return Webhook(one.name, one.url, links, template=preset("pagerduty"), extra=extra, timeout_s=one.timeout_s)


def _grafana(one: sections.GrafanaSink, links: Links) -> Sink:
    url = one.url.rstrip("/") + "/api/annotations"
    token = one.token.get_secret_value()
    return Webhook(one.name, url, links, template=preset("grafana"), bearer=token, timeout_s=one.timeout_s)


SINKS: dict[str, Callable[..., Sink]] = {
    "stdout": _stdout,
    "file": _file,
    "alertmanager": _alertmanager,
    "webhook": _webhook,
    "slack": _slack,
    "pagerduty": _pagerduty,
    "grafana": _grafana,
}


def _source(name: str, template: Path | None) -> str | None:
    if template is None:
        return None
    try:
        return template.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"sink {name}: template {template}: {getattr(error, 'strerror', None) or error}") from None


def links_of(settings: Settings) -> Links:
    """Where people reach the console: `[http] public_url`, else the address that it is bound to."""
    http = settings.http
    host = f"[{http.host}]" if ":" in http.host else http.host
    return Links(str(http.public_url) if http.public_url else f"http://{host}:{http.port}")


def build(section: sections.Sink, links: Links) -> Sink:
    """One sink of the configuration. Raises UsageError where its template cannot be used."""
    return SINKS[section.kind](section, links)


def check(settings: Settings) -> None:
    """Raise UsageError where a sink of the configuration could not be made, such as for its template."""
    for section in settings.sinks:
        build(section, links_of(settings))


def deliveries(
    settings: Settings,
    attention: Callable[[str], Attention] | None = None,
    ledgers: Path | None = None,
) -> Deliveries:
    """Every configured sink with its delivery, not started yet.

    attention: who acknowledged or snoozed what. ledgers: folder in which each sink's ledger is kept; without one it
    lives as long as the process. Raises UsageError.
    """
    links = links_of(settings)
    return Deliveries([_delivery(section, links, attention, ledgers) for section in settings.sinks])


def _delivery(
    section: sections.Sink, links: Links, attention: Callable[[str], Attention] | None, ledgers: Path | None
) -> Delivery:
    delivery = Delivery(
        build(section, links),
        section.severity_min,
        keeps_all=section.kind in LOGS,
        calls=section.kind not in CALL_NOBODY,
        deadline_s=1.5 * getattr(section, "timeout_s", 10.0),
    )
    if getattr(section, "watchdog", False):
        delivery.always = (watchdog(int(1000 * time.time())),)
    if attention is not None:
        delivery.attention = attention
    if ledgers is not None:
        path = ledgers / f"sink-{section.name}.json"
        try:
            delivery.ledger = ledger.read(path)
        except ValueError as error:
            raise UsageError(f"{path}: {error}; delete it to begin anew, and some alerts will come twice") from None
        delivery.keep = lambda raw: ledger.write(path, raw)
    return delivery
