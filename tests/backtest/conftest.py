"""Logs by hand, and one simulated log with a campaign, replayed once for all tests that look at what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

T0 = 1_772_409_600_000  # 2026-03-02 00:00 UTC
MINUTE = 60_000


def request_line(number: int, at_ms: int | None = None, **other: Any) -> bytes:
    """One readable record; each number is another event a second after the last."""
    given = {
        "event_id": f"e{number}",
        "timestamp": T0 + 1_000 * number if at_ms is None else at_ms,
        "account_id": f"acct_{number % 7}",
        "model": "atlas-3" if number % 3 else "brio-2",
        "capabilities": ["coding"] if number % 2 else [],
    }
    return json.dumps(given | other).encode()


@pytest.fixture
def record() -> Callable[..., bytes]:
    return request_line


def rows_of(path: Path) -> list[dict[str, Any]]:
    """NDJSON as it is read by anybody."""
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def read() -> Callable[[Path], list[dict[str, Any]]]:
    return rows_of
