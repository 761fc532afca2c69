"""What `make calibrate` makes of named accounts: a curve that says how many were right, in place of the old one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibrate import LEARNT, curve_of, report, written
from detectors.judgement.belonging import probability


def fleet(number: int, boast: float = 0.2, accounts: int = 400) -> dict:
    """A fleet whose named accounts are right less often than it was told, by `boast`."""
    rng = np.random.default_rng(number)
    told = [probability(score) for score in rng.uniform(1.7, 4.0, accounts)]
    return {"said": {"sure": [(p, bool(rng.random() < p - boast)) for p in told]}}


FLEETS = [fleet(number) for number in range(6)]


def test_what_is_told_from_now_on_is_what_was_right():
    now = [line for line in report(FLEETS, curve_of(FLEETS)) if line.startswith("told from now on")]
    assert len(now) >= 2
    for line in now:
        said, right = (float(line.split()[i]) for i in (-6, -4))
        assert said == pytest.approx(right, abs=0.06), line


def test_the_curve_rises():
    levels = [level for _, level in curve_of(FLEETS)]
    assert levels == sorted(levels)


def test_a_fleet_of_thousands_does_not_outvote_all_others():
    honest = [fleet(number, boast=0.0) for number in range(20, 26)]
    giant = fleet(9, boast=0.5, accounts=20_000)
    level = dict(curve_of([*honest, giant]))
    alone = dict(curve_of([giant]))
    assert level[2.6] > alone[2.6] + 0.3


def test_the_module_has_the_new_curve_and_says_where_it_is_from():
    before = LEARNT.read_text("utf-8")
    text = written(written(before, [(0.0, -1.0), (2.0, 1.0)], "random 1-2"), [(0.0, -1.0), (3.0, 1.0)], "random 3-4")
    told: dict = {}
    exec(text, told)
    assert told["NAMED"] == ((0.0, -1.0), (3.0, 1.0))
    assert "named in random 3-4 turned out" in text
    assert "random 1-2" not in text
    assert told["TRAITS"]
    assert len(text.splitlines()) <= len(before.splitlines()) + 1
