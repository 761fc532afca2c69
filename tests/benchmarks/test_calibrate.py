"""What `make calibrate` makes of named accounts: a curve that says how many were right, in place of the old one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.calibrate import LEARNT, Told, curves_of, report, written
from detectors.judgement.belonging import probability


def fleet(number: int, boast: float = 0.2, accounts: int = 400, networks: int = 4) -> dict:
    """A fleet whose networks' accounts belong less often than it was told of them, by `boast`; one is honest."""
    rng = np.random.default_rng(number)
    rows = []
    for network in range(networks):
        hand = 0.5 if network == 0 else 4.0
        for score in rng.uniform(1.7, 4.0, accounts // networks).tolist():
            mine = network > 0 and bool(rng.random() < probability(score, 9.0) - boast)
            rows.append({"incident": f"net-{network}", "score": score, "hand": hand, "mine": mine})
    return {"named": rows}


FLEETS = [fleet(number) for number in range(6)]


def test_what_is_told_from_now_on_is_what_was_right():
    now = [line for line in report(FLEETS, curves_of(FLEETS)) if line.startswith("told from now on")]
    assert len(now) >= 2
    for line in now:
        said, right = (float(line.split()[i]) for i in (-6, -4))
        assert said == pytest.approx(right, abs=0.1), line


def test_the_curves_rise():
    told = curves_of(FLEETS)
    for curve in (told.named, told.hands):
        levels = [level for _, level in curve]
        assert levels == sorted(levels)


def test_an_account_of_a_network_that_is_rather_honest_is_told_with_doubt_whatever_its_score():
    told = curves_of(FLEETS)
    assert probability_at(told.hands, 0.5) < 0.5 < 0.9 < probability_at(told.hands, 4.0)


def test_a_network_of_thousands_does_not_outvote_all_others():
    honest = [fleet(number, boast=0.0) for number in range(20, 26)]
    giant = fleet(9, boast=0.5, accounts=20_000)
    assert dict(curves_of([*honest, giant]).named)[2.6] > dict(curves_of([giant]).named)[2.6] + 0.3


def test_the_module_has_the_new_curves_and_says_where_they_are_from():
    before = LEARNT.read_text("utf-8")
    first = written(before, Told([(0.0, -1.0), (2.0, 1.0)], [(0.0, 0.0), (6.0, 1.0)]), "random 1-2")
    text = written(first, Told([(0.0, -1.0), (3.0, 1.0)], [(0.0, 0.0), (6.0, 2.0)]), "random 3-4")
    told: dict = {}
    exec(text, told)
    assert told["NAMED"] == ((0.0, -1.0), (3.0, 1.0))
    assert told["HANDS"] == ((0.0, 0.0), (6.0, 2.0))
    assert "named in random 3-4 turned out" in text
    assert "random 1-2" not in text
    assert told["TRAITS"]
    assert len(text.splitlines()) <= len(before.splitlines()) + 1


def probability_at(curve, place: float) -> float:
    level = np.interp(place, *zip(*curve, strict=True))
    return float(1.0 / (1.0 + np.exp(-level)))
