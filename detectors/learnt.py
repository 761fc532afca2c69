"""The numbers that `make learn` found on fleets drawn at random. Generated: do not edit."""

from __future__ import annotations

BASE = 0.0
TRAITS: dict[str, tuple[tuple[float, float], ...]] = {}
LINES: tuple[tuple[float, float], ...] = ((0.3, 3.0), (10.0, 0.0))
NETWORK: tuple[tuple[float, float], ...] = ((-4.0, -4.0), (4.0, 4.0))
ACCOUNT: tuple[tuple[float, float], ...] = ((-2.0, -2.0), (8.0, 4.0))
