"""The table itself: what must hold in every row."""

from __future__ import annotations

from stream.alerts.transitions import SEVERITY, TABLE, Change, Event, State, step_of
from stream.contract.alert import SEVERITIES

ROWS = [(state, event, step) for state, row in TABLE.items() for event, step in row.items()]


def loudness(state):
    return SEVERITIES.index(SEVERITY[state]) if state in SEVERITY else -1


def test_every_state_has_its_rows_and_can_be_reached():
    assert set(TABLE) == set(State)
    assert {step.state for _, _, step in ROWS} == set(State)


def test_severity_never_falls_while_an_alert_fires():
    for state, event, step in ROWS:
        if state in SEVERITY and step.change is not Change.RESOLVED:
            assert loudness(step.state) >= loudness(state), (state, event)


def test_a_firing_alert_leaves_only_through_a_resolved_record():
    for state, event, step in ROWS:
        if state in SEVERITY and step.state not in SEVERITY:
            assert step.change is Change.RESOLVED, (state, event)
            assert step.reason is not None


def test_only_what_fires_can_be_resolved_and_only_what_does_not_can_open():
    for state, event, step in ROWS:
        if step.change in (Change.RESOLVED, Change.GREW, Change.RAISED):
            assert state in SEVERITY, (state, event)
        if step.change is Change.OPENED:
            assert state not in SEVERITY
            assert step.state in SEVERITY
        assert (step.reason is not None) == (step.change is Change.RESOLVED)


def test_one_tick_opens_nothing():
    for state in State:
        assert step_of(state, Event.ONCE).change is Change.NOTHING


def test_what_was_announced_before_it_began_opens_as_info():
    assert step_of(State.SEEN, Event.EXPECTED) == (State.INFO, Change.OPENED, None)


def test_a_verdict_silences_from_every_state_and_only_a_verdict_ends_the_silence():
    for state in State:
        assert step_of(state, Event.DISMISSED).state is State.HARMLESS
    assert [event for event in Event if step_of(State.HARMLESS, event).state is not State.HARMLESS] == [Event.REOPENED]
