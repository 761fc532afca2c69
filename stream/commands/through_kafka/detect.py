"""`swerve detect`."""

from __future__ import annotations

from stream.commands.arguments import Config, Port
from stream.configuration.settings import load
from stream.stages import stage


def command(config: Config = None, port: Port = None) -> None:
    """Count the frames of some partitions of accounts. Start as many as the accounts need, up to the partitions."""
    from stream.detect import worker

    stage.run(load(config), {worker.STAGE: worker.work}, port)
