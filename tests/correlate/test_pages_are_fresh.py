"""What the documents say of alerts is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stream.alerts.diagram import drawn, refreshed
from stream.alerts.transitions import TABLE
from stream.sinks.sink import Links
from stream.sinks.webhook import EXAMPLE

DOCS = Path(__file__).parents[2] / "docs"
KINDS = ("release_shift", "capability_shift", "coordinated_shift")


def test_the_diagram_is_drawn_from_the_table_of_today():
    page = (DOCS / "alert-life.md").read_text()
    assert refreshed(page) == page, "run: python -m stream.alerts.diagram docs/alert-life.md"


def test_every_row_of_the_table_is_in_the_drawing():
    assert drawn().count("-->") == 1 + sum(len(row) for row in TABLE.values())


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="drawn: begin"):
        refreshed("nothing")


@pytest.mark.parametrize("kind", [*KINDS, "swerve_watchdog", "swerve_canary"])
def test_every_kind_of_alert_has_its_section_with_the_five_answers(kind):
    page = (DOCS / "runbook.md").read_text()
    found = re.search(rf'<a id="{kind}"></a>\n(.*?)(?=<a id=|\Z)', page, re.DOTALL)
    assert found, f"no section {kind} in docs/runbook.md"
    for question in ("What it means", "Look first at", "Do", "Mark it", "It goes away"):
        assert f"**{question}**" in found[1], (kind, question)


def test_the_link_of_an_alert_leads_to_the_section_of_its_kind():
    assert Links("https://swerve.example").runbook(EXAMPLE).endswith("/runbook#coordinated_shift")
