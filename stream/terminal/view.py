"""What is on the screen of `swerve demo` and `watch`? One picture of the fleet now, drawn anew, never scrolling."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from detectors.triage.watchlist import Watched
from stream.contract.alert import Alert
from stream.report.history import FleetHistory
from stream.spoken import moment, percent

BARS = 6  # models, and capabilities, that get a bar
ALERTS = 6  # that stay on the screen
NOW_H, BEFORE_H = 6, 24  # an arrow compares the last hours with the day before them
MOVED_MIN = 0.01  # of all requests: less is no arrow
SIGNS = {"critical": ("●", "bold red"), "warning": ("▲", "yellow"), "info": ("○", "cyan")}


@dataclass(slots=True)
class Screen:
    """What is known now. part: of the whole that is done, 0 to 1; None where nobody knows the end."""

    title: str
    fleet: FleetHistory
    address: str = ""
    clock_ms: int | None = None
    records: int = 0
    records_per_s: float = 0.0
    speed: float = 0.0
    part: float | None = None
    note: str = ""
    watched: Sequence[Watched] = ()
    alerts: deque[Alert] = field(default_factory=lambda: deque(maxlen=ALERTS))

    def changed(self, alerts: Sequence[Alert]) -> None:
        """Keep the newest records, one an alert; what is only context does not push out what matters."""
        for alert in alerts:
            older = next((one for one in self.alerts if one.alert_id == alert.alert_id), None)
            if older is not None:
                self.alerts.remove(older)
            if alert.severity != "info" or len(self.alerts) < ALERTS:
                self.alerts.append(alert)


def draw(screen: Screen) -> RenderableType:
    """The whole picture."""
    parts: list[RenderableType] = [_head(screen)]
    if screen.part is not None:
        parts.append(ProgressBar(total=1.0, completed=screen.part))
    both = Table.grid(expand=True, padding=(0, 2))
    both.add_column(ratio=1)
    both.add_column(ratio=1)
    both.add_row(_bars(screen.fleet, "model", "by model"), _bars(screen.fleet, "capability", "by capability"))
    parts += [Text(), both, Text(), _alerts(screen.alerts)]
    if screen.watched:
        parts += [Text(), Text(watch_line(screen.watched), style="dim", no_wrap=True, overflow="ellipsis")]
    return Panel(Group(*parts), title=screen.title, title_align="left", border_style="dim")


def _head(screen: Screen) -> Table:
    head = Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    clock = moment(screen.clock_ms) if screen.clock_ms is not None else "waiting for the first records"
    speed = f"  {screen.speed:,.0f} times real pace" if screen.speed >= 2 else ""
    head.add_row(
        Text(clock, style="bold") + Text(speed, style="dim"),
        Text(f"{screen.records:,} records  {screen.records_per_s:,.0f}/s"),
    )
    if screen.address or screen.note:
        head.add_row(Text(screen.note, style="yellow"), Text(f"{screen.address}/metrics", style="dim"))
    return head


def _bars(fleet: FleetHistory, kind: str, title: str) -> Table:
    table = Table.grid(expand=True, padding=(0, 1))
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=20)
    table.add_column(ratio=1)
    table.add_column(justify="right", width=5)
    table.add_column(width=7, no_wrap=True)
    table.add_row(Text(title, style="dim"), "", "", "")
    for target, now, before in shown(fleet, kind):
        arrow, style = arrow_of(now, before)
        bar = ProgressBar(total=1.0, completed=now, complete_style=style or "blue", finished_style="blue")
        table.add_row(Text(target.partition(":")[2]), bar, _short(now), Text(arrow, style=style))
    return table


def _short(share: float) -> str:
    """A share in at most five characters."""
    return percent(share) if share >= 0.0005 else "0%"


def shown(fleet: FleetHistory, kind: str) -> list[tuple[str, float, float | None]]:
    """(target, share now, share before): the strongest now, and the one of the others that grew most; largest first."""
    all_of = [(target, *shares_now(fleet, target)) for target in sorted(fleet.counts) if target.startswith(f"{kind}:")]
    all_of.sort(key=lambda one: (-one[1], one[0]))
    strong, others = all_of[: BARS - 1], all_of[BARS - 1 :]
    return strong + sorted(others, key=lambda one: ((one[2] or 0.0) - one[1], one[0]))[:1]


def shares_now(fleet: FleetHistory, target: str) -> tuple[float, float | None]:
    """Share of a target in the last hours, and in the day before them; None where that day is not there yet."""
    if not fleet.hours:
        return 0.0, None
    end = max(fleet.hours) + 1
    return fleet.share_between(target, end - NOW_H, end) or 0.0, fleet.share_between(
        target, end - NOW_H - BEFORE_H, end - NOW_H
    )


def arrow_of(now: float, before: float | None) -> tuple[str, str]:
    """Which way a share moves, in words that fit seven columns, and its colour; nothing below a point.

    >>> arrow_of(0.31, 0.20), arrow_of(0.20, 0.31), arrow_of(0.2, 0.2), arrow_of(0.2, None)
    (('↑ +11', 'green'), ('↓ -11', 'magenta'), ('', ''), ('', ''))
    """
    if before is None or abs(now - before) < MOVED_MIN:
        return "", ""
    points = 100 * (now - before)
    return (f"↑ {points:+.0f}", "green") if points > 0 else (f"↓ {points:+.0f}", "magenta")


def _alerts(alerts: Sequence[Alert]) -> RenderableType:
    if not alerts:
        return Text("No alert so far. That is what a normal hour looks like.", style="dim")
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column()
    for alert in alerts:
        table.add_row(*alert_line(alert))
    return table


def watch_line(watched: Sequence[Watched]) -> str:
    """How long the watch list is, and who is first on it, with the reason."""
    first = watched[0]
    shares = f"{percent(first.share_before)} to {percent(first.share_after)} {first.target.partition(':')[2]}"
    many = f"{len(watched)} account{'s' if len(watched) != 1 else ''}"
    return f"watch list: {many}, no alert; first {first.account_id}, {shares}, {first.requests:,} requests in 24 h"


def alert_line(alert: Alert) -> tuple[Text, Text]:
    """When and how loud, and the sentence; what is over is dimmed."""
    sign, style = SIGNS[alert.severity]
    over = alert.status == "resolved"
    when = Text(f"{sign if not over else '✓'} {moment(alert.updated_at)[5:16]}", style="dim" if over else style)
    return when, Text(alert.summary, style="dim" if over else "")
