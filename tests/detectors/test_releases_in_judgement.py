"""Releases as the judge knows them: told by the fleet's own counts, by river's detector where nobody announced them."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.comparison.drift import Dated
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.counts.summary import CohortCounts
from detectors.fleet import Judge
from detectors.parameters import HOUR_MS
from tests.detectors.fleets import HOUR, PARAMETERS, columns_of, moving, still_fleet

FLEET = still_fleet(60)
MODELS = ("model:atlas-3", "model:atlas-4")
PREVIEW, RISE_H, END_H = 0.004, 100, 124


def counts_of(*requests):
    """The fleet's counts of one tick in one partition."""
    kept = np.flatnonzero(requests)
    return CohortCounts(
        cohorts=(("", ""),), targets=MODELS, requests=np.array([sum(requests)]), accounts=np.array([60]),
        at=np.zeros(len(kept), np.int64), target=kept, count=np.array(requests)[kept],
    )  # fmt: skip


def passed(judge, hours):
    """Hours in which a model, long in preview, comes out at RISE_H and nobody says so."""
    previewed = columns_of(moving(FLEET, MODELS[1], 0.05))
    for hour in hours:
        new = 40 if hour >= RISE_H else round(1_000 * PREVIEW)
        for tick in range(12):
            judge.cohorts([counts_of(1_000 - new, new)], (HOUR + hour) * 12 + tick)
        judge.judge(previewed, HOUR + hour)
    return judge


def is_new(judge):
    return judge.last_tick.is_new(MODELS[1])


def test_a_preview_that_comes_out_unannounced_is_dated_by_its_rise_and_new_from_then():
    judge = passed(Judge(PARAMETERS), range(RISE_H))
    assert not is_new(judge)
    passed(judge, range(RISE_H, END_H))
    release = judge.releases.of("atlas-4")
    assert release.dated is Dated.DRIFT
    assert abs(release.released_ms // HOUR_MS - HOUR - RISE_H) <= 2
    assert is_new(judge)


def test_without_rivers_detector_the_release_is_missed(monkeypatch):
    class Blind:
        drift_detected = False

        def update(self, value):
            pass

    monkeypatch.setattr("river.drift.ADWIN", lambda **settings: Blind())
    judge = passed(Judge(PARAMETERS), range(END_H))
    assert judge.releases.unannounced() == []
    assert not is_new(judge)


def test_an_announced_release_is_new_whatever_its_traffic_says():
    judge = passed(Judge(PARAMETERS, {"atlas-4": (HOUR + 90) * HOUR_MS}), range(RISE_H - 5))
    assert is_new(judge)
    assert judge.releases.of("atlas-4").dated is Dated.ANNOUNCED


def test_what_is_announced_while_it_runs_holds_from_the_next_tick():
    judge = passed(Judge(PARAMETERS), range(80))
    judge.released_ms = {"atlas-4": (HOUR + 70) * HOUR_MS}
    passed(judge, range(80, 81))
    assert is_new(judge)


@pytest.mark.parametrize("cut_h", [60, RISE_H + 2])
def test_dating_goes_on_over_a_restart_in_the_middle_of_an_hour(cut_h):
    whole = passed(Judge(PARAMETERS), range(cut_h))
    whole.cohorts([counts_of(900, 100)], (HOUR + cut_h) * 12)
    restored = Judge(PARAMETERS)
    restored.restore(from_bytes(to_bytes(whole.state())))
    for judge in (whole, restored):
        passed(judge, range(cut_h, cut_h + 20))
    assert restored.releases.state() == whole.releases.state()


def test_partitions_are_summed():
    judge = Judge(PARAMETERS)
    judge.cohorts([counts_of(5, 1), counts_of(0, 2)], HOUR * 12)
    judge.cohorts([counts_of(7, 0)], HOUR * 12 + 1)
    assert judge.state()["models"] == {"atlas-3": 12, "atlas-4": 3}
    assert counts_of(0, 4).of_fleet() == {"model": {"atlas-4": 4}, "capability": {}}
