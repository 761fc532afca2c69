"""What was refused, and can it be sent again? `swerve dlq show | replay`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from stream.commands.arguments import Config
from stream.configuration.sections import Kafka
from stream.configuration.settings import load
from stream.ingest.deadletters import DETAIL, OFFSET, OURS, PARTITION, REASON, TOPIC, TRUNCATED, Headers
from stream.kafka import broker
from stream.kafka.bookmark import Bookmark
from stream.kafka.place import Place
from stream.terminal import shown

SHOWN_MAX = 200  # characters of a value
app = typer.Typer(help="Show refused records, or replay them.", no_args_is_help=True, add_completion=False)
Reason = Annotated[str | None, typer.Option("--reason", metavar="REASON", help="Only records refused for this reason.")]


@dataclass(frozen=True, slots=True)
class Refused:
    """One record of the dead-letter topic. headers: as the record came, without ours.

    truncated: what of it is not in the topic, for its size; empty where all of it is.
    """

    source: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    truncated: str
    at: int  # its offset in the dead-letter topic


def refused_of(record: Any) -> Refused | None:
    """What a message of the dead-letter topic says; None where somebody else wrote it.

    Ours are the last headers: a record that came with such names of its own keeps them.
    """
    came, added = record.headers[: -len(OURS)], record.headers[-len(OURS) :]
    if tuple(name for name, _ in added) != OURS:
        return None
    ours = {name: value.decode("utf-8", "replace") for name, value in added}
    truncated = ""
    if came and came[-1][0] == TRUNCATED:  # letters of earlier versions are without
        truncated, came = (came[-1][1] or b"").decode("utf-8", "replace"), came[:-1]
    return Refused(
        ours[TOPIC],
        int(ours[PARTITION]),
        int(ours[OFFSET]),
        ours[REASON],
        ours[DETAIL],
        record.key,
        record.value,
        tuple(came),
        truncated,
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


async def replay_all(kafka: Kafka, reason: str | None) -> tuple[int, list[Refused]]:
    """Send what was never replayed back to where it came from, unchanged; a bookmark remembers.

    Gives how many, and those that cannot be sent: what was cut to fit the dead-letter topic is no longer the record.
    """
    bookmark = Bookmark(kafka, f"{kafka.groups.ingest}-replay-{reason or 'all'}", kafka.topics.dlq)
    async with bookmark, broker.producer(kafka) as producer:
        first = (await bookmark.read() or {}).get(0, Place(0)).offset
        waiting, cut, upto = [], list[Refused](), first
        async for one in kept(kafka, reason, first):
            upto = one.at + 1
            if one.truncated:
                cut.append(one)
                continue
            headers = list(one.headers)
            waiting.append(
                await producer.send(one.source, one.value, key=one.key, partition=one.partition, headers=headers)
            )
        await asyncio.gather(*waiting)
        if upto > first:
            await bookmark.keep({0: Place(upto)})
    return len(waiting), cut


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
        shown.say(f"{count:>10,}  {name}")
    for one in latest:
        shown.say(f"{one.source}[{one.partition}]@{one.offset}  {one.reason}  {one.detail}")
        shown.say(f"    {(one.value or b'')[:SHOWN_MAX]!r}" + (f"  ({one.truncated})" if one.truncated else ""))
    typer.echo(f"{sum(counts.values()):,} records in {kafka.topics.dlq}")


@app.command(epilog="Example: [bold]swerve dlq replay --reason impossible_time[/bold]")
def replay(reason: Reason = None, config: Config = None) -> None:
    """Send refused records back to their topic, as they came; none a second time. What is still wrong returns here."""
    kafka = load(config).kafka
    sent, cut = asyncio.run(replay_all(kafka, reason))
    for one in cut:
        shown.say(
            f"{one.source}[{one.partition}]@{one.offset} is not sent again, for its letter is not whole: it is there"
        )
    typer.echo(f"{sent:,} records of {kafka.topics.dlq} sent again")
