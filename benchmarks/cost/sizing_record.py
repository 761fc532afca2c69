"""What was measured for docs/operating.md, when, and by which command? One file, so that no figure is typed by hand."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "measured" / "sizing.json"


def read() -> dict[str, Any]:
    """Everything, by benchmark: {"sizing": {"command", "date", figures...}, ...}; {} before the first."""
    return json.loads(FILE.read_text()) if FILE.exists() else {}


def keep(benchmark: str, command: str, figures: dict[str, float]) -> None:
    """Replace what this benchmark measured before."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    record = read() | {benchmark: {"command": command, "date": today, **figures}}
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(dict(sorted(record.items())), indent=2) + "\n")
