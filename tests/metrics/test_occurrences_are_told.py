"""A metric that nobody moves is a promise broken: every occurrence is told somewhere, and through the package."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import pytest

from stream.telemetry import metrics

STREAM = Path(metrics.__file__).parents[2]
SOURCES = [path for path in STREAM.rglob("*.py") if path.parent.name != "metrics"]
READERS = {"DEFINED", "STAGES", "Defined", "render", "value"}  # of these nobody needs to call any


@functools.cache
def called() -> set[str]:
    """Names of all attributes of `metrics` that the package uses."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics":
                found.add(node.attr)
    return found


@pytest.mark.parametrize("occurrence", sorted(set(metrics.__all__) - READERS))
def test_each_occurrence_is_told_by_somebody(occurrence: str):
    assert occurrence in called()


def test_nobody_tells_what_is_not_defined():
    assert called() <= set(metrics.__all__)


def test_no_other_file_names_a_metric_or_the_client_library():
    words = ["prometheus_client", *(one.name for one in metrics.DEFINED)]

    found = [
        f"{path.relative_to(STREAM)} names {word}" for path in SOURCES for word in words if word in path.read_text()
    ]
    assert found == []
