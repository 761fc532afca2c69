"""Does the event loop turn while a worker judges, stores and restores many accounts?"""

from __future__ import annotations

import pytest

from benchmarks.cost.recovery import at_scale
from tests.pace import ROUNDS, Pace

NOISE = 24  # yardsticks that other threads of this process do while the loop waits for a busy processor
HELD_MAX = 60  # a second in a million


@pytest.mark.slow
async def test_no_tick_snapshot_or_restoration_stops_the_loop_for_more_than_a_part_of_it():
    """A fifth of a million here, for time; `python -m benchmarks.cost.recovery` measures the million.

    By CPU time and by share: what a busy machine does to the loop is not the worker's doing. A restoration on the loop
    itself, as it once was, stops it for all of its time.
    """
    pace = Pace()
    for _ in range(ROUNDS):
        with pace.of():
            pass
    steps, _ = await at_scale(200_000)

    noise_s = NOISE * pace.yardstick_s
    stopped = {name: step for name, step in steps.items() if step.held_s > max(step.work_s / 3, noise_s)}
    assert stopped == {}
    assert max(step.held_s for step in steps.values()) < HELD_MAX * pace.yardstick_s
