"""Who floods the server with connections or odd headers keeps nobody out, and writes no tracebacks."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from stream.configuration.sections import Http
from stream.console.connections import Connections
from stream.console.health import Health
from tests.pace import PATIENCE_S


async def raw(port: int, text: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text.encode("utf-8"))
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return answer


async def test_a_probe_is_answered_among_many_who_never_finish_their_header():
    async with Health(Http(port=0), connections=Connections(most=16)) as health:
        half_open = []
        for _ in range(60):
            _, writer = await asyncio.open_connection("127.0.0.1", health.port)
            writer.write(b"GET /livez HTTP/1.1\r\n")
            half_open.append(writer)

        answer = await raw(health.port, "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

        assert answer.startswith(b"HTTP/1.1 200"), answer
        assert len(health.connections) <= 16
        for writer in half_open:
            writer.close()


async def test_who_asks_nothing_is_not_waited_for():
    async with Health(Http(port=0), connections=Connections(most=16, header_s=0.2)) as health:
        reader, writer = await asyncio.open_connection("127.0.0.1", health.port)
        writer.write(b"GET /livez HTTP/1.1\r\nX-Slow: ")

        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()


async def test_what_is_wrong_in_a_header_is_answered_with_400():
    async with Health(Http(port=0)) as health:
        answer = await raw(
            health.port,
            "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            "Accept: application/openmetrics-text;version=\u00b2\r\n\r\n",
        )
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]


async def test_a_host_that_is_no_name_is_answered_with_400(quiet, visit):
    with structlog.testing.capture_logs() as lines:
        async with visit(quiet.desk) as visitor:
            port = int(visitor.address.rpartition(":")[2])
            answer = await raw(port, "GET / HTTP/1.1\r\nHost: [::1\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400"), answer[:200]
    assert lines == []
