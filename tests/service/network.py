"""A network between clients and a broker that can be cut or slowed, and a cluster of which one broker can be killed."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from tests.ports import free_port
from tests.service.broker import JAVA, Broker, jars, wait_for_port

BLOCK = 65_536
NODES = 3


class Far(Broker):
    """One node with a second address, which its clients reach through a `Link` only.

    Whoever begins at `far` is told that address for everything, so that nothing of it goes past the link.
    """

    LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{near},FAR://127.0.0.1:{behind},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{near},FAR://127.0.0.1:{link}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,FAR:PLAINTEXT,CONTROLLER:PLAINTEXT
"""

    def properties(self, controller: int) -> str:
        self.behind, self.link = free_port(), free_port()
        return self.LISTENERS.format(near=self.port, behind=self.behind, link=self.link, controller=controller)

    @property
    def far(self) -> str:
        """host:port for clients behind the link."""
        return f"127.0.0.1:{self.link}"


class Link:
    """Passes bytes on, while it is whole. Cut, it holds them back and says nothing to anybody, as a network does.

    delay_s: how long each block takes.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self._whole = asyncio.Event()
        self._whole.set()
        self._tasks: set[asyncio.Task[None]] = set()

    def cut(self) -> None:
        """From now on nothing comes through."""
        self._whole.clear()

    def heal(self) -> None:
        """What was held back comes through, and all that follows."""
        self._whole.set()

    @contextlib.asynccontextmanager
    async def between(self, port: int, behind: int) -> AsyncIterator[None]:
        """Listen at `port` for what goes to `behind`."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._whole.wait()
            there, back = await asyncio.open_connection("127.0.0.1", behind)
            for pipe in (self._pipe(reader, back), self._pipe(there, writer)):
                task = asyncio.create_task(pipe)
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

        server = await asyncio.start_server(serve, "127.0.0.1", port)
        try:
            yield
        finally:
            self.heal()
            server.close()
            for task in list(self._tasks):
                task.cancel()

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(BLOCK):
                await self._whole.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        writer.close()


class Node(Broker):
    """One of three nodes, of which each holds a copy of everything."""

    COPIES = """
node.id={id}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{own}
controller.quorum.voters={voters}
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
default.replication.factor=3
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
"""

    def __init__(self, folder: Path, number: int, controllers: list[int]) -> None:
        """folder: of Kafka's jars. controllers: the ports of all three, by number."""
        self.number, self.controllers = number, controllers
        super().__init__(folder)

    def properties(self, controller: int) -> str:
        voters = ",".join(f"{id}@127.0.0.1:{port}" for id, port in enumerate(self.controllers, 1))
        own = self.controllers[self.number]
        return self.COPIES.format(id=self.number + 1, port=self.port, own=own, voters=voters)

    def start(self) -> subprocess.Popen[bytes]:
        """Not awaited: a node answers only once two of three are there."""
        log = (self.folder / "broker.log").open("ab")
        command = [*JAVA, "-Xmx256m", "-cp", f"{self.jars}/*", "kafka.Kafka", "server.properties"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        return self.process

    def answers(self) -> None:
        """Until it accepts connections."""
        wait_for_port(self.port, self.process, self.folder / "broker.log")

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def far_away() -> Iterator[Far]:
    """A broker with a link before it; NoBrokerError where there is no Java."""
    broker = Far(jars())
    try:
        yield broker
    finally:
        broker.stop()


@contextlib.contextmanager
def three_brokers() -> Iterator[list[Node]]:
    """A cluster of three; NoBrokerError where there is no Java."""
    controllers = [free_port() for _ in range(NODES)]
    nodes = [Node(jars(), number, controllers) for number in range(NODES)]
    try:
        for node in nodes:
            node.answers()
        yield nodes
    finally:
        for node in nodes:
            node.stop()
