"""What was refused, and can it be sent again? `swerve dlq show | replay`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from stream import kafka as broker
from stream.arguments import Config
from stream.bookmark import Bookmark
from stream.ingest.deadletters import DETAIL, OFFSET, OURS, PARTITION, REASON, TOPIC, Headers
from stream.place import Place
from stream.sections import Kafka
from stream.settings import load

SHOWN_MAX = 200  # characters of a value
app = typer.Typer(help="Show refused records, or replay them.", no_args_is_help=True, add_completion=False)
Reason = Annotated[str | None, typer.Option("--reason", metavar="REASON", help="Only records refused for this reason.")]


@dataclass(frozen=True, slots=True)
class Refused:
    """One record of the dead-letter topic. headers: as the record came, without ours."""

    source: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    at: int  # its offset in the dead-letter topic


def refused_of(record: Any) -> Refused | None:
    """What a message of the dead-letter topic says; None where somebody else wrote it.

    Ours are the last headers: a record that came with such names of its own keeps them.
    """
    came, added = record.headers[: -len(OURS)], record.headers[-len(OURS) :]
    if tuple(name for name, _ in added) != OURS:
        return None
    ours = {name: value.decode("utf-8", "replace") for name, value in added}
    return Refused(
        ours[TOPIC],
        int(ours[PARTITION]),
        int(ours[OFFSET]),
        ours[REASON],
        ours[DETAIL],
        record.key,
        record.value,
        tuple(came),
        record.offset,
    )


async def kept(kafka: Kafka, reason: str | None = None, first: int = 0) -> AsyncIterator[Refused]:
    """Every refused record from this offset of the dead-letter topic on, each once: a crash of ingest repeats some."""
    seen: set[tuple[str, int, int]] = set()
    async for record in broker.read_to_end(kafka, kafka.topics.dlq):
        one = refused_of(record)
        if one is None or (one.source, one.partition, one.offset) in seen:
            continue
        seen.add((one.source, one.partition, one.offset))
        if one.at >= first and reason in (None, one.reason):
            yield one


async def replay_all(kafka: Kafka, reason: str | None) -> int:
    """Send what was never replayed back to where it came from, unchanged; gives how many. A bookmark remembers."""
    bookmark = Bookmark(kafka, f"{kafka.groups.ingest}-replay-{reason or 'all'}", kafka.topics.dlq)
    async with bookmark, broker.producer(kafka) as producer:
        first = (await bookmark.read() or {}).get(0, Place(0)).offset
        waiting, upto = [], first
        async for one in kept(kafka, reason, first):
            headers = list(one.headers)
            waiting.append(
                await producer.send(one.source, one.value, key=one.key, partition=one.partition, headers=headers)
            )
            upto = one.at + 1
        await asyncio.gather(*waiting)
        if waiting:
            await bookmark.keep({0: Place(upto)})
    return len(waiting)


@app.command(epilog="Example: [bold]swerve dlq show --reason bad_timestamp --last 5[/bold]")
def show(
    reason: Reason = None,
    last: Annotated[int, typer.Option("--last", min=0, metavar="N", help="Print the last N in full.")] = 10,
    config: Config = None,
) -> None:
    """Count refused records by reason, and print the last ones with where they came from and what was expected."""
    asyncio.run(_show(load(config).kafka, reason, last))


async def _show(kafka: Kafka, reason: str | None, last: int) -> None:
    counts: Counter[str] = Counter()
    latest: list[Refused] = []
    async for one in kept(kafka, reason):
        counts[one.reason] += 1
        latest = [*latest, one][-last:] if last else []
    for name, count in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
        typer.echo(f"{count:>10,}  {name}")
    for one in latest:
        typer.echo(f"{one.source}[{one.partition}]@{one.offset}  {one.reason}  {one.detail}")
        typer.echo(f"    {(one.value or b'')[:SHOWN_MAX]!r}")
    typer.echo(f"{sum(counts.values()):,} records in {kafka.topics.dlq}")


@app.command(epilog="Example: [bold]swerve dlq replay --reason impossible_time[/bold]")
def replay(reason: Reason = None, config: Config = None) -> None:
    """Send refused records back to their topic, as they came; none a second time. What is still wrong returns here."""
    kafka = load(config).kafka
    sent = asyncio.run(replay_all(kafka, reason))
    typer.echo(f"{sent:,} records of {kafka.topics.dlq} sent again")
