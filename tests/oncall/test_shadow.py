"""A second configuration beside the first: what would differ, and nobody is told."""

from __future__ import annotations

import dataclasses

import pytest

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from detectors.parameters import Parameters
from stream.alerts.life import Life
from stream.cli import run
from stream.commands.set_up.shadow import COUNTED_BY, Shadow, closing_line, differences, refuse_other_counts
from stream.errors import UsageError

HOUR_MS = 3_600_000
T0_MS = 1_770_249_600_000


def life(*groups):
    """A life with one alert for each (key, level, hour, accounts)."""
    made = Life()
    for key, level, hour, accounts in sorted(groups, key=lambda one: one[2]):
        at_ms = T0_MS + hour * HOUR_MS
        members = tuple(Member(name, 0.9, at_ms, 1, 0.0, 0.5) for name in accounts)
        made.step(
            [
                Finding(
                    key, "release_shift", Subject("cluster", key), (Target("model", "m"),), level, Phase.MOVING, at_ms,
                    at_ms, members, {"ticks": 2, "share_after": 0.5}, "test",
                )
            ],
            at_ms,
        )  # fmt: skip
    return made


TEN = [f"a{i}" for i in range(10)]


def test_the_same_alert_under_another_name_is_the_same():
    found = differences(life(("x", Level.CRITICAL, 1, TEN)), life(("y", Level.CRITICAL, 1, TEN)))
    assert [one.is_same for one in found] == [True]
    assert found[0].common == 10


def test_another_severity_or_another_hour_is_a_difference():
    first = life(("x", Level.CRITICAL, 1, TEN))
    assert closing_line(differences(first, life(("x", Level.WARNING, 1, TEN)))).startswith("0 the same, 1 different")
    assert closing_line(differences(first, life(("x", Level.CRITICAL, 2, TEN)))).startswith("0 the same, 1 different")


def test_what_only_one_of_them_sees_is_told_as_such():
    found = differences(life(("x", Level.WARNING, 1, TEN)), life(("y", Level.WARNING, 2, ["b1", "b2"])))
    assert closing_line(found) == "0 the same, 0 different, 1 only here, 1 only beside"


def test_context_is_left_out():
    assert differences(life(("x", Level.INFO, 1, TEN)), life()) == []


def test_each_alert_is_paired_once_with_the_likest():
    found = differences(
        life(("x", Level.WARNING, 1, TEN)),
        life(("y", Level.WARNING, 1, TEN[:5]), ("z", Level.WARNING, 1, TEN[:9])),
    )
    assert closing_line(found) == "1 the same, 0 different, 0 only here, 1 only beside"
    assert found[0].common == 9 or found[1].common == 9


@pytest.mark.parametrize("key", COUNTED_BY)
def test_two_configurations_that_count_differently_are_refused(key):
    value = getattr(Parameters(), key)
    other = ("x",) if isinstance(value, tuple) else "x" if isinstance(value, str) else value - 1
    with pytest.raises(UsageError, match=f"the same {key}"):
        refuse_other_counts(Parameters(), dataclasses.replace(Parameters(), **{key: other}))


class TwoAlerts:
    """Stands for a fleet: its life is what a test made."""

    def __init__(self, life_):
        self.life, self.seen = life_, []

    def apply(self, summary):
        self.seen.append(summary)
        return [f"alerts of {id(self)}"]


def test_both_judge_the_same_summaries_and_only_the_first_is_heard():
    first, second = TwoAlerts(life()), TwoAlerts(life())
    shadow = Shadow(first, second)
    assert shadow.apply("summary") == [f"alerts of {id(first)}"]
    assert first.seen == second.seen == ["summary"]


def test_the_command_reads_a_log_once_and_compares(capsys, tmp_path):
    log, beside = tmp_path / "log.ndjson", tmp_path / "beside.toml"
    assert run(["simulate", "--scenario", "quiet", "--accounts", "200", "--days", "1", "--output", str(log)]) == 0
    beside.write_text("[detection]\npage_z = 90.0\n")
    assert run(["shadow", str(log), "--beside", str(beside)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 the same, 0 different, 0 only here, 0 only beside"
    beside.write_text("[ticks]\nlateness_ms = 1\n")
    assert run(["shadow", str(log), "--beside", str(beside)]) == 2
    assert "expected the same lateness_ms, got 900000 and 1" in capsys.readouterr().err
