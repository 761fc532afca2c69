"""Does the notebook run from its first cell to its last, and draw what it says? Run as Jupyter does, without it."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebooks" / "one-campaign.ipynb"


def sources(kind: str) -> list[str]:
    """The cells of one kind, in order."""
    return [
        "".join(one["source"]) for one in json.loads(NOTEBOOK.read_text("utf-8"))["cells"] if one["cell_type"] == kind
    ]


def ran(source: str, names: dict[str, Any]) -> Any:
    """Run a cell; the value of its last line, where that is an expression."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), NOTEBOOK.name, "exec"), names)
    return None if last is None else eval(compile(last, NOTEBOOK.name, "eval"), names)


@pytest.mark.slow
def test_it_replays_a_log_and_draws_the_campaign_that_was_planted(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = [value for source in sources("code") if hasattr(value := ran(source, names), "_repr_html_")]
    course, network = (value._repr_html_() for value in shown)

    case = names["case"]
    assert case.severity == "critical"
    assert f"critical: {case.said}" in capfd.readouterr().out
    assert len(re.findall(r"<(?:path|polyline)[^>]*class=\"[^\"]*line", course)) >= 2, "these accounts and all others"
    assert network.count('<svg class="matrix"') == 1
    assert f"{len(names['networks'][case.last.alert_id].members)} members" in network
    assert len(case.last.accounts) >= 10


def test_it_is_kept_without_output_so_that_a_change_can_be_read():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert [one for one in cells if one.get("outputs") or one.get("execution_count")] == []
    assert all(len(line) <= 125 for source in sources("code") for line in source.splitlines())
