"""What is odd where river sees nothing?"""

from __future__ import annotations

import pytest


class Blind:
    """Half-space trees to which everybody is alike."""

    def learn_one(self, told: object) -> None:
        pass

    def score_one(self, told: object) -> float:
        return 0.0


@pytest.fixture
def river_sees_nothing(monkeypatch):
    """Call it, and from then on no account is odd."""

    def now() -> None:
        monkeypatch.setattr("river.anomaly.HalfSpaceTrees", lambda **settings: Blind())

    return now
