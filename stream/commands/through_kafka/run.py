"""`swerve run`: all three Kafka stages in one process, for a small fleet."""

from __future__ import annotations

from stream.commands.arguments import Config, Dialect, MapFile, Port
from stream.configuration.settings import load
from stream.stages import stage


def command(config: Config = None, port: Port = None, dialect: Dialect = None, mapping: MapFile = None) -> None:
    """Run ingest, detect and correlate in one process. For a small fleet; the stages apart scale and outlive more."""
    from stream.correlate import worker as correlate
    from stream.detect import worker as detect
    from stream.ingest import worker as ingest

    work = {ingest.STAGE: ingest.work, detect.STAGE: detect.work, correlate.STAGE: correlate.work}
    stage.run(load(config).speaking(dialect, mapping), work, port)
