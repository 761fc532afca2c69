"""What is happening now? A growing log through the same composition, alerts to the sinks, without Kafka."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from stream.commands.arguments import Config, Dialect, Expected, MapFile, Port, Releases, made
from stream.commands.begin import history
from stream.commands.begin.keeping import Keeping
from stream.commands.begin.listen import Listening, following, listening
from stream.commands.replay import keep_within, went_through
from stream.configuration import settings
from stream.configuration.sections import Http, StdoutSink
from stream.configuration.settings import Settings
from stream.console.actions import muted
from stream.console.desk import Desk
from stream.console.health import Health
from stream.console.routes.site import attach
from stream.contract.alert import Alert
from stream.errors import UsageError
from stream.oncall.attention import AttentionBook
from stream.oncall.silence import daily
from stream.oncall.silence.in_force import Silence
from stream.oncall.voice import EmbeddedVoice
from stream.pipeline.announced import Catalogue, read_catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded
from stream.receiver.inbox import Memory
from stream.report.history import FleetHistory
from stream.samples.nothing import refuse_nothing
from stream.sinks.catalogue import deliveries
from stream.sinks.delivery import Deliveries
from stream.sources.growing import Growing
from stream.spoken import percent
from stream.telemetry import log, without_kafka
from stream.telemetry.canary import watch_over
from stream.telemetry.missing import Missing
from stream.terminal import shown
from stream.terminal.view import Screen, draw

SOURCE = "watched log"
WAIT_S = 0.5
DRAIN_S = 10.0


def command(
    path: Annotated[
        str | None, typer.Argument(metavar="FILE|-", help="A growing log of NDJSON; - is standard input.")
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen", metavar="HOST:PORT", help="Take OTLP over HTTP here and keep it in FILE; in memory without one."
        ),
    ] = None,
    releases: Releases = None,
    expected: Expected = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            metavar="FOLDER",
            help="Keep here what was counted, judged and told, so that a restart goes on; also from a swerve backfill.",
        ),
    ] = None,
    port: Port = None,
    dialect: Dialect = None,
    mapping: MapFile = None,
    config: Config = None,
) -> None:
    """Follow a growing log, or standard input: alerts to the sinks, metrics over HTTP, without Kafka.

    What is in the log already is learnt from and judged, but told to nobody, except for what still fires when that is
    done. Without sinks in the configuration, alert records go to standard output, or into the view on a terminal.
    """
    configured = settings.load(config).speaking(dialect, mapping)
    console = shown.console()
    if not configured.sinks and not console.is_terminal:
        configured = configured.model_copy(update={"sinks": (StdoutSink(kind="stdout"),)})
    # On a terminal lines of the log would tear the picture; it says itself when a sink does not take alerts.
    log.set_up(level="critical" if console.is_terminal else "info")
    if state is not None:
        made(state)
    http = configured.http if port is None else configured.http.model_copy(update={"port": port})
    source = None if listen is None else listening(listen, path, configured)
    if source is None and path is None:
        raise UsageError("nothing to watch: expected FILE, - or --listen HOST:PORT")
    if source is not None:
        configured = following(configured)
    followed = Growing(str(path)) if source is None else source.followed
    watch = Watch(configured, read_catalogue(releases, expected), followed, state, source)
    try:
        asyncio.run(_served(watch, console, http))
    finally:
        if watch.embedded.seen.records:
            shown.say(watch.closing_line(), err=True)
    if source is None and not watch.has_past:  # a past has been counted: nothing new is no failure
        refuse_nothing(watch.embedded.seen, configured.reader())


class Watch:
    """The composition, fed from one growing log; and what of its alerts is told. source: what receives, if any."""

    def __init__(
        self,
        configured: Settings,
        catalogue: Catalogue,
        log_: Growing | Memory,
        state: Path | None = None,
        source: Listening | None = None,
    ) -> None:
        parameters = configured.parameters
        self.growing = log_
        self.source = source
        self.attention = AttentionBook(None if state is None else state / "attention.json")
        self.fleet = Fleet(parameters, catalogue.released_ms)
        self.fleet.expected = catalogue.announced(configured)
        self.history = FleetHistory(parameters.tick_ms)
        known = None if state is None else history.read(state)
        self.has_past = known is not None
        self._keeping = None if state is None else Keeping(state, known)
        self.embedded = Embedded(
            parameters,
            [SOURCE],
            without_kafka.Metered(self.fleet, parameters.lateness_ms, self._state_of),
            on_summary=[self.history.see],
            dialect=configured.reader(),
            shards=None if known is None else known.restored(parameters, self.fleet),
        )
        keep_within(configured.limits.memory_mb, self.embedded, self.fleet)
        self.screen = Screen(f"swerve watch: {'standard input' if log_.path == '-' else log_.path}", self.history)
        self.desk = Desk(configured, ready=self.why_not)
        self.desk.view.follow(self.fleet)
        Missing(self.fleet, log.get("swerve.watch").warning)
        self.desk.voice = EmbeddedVoice(self.fleet, None if state is None else state / "words.json", self.attention)
        self.deliveries: Deliveries = deliveries(configured, self.attention.of, ledgers=state)
        self.idle_s = configured.ticks.idle_s
        self.is_live = False
        self._intake = without_kafka.Intake()
        self._offset = 0
        self._already = 0  # lines of the log that the past holds
        self._latest: dict[str, Alert] = {}  # what was not told yet, since the log was only caught up with
        self._came_at = time.monotonic()
        self._is_idle = False
        if known is not None:
            self._go_on(known)

    def _go_on(self, known: history.History) -> None:
        """From a past: with its clock, behind what it holds of this log, and with what fires told once all is read."""
        self.embedded.shards.leave()
        self.embedded.begin(SOURCE, clock=known.clock)
        self._latest.update((one.alert_id, one) for one in self.fleet.life.alerts() if one.status == "firing")
        self._already = known.lines_of(self.growing.path)

    def _state_of(self, alert_id: str) -> str:
        return self.attention.entry(alert_id).at(_now_ms()).state

    def muted(self) -> list[Silence]:
        """What keeps alerts from people now; nothing while it only catches up."""
        return muted(self.desk) if self.is_live else []

    def why_not(self) -> str | None:
        """Why it is not ready: it still reads what was there before."""
        part = self.growing.part_before
        return None if self.is_live else f"reads what is in the log already: {percent(part or 0.0)} of it"

    def step(self) -> list[Alert] | None:
        """Take what came and judge it: the changed records; None when nothing will ever follow. Waits up to 0.5 s."""
        lines = self.growing.take(WAIT_S)
        self._count_refused()
        if lines is None:
            return None
        if lines:
            self._read(lines)
            self._came_at, self._is_idle = time.monotonic(), False
            return self.embedded.advance(SOURCE, received_ms=_now_ms())
        if not self._is_idle and time.monotonic() - self._came_at > self.idle_s:
            # What waits for 16 later records would wait for ever.
            self._is_idle = True
            return self.embedded.advance(SOURCE, idle=True, received_ms=_now_ms())
        return []

    def keep(self, only_if_due: bool = False) -> None:
        """Keep the state in its folder, where there is one, for a restart to go on from. Raises SwerveError."""
        if self._keeping is not None and (self._keeping.is_due() or not only_if_due):
            counted = max(self.embedded.position(SOURCE) + 1, self._already)
            self._keeping.keep(SOURCE, self.embedded, self.fleet, self.growing, counted)

    def stop(self) -> list[Alert]:
        """Asked to stop: what of a pipe waits for later records is judged, since it comes once; then keep the state."""
        is_pipe = isinstance(self.growing, Growing) and self.growing.is_pipe
        alerts = self.embedded.advance(SOURCE, idle=True, received_ms=_now_ms()) if is_pipe else []
        self.keep()
        return alerts

    def end(self) -> list[Alert]:
        """Nothing will follow: judge everything that is open; what a restart may go on from is kept before that."""
        self._read(self.growing.rest())
        alerts: list[Alert] = []
        if self._keeping is not None:
            alerts = self.embedded.advance(SOURCE, idle=True, received_ms=_now_ms())
            self.keep()
            self._keeping = (
                None  # what is closed early now is for whoever looks: what comes after a restart is not late
            )
        return alerts + self.embedded.advance(SOURCE, ended=True, received_ms=_now_ms())

    def _count_refused(self) -> None:
        """What the receiver refused never comes into the log."""
        if self.source is not None and (refused := self.source.receiver.refused()):
            self.embedded.seen.records += refused.total()
            self.embedded.seen.not_counted += refused

    def _read(self, lines: Sequence[bytes]) -> None:
        first, self._offset = self._offset, self._offset + len(lines)
        skipped = max(0, min(len(lines), self._already - first))
        self.embedded.read(SOURCE, lines[skipped:], range(first + skipped, self._offset))

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Hand records to the sinks, once what was in the log before is read; then what fires, and ends known there."""
        self._intake.tell(self.embedded, [SOURCE])
        self.embedded.refusals(SOURCE)  # counted; nobody keeps them here
        self.screen.changed(alerts)
        if self.is_live:
            for alert in alerts:
                self.deliveries.offer(alert)
            return
        self._latest.update((alert.alert_id, alert) for alert in alerts)
        if self.growing.part_before is None:
            self.go_live()

    def go_live(self) -> None:
        """What was there before is read: tell what fires, and what ended since it was told."""
        self.is_live = True
        without_kafka.ready()
        for alert in self._latest.values():
            told = any(one.ledger.last(alert.alert_id) is not None for one in self.deliveries.each)
            if alert.status == "firing" or told:
                self.deliveries.offer(alert)
        self._latest.clear()

    def closing_line(self) -> str:
        """What went through, for the end."""
        seen = self.embedded.seen
        return (
            f"{went_through(seen)}; "
            f"{seen.alerts['critical']} critical, {seen.alerts['warning']} warning, {seen.alerts['info']} info"
        )


