"""`swerve ack`: somebody has it."""

from __future__ import annotations

import time
from typing import Annotated
from urllib.parse import quote

import typer

from stream.commands.arguments import Config
from stream.commands.on_call import reach
from stream.configuration.settings import load
from stream.contract.attention import ACK, Asked


def command(
    alert_id: Annotated[str, typer.Argument(help="Which alert.")],
    by: reach.By = None,
    kafka: reach.Kafka = False,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Acknowledge an alert: its updates are not sent again; a rise to critical and its end still are."""
    name = reach.who(by)
    settings = load(config)
    if kafka:
        asked = Asked(alert_id, ACK, name, int(1000 * time.time()))
        reach.publish(settings, settings.kafka.topics.attention, asked.key, asked.record())
    else:
        reach.ask(settings, url, "POST", f"/api/v1/alerts/{quote(alert_id, safe='')}/ack", {"by": name})
    typer.echo(f"{alert_id}: acknowledged by {name}")
