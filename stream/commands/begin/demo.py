"""What does Swerve do? A simulated fleet, watched live by the composition that runs everywhere, and then the truth."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from stream.commands.arguments import Config, Port
from stream.configuration import settings
from stream.configuration.sections import Http
from stream.configuration.settings import Settings
from stream.console.desk import Desk
from stream.console.health import Health
from stream.console.routes.site import attach
from stream.contract.alert import Alert
from stream.oncall.voice import EmbeddedVoice
from stream.pipeline.announced import Catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded
from stream.report.history import FleetHistory
from stream.report.planted import Score, score
from stream.simulate.labelled import truth_of
from stream.simulate.scenarios import SCENARIOS, tell
from stream.simulate.writing.write import Lines
from stream.spoken import moment, percent, span
from stream.telemetry import log, without_kafka
from stream.terminal import shown
from stream.terminal.view import Screen, alert_line, draw, watch_line

SOURCE = "simulated fleet"
SCENARIO, SEED, ACCOUNTS, DAYS = "pivot", 1, 2_500, 7.0  # half a minute on two idle cores, within two on busy ones
DRAW_EVERY_S = 0.2
WIDTH = 110  # of what is written where there is no terminal
DAY_H = 24
NEXT = (
    ("swerve simulate --scenario pivot --output fleet.ndjson.zst --releases releases.json", "a larger log to keep"),
    ("swerve backtest fleet.ndjson.zst --releases releases.json --report report.html", "what would have been said"),
    ("swerve watch requests.ndjson", "your own log, live"),
)


def command(
    seed: Annotated[int, typer.Option(help="Another seed, another fleet.", min=0)] = SEED,
    scenario: Annotated[str, typer.Option(help="Which story to tell; `swerve simulate --list` names them.")] = SCENARIO,
    accounts: Annotated[int, typer.Option(help="Honest accounts.", min=200)] = ACCOUNTS,
    days: Annotated[float, typer.Option(help="Days of traffic.", min=1.0)] = DAYS,
    port: Port = None,
    config: Config = None,
) -> None:
    """Watch Swerve find a planted campaign: needs no broker, and ends within two minutes.

    A fleet is simulated, days of traffic in a minute; an operator moves 300 accounts to a new model an hour after its
    release, hidden among honest customers who do the same. At the end: what was planted, and what was found.
    """
    configured = settings.load(config)
    http = configured.http if port is None else configured.http.model_copy(update={"port": port})
    # Lines of the log would tear the picture; what matters is in it.
    log.set_up(level="critical")
    console = shown.console()
    story = Story(configured, scenario, seed, accounts, days)
    asyncio.run(_served(Stage(story, console), http))


class Story:
    """The simulated fleet, and the composition that watches it."""

    def __init__(self, configured: Settings, scenario: str, seed: int, accounts: int, days: float) -> None:
        told = tell(scenario, seed, accounts=accounts, days=days)
        self.about = SCENARIOS[scenario].about
        self.lines = Lines(told.fleet, told.course, seed)
        self.truth: Mapping[str, Any] = truth_of(told, self.lines)
        self.start_ms, self.end_ms = told.start_ms, told.end_ms
        self._told = told
        parameters = configured.parameters
        self.history = FleetHistory(parameters.tick_ms)
        self.alerts: list[Alert] = []
        self.fleet = Fleet(parameters, {one["model"]: one["released_at"] for one in self.truth["releases"]})
        self.fleet.expected = Catalogue().announced(configured)
        self.embedded = Embedded(
            parameters,
            [SOURCE],
            without_kafka.Metered(self.fleet, parameters.lateness_ms),
            on_summary=[self.history.see],
            on_alerts=[self.alerts.extend],
        )
        self.voice = EmbeddedVoice(self.fleet)
        self.desk = Desk(configured, voice=self.voice)
        self.desk.view.is_live = False  # days of simulated traffic: its clock is not the wall's
        self.desk.view.follow(self.fleet)

    def play(self) -> Iterator[tuple[int, Sequence[Alert]]]:
        """Hour by hour: (the time in ms that the simulation has reached, alert records that came of it)."""
        intake = without_kafka.Intake()
        offset = 0
        hour_ms = (self.end_ms - self.start_ms) / max(1, (self.end_ms - self.start_ms) // 3_600_000)
        for hour, batch in enumerate(self._told.traffic().hours(), 1):
            raws = [line[:-1] for line in self.lines.of(batch)]
            self.embedded.read(SOURCE, raws, range(offset, offset + len(raws)))
            offset += len(raws)
            alerts = self.embedded.advance(SOURCE)
            intake.tell(self.embedded, [SOURCE])
            yield int(self.start_ms + hour * hour_ms), alerts
        yield self.end_ms, self.embedded.advance(SOURCE, ended=True)

    def after(self) -> None:
        """No tick will follow: what is said in the console from now on holds at once."""
        self.voice.at_once = lambda alerts: self.desk.view.told(alerts, self.fleet)

    def result(self) -> Score:
        """What was planted against what was found."""
        return score(self.truth, self.alerts, self.fleet.named_accounts())


class Stage:
    """Shows a story: live on a terminal, line by line elsewhere. `stop` may be set from another thread."""

    def __init__(self, story: Story, console: Console) -> None:
        self.story = story
        self.console = console
        self.stop = threading.Event()
        self.screen = Screen(f"swerve demo: {story.about}", story.history)
        self._began = time.monotonic()
        self._told_day = 0

    def play(self, address: str) -> None:
        """From the first record to the comparison; returns early when asked to stop."""
        self.screen.address = address
        self._began = time.monotonic()
        if self.console.is_terminal:
            with Live(draw(self.screen), console=self.console, refresh_per_second=4, transient=True) as live:
                self._through(live)
        else:
            self.console.print(f"{self.screen.title}; metrics at {address}/metrics", highlight=False, soft_wrap=True)
            self._through(None)
        if not self.stop.is_set():
            ending(self.story, self.console, time.monotonic() - self._began)

    def _through(self, live: Live | None) -> None:
        drawn_at = 0.0
        for at_ms, alerts in self.story.play():
            if self.stop.is_set():
                return
            self._moved(at_ms, alerts)
            if live is None:
                self._say(at_ms, alerts)
            elif time.monotonic() - drawn_at > DRAW_EVERY_S:
                drawn_at = time.monotonic()
                live.update(draw(self.screen))

    def _moved(self, at_ms: int, alerts: Sequence[Alert]) -> None:
        story, screen = self.story, self.screen
        elapsed_s = max(1e-3, time.monotonic() - self._began)
        screen.clock_ms = at_ms
        screen.records = story.embedded.seen.records
        screen.records_per_s = screen.records / elapsed_s
        screen.speed = (at_ms - story.start_ms) / 1000 / elapsed_s
        screen.part = (at_ms - story.start_ms) / (story.end_ms - story.start_ms)
        screen.changed(alerts)
        screen.watched = story.fleet.judge.watch.rows

    def _say(self, at_ms: int, alerts: Sequence[Alert]) -> None:
        """One line a day, and one a record that somebody would be told of."""
        for alert in alerts:
            if alert.severity != "info":
                when, words = alert_line(alert)
                self.console.print(
                    f"{alert.severity:8} {alert.status:8} {when.plain}  {words.plain}", highlight=False, soft_wrap=True
                )
        day = (at_ms - self.story.start_ms) // (DAY_H * 3_600_000)
        if day > self._told_day:
            self._told_day = day
            strongest = self.story.history.strongest("model", 3)
            now = max(self.story.history.hours) + 1
            shares = ", ".join(
                f"{name.partition(':')[2]} {percent(self.story.history.share_between(name, now - DAY_H, now) or 0)}"
                for name in strongest
            )
            self.console.print(
                f"{moment(at_ms)}  {self.screen.records:,} records  {shares}", highlight=False, soft_wrap=True
            )


def ending(story: Story, console: Console, seconds: float) -> None:
    """Planted beside found, and what to type next."""
    result = story.result()
    if result.campaigns:
        console.print(_comparison(result))
    else:
        console.print("Nothing was planted.")
    seen = story.embedded.seen
    pages = f"{result.false_pages or 'no'} false page" + ("s" if result.false_pages > 1 else "")
    console.print(
        f"{pages}; {seen.records:,} records of {span(story.end_ms - story.start_ms)} in {seconds:.0f} s",
        highlight=False,
    )
    if story.fleet.judge.watch.rows:
        console.print(watch_line(story.fleet.judge.watch.rows), highlight=False, soft_wrap=True)
    console.print("\nNext:")
    for typed, why in NEXT:
        console.print(f"  {typed}", highlight=False, soft_wrap=True)
        console.print(f"      {why}", style="dim", highlight=False)


def _comparison(result: Score) -> Table:
    table = Table(title="Planted, and found", title_justify="left", title_style="bold")
    for column in ("campaign", "accounts", "began", "paged after", "named of them", "of those named, its own"):
        table.add_column(column, justify="left" if column in ("campaign", "began") else "right")
    for one in result.campaigns:
        table.add_row(
            one.name,
            str(one.accounts),
            moment(one.onset_ms),
            span(one.delay_ms) if one.delay_ms is not None else "not found",
            percent(one.recall),
            percent(one.precision) if one.precision is not None else "none",
        )
    return table


async def _served(stage: Stage, http: Http) -> None:
    """Play in a thread, so that HTTP answers meanwhile; Ctrl-C and SIGTERM stop the thread first."""
    without_kafka.serving()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stage.stop.set)
    served = Health(http, any_port=True)
    attach(stage.story.desk, served.app)
    async with served as health:
        if health.moved:
            stage.console.print(f"port {http.port} is taken; serving at {health.address}", highlight=False)
        without_kafka.ready()
        playing = asyncio.create_task(asyncio.to_thread(stage.play, health.address))
        was_stopped = True
        try:
            await asyncio.shield(playing)
            was_stopped = stage.stop.is_set()
        finally:
            stage.stop.set()
            await asyncio.wait([playing])
        if stage.console.is_terminal and not was_stopped:
            await _until_interrupted(stage, health.address)


async def _until_interrupted(stage: Stage, address: str) -> None:
    stage.story.after()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stage.console.print(f"\nConsole: {address}  (Ctrl-C ends it)", highlight=False, soft_wrap=True)
    await stop.wait()
