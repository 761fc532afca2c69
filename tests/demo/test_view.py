"""What is on the screen: it fits, it says what moves, and colour is never the only sign."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from detectors.triage.watchlist import Watched
from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.report.history import FleetHistory
from stream.terminal.view import ALERTS, Screen, draw

T0 = 1_770_256_800_000


def alert(number: int, **other: object) -> Alert:
    given: dict[str, object] = {
        "alert_id": f"a{number}", "status": "firing", "severity": "critical", "kind": "coordinated_shift",
        "subject": AlertSubject("cluster", "n"), "target": AlertTarget("model", "atlas-4"),
        "targets": (AlertTarget("model", "atlas-4"),), "started_at": T0, "detected_at": T0, "updated_at": T0,
        "accounts": (), "accounts_total": 0, "evidence": {"n": 1}, "summary": f"{number} accounts moved.",
    }  # fmt: skip
    return Alert(**(given | other))


@pytest.fixture
def screen() -> Screen:
    """Two days in which atlas-4 came up from nothing within six hours, among twelve other models."""
    fleet = FleetHistory(300_000)
    for hour in range(100, 148):
        fleet.hours[hour] = 1000
        new = 300 if hour >= 142 else 0
        fleet.counts["model:atlas-4"][hour] = new
        fleet.counts["model:atlas-3"][hour] = 600 - new
        fleet.counts["capability:coding"][hour] = 400
        for number in range(11):
            fleet.counts[f"model:small-{number}"][hour] = 35
    return Screen("swerve demo", fleet, clock_ms=T0, records=48_000, records_per_s=9000.4, speed=3600.0, part=0.5)


def shown(screen: Screen, width: int = 100, **console: object) -> str:
    out = io.StringIO()
    Console(file=out, width=width, **console).print(draw(screen))  # type: ignore[arg-type]
    return out.getvalue()


def test_it_shows_the_clock_the_rate_the_shares_and_what_moves(screen):
    text = shown(screen)
    assert "2026-02-05 02:00 UTC  3,600 times real pace" in text
    assert "48,000 records  9,000/s" in text
    (line,) = [line for line in text.splitlines() if "atlas-4" in line]
    assert "30% ↑ +30" in line
    (line,) = [line for line in text.splitlines() if "atlas-3" in line]
    assert "30% ↓ -30" in line


def test_what_grows_is_shown_however_small(screen):
    for hour in range(142, 148):
        screen.fleet.counts["model:tiny"][hour] = 20
    assert "tiny" in shown(screen)


@pytest.mark.parametrize("width", [60, 80, 140])
def test_it_fits_the_terminal(screen, width):
    for number in range(ALERTS):
        screen.changed([alert(number, summary="word " * 30)])
    lines = shown(screen, width).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24 if width >= 100 else len(lines) <= 48


def test_an_alert_stays_once_with_its_newest_words_and_says_when_it_is_over(screen):
    screen.changed([alert(1)])
    screen.changed([alert(1, status="resolved", resolved_at=T0, resolved_reason="ended", summary="Over after 9 h.")])
    text = shown(screen)
    assert "1 accounts moved." not in text
    assert "✓ 02-05 02:00 Over after 9 h." in text


def test_only_the_newest_alerts_stay_and_context_pushes_nothing_out(screen):
    screen.changed([alert(number) for number in range(ALERTS + 3)])
    screen.changed([alert(99, severity="info")])
    text = shown(screen)
    assert "99 accounts" not in text
    assert [number for number in range(ALERTS + 3) if f"{number} accounts moved." in text] == list(range(3, ALERTS + 3))


def test_severity_has_a_sign_of_its_own_without_colour(screen):
    screen.changed([alert(1), alert(2, severity="warning")])
    text = shown(screen, no_color=True, force_terminal=True)
    assert "● " in text
    assert "▲ " in text
    assert "\x1b[3" not in text


def test_words_chosen_by_strangers_are_no_markup(screen):
    screen.changed([alert(1, summary="[bold red]org[/] moved")])
    screen.fleet.counts["model:[red]x[/red]"] = {147: 900, 146: 900}
    text = shown(screen)
    assert "[bold red]org[/] moved" in text
    assert "[red]x[/red]" in text


def test_before_the_first_record_it_says_that_it_waits():
    text = shown(Screen("swerve watch", FleetHistory(300_000)))
    assert "waiting for the first records" in text
    assert "No alert so far" in text


def test_the_watch_list_is_one_line_that_says_it_is_no_alert(screen):
    assert "watch list" not in shown(screen)
    screen.watched = [
        Watched("acct_9", 9.3, 6.1, 1.2, 2.0, T0, "capability:coding", 0.04, 0.52, 0.006, 210, 96.4),
        Watched("acct_8", 9.1, 6.1, 1.2, 1.8, T0, "capability:coding", 0.04, 0.52, 0.006, 210, 96.4),
    ]
    assert "watch list: 2 accounts, no alert; first acct_9, 4% to 52% coding" in shown(screen)
