"""A small fleet and one operator in it: columns whose window and baseline move on, hour by hour, as those of shards."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import cache

import numpy as np

from detectors.comparison.findings import Finding, Level
from detectors.counts.summary import AccountColumns
from detectors.fleet import Judge
from detectors.parameters import Parameters
from tests.detectors.fleets import HOUR, PARAMETERS, Account, columns_of, operated, private_values, still_fleet

ONSET_H = 80
HOURS = range(ONSET_H - 4, ONSET_H + 12)
BEGIN_H = HOURS.start - 24
NEW = "model:atlas-4"
TARGETS = ("capability:coding", "capability:vision", "model:atlas-3", NEW, "model:brio-2")
FLEET = private_values(still_fleet(240, orgs_of=1))
FADES = 0.5 ** (1 / PARAMETERS.slow_half_life_h)
WAVES = np.repeat(np.random.default_rng(12).random((ONSET_H + 120, 3)) < 0.3, 4, axis=1)  # pauses of 20 minutes

# What each trait says, in place of what was learnt: so these tests do not change with every lesson.
HAND = {
    "synchrony": ((0.9, -1.0), (1.3, 3.0)),
    "load_spread": ((0.3, 3.0), (0.9, -2.0)),
    "night_share": ((0.0, 0.0), (0.2, 1.0)),
}
LINES = ((0.3, 3.0), (10.0, 0.5))


def operators(accounts: int = 60) -> list[Account]:
    """One operator's accounts: one volume, one mix, a rotating pool."""
    before = {"capability:coding": 60.0, "model:atlas-3": 150.0}
    group = [
        dataclasses.replace(one, n=50, nb=150.0, now={}, before=before)
        for one in still_fleet(accounts, seed=4, prefix="z", orgs_of=1)
    ]
    return operated(group, payments=10, each=6)


POOL = operators()


def hour_of(
    hour: int,
    pool: Sequence[Account] = POOL,
    share: float = 0.6,
    fleet: Sequence[Account] = FLEET,
    begin: int = BEGIN_H,
) -> AccountColumns:
    """The columns at the end of an hour, of the requests of the last 24 since `begin`.

    The pool begins to move at ONSET_H: six hours later this share of what it asks goes to a new model. Who asks for
    what does not depend on any name.
    """
    return columns_of(
        [*_known(begin, hour, fleet, 0.0, pauses=False), *_known(begin, hour, pool, share, pauses=True)], HOUR + hour
    )


def _known(begin: int, hour: int, accounts: Sequence[Account], share: float, *, pauses: bool) -> list[Account]:
    """The accounts that asked for anything in the window, with what they asked for in it and before."""
    mixes = tuple(map(_mix, accounts))
    volumes = tuple(one.n for one in accounts)
    drawn = {at: _asked(at, volumes, mixes, _moved(at, share), pauses) for at in range(begin, hour + 1)}
    counts, hours = np.zeros((len(accounts), len(TARGETS)), np.int64), np.zeros((len(accounts), 24), np.int64)
    slow, nb = np.array(mixes) * np.array([[one.nb] for one in accounts]), np.array([one.nb for one in accounts])
    for at, (bins, asked) in drawn.items():
        slow, nb = FADES * slow, FADES * nb
        counts += asked
        hours[:, (HOUR + at) % 24] = bins.sum(axis=1)
        if at - 24 in drawn:
            counts -= drawn[at - 24][1]
            slow, nb = slow + drawn[at - 24][1], nb + drawn[at - 24][0].sum(axis=1)
    return [
        dataclasses.replace(
            one,
            n=int(hours[i].sum()),
            nb=float(nb[i]),
            now={target: int(count) for target, count in zip(TARGETS, counts[i], strict=True) if count},
            before={target: float(count) for target, count in zip(TARGETS, slow[i], strict=True) if count},
            hours=hours[i].tolist(),
            bins=drawn[hour][0][i].tolist(),
        )
        for i, one in enumerate(accounts)
        if hours[i].any()
    ]


def _moved(hour: int, share: float) -> float:
    return share * min(max(hour - ONSET_H, 0) / 6, 1.0)


def _mix(one: Account) -> tuple[float, ...]:
    """Shares of TARGETS in what the account always asked for; every request has one model, and any capabilities."""
    asked = [one.before.get(target, 0.0) / one.nb for target in TARGETS]
    models = sum(asked[2:]) or 1.0
    return *asked[:2], *(share / models if sum(asked[2:]) else float(not i) for i, share in enumerate(asked[2:]))


@cache
def _asked(
    hour: int, volumes: tuple[int, ...], mixes: tuple[tuple[float, ...], ...], moved: float, pauses: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(requests by account and 5 minutes, requests by account and target) of one hour."""
    rng = np.random.default_rng([hour, len(volumes)])
    rate = np.array(volumes)[:, None] / (24 * 12) * (np.where(WAVES[hour], 0.0, 1 / 0.7) if pauses else np.ones(12))
    bins = rng.poisson(rate)
    mix, total = np.array(mixes), bins.sum(axis=1)
    capabilities, models = mix[:, :2], mix[:, 2:]
    models[:, 1], models[:, 0] = models[:, 0] * moved, models[:, 0] * (1 - moved)
    return bins, np.hstack((rng.binomial(total[:, None], capabilities), rng.multinomial(total, models)))


def begun(parameters: Parameters = PARAMETERS, **told: object) -> Judge:
    """A judge that has known this fleet for long enough that a new model may speak; HOURS come next."""
    judge = Judge(parameters)
    judge.first_hour = judge.releases.first_hour = HOUR + ONSET_H - 54
    for hour in range(BEGIN_H, HOURS.start):
        judge.recent.learn(hour_of(hour, **told), HOUR + hour)
    return judge


def findings_of(judge: Judge, hours: Sequence[int] = HOURS, **told: object) -> list[tuple[int, Finding]]:
    """What the judge says in each of these hours."""
    return [(hour, finding) for hour in hours for finding in judge.judge(hour_of(hour, **told), HOUR + hour)]


def loudest(found: Sequence[tuple[int, Finding]]) -> Level:
    """The loudest of what was said."""
    return max((finding.level for _, finding in found), default=Level.NONE)
