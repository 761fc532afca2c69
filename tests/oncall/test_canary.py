"""The planted campaign: found today, missed by a configuration that is blind, and told once."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses

import pytest

from detectors.parameters import Parameters
from stream.sinks.delivery import Delivery
from stream.sinks.watchdog import watchdog
from stream.telemetry.canary import Canary, Search, search_apart, watch_over
from tests.pace import PATIENCE_S

FOUND, MISSED = Search(True, 0.9, 12.0), Search(False, 0.0, None)


@pytest.mark.slow
async def test_it_is_found_with_the_parameters_that_are_shipped():
    found = await search_apart(Parameters())
    assert found.is_found
    assert found.delay_h < 24


@pytest.mark.slow
async def test_it_is_missed_where_no_value_can_tie_accounts():
    missed = await search_apart(dataclasses.replace(Parameters(), link_dimensions=("nothing",)))
    assert missed == MISSED


def test_a_miss_is_told_once_and_its_end_when_it_is_found_again():
    canary = Canary()
    came = [canary.judge(one, at) for at, one in enumerate([FOUND, MISSED, MISSED, FOUND, FOUND, MISSED], 1)]
    assert [one and (one.status, one.severity, one.updated_at) for one in came] == [
        None, ("firing", "critical", 2), None, ("resolved", "critical", 4), None, ("firing", "critical", 6),
    ]  # fmt: skip
    assert came[1].alert_id == came[3].alert_id != came[5].alert_id
    assert canary.found_at_ms == 5


async def test_it_is_looked_for_again_and_again_and_a_search_that_breaks_is_no_miss():
    results, told = [ValueError("no memory"), MISSED, FOUND], []

    async def look(parameters):
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    task = asyncio.create_task(watch_over(Parameters(), told.append, first_after_s=0, every_s=0, look=look))
    async with asyncio.timeout(PATIENCE_S):
        while len(told) < 2:
            await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, IndexError):
        await task
    assert [one.status for one in told] == ["firing", "resolved"]


async def test_the_watchdog_is_repeated_for_ever_though_nobody_offered_it():
    taken = []

    class Repeating:
        name, resend_s = "repeating", 0.01

        async def send(self, alerts):
            taken.append([one.alert_id for one in alerts])

        async def close(self):
            pass

    delivery = Delivery(Repeating(), "critical", always=(watchdog(5),))
    task = asyncio.create_task(delivery.run())
    async with asyncio.timeout(PATIENCE_S):
        while len(taken) < 3:
            await asyncio.sleep(0.01)
    task.cancel()
    assert taken[:3] == [["swerve-watchdog"]] * 3
