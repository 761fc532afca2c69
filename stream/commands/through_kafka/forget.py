"""`swerve forget`: remove one account from everything that can be reached, and say what cannot."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from stream.commands.arguments import Config
from stream.configuration.sections import Kafka
from stream.configuration.settings import load
from stream.spoken import harmless


def command(
    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT_ID", help="Which account.")],
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="FOLDER", help="The folder of swerve watch and backfill, instead of Kafka."),
    ] = None,
    config: Config = None,
) -> None:
    """Remove an account from state, snapshots and alerts, while detect and correlate are stopped; ingest may run on.

    Requests that come later count as a new account's. Says what it could not reach.
    """
    settings = load(config)
    account_id = settings.said_account(account_id)
    if state is not None:
        from stream.commands.begin.history import without_account

        told = without_account(state, settings.parameters, account_id)
        not_reached: tuple[str, ...] = OUTSIDE_OF_A_FOLDER
    else:
        from stream.commands.through_kafka.forgotten import forget

        told = []
        asyncio.run(forget(settings, account_id, told.append))
        not_reached = (*of_topics(settings.kafka), *EVERYWHERE)
    for line in told:
        typer.echo(harmless(line))
    typer.echo("\nNot reached:")
    for line in not_reached:
        typer.echo(f"- {line}")


EVERYWHERE = (
    "what sinks have told already: Alertmanager, Slack, PagerDuty, webhooks, Grafana, files of a file sink",
    "reports, and files of --alerts, --accounts and --rejects of any command",
    "notes, reasons and verdicts that people wrote, where they name it",
    "logs of Swerve, in which an account stands only in what broke a rule",
)
OUTSIDE_OF_A_FOLDER = (
    "the logs themselves: what is read again is counted again",
    "a swerve watch that runs: it holds the account until it is started again",
    *EVERYWHERE,
)


def of_topics(kafka: Kafka) -> tuple[str, ...]:
    """What topics hold until the broker lets go of it."""
    names = kafka.topics
    return (
        f"{names.requests} (requests as they came) and {names.dlq} (refused ones): gone with their retention",
        f"{names.frames} and {names.summaries}: gone with their retention; what detect has not read yet counts, "
        "as a new account's: forget it again once it is read, or stop its requests first",
        f"older records of {names.alerts}, and of the states: the broker drops them when it compacts these topics",
    )