def _now_ms() -> int:
    return int(1000 * time.time())


async def _served(watch: Watch, console: Console, http: Http) -> None:
    without_kafka.serving()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    served = Health(http, ready=watch.why_not)
    attach(watch.desk, served.app)
    async with AsyncExitStack() as servers:
        health = await servers.enter_async_context(served)
        watch.screen.address = health.address
        log.get("swerve.watch").info("serving", address=health.address, log=watch.growing.path)
        if watch.source is not None:
            door = await servers.enter_async_context(watch.source.served(watch.why_not))
            log.get("swerve.watch").info("receiving", address=door.address)
        watch.deliveries.start()
        canary = asyncio.create_task(watch_over(watch.embedded.parameters, watch.deliveries.offer))
        summary = asyncio.create_task(daily.watch_over(watch.muted, watch.deliveries.offer))
        try:
            with ExitStack() as shown:
                live = _live(watch, console, shown)
                await _follow(watch, stop, live)
                if watch.source is not None:
                    await _no_more(watch, watch.source)
                watch.tell(await asyncio.to_thread(watch.stop))
        finally:
            canary.cancel()
            summary.cancel()
            watch.growing.close()
            await watch.deliveries.close(DRAIN_S)


def _live(watch: Watch, console: Console, shown: ExitStack) -> Live | None:
    if not console.is_terminal:
        return None
    return shown.enter_context(Live(draw(watch.screen), console=console, refresh_per_second=4))


