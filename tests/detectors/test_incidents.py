"""What an incident does now: it moves, it is quiet, or what it did became normal for it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from detectors.findings import Level, Phase
from detectors.incidents import QUIET_TICKS_ADOPTED, Evidence, Incident, phase_of

NEW, CODING = "model:new", "capability:coding"
ACCOUNTS = 10


def incident() -> Incident:
    """Ten accounts that moved to a model in hour 0."""
    one = Incident("net-1", "release_shift", 0, 0, NEW, True, Level.CRITICAL, 0, targets={NEW: 0})
    for key in range(ACCOUNTS):
        one.evidence[key] = Evidence(f"a{key}", 2, 5.0, 0, 0, 100, 0.0, 0.5, True, 0, moved=2)
    return one


def then(one: Incident, hour: int, share: float, *strong: str) -> Phase:
    """What it does in this hour, at this share of the model, where these targets are over the line."""
    targets = (CODING, NEW)
    population = SimpleNamespace(
        targets=targets,
        n=np.full(ACCOUNTS, 100.0),
        X=np.tile([20.0, 100.0 * share], (ACCOUNTS, 1)),
        columns=SimpleNamespace(keys=np.arange(ACCOUNTS, dtype=np.uint64)),
    )
    groups = [SimpleNamespace(strong=np.array([targets.index(name) for name in strong]))] if strong else []
    if strong:
        one.last = hour
    one.series.append([hour, share, 0.1])
    one.peak = max(one.peak, share)
    return phase_of(SimpleNamespace(population=population, hour=hour), one, groups)


@pytest.fixture
def adopted() -> Incident:
    one = incident()
    assert then(one, 1, 0.5, NEW) is Phase.MOVING
    assert then(one, 2, 0.5) is Phase.QUIET
    assert then(one, 1 + QUIET_TICKS_ADOPTED, 0.5) is Phase.ADOPTED
    return one


def test_what_became_normal_and_hovers_at_the_line_is_no_news(adopted):
    assert [then(adopted, 20 + hour, 0.52, NEW) for hour in range(3)] == [Phase.ADOPTED] * 3


def test_what_rises_by_a_fifth_above_what_became_normal_moves_again(adopted):
    assert then(adopted, 20, 0.61, NEW) is Phase.MOVING


def test_another_target_is_news(adopted):
    adopted.targets[CODING] = 20
    assert then(adopted, 20, 0.5, NEW, CODING) is Phase.MOVING


def test_what_was_given_up_and_comes_back_moves_again(adopted):
    assert then(adopted, 20, 0.1) is Phase.QUIET
    assert then(adopted, 40, 0.5, NEW) is Phase.MOVING
