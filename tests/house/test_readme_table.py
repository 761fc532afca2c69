"""The table of measurements goes between its two markers, and nothing else of the document changes."""

from __future__ import annotations

import subprocess
import sys

from tests.house.sources import ROOT

PRINTED = "<!-- quality: begin -->\n| new |\n<!-- quality: end -->\n"


def put(tmp_path, document, printed=PRINTED):
    path = tmp_path / "README.md"
    path.write_text(document, "utf-8")
    command = [sys.executable, str(ROOT / "tools" / "readme_table.py"), str(path)]
    ended = subprocess.run(command, input=printed, capture_output=True, text=True, check=False)
    return ended, path.read_text("utf-8")


def test_the_table_replaces_the_one_that_was_there(tmp_path):
    ended, after = put(tmp_path, "# A\n<!-- quality: begin -->\nold\n<!-- quality: end -->\nB ü\n")
    assert ended.returncode == 0
    assert after == f"# A\n{PRINTED.strip()}\nB ü\n"


def test_a_document_without_the_markers_stays_as_it_is(tmp_path):
    ended, after = put(tmp_path, "# A\n")
    assert ended.returncode == 2
    assert "put the two markers where the table belongs" in ended.stderr
    assert after == "# A\n"


def test_a_run_that_printed_no_table_changes_nothing(tmp_path):
    document = "<!-- quality: begin -->\nold\n<!-- quality: end -->\n"
    ended, after = put(tmp_path, document, "Traceback ...")
    assert ended.returncode == 2
    assert after == document
