"""What ends a stage is told the moment it is known, though the library may take long to stop."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.errors import MessageSizeTooLargeError
from structlog.testing import capture_logs

from stream.configuration.settings import Settings
from stream.errors import SwerveError
from stream.kafka.broker import Outlet
from stream.stages.drive import drive
from stream.stages.faust_log import FaustLog
from stream.stages.shell import Shell
from stream.stages.stage import Running


class StopsSlowly:
    """A log that fails, and stops when it is let."""

    topic = "frames"
    failure = None
    failed = FaustLog.failed

    def __init__(self, stopped: asyncio.Event) -> None:
        self.stopped = stopped

    async def run(self, until) -> None:
        self.failed(SwerveError("the broker did not take a message"))
        await self.stopped.wait()

    def is_open(self) -> bool:
        return False


def test_a_stage_that_has_failed_is_not_ready_and_says_why_before_it_has_stopped():
    async def seen() -> tuple[str | None, list]:
        stopped, running = asyncio.Event(), Running()
        log = StopsSlowly(stopped)
        with capture_logs() as lines:
            task = asyncio.create_task(drive("detect", Shell(None, log, "w"), log, Settings().kafka, running))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            said = running.why_not()
        stopped.set()
        await task
        return said, lines

    said, lines = asyncio.run(seen())

    assert said == "detect: has failed, and ends: the broker did not take a message"
    assert [(line["event"], line["error"]) for line in lines] == [("stage_failed", "the broker did not take a message")]


class Refuses:
    """A producer of which the broker refuses every message, later or at once."""

    def __init__(self, at_once: bool) -> None:
        self.at_once = at_once

    async def send(self, topic, value, **more):
        if self.at_once:
            raise MessageSizeTooLargeError
        sent = asyncio.get_running_loop().create_future()
        sent.set_exception(MessageSizeTooLargeError())
        return sent


@pytest.mark.parametrize(("at_once", "sends"), [(True, 1), (False, 2)])
def test_a_message_that_the_broker_refuses_is_told_with_the_next_at_the_latest(at_once, sends):
    taken = 0

    async def send() -> None:
        nonlocal taken
        outlet = Outlet(Refuses(at_once), "summaries")
        for _ in range(4):
            await outlet.send(b"x")
            taken += 1

    with pytest.raises(SwerveError, match="MessageSizeTooLargeError"):
        asyncio.run(send())

    assert taken == sends - 1
