"""A recovery that reads nothing is sent back; one that goes on, or has nothing to read, is left alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.errors import IllegalStateError

from stream.stages.stalled import STALLED_S, Stalled


class Recovery:
    """As much of Faust's as is asked; `sent_back` are the times at which it was."""

    def __init__(self, clock: SimpleNamespace) -> None:
        self.clock = clock
        self.in_recovery = True
        self.active_tps = {"changelog[0]"}
        self.active_offsets = {"changelog[0]": -1}
        self.highwater = 1
        self.refuses: Exception | None = None
        self.sent_back: list[float] = []

    def need_recovery(self) -> bool:
        return self.active_remaining_total() > 0

    def active_remaining_total(self) -> int:
        return self.highwater - self.active_offsets["changelog[0]"]

    async def _seek_offsets(self, consumer, partitions, offsets, title) -> None:
        assert (partitions, offsets, title) == (self.active_tps, self.active_offsets, "active")
        self.sent_back.append(self.clock.now_s)
        if self.refuses is not None:
            raise self.refuses


@pytest.fixture
def clock() -> SimpleNamespace:
    return SimpleNamespace(now_s=100.0)


@pytest.fixture
def recovery(clock) -> Recovery:
    return Recovery(clock)


@pytest.fixture
def app(recovery) -> SimpleNamespace:
    """As Faust's is in every recovery: to it, a rebalance ends when its recovery has."""
    return SimpleNamespace(tables=SimpleNamespace(recovery=recovery), consumer=object(), rebalancing=True)


@pytest.fixture
def stalled(app, clock) -> Stalled:
    return Stalled(app, now_s=lambda: clock.now_s)


async def seconds(stalled: Stalled, clock: SimpleNamespace, count: int) -> None:
    for _ in range(count):
        await stalled.watch()
        clock.now_s += 1.0


async def test_a_recovery_that_reads_nothing_is_sent_back_at_longer_and_longer_intervals(stalled, clock, recovery):
    await seconds(stalled, clock, 40)

    assert recovery.sent_back == [100.0 + STALLED_S, 100.0 + 3 * STALLED_S, 100.0 + 7 * STALLED_S]


async def test_a_recovery_that_goes_on_is_left_alone(stalled, clock, recovery):
    recovery.highwater = 1_000
    for _ in range(20):
        recovery.active_offsets["changelog[0]"] += 1
        await seconds(stalled, clock, 1)

    assert recovery.sent_back == []


async def test_a_worker_with_nothing_to_recover_is_left_alone(stalled, clock, recovery):
    recovery.active_offsets["changelog[0]"] = recovery.highwater

    await seconds(stalled, clock, 20)

    assert recovery.sent_back == []


async def test_partitions_that_go_at_that_very_moment_are_no_failure(stalled, clock, recovery):
    recovery.refuses = IllegalStateError("gone")

    await seconds(stalled, clock, 7)

    assert len(recovery.sent_back) == 1
