"""How much memory is this process given, and how much of it may its state hold?

What `[limits] memory_mb` says, else what the cgroup of the process allows, else what the machine has.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

MB = 1_000_000
#: What a process of each stage takes before it knows an account, rounded up: docs/operating.md has the measurement.
PROCESS_MB = {"ingest": 200, "detect": 300, "correlate": 450}
#: Frames in work, copies while columns grow, and the snapshot that is written come on top of what is held.
SHARE_HELD = 0.5
STATE_MB_MIN = 16  # a process that was given hardly anything still knows some thousand accounts
_CGROUPS = Path("/sys/fs/cgroup")


def given_bytes(configured_mb: int = 0, cgroups: Path = _CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes that this process may take. configured_mb: 0 where nobody said. O(depth of its cgroup)."""
    if configured_mb:
        return configured_mb * MB
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([machine, *_limits(cgroups, own)])


def _limits(cgroups: Path, own: Path) -> list[int]:
    """Every limit that a cgroup above this process has, of either version of the kernel's interface."""
    found = []
    for line in _text(own).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            root, name = cgroups, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = cgroups / "memory", "memory.limit_in_bytes"
        else:
            continue
        # In a container the path is of the machine, and only the root is seen.
        at = root / path.strip("/")
        for folder in {root, at, *(one for one in at.parents if root in one.parents)}:
            said = _text(folder / name).strip()
            if said.isdigit():
                found.append(int(said))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def state_bytes(given: int, stages: Sequence[str]) -> dict[str, float]:
    """Bytes that the state of detect and of correlate may hold in a process of these stages; {} where it has none.

    >>> {stage: round(held / MB) for stage, held in state_bytes(3_000 * MB, ["detect"]).items()}
    {'detect': 1350}
    >>> {stage: round(held / MB) for stage, held in state_bytes(2_000 * MB, ["ingest", "detect", "correlate"]).items()}
    {'detect': 262, 'correlate': 262}
    """
    stateful = [stage for stage in stages if stage in ("detect", "correlate")]
    left = given - MB * sum(PROCESS_MB[stage] for stage in stages)
    return {stage: max(SHARE_HELD * left / len(stateful), STATE_MB_MIN * MB) for stage in stateful}
