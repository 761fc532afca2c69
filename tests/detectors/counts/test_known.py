"""How much a name costs, and which names come in where room is scarce."""

from __future__ import annotations

import tracemalloc

from detectors.counts.interned import Interned
from detectors.counts.known import EVERY, Room


def test_a_name_takes_up_to_300_bytes():
    """What docs/operating.md reckons with."""
    names = Interned()
    tracemalloc.start()
    for i in range(100_000):
        names.of(("org", f"organisation-{i:08}"))
    names.sorted()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 100 < held / 100_000 <= 300


def test_a_name_with_many_requests_comes_in_among_many_with_one():
    room, held = Room(capacity=800), 0
    for _ in range(20_000):
        held += room.admits(held, requests=1)
    assert room.turned_away > 10_000
    assert held < 800

    assert any(room.admits(held, requests=1) for _ in range(EVERY**2))


def test_a_room_that_is_full_takes_nobody_and_one_that_is_not_takes_all():
    room = Room(capacity=100)

    assert all(room.admits(held, requests=1) for held in range(87))
    assert not any(room.admits(100, requests=1) for _ in range(10_000))
