"""`swerve sinks`: does the way to a person work, before it is needed?"""

from __future__ import annotations

import asyncio
import time

import typer

from stream.commands.arguments import Config
from stream.configuration.settings import load
from stream.errors import SwerveError, UsageError
from stream.sinks.catalogue import build, links_of
from stream.sinks.sink import Sink, SinkRefusedError, SinkUnreachableError
from stream.sinks.webhook import ended, example_of

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode="rich")


@app.callback()
def sinks() -> None:
    """The ways to a person."""


@app.command("test")
def try_out(config: Config = None) -> None:
    """Send a marked test alert, and its end, through every configured sink. Exit 1 when one did not take it."""
    settings = load(config)
    if not settings.sinks:
        raise UsageError("no sink is configured: add a [[sinks]] section to the configuration")
    links = links_of(settings)
    failed = asyncio.run(_all([(build(one, links), one.kind) for one in settings.sinks], int(1000 * time.time())))
    if failed:
        raise SwerveError(f"{len(failed)} of {len(settings.sinks)} sinks did not take it: {', '.join(failed)}")


async def _all(built: list[tuple[Sink, str]], now_ms: int) -> list[str]:
    results = await asyncio.gather(*(_one(sink, now_ms) for sink, _ in built))
    failed = []
    for (sink, kind), told in zip(built, results, strict=True):
        typer.echo(f"{sink.name} ({kind}): {told or 'taken'}", err=True)
        if told:
            failed.append(sink.name)
    return failed


async def _one(sink: Sink, now_ms: int) -> str:
    """What went wrong; empty where nothing did."""
    firing = example_of(now_ms)
    try:
        await sink.send([firing])
        await sink.send([ended(firing)])
    except (SinkUnreachableError, SinkRefusedError) as error:
        return str(error)
    finally:
        await sink.close()
    return ""
