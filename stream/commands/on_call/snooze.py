"""`swerve snooze`: quiet until a time."""

from __future__ import annotations

import time
from typing import Annotated
from urllib.parse import quote

import typer

from stream.alerts.explain import utc
from stream.commands.arguments import Config
from stream.commands.on_call import quiet, reach
from stream.configuration.settings import load
from stream.contract.attention import SNOOZE, Asked
from stream.errors import UsageError
from stream.oncall.moment import moment_ms
from stream.oncall.silence import typed


def command(
    alert_id: Annotated[str, typer.Argument(help="Which alert.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="+2h, +1d, or RFC 3339.")] = "+2h",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="For those who read it later.")] = "",
    by: reach.By = None,
    confirm: reach.Confirm = None,
    kafka: reach.Kafka = False,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Silence an alert until a time; what still fires then is told. A snooze always has an end.

    Says what it would have covered; a page that is open must be typed to confirm.
    """
    now_ms = int(1000 * time.time())
    until_ms = moment_ms(until, now_ms, "--until")
    if until_ms <= now_ms:
        raise UsageError(f"--until: expected a time to come, got {until}")
    name = reach.who(by)
    settings = load(config)
    note = typed.reason_or_ask(reason)
    quiet.meant(settings, url, kafka, SNOOZE, alert_id, confirm)
    if kafka:
        asked = Asked(alert_id, SNOOZE, name, now_ms, until_ms, note)
        reach.publish(settings, settings.kafka.topics.attention, asked.key, asked.record())
    else:
        path = f"/api/v1/alerts/{quote(alert_id, safe='')}/snooze"
        reach.ask(settings, url, "POST", path, {"by": name, "until": until_ms, "note": note})
    typer.echo(f"{alert_id}: quiet until {utc(until_ms)} UTC, says {name}")
