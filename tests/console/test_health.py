"""What a load balancer, a kubelet and Prometheus are told by a running process."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest

from stream.configuration.sections import Http
from stream.console import health
from stream.console.health import Health
from stream.errors import SwerveError, UsageError


def on_any_port(**more: object) -> Http:
    return Http.model_validate({"port": 0, **more})


async def got(address: str, headers: dict[str, str] | None = None) -> tuple[int, str, str]:
    async with aiohttp.ClientSession() as session, session.get(address, headers=headers) as answer:
        return answer.status, answer.headers["Content-Type"], await answer.text()


async def test_livez_is_well_while_the_loop_turns():
    async with Health(on_any_port()) as served:
        assert (await got(f"{served.address}/livez"))[0] == 200


async def test_livez_fails_when_the_loop_stood_still():
    async with Health(on_any_port()) as served:
        await asyncio.sleep(0)  # the loop's first turn would overwrite it
        served._turned_at = time.monotonic() - health.STALLED_S - 1
        status, _, text = await got(f"{served.address}/livez")
    assert (status, text) == (503, "the event loop stood still for 11 s\n")


async def test_readyz_says_why_it_is_not_ready():
    why: list[str | None] = ["recovering", None]
    async with Health(on_any_port(), ready=lambda: why.pop(0)) as served:
        assert (await got(f"{served.address}/readyz"))[::2] == (503, "recovering\n")
        assert (await got(f"{served.address}/readyz"))[::2] == (200, "ready\n")


async def test_metrics_speak_openmetrics_to_whom_accepts_it():
    async with Health(on_any_port()) as served:
        status, kind, text = await got(f"{served.address}/metrics", {"Accept": "application/openmetrics-text"})
    assert (status, kind.split(";")[0]) == (200, "application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_a_taken_port_is_told_or_moved_from_where_that_is_allowed():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http = Http(port=taken.getsockname()[1])
        with pytest.raises(SwerveError, match=rf"HTTP port {http.port} on 127.0.0.1: is taken; set SWERVE_HTTP__PORT"):
            async with Health(http):
                pass
        async with Health(http, any_port=True) as served:
            assert served.moved
            assert served.port != http.port
            assert (await got(f"{served.address}/livez"))[0] == 200


@pytest.mark.parametrize(
    ("more", "opens"), [({}, False), ({"token": "x" * 16}, True), ({"trusted_proxy_header": "U"}, True)]
)
async def test_beyond_loopback_it_opens_only_with_a_token_or_behind_a_proxy(more, opens):
    http = on_any_port(host="0.0.0.0", **more)
    if opens:
        async with Health(http) as served:
            assert served.port
    else:
        with pytest.raises(UsageError, match="SWERVE_HTTP__TOKEN"):
            async with Health(http):
                pass
