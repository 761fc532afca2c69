"""`swerve ack`: somebody has it."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from stream.arguments import Config
from stream.oncall import reach
from stream.settings import load


def command(
    alert_id: Annotated[str, typer.Argument(help="Which alert.")],
    by: reach.By = None,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Acknowledge an alert: its updates are not sent again; a rise to critical and its end still are."""
    name = reach.who(by)
    reach.ask(load(config), url, "POST", f"/api/v1/alerts/{quote(alert_id, safe='')}/ack", {"by": name})
    typer.echo(f"{alert_id}: acknowledged by {name}")
