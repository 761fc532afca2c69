"""A stage that is stopped: does anybody still ask the clients when they stop? Their loop is closed then."""

from __future__ import annotations

import asyncio

from stream.configuration.sections import Kafka
from stream.kafka.topic_id import Watched
from stream.stages import drive as driving
from stream.stages.drive import drive
from stream.stages.faust_log import FaustLog
from stream.stages.stage import Running


class ShellOfOne:
    """Asks the log whenever it is told to; counts it."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_closed = False

    async def ask(self) -> None:
        if self.is_closed:
            raise RuntimeError("Event loop is closed")
        self.asked += 1
        await asyncio.sleep(0)

    flush = break_silence = ask

    async def take(self, partition: int, offset: int, value: bytes) -> None:
        raise AssertionError

    async def drop(self) -> None:
        """Nothing is held."""

    def positions(self) -> dict[int, int]:
        return {0: 7}

    def unwritten(self) -> dict[int, tuple[int, int]]:
        return {}


def log_of(shell: ShellOfOne) -> FaustLog:
    log = FaustLog(Kafka(), group="g", topic="t", partitions=1, session_timeout_ms=6_000, instance_id=None)
    log._is_open = True

    async def start() -> None:
        """No broker is needed."""

    async def stop() -> None:
        shell.is_closed = True
        for _ in range(50):
            await asyncio.sleep(0.001)

    log._app.start, log._app.stop = start, stop
    log.end = lambda partition: 9
    return log


async def test_whoever_asks_beside_the_log_ends_before_the_clients_do(monkeypatch):
    monkeypatch.setattr(driving, "LAG_EVERY_S", 0.001)

    async def look(self: Watched) -> None:
        await shell.ask()

    monkeypatch.setattr(Watched, "look", look)
    shell, running = ShellOfOne(), Running()
    log = log_of(shell)
    driven = asyncio.create_task(drive("detect", shell, log, Kafka(snapshot_ms=1), running))
    while shell.asked < 20:
        await asyncio.sleep(0.001)
    running.stop.set()
    await driven
    assert log.failure is None
