"""Declared cohorts: who turns sharply by itself is heard of; what the whole fleet does makes nobody stand out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.comparison import cohorts
from detectors.comparison.cohorts import HISTORY_TICKS, LASTING_TICKS, TICKS_MIN, Cohorts
from detectors.comparison.findings import Level, Phase, Target
from detectors.counts.summary import FLEET, CohortCounts
from detectors.fleet import target_of

ORGS = 10
REQUESTS = 40
TURNED_AT = HISTORY_TICKS + 24


def counts(coding, requests=REQUESTS, accounts=30, orgs=range(ORGS)):
    """One tick: of each organisation's requests so many are for coding."""
    coding = np.array([coding[i] for i in orgs], np.int64)
    total = np.full(len(coding), requests)
    return CohortCounts(
        cohorts=(("", ""), *(("org", f"org_{i}") for i in orgs)),
        targets=("capability:coding",),
        requests=np.append(total.sum(), total),
        accounts=np.append(accounts * len(coding), np.full(len(coding), accounts)),
        at=np.arange(len(coding) + 1),
        target=np.zeros(len(coding) + 1, np.int64),
        count=np.append(coding.sum(), coding),
    )


def told(after, ticks=3 * TICKS_MIN, **sizes):
    """The findings of every tick from the turn on; `after` is the coding of each organisation from then on."""
    cohorts = Cohorts(target_of, "org", 300_000)
    for tick in range(TURNED_AT):
        assert cohorts.judge([counts([8] * ORGS, **sizes)], tick) == []
    return [cohorts.judge([counts(after, **sizes)], TURNED_AT + tick) for tick in range(ticks)]


def test_one_customer_that_turns_sharply_is_heard_of_and_is_never_a_page():
    found = told([38] + [8] * (ORGS - 1), ticks=LASTING_TICKS + 12)
    assert found[0] == []
    assert {one.level for one in found[LASTING_TICKS - 12]} == {Level.INFO}, "nobody is told before it lasts"
    assert {(one.subject.id, one.level, one.phase) for one in found[-1]} == {("org_0", Level.WARNING, Phase.MOVING)}
    evidence = found[-1][0].evidence
    assert evidence["statistic"] >= evidence["threshold"]
    assert evidence["share_before"] == pytest.approx(0.2, abs=0.06)
    assert evidence["share_after"] == pytest.approx(0.95, abs=0.12)


def test_what_everybody_does_makes_nobody_stand_out():
    assert all(one == [] for one in told([38] * ORGS))


def test_a_cohort_of_few_accounts_is_one_busy_accounts_session():
    assert all(one == [] for one in told([38] + [8] * (ORGS - 1), accounts=3))


def test_a_drift_that_is_not_sharp_is_none():
    assert all(one == [] for one in told([12] + [8] * (ORGS - 1)))


@pytest.mark.parametrize("partitions", [2, 5])
def test_the_number_of_partitions_changes_no_bit(partitions):
    """A decayed count plus several integers, one after the other, is not that count plus their sum."""
    rng = np.random.default_rng(1)
    one, many = (Cohorts(target_of, "org", 300_000) for _ in range(2))
    for tick in range(400):
        parts = [counts(rng.integers(0, 30, ORGS)) for _ in range(partitions)]
        one.judge([summed(parts)], tick)
        many.judge(parts, tick)
    for name in ("fast_n", "slow_n", "crowd", "fast", "slow", "wobble"):
        assert getattr(one, name).tobytes() == getattr(many, name).tobytes(), name


def summed(parts):
    first = parts[0]
    columns = {name: sum(getattr(part, name) for part in parts) for name in ("requests", "accounts", "count")}
    return CohortCounts(first.cohorts, first.targets, at=first.at, target=first.target, **columns)


def counts_of(names_of, targets, rng):
    """One tick: requests of each cohort by target, for those that are named."""
    names = tuple(sorted({FLEET, *names_of}))
    table = np.zeros((len(names), len(targets)), np.int64)
    for i, name in enumerate(names):
        if name != FLEET:
            table[i] = rng.poisson(3.0, len(targets))
    table[names.index(FLEET)] = table.sum(axis=0)
    at, target = np.nonzero(table)
    return CohortCounts(names, tuple(targets), table.sum(axis=1), np.full(len(names), 9), at, target, table[at, target])


def test_where_cohorts_and_targets_do_not_fit_those_with_traffic_stay(monkeypatch):
    monkeypatch.setattr(cohorts, "COHORTS_MAX", 40)
    monkeypatch.setattr(cohorts, "TARGETS_MAX", 20)
    rng = np.random.default_rng(1)
    judge = Cohorts(lambda name: Target("model", name), "org", 300_000)
    house = [("org", f"o{i}") for i in range(10)]
    models = [f"model:m{i}" for i in range(5)]
    for tick in range(30):
        judge.judge([counts_of(house, models, rng)], tick)
    for tick in range(30, 60):
        flood = counts_of(
            [("client", f"c{tick}-{i}") for i in range(60)], [f"model:x{tick}-{i}" for i in range(40)], rng
        )
        one = np.ones_like(flood.count)
        flood = replace(flood, count=one, requests=np.bincount(flood.at, minlength=len(flood.cohorts)))
        judge.judge([counts_of(house, models, rng), flood], tick)

    assert set(house) <= set(judge.rows)
    assert set(models) <= set(judge.columns)
    assert len(judge.rows) <= 40
    assert len(judge.columns) <= 20
    assert judge.not_followed > 0


def test_what_is_compared_in_blocks_of_targets_is_the_same_as_at_once(monkeypatch):
    found = []
    for width in (3, 64):
        monkeypatch.setattr(cohorts, "COLUMNS_AT_ONCE", width)
        rng = np.random.default_rng(2)
        judge = Cohorts(lambda name: Target("model", name), "org", 300_000)
        house = [("org", f"o{i}") for i in range(12)]
        models = [f"model:m{i}" for i in range(10)]
        for tick in range(cohorts.BASELINE_TICKS + 40):
            judge.judge([counts_of(house, models, rng)], tick)
        found.append((judge.wobble.tolist(), judge.strongest))
    assert found[0] == found[1]
