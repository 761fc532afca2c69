"""When do they send? Day and week in local time, scheduled jobs, and services that never sleep."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream.simulate.chance.draws import Floats

OFFICE, HOME, SERVICE, OPERATOR, SHIFTS, CRON = (
    0,
    1,
    2,
    3,
    4,
    5,
)  # rows of the table; CRON is the first of CRON_KINDS rows
CRON_KINDS = 36
DRAWN = CRON + CRON_KINDS  # the first row after those of the table: rhythms of one log
WEEK_H = 168


def _bump(hour: Floats, centre: float, width: float) -> Floats:
    distance = np.abs((hour - centre + 12) % 24 - 12)
    bump: Floats = np.exp(-0.5 * (distance / width) ** 2)
    return bump


def _week(day: Floats, weekend: float) -> Floats:
    """Seven days like `day`, Saturday and Sunday at a part of it; mean 1."""
    week: Floats = np.concatenate([day] * 5 + [day * weekend] * 2)
    level: float = week.mean()
    return week / level


def profiles() -> Floats:
    """Relative rate for each kind of rhythm and local hour of the week, Monday first; each row has mean 1.

    >>> profiles().shape, float(profiles()[OFFICE].mean().round(6))
    ((41, 168), 1.0)
    """
    hour = np.arange(24, dtype=np.float64)
    office = 0.03 + _bump(hour, 10.5, 2.0) + 0.9 * _bump(hour, 15.0, 2.2)
    home = 0.04 + 0.5 * _bump(hour, 13.0, 3.0) + _bump(hour, 20.5, 2.4)
    service = 0.75 + 0.4 * _bump(hour, 14.0, 5.0)
    operator = 0.9 + 0.15 * _bump(hour, 12.0, 6.0)
    shifts = 0.25 + _bump(hour, 12.0, 3.5) + 0.8 * _bump(hour, 19.0, 3.0)  # two shifts of people who press buttons
    rows = [_week(office, 0.22), _week(home, 1.1), _week(service, 0.85), _week(operator, 0.97), _week(shifts, 0.8)]
    rng = np.random.default_rng(36)  # which jobs exist is a constant of the platform, not of a log
    for _ in range(CRON_KINDS):
        day = np.full(24, 0.004)
        day[rng.choice(24, rng.integers(1, 5), replace=False)] = 1.0
        rows.append(_week(day, rng.choice([0.05, 1.0])))
    return np.array(rows)


def office_hours(degree: float, weekend: float) -> Floats:
    """A week of somebody who keeps office hours to a degree: 0 is round the clock, 1 is nobody at night."""
    hour = np.arange(24, dtype=np.float64)
    day = 0.02 + _bump(hour, 10.5, 2.4) + 0.9 * _bump(hour, 15.5, 2.6)
    return _week(degree * day / day.mean() + (1 - degree), weekend)


def beats(rng: np.random.Generator, waves: Sequence[tuple[float, float]]) -> Floats:
    """One hour of waves that the accounts of one hand, or of one class, have in common: weight of each 5 minutes.

    waves: for each beat its depth, the coefficient of variation, and the chance that 5 minutes are silent.
    """
    depth, pause = np.array(waves).reshape(len(waves), 2, 1).swapaxes(0, 1)
    wave = rng.standard_gamma(np.broadcast_to(1 / depth**2, (len(waves), 12))) * depth**2
    weight: Floats = wave * (rng.random(wave.shape) >= pause) + 1e-3
    return weight
