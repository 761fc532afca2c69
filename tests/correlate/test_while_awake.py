"""Does a process that was stopped for longer than it would wait hear the answer before it gives up?"""

from __future__ import annotations

import asyncio
import time

import pytest

from stream.kafka.broker import while_awake
from tests.pace import PATIENCE_S


async def test_the_answer_that_came_while_it_was_stopped_counts():
    answered = asyncio.get_running_loop().create_future()

    async def asks():
        time.sleep(0.7)  # the whole process stands still
        asyncio.get_running_loop().call_later(0.01, answered.set_result, "another took over")
        return await answered

    assert await while_awake(asks(), 0.6) == "another took over"


async def test_who_answers_nothing_is_not_waited_for_any_longer():
    with pytest.raises(TimeoutError):
        await while_awake(asyncio.Event().wait(), 0.05)


async def test_what_it_raises_is_raised_and_a_cancellation_reaches_it():
    reached = asyncio.Event()

    async def fails():
        raise ValueError("a defect")

    async def waits():
        try:
            await asyncio.Event().wait()
        finally:
            reached.set()

    with pytest.raises(ValueError, match="a defect"):
        await while_awake(fails(), 60.0)
    waiting = asyncio.create_task(while_awake(waits(), 60.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(reached.wait(), PATIENCE_S)
