"""A drift that was asked for becomes an alert of severity info, and ends a day after."""

from __future__ import annotations

from detectors.parameters import Parameters
from stream.alerts.life import Life
from tests.detectors.comparison.test_series import END_H, ORG, START, STEP_H, counts, watching


def test_it_opens_as_info_with_a_sentence_and_ends(tmp_path):
    parameters, watch = Parameters(), watching(ORG)
    life = Life(parameters.tick_ms, parameters.network_tick_ms)
    told = []
    for hour in range(STEP_H - 60, END_H + 60):
        for tick in range(12):
            number = (START + hour) * 12 + tick
            findings = watch.judge([counts(20, 12 if hour >= STEP_H else 2)], number)
            told += life.step(findings, (number + 1) * parameters.tick_ms, expected=(), verdicts=())
    assert [(one.kind, one.severity, one.status) for one in told] == [
        ("drift", "info", "firing"), ("drift", "info", "resolved"),
    ]  # fmt: skip
    assert "org_7" in told[0].summary
    assert "10% -> 60%" in told[0].summary
    assert told[1].resolved_reason == "ended"
