"""docs/scale-out.md: every figure follows from what was recorded, and what it names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchmarks.cost import sizing_record
from benchmarks.cost.scale_out import FILE, written

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "scale-out.md").read_text()


def test_the_tables_are_those_of_what_was_recorded():
    assert written(sizing_record.read(), json.loads(FILE.read_text())) in TEXT


def test_what_says_that_the_end_is_near_is_a_metric():
    known = (ROOT / "docs" / "metrics.md").read_text()
    named = set(re.findall(r"`(swerve_\w+)`", TEXT))
    assert len(named) == 2
    assert all(f"`{name}`" in known for name in named)


def test_a_dearer_judgement_lowers_where_correlate_ends():
    sizing, judging = sizing_record.read(), json.loads(FILE.read_text())
    dearer = written(sizing, judging | {"judge_s": 10 * judging["judge_s"]})
    ends = [float(re.search(r"simulated fleet \| \S+ us \| ([\d.]+) M", one)[1]) for one in (TEXT, dearer)]
    assert ends[1] < ends[0] / 5
