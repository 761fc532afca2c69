"""Writes the dashboards to deploy/monitoring/dashboards; with --check fails where one is not fresh."""

from __future__ import annotations

import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from tools.dashboards import fleet_shifts, on_call, swerve_health

FOLDER = Path(__file__).parents[2] / "deploy" / "monitoring" / "dashboards"
BOARDS = {"fleet-shifts": fleet_shifts.board, "on-call": on_call.board, "swerve-health": swerve_health.board}


def written() -> dict[Path, str]:
    """File and content of each dashboard."""
    encode = JSONEncoder(sort_keys=True, indent=2)
    return {FOLDER / f"{name}.json": encode.encode(board().build()) + "\n" for name, board in BOARDS.items()}


def main(arguments: list[str]) -> int:
    """Write them, or say which is stale."""
    if "--check" not in arguments:
        for path, content in written().items():
            path.write_text(content)
        return 0
    stale = [path.name for path, content in written().items() if not path.exists() or path.read_text() != content]
    if stale:
        print(f"stale: {', '.join(stale)}; run `make dashboards` and commit", file=sys.stderr)
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
