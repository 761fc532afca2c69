"""`swerve expect`: announce a shift, so that it pages nobody."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from stream.commands.arguments import Config
from stream.commands.on_call import reach
from stream.configuration.settings import load
from stream.errors import UsageError
from stream.oncall.expected import record_of
from stream.oncall.moment import moment_ms


def command(
    subject: Annotated[str, typer.Argument(help="Who will shift: org=org_7, asn=64500, account=acct_1, or fleet.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="TARGET", help="atlas-4, or capability:coding. Else whatever it is.")
    ] = None,
    begins: Annotated[str, typer.Option("--from", metavar="TIME", help="now, +2h, or RFC 3339.")] = "now",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="The end of the silence.")] = "+7d",
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="For those who read it later.")] = "",
    id: Annotated[str | None, typer.Option("--id", help="The same id again replaces it. Else made up.")] = None,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="It is not expected any more.")] = False,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Into this JSON array instead.")] = None,
    kafka: reach.Kafka = False,
    url: reach.Url = None,
    config: Config = None,
) -> None:
    """Announce a shift: while it lasts it pages nobody, and an alert that is firing about it resolves."""
    settings = load(config)
    now_ms = int(1000 * time.time())
    first_ms = moment_ms(begins, now_ms, "--from")
    record = record_of(subject, to, first_ms, moment_ms(until, now_ms, "--until"), reason, id)
    if withdraw:
        record["until"] = record["from"] = 0
    elif record["until"] <= record["from"]:
        raise UsageError(f"--until: expected a time after --from, got {until}; --withdraw takes an announcement back")
    if file is not None:
        reach.put_in_file(file, "id", record)
    elif kafka:
        reach.publish(settings, settings.kafka.topics.expected, record["id"], None if withdraw else record)
    else:
        reach.ask(settings, url, "POST", "/api/v1/expected", record)
    typer.echo(f"{'withdrawn' if withdraw else 'announced'}: {record['id']}")
