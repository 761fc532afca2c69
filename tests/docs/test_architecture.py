"""docs/architecture.md: its picture is what the imports say, and what the recipes name is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("CONTRIBUTING.md", "docs/architecture.md", *(f"docs/decisions/{path.name}"
         for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))))  # fmt: skip


def test_the_picture_is_what_the_command_draws():
    command = [sys.executable, ROOT / "tools" / "rooms_picture.py", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_is_there(page: str):
    named = re.findall(
        r"`((?:detectors|stream|tests|tools|docs|benchmarks)/[\w./-]+)`", (ROOT / page).read_text("utf-8")
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_decision_is_listed_says_its_day_and_what_would_change_it():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| \[.+\]\((.+)\) \|$", (folder / "README.md").read_text("utf-8"), re.M)
    assert {name for _, name in listed} == {path.name for path in folder.glob("*.md")} - {"README.md"}
    for day, name in listed:
        text = (folder / name).read_text("utf-8")
        assert f"Decided {day}" in text, name
        assert "**What would change it.**" in text, name
