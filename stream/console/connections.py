"""Who may hold a connection open? So many at once, and only for as long as something is asked on it."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Awaitable, Callable

from aiohttp import web

CONNECTIONS_MAX = 256  # about 30 kB each: 8 MB. Beyond it who asks nothing gives way
HEADER_S = 10.0  # from a connection to the end of its first request's header
BODY_S = 30.0  # for what is sent to be read and done
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def connections_max() -> int:
    """How many connections fit beside files and brokers: at most half of the descriptors that this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if soft == resource.RLIM_INFINITY else max(min(CONNECTIONS_MAX, soft // 2), 8)


class Connections:
    """The open connections of one server, in the order in which they came.

    Where there are too many, the oldest on which nothing is being answered gives way, so that a probe gets its answer
    among a thousand that never finish their header. One that has asked nothing after `header_s` is closed.
    """

    def __init__(self, most: int, header_s: float = HEADER_S) -> None:
        self._most = most
        self._header_s = header_s
        self._open: dict[asyncio.BaseTransport, _Connection] = {}

    def __len__(self) -> int:
        return len(self._open)

    def protocol(self, inner: asyncio.Protocol) -> asyncio.Protocol:
        """What is put before the protocol of a new connection."""
        return _Connection(inner, self)

    @web.middleware
    async def answering(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The middleware that tells on which connections something is being answered."""
        one = self._open.get(request.transport) if request.transport is not None else None
        if one is not None:
            one.has_asked, one.is_answering = True, True
        try:
            return await (handler(request) if request.method in ("GET", "HEAD") else _soon(request, handler))
        finally:
            if one is not None:
                one.is_answering = False

    def came(self, transport: asyncio.BaseTransport, one: _Connection) -> None:
        """A connection was made: it stays, or another gives way, or it goes at once."""
        if len(self._open) >= self._most:
            waiting = next((held for held, other in self._open.items() if not other.is_answering), None)
            _end(transport if waiting is None else waiting)
            if waiting is None:
                return
            self._open.pop(waiting)
        self._open[transport] = one
        asyncio.get_running_loop().call_later(self._header_s, self._look, transport)

    def _look(self, transport: asyncio.BaseTransport) -> None:
        one = self._open.get(transport)
        if one is not None and not one.has_asked:
            _end(transport)

    def went(self, transport: asyncio.BaseTransport | None) -> None:
        """A connection is gone."""
        if transport is not None:
            self._open.pop(transport, None)


async def _soon(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is sent must be there before long: a body in drops would hold the connection for ever."""
    try:
        async with asyncio.timeout(BODY_S):
            return await handler(request)
    except TimeoutError:
        return web.Response(status=408, text=f"not done within {BODY_S:.0f} s\n")


def _end(transport: asyncio.BaseTransport) -> None:
    """At once: what waits to be written to it is not waited for."""
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


class _Connection(asyncio.Protocol):
    """Hands on what happens to the server's own protocol."""

    def __init__(self, inner: asyncio.Protocol, connections: Connections) -> None:
        self._inner = inner
        self._connections = connections
        self._transport: asyncio.BaseTransport | None = None
        self.has_asked = self.is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._inner.connection_made(transport)
        self._connections.came(transport, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.went(self._transport)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()
