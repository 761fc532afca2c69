"""`swerve ingest`."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from stream.commands.arguments import Config, Dialect, MapFile, Port
from stream.configuration.settings import load
from stream.stages import stage

ResetClocks = Annotated[
    bool, typer.Option("--reset-clocks", help="Begin the clock of every partition anew, where wrong records set it.")
]


def command(
    config: Config = None,
    port: Port = None,
    dialect: Dialect = None,
    mapping: MapFile = None,
    reset_clocks: ResetClocks = False,
) -> None:
    """Read requests, check them, and send them on in frames. Start as many as the traffic needs."""
    from stream.ingest import worker

    stage.run(
        load(config).speaking(dialect, mapping), {worker.STAGE: partial(worker.work, reset_clocks=reset_clocks)}, port
    )
