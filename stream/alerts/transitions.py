"""What becomes of an alert when its group does something? One table; code, tests and docs/alert-life.md read it.

Rules of this file: nothing here counts, remembers or looks at a clock. `life.py` turns a finding into one `Event`,
looks up (state, event) and does what the row says. A pair that is not listed changes nothing.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from stream.contract.alert import Reason, Severity


class State(enum.Enum):
    """What is out about a group now."""

    NOTHING = "nothing"  # no alert; nothing seen, or not enough
    SEEN = "seen once"  # above a line on one tick: an alert needs two
    INFO = "info"  # an alert for context is firing; it reaches nobody
    WARNING = "warning"  # a ticket is firing
    CRITICAL = "critical"  # a page is firing
    ANNOUNCED = "announced"  # its alert was resolved because the shift was announced; it still moves
    HARMLESS = "harmless"  # a verdict says so; silent until the verdict changes


class Event(enum.Enum):
    """What this tick says of a group."""

    ONCE = "above a line, on one tick"
    HINT = "worth knowing, on two ticks"
    WARN = "worth a ticket, on two ticks"
    PAGE = "worth a page, on two ticks"
    GREW = "a fifth more accounts or fewer, 15 points more of their requests, or a new target"
    WAIT = "its own tick is not due yet"
    PAUSE = "below every line"
    QUIET = "below every line for long"
    ADOPTED = "became normal"
    SUPERSEDED = "a part became its own alert"
    EXPECTED = "covered by an expected shift"
    DISMISSED = "verdict: harmless"
    REOPENED = "the verdict changed"


class Change(enum.Enum):
    """What is told: each but NOTHING is one alert record."""

    NOTHING = "nothing"
    OPENED = "opened"
    RAISED = "raised"
    GREW = "grew"
    RESOLVED = "resolved"


class Step(NamedTuple):
    """One row of the table: the next state, what is told, and for an end its reason."""

    state: State
    change: Change = Change.NOTHING
    reason: Reason | None = None


_OPENING = {
    Event.ONCE: Step(State.SEEN),
    Event.HINT: Step(State.INFO, Change.OPENED),
    Event.WARN: Step(State.WARNING, Change.OPENED),
    Event.PAGE: Step(State.CRITICAL, Change.OPENED),
    # Known before it began: kept for context, and nobody is told.
    Event.EXPECTED: Step(State.INFO, Change.OPENED),
    Event.DISMISSED: Step(State.HARMLESS),
}
_ENDING = {
    Event.QUIET: Step(State.NOTHING, Change.RESOLVED, "ended"),
    Event.ADOPTED: Step(State.NOTHING, Change.RESOLVED, "adopted"),
    Event.SUPERSEDED: Step(State.NOTHING, Change.RESOLVED, "superseded"),
    Event.DISMISSED: Step(State.HARMLESS, Change.RESOLVED, "harmless"),
}
_ANNOUNCED_MEANWHILE = Step(State.ANNOUNCED, Change.RESOLVED, "expected")

TABLE: dict[State, dict[Event, Step]] = {
    State.NOTHING: _OPENING,
    State.SEEN: {
        **_OPENING,
        Event.PAUSE: Step(State.NOTHING),
        Event.QUIET: Step(State.NOTHING),
        Event.ADOPTED: Step(State.NOTHING),
        Event.SUPERSEDED: Step(State.NOTHING),
    },
    State.INFO: {
        **_ENDING,
        Event.WARN: Step(State.WARNING, Change.RAISED),
        Event.PAGE: Step(State.CRITICAL, Change.RAISED),
    },
    State.WARNING: {
        **_ENDING,
        Event.PAGE: Step(State.CRITICAL, Change.RAISED),
        Event.GREW: Step(State.WARNING, Change.GREW),
        Event.EXPECTED: _ANNOUNCED_MEANWHILE,
    },
    # Severity never falls: what was worth a page stays one until it ends.
    State.CRITICAL: {
        **_ENDING,
        Event.GREW: Step(State.CRITICAL, Change.GREW),
        Event.EXPECTED: _ANNOUNCED_MEANWHILE,
    },
    # Only what is still worth telling once the announcement has ended opens a new alert.
    State.ANNOUNCED: {
        Event.WARN: Step(State.WARNING, Change.OPENED),
        Event.PAGE: Step(State.CRITICAL, Change.OPENED),
        Event.QUIET: Step(State.NOTHING),
        Event.ADOPTED: Step(State.NOTHING),
        Event.SUPERSEDED: Step(State.NOTHING),
        Event.DISMISSED: Step(State.HARMLESS),
    },
    State.HARMLESS: {Event.REOPENED: Step(State.NOTHING)},
}

SEVERITY: dict[State, Severity] = {State.INFO: "info", State.WARNING: "warning", State.CRITICAL: "critical"}


def step_of(state: State, event: Event) -> Step:
    """The row for this state and event; staying silent in the same state where none is listed.

    >>> step_of(State.WARNING, Event.PAGE)
    Step(state=<State.CRITICAL: 'critical'>, change=<Change.RAISED: 'raised'>, reason=None)
    """
    return TABLE[state].get(event, Step(state))
