"""What would Swerve have said of these logs? The same detectors, in event time, as fast as the machine goes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import orjson
import typer

from stream.commands import replay as reading
from stream.commands.arguments import Config, Dialect, Expected, Inputs, MapFile, Releases
from stream.commands.begin.apart import counted_apart, reject_rows
from stream.commands.begin.recount import recounting
from stream.configuration import settings
from stream.configuration.settings import Settings
from stream.contract import alert
from stream.contract.alert import Alert
from stream.errors import UsageError
from stream.pipeline.announced import Catalogue, read_catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, Seen
from stream.report import ndjson
from stream.report.history import AlertHistory, FleetHistory
from stream.report.ndjson import Output
from stream.report.network import Lately, Networks
from stream.report.page import Told, render
from stream.samples.nothing import refuse_nothing
from stream.sources.logs import Log, logs_of
from stream.telemetry.missing import Missing
from stream.terminal import shown
from stream.terminal.progress import Progress, progress_of


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run reads and where it writes; None: not wanted. workers: processes, 1 or 2."""

    inputs: Sequence[str]
    alerts: Path | None = None
    accounts: Path | None = None
    rejects: Path | None = None
    counts: Path | None = None
    report: Path | None = None
    workers: int = 1


@dataclass(slots=True)
class Outcome:
    """What a run found. seconds: on the wall. logs: what it read."""

    seen: Seen
    fleet: Fleet
    seconds: float = 0.0
    logs: Sequence[Log] = ()


def command(
    inputs: Inputs,
    releases: Releases = None,
    expected: Expected = None,
    alerts: Annotated[
        Path | None, typer.Option("--alerts", metavar="FILE", help="Every alert record, as it was emitted (NDJSON).")
    ] = None,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", metavar="FILE", help="Every account that was named, best first.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option("--rejects", metavar="FILE", help="Every refused record, with line and reason.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="FILE.html", help="One self-contained page for a person.")
    ] = None,
    counts: Annotated[
        Path | None, typer.Option("--counts", metavar="FILE", help="Requests per account, target and tick.")
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            "--workers", metavar="1|2", min=1, max=2, help="Processes: with 2 one reads and counts, another judges."
        ),
    ] = 1,
    dialect: Dialect = None,
    mapping: MapFile = None,
    config: Config = None,
) -> None:
    """Replay logs through the detectors: what would have been said, when, and of whom.

    Exit 0 when it ran to the end, whatever it found; 2 where arguments or configuration cannot be used; 1 on a failure,
    such as a log that could not be read whole: what could be read is judged, and written, all the same.
    """
    configured = settings.load(config).speaking(dialect, mapping)
    asked = Asked(inputs, alerts, accounts, rejects, counts, report, workers)
    _refuse_unwritable("--accounts", accounts)
    _refuse_unwritable("--report", report)
    outcome = run(asked, configured, read_catalogue(releases, expected))
    shown.say(closing_line(outcome), err=ndjson.STANDARD_OUTPUT in (alerts, accounts, rejects, counts, report))
    reading.tell_disorder(outcome.logs, outcome.seen, configured.parameters)
    reading.refuse_what_was_not_read(outcome.logs)
    refuse_nothing(outcome.seen, configured.reader())


def run(asked: Asked, configured: Settings, catalogue: Catalogue) -> Outcome:
    """Read all inputs to their end. Raises SwerveError and UsageError in words for a person."""
    logs = logs_of(asked.inputs)
    _refuse_mix_ups(asked, logs)
    with ExitStack() as stack:
        outputs = _Outputs(asked, stack)
        replay = _Replay(configured, catalogue, outputs)
        began = time.monotonic()
        with progress_of(logs) as progress:
            if asked.workers == 1:
                replay.through(logs, progress)
            else:
                replay.through_another(logs, progress)
        reading.tell_what_had_no_room(replay.embedded, replay.fleet)
        outcome = Outcome(replay.embedded.seen, replay.fleet, time.monotonic() - began, logs)
        outputs.at_the_end(asked, replay, outcome)
    return outcome


class _Outputs:
    """The files that grow while the run goes on."""

    def __init__(self, asked: Asked, stack: ExitStack) -> None:
        def opened(flag: str, path: Path | None) -> Output | None:
            return stack.enter_context(Output(flag, path)) if path is not None else None

        self.alerts = opened("--alerts", asked.alerts)
        self.rejects = opened("--rejects", asked.rejects)
        self.counts = opened("--counts", asked.counts)
        self.with_report = asked.report is not None

    def at_the_end(self, asked: Asked, replay: _Replay, outcome: Outcome) -> None:
        """What is known only now: who was named, and the page."""
        if asked.accounts is not None:
            ndjson.replace("--accounts", asked.accounts, _account_rows(replay.fleet))
        if asked.report is not None:
            ndjson.replace("--report", asked.report, render(replay.told(outcome)).encode())


