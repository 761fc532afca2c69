#!/usr/bin/env python
"""Writes the table of values into the chart's README: each with its default and its comment; --check compares."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

CHART = Path(__file__).parent.parent / "deploy" / "helm" / "swerve"
BEGIN, END = "<!-- values: begin -->", "<!-- values: end -->"
OPAQUE = (
    "resources",
    "podSecurityContext",
    "labels",
    "requests",
    "limits",
)  # told in one row, with all that is in them


def rows(values: str) -> Iterator[tuple[str, str, str]]:
    """(key, default, meaning) of each value, in the order of the file. Raises ValueError where one has no comment.

    >>> list(rows("# How many.\\nreplicas: 2\\n"))
    [('replicas', '2', 'How many.')]
    """
    lines = values.splitlines()

    def inside(node: yaml.MappingNode, path: str) -> Iterator[tuple[str, str, str]]:
        for key, value in node.value:
            name = f"{path}.{key.value}".removeprefix(".")
            if isinstance(value, yaml.MappingNode) and value.value and key.value not in OPAQUE:
                yield from inside(value, name)
                continue
            told = _above(lines, key.start_mark.line)
            if not told:
                raise ValueError(f"{name} has no comment above it: say what it is for")
            yield name, _shown(yaml.safe_load(yaml.serialize(value))), told

    root = yaml.compose(values)
    assert isinstance(root, yaml.MappingNode)
    yield from inside(root, "")


def _above(lines: list[str], at: int) -> str:
    """The comment that ends on the line before this one."""
    first = at
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(line.strip().lstrip("#").strip() for line in lines[first:at])


def _shown(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return "a sink to standard output" if "stdout" in value else "see values.yaml"
    return json.dumps(value)


def table(values: str) -> str:
    """The table as Markdown, between its markers."""
    lines = ["| value | default | what it is |", "| --- | --- | --- |"]
    lines += [f"| `{key}` | `{default}` | {told.replace('|', chr(92) + '|')} |" for key, default, told in rows(values)]
    return "\n".join((BEGIN, *lines, END))


def main(arguments: list[str]) -> int:
    """Write, or say that it is stale; 2 where a value is told nowhere."""
    readme = CHART / "README.md"
    written = readme.read_text("utf-8")
    try:
        new = table((CHART / "values.yaml").read_text("utf-8"))
    except ValueError as error:
        sys.stderr.write(f"chart_readme: values.yaml: {error}\n")
        return 2
    before, _, rest = written.partition(BEGIN)
    whole = before + new + rest.partition(END)[2]
    if "--check" in arguments and whole != written:
        sys.stderr.write("the chart's README is stale; run `make dashboards` and commit\n")
        return 1
    if "--check" not in arguments:
        readme.write_text(whole, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
