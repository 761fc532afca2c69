"""Does a task that is cancelled while its client closes end? aiokafka's own closing swallows the cancellation."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from stream.configuration.sections import Kafka
from stream.kafka.broker import started
from tests.pace import PATIENCE_S


class Client:
    """Closes as aiokafka's does: in its own time, and whoever cancels it meanwhile is not heard."""

    def __init__(self):
        self.closed = False

    async def start(self):
        pass

    async def stop(self):
        for _ in range(3):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.02)
        self.closed = True


@pytest.mark.parametrize("times", [1, 3])
async def test_it_ends_and_the_client_is_closed_first(times):
    client, went_on = Client(), []

    async def work():
        async with started(client, Kafka()):
            pass
        went_on.append(True)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.01)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)
    assert went_on == []
    assert client.closed or times > 1


async def test_what_fails_in_the_closing_is_told():
    class Failing(Client):
        async def stop(self):
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        async with started(Failing(), Kafka()):
            pass


async def test_a_cancellation_out_of_the_closing_itself_cancels_nobody_else():
    class Dying(Client):
        async def stop(self):
            raise asyncio.CancelledError

    async with started(Dying(), Kafka()):
        pass
