"""The table of targets says what was met, and of what was not measured which command measures it."""

from __future__ import annotations

from benchmarks.cost.targets import TARGETS, table
from tests.house.sources import ROOT


def row(measured, key):
    what = next(target.what for target in TARGETS if target.key == key)
    return next(line for line in table(measured).splitlines() if f"| {what} |" in line)


def test_more_is_better_for_a_rate_and_less_for_a_price():
    assert row({"ingest": 0.6}, "ingest").endswith("| 0.60 | 0.55 | 0.70 | floor met |")
    assert row({"ingest": 0.7}, "ingest").endswith("goal met |")
    assert row({"quix": 0.7}, "quix").endswith("MISSED |")
    assert row({"quix": 0.3}, "quix").endswith("goal met |")


def test_what_was_not_measured_names_its_command():
    assert row({}, "quix").endswith("|  | 0.60 | 0.33 | `make peers` |")


def test_every_command_that_is_named_is_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in TARGETS:
        first, *rest = target.command.split()
        if first == "make":
            assert f"\n{rest[0]}: " in makefile, target.command
        else:
            assert (ROOT / f"{rest[1].replace('.', '/')}.py").exists(), target.command