class _Replay:
    """One run: the composition, fed from files."""

    def __init__(self, configured: Settings, catalogue: Catalogue, outputs: _Outputs) -> None:
        parameters = configured.parameters
        self.configured, self.parameters = configured, parameters
        self.reader = configured.reader()
        self.catalogue = catalogue
        self.outputs = outputs
        self.fleet_history = FleetHistory(parameters.tick_ms)
        self.alert_history = AlertHistory(parameters.tick_ms)
        self.networks = Networks()
        self.changes: list[Alert] = []
        self.fleet = Fleet(parameters, catalogue.released_ms)
        self.fleet.expected = catalogue.announced(configured)
        Missing(self.fleet, lambda line: shown.say(f"swerve: {line}", err=True))
        drawn = outputs.with_report
        self.embedded = Embedded(
            parameters,
            [],
            self.fleet,
            on_summary=[self.fleet_history.see, self.alert_history.see] if drawn else [],
            on_alerts=[self._written, *([self._drawn, self.changes.extend] if drawn else [])],
            dialect=self.reader,
        )
        reading.keep_within(configured.limits.memory_mb, self.embedded, self.fleet)
        if outputs.counts is not None:
            recounting(self.embedded.shards, outputs.counts.rows)

    def through(self, logs: Sequence[Log], progress: Progress) -> None:
        """Read everything, write what was refused, and show how far it is."""
        for source in reading.through(self.embedded, logs, self.reader):
            self._rejected(source)
            progress.moved(self.embedded.seen.records)

    def through_another(self, logs: Sequence[Log], progress: Progress) -> None:
        """The same, where another process reads and counts."""
        by_path = {log.path: log for log in logs}
        outputs, embedded = self.outputs, self.embedded
        with counted_apart(self.configured, logs, outputs.rejects is not None, outputs.counts is not None) as parts:
            for part in parts:
                for summary in part.summaries:
                    embedded.judge(summary)
                if outputs.rejects is not None:
                    outputs.rejects.rows(part.rejects)
                if outputs.counts is not None:
                    outputs.counts.rows(part.counts)
                for path, done in part.logs.items():
                    by_path[path].read_elsewhere(done)
                part.seen.alerts = embedded.seen.alerts
                embedded.shards.without_room = part.without_room
                embedded.seen = part.seen
                progress.moved(part.seen.records)

    def _drawn(self, alerts: Sequence[Alert]) -> None:
        self.alert_history.changed(alerts, self.fleet.life.member_ids)
        lately = Lately.of(self.fleet.at_ms, self.fleet.judge.carriers, self.fleet.judge.last_tick)
        for one in alerts:
            self.networks.see(one, self.fleet.life.member_ids(one.alert_id), lately)

    def _written(self, changed: Sequence[Alert]) -> None:
        if self.outputs.alerts is not None:
            self.outputs.alerts.lines(alert.encode(one) for one in changed)

    def _rejected(self, source: str) -> None:
        refused = self.embedded.refusals(source)
        if self.outputs.rejects is not None:
            self.outputs.rejects.rows(reject_rows(source, refused))

    def told(self, outcome: Outcome) -> Told:
        """What the page needs."""
        seen = outcome.seen
        return Told(
            inputs=["standard input" if log.path == "-" else log.path for log in outcome.logs],
            parameters=self.parameters,
            fleet=self.fleet_history,
            courses=self.alert_history,
            releases=[(release.model, release.released_at_ms) for release in self.catalogue.releases]
            + [(release.model, release.released_ms) for release in self.fleet.judge.releases.unannounced()],
            records=seen.records,
            refused=seen.not_counted,
            from_ms=seen.from_ms,
            until_ms=seen.until_ms,
            seconds=outcome.seconds,
            changes=self.changes,
            watched=self.fleet.judge.watch.rows,
            networks=self.networks,
        )


def _refuse_mix_ups(asked: Asked, logs: Sequence[Log]) -> None:
    """No two outputs in one file, and never an output over an input: that would destroy the log."""
    read = {_file_at(Path(log.path)) for log in logs if log.path != "-"}
    written: dict[Path | tuple[int, int], str] = {}
    for flag in ("alerts", "accounts", "rejects", "counts", "report"):
        path: Path | None = getattr(asked, flag)
        if path is None or (path.exists() and not path.is_file()):
            continue
        if _file_at(path) in read:
            raise UsageError(f"--{flag} {path} is also an INPUT; writing would destroy the log")
        other = written.setdefault(_file_at(path), flag)
        if other != flag:
            raise UsageError(f"--{flag} and --{other} are both {path}; each needs a file of its own")


def _file_at(path: Path) -> Path | tuple[int, int]:
    """What all names of one file share, a hard link's too; the path where there is none yet."""
    try:
        status = path.stat()
    except OSError:
        return path.resolve()
    return status.st_dev, status.st_ino


def _refuse_unwritable(flag: str, path: Path | None) -> None:
    """What is written at the end must be writable at the start: nobody wants to learn it an hour later."""
    if path is None or path == ndjson.STANDARD_OUTPUT:
        return
    if path.is_dir():
        raise UsageError(f"{flag} {path}: is a directory; expected a file")
    if not path.parent.is_dir():
        raise UsageError(f"{flag} {path}: no such folder as {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{flag} {path}: no permission to write it")


def _account_rows(fleet: Fleet) -> bytes:
    """--accounts, best first."""
    return b"".join(orjson.dumps(msgspec.structs.asdict(one)) + b"\n" for one in fleet.named_accounts())


def closing_line(outcome: Outcome) -> str:
    """The one line on standard output: read, refused, alerts, time."""
    seen = outcome.seen
    rate = f", {seen.records / outcome.seconds:,.0f}/s" if outcome.seconds > 0 and seen.records else ""
    return (
        f"{reading.went_through(seen)}; "
        f"{seen.alerts['critical']} critical, {seen.alerts['warning']} warning, {seen.alerts['info']} info; "
        f"{outcome.seconds:.1f} s{rate}"
    )
