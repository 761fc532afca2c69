"""What is odd in a fleet: by river's half-space trees, learnt from a sample, the same after a restart."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.triage import oddity
from detectors.triage.oddity import Oddity

TRAITS = ("growth", "work", "hours")
PLAIN = np.random.default_rng(3).beta(2, 12, (4_000, 3))
ODD = np.array([[0.9, 0.95, 0.1], [0.1, 0.9, 0.9]])


def learnt(rows):
    odd = Oddity(TRAITS)
    odd.learn(PLAIN[:rows])
    return odd


def test_what_hardly_anybody_does_is_odd_and_what_most_do_is_not():
    odd = learnt(3_000)
    usual = odd.nats(PLAIN[3_000:3_400])
    assert odd.nats(ODD).min() > np.quantile(usual, 0.99)


def test_a_score_is_exceeded_as_often_as_its_nats_say():
    nats = learnt(3_000).nats(PLAIN[3_000:])
    assert (nats >= np.log(10)).mean() == pytest.approx(0.1, abs=0.03)


def test_before_a_window_is_full_nobody_is_odd():
    assert learnt(oddity.WINDOW).nats(ODD).tolist() == [0.0, 0.0]


def test_a_fleet_that_changes_its_ways_is_usual_after_a_window():
    odd = learnt(2_000)
    before = odd.nats(ODD)[0]
    odd.learn(np.tile(ODD[0], (2 * oddity.WINDOW, 1)))
    assert odd.nats(ODD)[0] < 0.1 < 4.0 < before


@pytest.mark.parametrize("rows", [300, 1_000, 1_700, 2_600, 3_999])
def test_a_restored_model_scores_and_learns_on_as_if_nothing_had_happened(rows):
    whole, restored = learnt(rows), Oddity(TRAITS)
    restored.restore(from_bytes(to_bytes(whole.state())))
    for odd in (whole, restored):
        odd.learn(PLAIN[:700])
    assert restored.nats(PLAIN[:50]).tolist() == whole.nats(PLAIN[:50]).tolist()
    assert to_bytes(restored.state()) == to_bytes(whole.state())


def test_its_state_is_bounded():
    odd = learnt(4_000)
    assert len(odd.state()["learnt"]) < 2 * oddity.WINDOW
    assert len(odd.state()["scores"]) <= oddity.REFERENCE


def test_without_river_nothing_is_odd(river_sees_nothing):
    river_sees_nothing()
    assert learnt(3_000).nats(ODD).tolist() == [0.0, 0.0]
