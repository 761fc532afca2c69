#!/usr/bin/env python
"""Copies rules, alerts and dashboards into the Helm chart, which can only read its own folder; --check compares."""

from __future__ import annotations

import sys
from pathlib import Path

DEPLOY = Path(__file__).parent.parent / "deploy"
MONITORING = DEPLOY / "monitoring"
CHART = DEPLOY / "helm" / "swerve" / "files"


def copies() -> dict[Path, Path]:
    """Each file of the chart, and the one that it is a copy of."""
    dashboards = {CHART / "dashboards" / path.name: path for path in sorted(MONITORING.glob("dashboards/*.json"))}
    rules = {CHART / f"{kind}.yaml": MONITORING / kind / "swerve.yaml" for kind in ("rules", "alerts")}
    return rules | dashboards


def main(arguments: list[str]) -> int:
    """Copy, or say which copy is stale."""
    wanted = {copy: original.read_text() for copy, original in copies().items()}
    there = {path: path.read_text() for path in CHART.rglob("*") if path.is_file()}
    if "--check" in arguments:
        stale = sorted(str(path.relative_to(CHART)) for path in wanted.keys() | there.keys() if
                       wanted.get(path) != there.get(path))  # fmt: skip
        if stale:
            print(f"stale in the chart: {', '.join(stale)}; run `make dashboards` and commit", file=sys.stderr)
        return int(bool(stale))
    for path in there.keys() - wanted.keys():
        path.unlink()
    for path, content in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
