"""Is this process alive, is it ready, and what does it measure? The HTTP server of every long-running command.

`/livez`: the event loop turns. `/readyz`: it does its work (503 with the reason while it does not). `/metrics`: for
Prometheus. Pages and the JSON API are added to the same application by whoever runs correlate.
"""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType

from aiohttp import web

from stream.configuration.sections import Http
from stream.console.connections import Connections, connections_max
from stream.errors import SwerveError, UsageError
from stream.telemetry import metrics

STALLED_S = 10.0  # a loop that did not turn for so long would miss its Kafka heartbeats as well
TURN_S = 1.0
BACKLOG = 128  # connections that wait to be taken
Ready = Callable[[], str | None]  # None: ready; else why not


def always_ready() -> str | None:
    """For what has nothing to wait for."""
    return None


@dataclass(slots=True)
class Health:
    """Serves health and metrics while it is open: `async with Health(settings.http) as health: ...`.

    http: where. ready: asked at every `/readyz`. any_port: take a free port where the wanted one is taken, and say so
    in `moved`. port_from: what says which port. Raises UsageError where it would be open to the network without a
    token, SwerveError where the port is taken.
    """

    http: Http
    ready: Ready = always_ready
    any_port: bool = False
    port_from: str = "SWERVE_HTTP__PORT"
    moved: bool = False
    app: web.Application = field(default_factory=web.Application)
    connections: Connections = field(default_factory=lambda: Connections(connections_max()))
    _runner: web.AppRunner | None = None
    _server: asyncio.Server | None = None
    _turns: asyncio.Task[None] | None = None
    _turned_at: float = 0.0
    port: int = 0

    def __post_init__(self) -> None:
        self.app.middlewares.append(self.connections.answering)
        self.app.router.add_get("/livez", self._livez)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/metrics", self._metrics)

    @property
    def address(self) -> str:
        """Where it is served: http://127.0.0.1:8321."""
        host = f"[{self.http.host}]" if ":" in self.http.host else self.http.host
        return f"http://{host}:{self.port}"

    async def __aenter__(self) -> Health:
        self._refuse_an_open_door()
        self._runner = web.AppRunner(self.app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        try:
            await self._listen(self._runner)
        except BaseException:
            await self._runner.cleanup()
            raise
        self._turned_at = time.monotonic()
        self._turns = asyncio.create_task(self._turn())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._turns is not None:
            self._turns.cancel()
            with suppress(asyncio.CancelledError):
                await self._turns
        if self._server is not None:
            self._server.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _refuse_an_open_door(self) -> None:
        if self.http.is_loopback or self.http.token or self.http.trusted_proxy_header:
            return
        raise UsageError(
            f"[http] host = {self.http.host} can be reached from elsewhere: set SWERVE_HTTP__TOKEN, "
            "or [http] trusted_proxy_header where a proxy checks who comes"
        )

    async def _listen(self, runner: web.AppRunner) -> None:
        try:
            await self._bind(runner, self.http.port)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            if not (taken and self.any_port):
                why = "is taken" if taken else error.strerror or str(error)
                raise SwerveError(
                    f"HTTP port {self.http.port} on {self.http.host}: {why}; set {self.port_from} to another"
                ) from None
            self.moved = True
            await self._bind(runner, 0)

    async def _bind(self, runner: web.AppRunner, port: int) -> None:
        make = runner.server
        assert make is not None  # it was set up
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self.connections.protocol(make()), self.http.host, port, backlog=BACKLOG, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _turn(self) -> None:
        while True:
            self._turned_at = time.monotonic()
            metrics.tasks(len(asyncio.all_tasks()))
            await asyncio.sleep(TURN_S)

    async def _livez(self, request: web.Request) -> web.Response:
        late_s = time.monotonic() - self._turned_at
        if late_s > STALLED_S:
            return web.Response(status=503, text=f"the event loop stood still for {late_s:.0f} s\n")
        return web.Response(text="alive\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        why_not = self.ready()
        if why_not is not None:
            return web.Response(status=503, text=f"{why_not}\n")
        return web.Response(text="ready\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        try:
            page, content_type = metrics.render(request.headers.get("Accept", ""))
        except (TypeError, ValueError):  # of the library, for a version that is no number
            return web.Response(status=400, text="Accept: expected text/plain or application/openmetrics-text\n")
        return web.Response(body=page, headers={"Content-Type": content_type})
