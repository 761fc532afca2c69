"""Does the event loop turn while a worker judges, stores and restores many accounts?"""

from __future__ import annotations

import pytest

from benchmarks.recovery import at_scale


@pytest.mark.slow
async def test_no_tick_snapshot_or_restoration_stops_the_loop_for_a_second():
    """A fifth of a million here, for time; `python -m benchmarks.recovery` measures the million."""
    steps, _ = await at_scale(200_000)

    assert {name: step.blocked_s for name, step in steps.items() if step.blocked_s >= 1.0} == {}
