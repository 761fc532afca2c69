"""The warm-up counts from the first hour with a real part of the traffic, not from the first record ever."""

from __future__ import annotations

import numpy as np

from detectors.fleet import Judge
from tests.detectors.fleets import HOUR, PARAMETERS, Account, columns_of


def hour_of(hour: int, requests: int, day: dict[int, int]):
    """Twenty accounts in one hour, that have so many requests in it, and in the day those of the hours before."""
    day[hour % 24] = requests
    hours = [day.get(of_day, 0) for of_day in range(24)]
    return columns_of([Account(f"a{n}", f"o{n}", now={"model:m": 20}, hours=hours) for n in range(20)], hour)


def history_h(told: dict[int, int], judge: Judge | None = None) -> int:
    """What the judge takes for its history after these hours: requests of an account by hour."""
    judge, day = judge or Judge(PARAMETERS), dict[int, int]()
    for hour, requests in told.items():
        judge.judge(hour_of(HOUR + hour, requests, day), HOUR + hour)
    assert judge.last_tick is not None
    return judge.last_tick.history_h


def test_a_smoke_test_weeks_before_is_no_history():
    assert history_h({0: 1, 400: 500, 401: 500, 402: 500}) == 2


def test_a_night_before_the_first_day_is_history():
    assert history_h({0: 10, 1: 30, 6: 200, 12: 500}) == 12


def test_a_restart_remembers_when_it_began():
    judge, again = Judge(PARAMETERS), Judge(PARAMETERS)
    history_h({0: 1, 400: 500, 401: 500}, judge)
    again.restore(judge.state())
    assert history_h({402: 500}, again) == 2


def test_a_state_of_the_version_before_keeps_its_history():
    judge, again = Judge(PARAMETERS), Judge(PARAMETERS)
    history_h({0: 500}, judge)
    state = judge.state()
    del state["grown"]
    again.restore(state)
    assert history_h({90: 400}, again) == 90


def test_the_hours_of_a_day_are_asked_as_they_are_counted():
    columns = hour_of(HOUR, 7, {})
    assert columns.hours.sum(axis=0)[HOUR % 24] == 140
    assert columns.hours.dtype == np.uint16
