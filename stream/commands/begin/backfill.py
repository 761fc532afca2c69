"""How does Swerve begin with a past? `swerve backfill` reads weeks of logs and leaves the state for `swerve watch`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer
from msgspec.structs import replace

from detectors.counts.arrivals import ClockState
from stream.commands import replay
from stream.commands.arguments import Config, Dialect, Expected, Inputs, MapFile, Releases, made
from stream.commands.begin import history
from stream.commands.begin.history import Counted, History, LogRead, Records
from stream.configuration import settings
from stream.configuration.settings import Settings
from stream.contract.alert import SEVERITIES, Alert
from stream.errors import UsageError
from stream.pipeline.announced import Catalogue, read_catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, begins_ms, behind, in_order
from stream.report import ndjson
from stream.samples.nothing import refuse_nothing
from stream.sources.logs import Log, logs_of
from stream.sources.open import STANDARD_INPUT
from stream.spoken import moment
from stream.telemetry.missing import Missing
from stream.terminal.progress import progress_of

KEEP_EVERY_S = 60.0  # a crash costs what was read since; a million accounts take some three seconds to write
_TOLD_MAX = 20  # alerts, a line each; all of them are in --alerts


def command(
    inputs: Inputs,
    state: Annotated[
        Path,
        typer.Option("--state", metavar="FOLDER", help="Where the state is kept; the --state of swerve watch."),
    ],
    releases: Releases = None,
    expected: Expected = None,
    alerts: Annotated[
        Path | None, typer.Option("--alerts", metavar="FILE", help="Every alert record of the past (NDJSON).")
    ] = None,
    kafka: Annotated[
        bool, typer.Option("--kafka", help="Then hand the state to the Kafka stages, which stand and have none yet.")
    ] = False,
    dialect: Dialect = None,
    mapping: MapFile = None,
    config: Config = None,
) -> None:
    """Read weeks of logs, tell nobody, and leave the state as if Swerve had been running: swerve watch goes on from it.

    Says what would have been paged. What was broken off goes on where it was when the same line is typed again, and
    logs that came since are added; what was read before is not read again.
    """
    configured = settings.load(config).speaking(dialect, mapping)
    logs = logs_of([] if STANDARD_INPUT in inputs else inputs)
    if not logs or any(log.is_read_once for log in logs):
        raise UsageError("a pipe cannot be read again where this is broken off; name files, folders or a bucket")
    made(state)
    known = history.read(state)
    with Records(state, known.records_bytes if known else 0) as records:
        backfill = Backfill(configured, read_catalogue(releases, expected), state, records, known)
        backfill.through(logs)
    if alerts is not None:
        ndjson.replace("--alerts", alerts, records.path.read_bytes())
    for line in [*backfill.past(), *([] if kafka else [backfill.next_step()])]:
        typer.echo(line, err=alerts == ndjson.STANDARD_OUTPUT)
    replay.tell_what_had_no_room(backfill.embedded, backfill.fleet)
    replay.tell_disorder(logs, backfill.embedded.seen, configured.parameters)
    replay.refuse_what_was_not_read(logs)
    if backfill.embedded.seen.from_ms is None:
        refuse_nothing(backfill.embedded.seen, configured.reader())
    if kafka:
        _hand_over(configured, state)


def _hand_over(configured: Settings, folder: Path) -> None:
    from stream.commands.through_kafka.hand_over import hand_over

    known = history.read(folder)
    assert known is not None
    asyncio.run(hand_over(configured, folder, known, typer.echo))


class Backfill:
    """The composition, fed with the past; nothing of what it says is sent."""

    def __init__(
        self, configured: Settings, catalogue: Catalogue, folder: Path, records: Records, known: History | None
    ) -> None:
        """known: how far an earlier run came."""
        parameters = configured.parameters
        self.folder, self.records, self.known = folder, records, known
        self.before: dict[str, LogRead] = dict(known.logs) if known else {}
        self.clock = known.clock if known else ClockState()
        self.fleet = Fleet(parameters, catalogue.released_ms)
        self.fleet.expected = catalogue.announced(configured)
        Missing(self.fleet, lambda line: typer.echo(f"swerve: {line}", err=True))
        self._reader = configured.reader()
        self.embedded = Embedded(
            parameters,
            [],
            self.fleet,
            on_alerts=[records.extend],
            dialect=self._reader,
            shards=known.restored(parameters, self.fleet) if known else None,
        )
        replay.keep_within(configured.limits.memory_mb, self.embedded, self.fleet)
        if known is not None:
            self._count_on(known.counted)

    def _count_on(self, counted: Counted) -> None:
        seen = self.embedded.seen
        seen.no_requests = counted.no_requests
        seen.from_ms, seen.until_ms = counted.from_ms, counted.until_ms
        seen.not_counted.update(counted.not_counted)

    def through(self, logs: Sequence[Log]) -> None:
        """Read what is not in the state yet, and keep the state now and then, and at the end."""
        left = [log for log in logs if not self._is_read(log)]
        for log in left:
            self._begin(log)
        fresh = [log.path for log in left if log.path not in self.before]
        if fresh and len(fresh) == len(left):
            self.embedded.hand_on(self.clock, behind(self.embedded, fresh))
        batches = {log.path: log.batches(max(0, self.embedded.position(log.path))) for log in left}
        kept_s = time.monotonic()
        with progress_of(left) as progress:
            for source in in_order(self.embedded, batches, to_the_end=False):
                self.embedded.refusals(source)  # counted; swerve backtest --rejects shows them
                progress.moved(self.embedded.seen.records)
                if time.monotonic() - kept_s > KEEP_EVERY_S:
                    self._keep(left)
                    kept_s = time.monotonic()
        self._keep(left)

    def _is_read(self, log: Log) -> bool:
        was = self.before.get(log.path)
        if was is None or log.failure is not None:
            return False
        if not was.is_of(log):
            raise UsageError(
                f"{log.path}: another file than the one of this name that {self.folder} holds; give it another name, "
                "or backfill into another folder"
            )
        return was.is_whole and was.size == log.bytes_total

    def _begin(self, log: Log) -> None:
        """Where it was left; one that has grown since a line before, which may have been half a line."""
        was = self.before.get(log.path)
        if was is None:
            self.embedded.begin(log.path, begins_ms=begins_ms(log.first(), self._reader))
        else:
            self.embedded.begin(log.path, was.line - was.is_whole if was.line > 0 else -1, was.clock)

    def _keep(self, logs: Sequence[Log]) -> None:
        for log in logs:
            line, clock = self.embedded.position(log.path), self.embedded.clock_state(log.path)
            head = len(log.head)
            self.before[log.path] = LogRead(line, clock, log.bytes_total, head, log.mark(head), log.is_whole)
            if line >= 0 and clock.now_ms >= self.clock.now_ms:
                self.clock = clock
        seen = self.embedded.seen
        kept = History(
            logs=self.before,
            clock=self.clock,
            counted=Counted(seen.no_requests, dict(seen.not_counted), seen.from_ms, seen.until_ms),
            records_bytes=self.records.settled(),
            shards=self.embedded.shards.snapshot(),
            fleet=self.fleet.snapshot(),
        )
        history.keep(self.folder, kept)

    def past(self) -> list[str]:
        """What was read, and what would have been paged."""
        seen = self.embedded.seen
        records, refused = sum(max(one.line, 0) for one in self.before.values()), sum(seen.not_counted.values())
        course = f", {moment(seen.from_ms)} to {moment(seen.until_ms)}" if seen.from_ms is not None else ""
        past = would_have_been_told(history.past_alerts(self.folder))
        pages = sum(one.severity == "critical" for one in past)
        lines = [
            f"{records:,} records{course}; {seen.no_requests:,} of them no requests, {refused:,} not counted",
            f"would have paged {pages:,} times and opened {len(past) - pages:,} tickets; nobody was told",
            *(_line(one) for one in past[:_TOLD_MAX]),
        ]
        if len(past) > _TOLD_MAX:
            lines.append(f"  and {len(past) - _TOLD_MAX:,} more: --alerts FILE has them all")
        return lines

    def next_step(self) -> str:
        """What still fires, and what to type."""
        firing = sum(one.status == "firing" and one.severity != "info" for one in self.fleet.life.alerts())
        goes_on = f"{firing:,} still fire, and are told when it goes on" if firing else "nothing fires now"
        return f"{goes_on}: swerve watch LOG --state {self.folder}"


def would_have_been_told(records: Iterable[Alert]) -> list[Alert]:
    """The last record of every alert that a person would have heard of, at its highest severity, pages first."""
    last: dict[str, Alert] = {}
    worst: dict[str, str] = {}
    for one in records:
        last[one.alert_id] = one
        worst[one.alert_id] = max(worst.get(one.alert_id, "info"), one.severity, key=SEVERITIES.index)
    heard = [replace(one, severity=worst[alert_id]) for alert_id, one in last.items() if worst[alert_id] != "info"]
    return sorted(heard, key=lambda one: (one.severity != "critical", one.detected_at, one.alert_id))


def _line(one: Alert) -> str:
    word = "page" if one.severity == "critical" else "ticket"
    end = "still fires" if one.status == "firing" else f"ended {moment(one.resolved_at)}"
    return f"  {word:<7} {moment(one.detected_at)}, {end}  {one.alert_id}  {one.summary}"