async def _follow(watch: Watch, stop: asyncio.Event, live: Live | None) -> None:
    """Step by step, in a thread, so that HTTP and sinks go on meanwhile."""
    rate = Rate()
    while not stop.is_set():
        await asyncio.to_thread(watch.keep, only_if_due=True)
        alerts = await asyncio.to_thread(watch.step)
        ended = alerts is None
        watch.tell(await asyncio.to_thread(watch.end) if alerts is None else alerts)
        if live is not None:
            _show(watch, rate)
            live.update(draw(watch.screen))
        if ended:
            return


async def _no_more(watch: Watch, source: Listening) -> None:
    """Take nothing more; what is in memory alone is judged, for nobody will hear of it again."""
    source.close()
    if source.log is None:
        watch.tell(await asyncio.to_thread(watch.end))


def _show(watch: Watch, rate: Rate) -> None:
    screen = watch.screen
    clock_ms = watch.embedded.clock_ms(SOURCE)
    screen.clock_ms = clock_ms if clock_ms > 0 else None
    screen.records = watch.embedded.seen.records
    screen.records_per_s = rate.of(screen.records, time.monotonic())
    screen.watched = watch.fleet.judge.watch.rows
    screen.part = None if watch.is_live else watch.growing.part_before
    waiting = [f"{one.name}: {one.backlog:,} alert records wait" for one in watch.deliveries.each if one.backlog]
    screen.note = ", ".join(waiting)


class Rate:
    """Records a second over the last seconds.

    >>> rate = Rate()
    >>> rate.of(0, 0.0), rate.of(100, 1.0), rate.of(100, 20.0)
    (0.0, 100.0, 0.0)
    """

    OVER_S = 5.0

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def of(self, records: int, now_s: float) -> float:
        """Note how many there are now; gives the rate since the oldest note of the last seconds."""
        self._seen = [(at, count) for at, count in self._seen if now_s - at <= self.OVER_S][-50:]
        self._seen.append((now_s, records))
        first_s, first = self._seen[0]
        return (records - first) / (now_s - first_s) if now_s > first_s else 0.0
