"""`swerve topics create | check`: does every topic exist, and keep what it is given?"""

from __future__ import annotations

import asyncio

import typer

from stream.commands.arguments import Config
from stream.configuration.settings import load
from stream.errors import SwerveError
from stream.kafka import topics

command = typer.Typer(no_args_is_help=True, help="Create the topics, or check them.")


@command.command("create")
def create_command(
    config: Config = None,
    partitions: int = typer.Option(12, min=1, help="Partitions of the requests topic, where it is created."),
) -> None:
    """Create every topic that is missing; what exists is left as it is."""
    kafka = load(config).kafka
    created = asyncio.run(topics.create(kafka, partitions))
    for name in created:
        typer.echo(f"created {name}")
    typer.echo(
        f"{len(created)} created, {len(topics.wanted(kafka)) - len(created)} were there; see `swerve topics check`"
    )


@command.command("check")
def check_command(config: Config = None) -> None:
    """Compare the topics with what Swerve needs, and explain every difference. Exit 1 where data would be lost."""
    kafka = load(config).kafka
    missing, told = asyncio.run(topics.check(kafka))
    for name in missing:
        typer.echo(f"FAULT: {name} is missing: create it with `swerve topics create`")
    for one in told:
        typer.echo(str(one))
    faults = len(missing) + sum(one.loses for one in told)
    if faults:
        raise SwerveError(f"{faults} faults in the topics of {kafka.bootstrap_servers}, told above")
    typer.echo(f"{len(topics.wanted(kafka))} topics are as they should be" + (", but see the advice" if told else ""))
