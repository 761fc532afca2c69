"""`swerve release`: announce a model, so that its adoption is known for what it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from stream.commands.arguments import Config
from stream.commands.on_call import reach
from stream.configuration.settings import load
from stream.contract.reading.refusal import Refusal
from stream.contract.release import decode_release
from stream.errors import UsageError
from stream.oncall.moment import moment_ms


def command(
    model: Annotated[str, typer.Argument(help="As requests name it: atlas-4.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When: now, +2h, or RFC 3339.")] = "now",
    family: Annotated[str | None, typer.Option("--family", help="Of which it is a version.")] = None,
    supersedes: Annotated[str | None, typer.Option("--supersedes", metavar="MODEL", help="Its forerunner.")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="FILE", help="Into this JSON array instead.")] = None,
    config: Config = None,
) -> None:
    """Announce a model release: to the topic of releases, or with --file for backtest and watch."""
    settings = load(config)
    record: dict[str, Any] = {"model": model, "released_at": moment_ms(at, int(1000 * time.time()), "--at")}
    record |= {key: value for key, value in (("family", family), ("supersedes", supersedes)) if value is not None}
    try:
        decode_release(orjson.dumps(record))
    except Refusal as refusal:
        raise UsageError(f"swerve release: {refusal.detail}") from None
    if file is not None:
        reach.put_in_file(file, "model", record)
    else:
        reach.publish(settings, settings.kafka.topics.releases, model, record)
    typer.echo(f"announced: {model}")
