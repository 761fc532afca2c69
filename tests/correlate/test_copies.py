"""The memory of what was counted is bounded: what it has forgotten is taken for a repeat, never for a conflict."""

from __future__ import annotations

import pytest

from stream.correlate import copies
from stream.correlate.copies import Copies


def test_only_another_content_of_the_same_tick_shards_and_version_differs():
    known = Copies()
    known.differs((7, 0, 64, 1), b"counts")

    assert not known.differs((8, 0, 64, 1), b"others")
    assert not known.differs((7, 1, 64, 1), b"others")
    assert not known.differs((7, 0, 64, 2), b"others"), "a new version writes otherwise"
    assert known.differs((7, 0, 64, 1), b"others")


def test_what_is_forgotten_does_not_differ(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(copies, "COPIES_MAX", 2)
    known = Copies()
    for tick in range(3):
        known.differs((tick, 0, 64, 1), b"counts")

    assert not known.differs((0, 0, 64, 1), b"others")
    assert known.differs((2, 0, 64, 1), b"others")
