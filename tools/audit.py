"""Has a locked dependency a known vulnerability? Asks pip-audit; what could not be asked about is told, and is no pass.

Exit codes: 0 all were asked about and none is known to be vulnerable, 1 some are, 2 it cannot be told.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(".venv/requirements.txt")  # the whole lock, as `make setup` installs it
SHOWN = 5
TIMEOUT_S = 600
CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2


def verdict(dependencies: Sequence[Mapping[str, Any]]) -> tuple[int, str]:
    """Exit code and words of what pip-audit found, as its JSON has it.

    >>> verdict([{"name": "a", "version": "1", "vulns": []}])
    (0, '1 locked packages, none with a known vulnerability')
    >>> verdict([{"name": "a", "skip_reason": "not found"}])[0]
    2
    """
    skipped = [one["name"] for one in dependencies if "skip_reason" in one]
    found = [
        f"{one['name']} {one['version']}: {', '.join(vulnerability['id'] for vulnerability in one['vulns'])}"
        for one in dependencies
        if one.get("vulns")
    ]
    left = f"; {_of(skipped, dependencies)}" if skipped else ""
    if found:
        return VULNERABLE, f"{len(found)} of {len(dependencies)} locked packages are vulnerable{left}\n" + "\n".join(
            found
        )
    if skipped or not dependencies:
        return UNKNOWN, f"cannot be told: {_of(skipped, dependencies)}"
    return CLEAN, f"{len(dependencies)} locked packages, none with a known vulnerability"


def _of(skipped: Sequence[str], dependencies: Sequence[Mapping[str, Any]]) -> str:
    more = ", ..." if len(skipped) > SHOWN else ""
    return (
        f"of {len(skipped)} of {len(dependencies)} packages the index knows no vulnerabilities to compare with "
        f"({', '.join(skipped[:SHOWN])}{more}); ask from where pypi.org, or a mirror with its JSON API, is reached"
    )


def audited(requirements: Path, *more: str) -> tuple[int, str]:
    """The verdict about a file of locked requirements."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off",
               "--format", "json", "-r", str(requirements), *more]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        return verdict(json.loads(done.stdout)["dependencies"])
    except subprocess.TimeoutExpired:
        return UNKNOWN, f"cannot be told: no answer within {TIMEOUT_S} s"
    except (json.JSONDecodeError, KeyError, TypeError):
        last = (done.stderr.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return UNKNOWN, f"cannot be told: the index cannot be reached, or did not answer: {last[:300]}"


def main() -> None:
    """Ask, say, end."""
    code, told = audited(REQUIREMENTS)
    print(f"audit: {told}", file=sys.stderr if code else sys.stdout)
    sys.exit(code)


if __name__ == "__main__":
    main()
