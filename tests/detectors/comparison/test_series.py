"""Series that the configuration names: river's own detectors, told as info for a day, the same after a restart."""

from __future__ import annotations

import numpy as np
import pytest
from river.drift import ADWIN, PageHinkley

from detectors.comparison import series as module
from detectors.comparison.findings import Level, Phase
from detectors.comparison.series import DETECTORS, SAID_H, VALUES_MAX, DriftWatch, detector_of
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.counts.summary import CohortCounts
from detectors.fleet import Judge, target_of
from detectors.parameters import HOUR_MS, Parameters, Series

START = 490_000
NEW = "model:atlas-4"
ORG = Series("org", "org_7", NEW, "ADWIN", (("clock", 1),))
PAGE = Series("org", "org_7", NEW, "PageHinkley", (("delta", 0.005), ("min_instances", 24), ("threshold", 0.5)))
KSWIN = Series("org", "org_7", NEW, "KSWIN", (("alpha", 0.0001), ("stat_size", 20), ("window_size", 80)))
STEP_H, END_H = 120, 160


def counts(requests, new, value="org_7"):
    """One tick of one cohort."""
    kept = np.flatnonzero([requests - new, new])
    return CohortCounts(
        cohorts=(("", ""), ("org", value)), targets=("model:atlas-3", NEW),
        requests=np.array([10 * requests, requests]), accounts=np.array([90, 9]), at=np.ones(len(kept), np.int64),
        target=kept, count=np.array([requests - new, new])[kept],
    )  # fmt: skip


def passed(watch, hours, level=lambda hour: 0.6 if hour >= STEP_H else 0.1, value="org_7"):
    """(hour, finding) of every tick at the end of an hour."""
    found = []
    for hour in hours:
        rng = np.random.default_rng(hour)
        for tick in range(12):
            told = watch.judge([counts(20, int(rng.binomial(20, level(hour))), value)], (START + hour) * 12 + tick)
        found += [(hour, one) for one in told]
    return found


def watching(*series):
    return DriftWatch(series, target_of, 300_000)


@pytest.mark.parametrize("series", [ORG, PAGE, KSWIN], ids=lambda one: one.detector)
def test_every_detector_finds_a_step_and_tells_it_as_info_with_shares_and_onset(series):
    found = passed(watching(series), range(END_H))
    hour, first = found[0]
    assert STEP_H <= hour <= STEP_H + 30
    assert (first.kind, first.level, first.phase) == ("drift", Level.INFO, Phase.MOVING)
    assert (first.subject.dimension, first.subject.id, first.targets[0].id) == ("org", "org_7", "atlas-4")
    assert first.evidence["share_before"] == pytest.approx(0.1, abs=0.05)
    assert first.evidence["share_after"] == pytest.approx(0.6, abs=0.05)
    assert abs(first.onset_ms // HOUR_MS - START - STEP_H) <= 2


def test_a_series_that_keeps_its_level_is_not_told():
    assert passed(watching(ORG, PAGE), range(END_H), lambda hour: 0.3) == []


def test_a_drift_is_told_for_a_day():
    found = passed(watching(ORG), range(END_H + 40))
    assert found[-1][0] - found[0][0] == SAID_H


def test_another_cohort_and_a_series_that_nobody_asked_for_say_nothing():
    assert passed(watching(ORG), range(END_H), value="org_8") == []
    assert passed(watching(), range(END_H)) == []


@pytest.mark.parametrize(("made", "series"), [(ADWIN(clock=1), ORG), (PageHinkley(24, 0.005, 0.5), PAGE)])
def test_it_agrees_with_river_on_the_same_shares_until_the_first_drift(made, series):
    watch = watching(series)
    for hour in range(END_H):
        found = passed(watch, [hour])
        rng = np.random.default_rng(hour)
        share = 0.6 if hour >= STEP_H else 0.1
        made.update(sum(int(rng.binomial(20, share)) for _ in range(12)) / 240)
        assert bool(found) == made.drift_detected, hour
        if found:
            return
    pytest.fail("river saw no drift in a share that rose sixfold")


def test_without_river_nothing_is_found(monkeypatch):
    class Blind:
        drift_detected = False

        def __init__(self, clock=1):
            pass

        def update(self, value):
            pass

    monkeypatch.setattr(module, "DETECTORS", {**DETECTORS, "ADWIN": Blind})
    assert passed(watching(ORG), range(END_H)) == []


@pytest.mark.parametrize("series", [ORG, PAGE, KSWIN], ids=lambda one: one.detector)
@pytest.mark.parametrize("cut_h", [50, STEP_H + 2, END_H - 10])
def test_a_restored_series_goes_on_as_if_nothing_had_happened(series, cut_h):
    whole, restored = watching(series), watching(series)
    passed(whole, range(cut_h))
    restored.restore(from_bytes(to_bytes(whole.state())))
    assert passed(restored, range(cut_h, END_H)) == passed(whole, range(cut_h, END_H))
    assert restored.state() == whole.state()


def test_a_series_that_is_configured_otherwise_begins_anew():
    whole = watching(ORG)
    passed(whole, range(50))
    other = watching(PAGE)
    other.restore(whole.state())
    assert other.state()[0][1] == []


def test_what_a_series_remembers_is_bounded():
    watch = watching(ORG)
    passed(watch, range(VALUES_MAX + 100), lambda hour: 0.3)
    assert len(watch.state()[0][1]) <= VALUES_MAX


def test_partitions_are_summed_and_an_hour_without_a_request_says_nothing():
    watch = watching(ORG)
    for tick in range(12):
        watch.judge([counts(10, 5), counts(30, 5)], START * 12 + tick)
    for tick in range(12, 24):
        watch.judge([], START * 12 + tick)
    assert watch.state()[0][1] == [0.25]


def test_a_detector_that_river_has_not_is_refused_in_words():
    with pytest.raises(ValueError, match="expected one of ADWIN, KSWIN, PageHinkley"):
        detector_of(Series("org", "a", NEW, "DDM"))
    with pytest.raises(ValueError, match=r"settings: ADWIN of river says: .*speed"):
        detector_of(Series("org", "a", NEW, "ADWIN", (("speed", 2),)))


def test_the_judge_tells_what_drifted():
    judge = Judge(Parameters(drift=(ORG,)))
    found = [judge.cohorts([counts(20, 12 if hour >= 60 else 2)], (START + hour) * 12 + 11) for hour in range(140)]
    assert {one.kind for told in found for one in told} == {"drift"}
    again = Judge(Parameters(drift=(ORG,)))
    again.restore(from_bytes(to_bytes(judge.state())))
    assert again.series.state() == judge.series.state()
