"""`swerve canary`: would a campaign be found in your traffic, with your configuration?"""

from __future__ import annotations

import typer

from stream.commands.arguments import Config
from stream.configuration.settings import load
from stream.errors import SwerveError
from stream.telemetry.canary import search


def command(config: Config = None) -> None:
    """Plant a campaign beside your traffic, look for it with your configuration, and say whether it was found."""
    found = search(load(config).parameters)
    if not found.is_found:
        raise SwerveError(f"the planted campaign was not found ({found}); see docs/runbook.md, swerve_canary")
    typer.echo(f"found: {found}")
