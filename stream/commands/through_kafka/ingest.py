"""`swerve ingest`."""

from __future__ import annotations

from stream.commands.arguments import Config, Dialect, MapFile, Port
from stream.configuration.settings import load
from stream.stages import stage


def command(config: Config = None, port: Port = None, dialect: Dialect = None, mapping: MapFile = None) -> None:
    """Read requests, check them, and send them on in frames. Start as many as the traffic needs."""
    from stream.ingest import worker

    stage.run(load(config).speaking(dialect, mapping), {worker.STAGE: worker.work}, port)
