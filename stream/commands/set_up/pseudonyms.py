"""`swerve pseudonyms`: who is behind the names of an alert, told by whoever holds the key and the list of accounts."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from stream.commands.arguments import Config
from stream.configuration.settings import load
from stream.errors import UsageError
from stream.spoken import harmless


def command(
    subjects: Annotated[
        list[str],
        typer.Argument(metavar="SUBJECT...", help="acct_1, org=org_7; - reads one a line from standard input."),
    ],
    config: Config = None,
) -> None:
    """Print under which name Swerve knows each account or value with \\[privacy] key: the name, a tab, what was given.

    No name can be turned back. To learn who is in an alert, print the names of all your accounts and look there.
    """
    settings = load(config)
    if settings.privacy.key is None:
        raise UsageError("[privacy] key is not set (SWERVE_PRIVACY__KEY): accounts are known by their own names")
    given = (line.rstrip("\n") for line in sys.stdin) if subjects == ["-"] else iter(subjects)
    for subject in given:
        if subject:
            typer.echo(f"{settings.said_subject(subject).rpartition('=')[2]}\t{harmless(subject)}")
