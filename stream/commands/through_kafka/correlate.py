"""`swerve correlate`."""

from __future__ import annotations

from stream.commands.arguments import Config, Port
from stream.configuration.settings import load
from stream.stages import stage


def command(config: Config = None, port: Port = None) -> None:
    """Judge the fleet, tick by tick, and raise alerts. Start two: one judges, the other takes over when it dies."""
    from stream.correlate import worker

    stage.run(load(config), {worker.STAGE: worker.work}, port)
