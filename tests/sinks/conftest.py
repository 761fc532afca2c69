"""A receiver on loopback that keeps what it got, and answers what a test tells it to; and alerts to send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import orjson
import pytest
from aiohttp import web

from stream.contract.alert import Alert
from stream.sinks.webhook import EXAMPLE
from stream.telemetry.metrics import alerts as exported
from stream.telemetry.metrics.exposition import Bounded
from tests.pace import PATIENCE_S


@pytest.fixture(autouse=True)
def names_of_other_tests_fill_no_label(monkeypatch):
    """Sinks' names are bounded for the life of a process; a whole run of tests uses more than any process would."""
    monkeypatch.setattr(exported, "_sinks", Bounded(exported.SINKS_MAX))


T0_MS = 1_770_260_400_000
HOUR_MS = 3_600_000


@dataclass
class Post:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Receiver:
    """answers: status codes for the next requests, then 200; hang: answer nothing at all."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    answer_headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        self.posts.append(Post(request.path_qs, dict(request.headers), await request.read()))
        self.came.set()
        if self.hang:
            await asyncio.sleep(60)
        status = self.answers.pop(0) if self.answers else 200
        headers = {**self.answer_headers, **({"Location": "/elsewhere"} if 300 <= status < 400 else {})}
        return web.Response(status=status, text="so says\nthe receiver", headers=headers)

    async def has(self, count: int, within_s: float = PATIENCE_S) -> list[Post]:
        """Wait until so many requests came."""
        async with asyncio.timeout(within_s):
            while len(self.posts) < count:
                self.came.clear()
                await self.came.wait()
        return self.posts


async def serve(receiver: Receiver, port: int = 0) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    one = Receiver()
    runner = await serve(one)
    yield one
    await runner.cleanup()


@pytest.fixture
def start_receiver() -> Callable[..., Any]:
    """Starts a receiver where the test wants it to be: `runner = await start_receiver(receiver, port)`."""
    return serve


@pytest.fixture
def new_receiver() -> Callable[[], Receiver]:
    return Receiver


@pytest.fixture
def alert() -> Callable[..., Alert]:
    """An alert record: `alert("a1", hour=3, severity="warning")`."""

    def make(alert_id: str = "a1", hour: float = 0, **changes: Any) -> Alert:
        at_ms = T0_MS + int(hour * HOUR_MS)
        over = changes.get("status") == "resolved"
        ended = {"resolved_at": at_ms, "resolved_reason": changes.pop("resolved_reason", "ended")} if over else {}
        return msgspec.structs.replace(
            EXAMPLE, alert_id=alert_id, detected_at=T0_MS, updated_at=at_ms, **{**ended, **changes}
        )

    return make
