"""How are many logs read as one history? In order of event time; and what could not be read is told at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import typer

from detectors.parameters import Parameters
from stream.configuration.memory import given_bytes, state_bytes
from stream.errors import SwerveError
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, Seen, begins_ms, in_order
from stream.pipeline.encode import Dialect
from stream.sources.logs import Log
from stream.spoken import percent

DISORDER_MIN = 10  # records that come late; fewer say nothing of a log
DISORDER_SHARE = 0.01  # of a log's records: as much comes late in any log; more is a log that is not sorted by time
_TOLD_MAX = 20  # logs, one line each; of a thousand that fail for one reason nobody reads more


def through(embedded: Embedded, logs: Sequence[Log], dialect: Dialect | None) -> Iterator[str]:
    """Read logs of which the embedded composition knows nothing yet, to their end; gives a path after each batch."""
    for log in logs:
        embedded.begin(log.path, begins_ms=begins_ms(log.first(), dialect))
    return in_order(embedded, {log.path: log.batches() for log in logs})


def keep_within(memory_mb: int, embedded: Embedded, fleet: Fleet | None = None) -> None:
    """Hold no more than this process has memory for. memory_mb: what is configured; 0 is what it is given. fleet: None
    where another process judges."""
    held = state_bytes(given_bytes(memory_mb), ("ingest", "detect", "correlate"))
    embedded.shards.bytes_max = held["detect"]
    if fleet is not None:
        fleet.keep_within(held["correlate"])


def tell_what_had_no_room(embedded: Embedded, fleet: Fleet) -> None:
    """Say what was left out for want of memory, and what to do."""
    requests, memberships = embedded.shards.without_room, fleet.judge.carriers.dropped
    room = fleet.judge.room
    if requests or memberships or room.left_out or room.unnamed:
        typer.echo(
            f"swerve: not enough memory for all accounts: {requests:,} requests of new ones were left out, "
            f"{memberships:,} memberships forgotten, {room.left_out:,} accounts and {room.unnamed:,} targets of an "
            "hour not judged; give it more, or raise [limits] memory_mb",
            err=True,
        )


def went_through(seen: Seen) -> str:
    """How much was read and counted, in words. A line may be an array or a batch, and hold many requests, or none.

    >>> went_through(Seen(records=2, accepted=500, no_requests=1))
    '2 records read, 500 requests in them, 1 of them no requests, 0 not counted'
    """
    held = f"{seen.accepted:,} requests in them, " if seen.accepted > seen.records else ""
    others = f"{seen.no_requests:,} of them no requests, " if seen.no_requests else ""
    return f"{seen.records:,} records read, {held}{others}{sum(seen.not_counted.values()):,} not counted"


def tell_disorder(logs: Sequence[Log], seen: Seen, parameters: Parameters) -> None:
    """Say which logs are not in order of time, how far that was borne, and what to do."""
    wrong = [log for log in logs if seen.late[log.path] > max(DISORDER_MIN, DISORDER_SHARE * log.records)]
    for log in wrong[:_TOLD_MAX]:
        late = seen.late[log.path]
        typer.echo(
            f"swerve: {log.path}: out of order: {late:,} of {log.records:,} records ({percent(late / log.records)}) "
            f"lie more than {parameters.lateness_ms // 1000} s behind those before them, and count as late_event; sort "
            "it by time, or raise [ticks] lateness_ms",
            err=True,
        )
    _and_more(len(wrong))


def refuse_what_was_not_read(logs: Sequence[Log]) -> None:
    """Raises SwerveError where a log was not read whole, after a line for each where there are several logs."""
    wrong = [log.failure for log in logs if log.failure is not None]
    if not wrong:
        return
    if len(logs) == 1:
        raise SwerveError(wrong[0])
    for failure in wrong[:_TOLD_MAX]:
        typer.echo(f"swerve: {failure}", err=True)
    _and_more(len(wrong))
    in_part = sum(log.failure is not None and log.records > 0 for log in logs)
    raise SwerveError(
        f"{len(logs) - len(wrong)} of {len(logs)} logs were read whole, {in_part} in part, {len(wrong) - in_part} not "
        "at all"
    )


def _and_more(count: int) -> None:
    if count > _TOLD_MAX:
        typer.echo(f"swerve: and {count - _TOLD_MAX:,} more like these", err=True)
