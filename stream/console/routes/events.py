"""What just changed? Server-sent events, so that an open page is never old."""

from __future__ import annotations

import asyncio
import contextlib
import time

import orjson
from aiohttp import web

from stream.console import actions
from stream.console.desk import Desk
from stream.console.shown.view import Change
from stream.oncall.silence.in_force import Silence

LOOK_S = 1.0
BEAT_S = 15.0  # proxies close what is silent
OPEN_MAX = 100  # pages at once


class Muted:
    """What is muted, looked up once for all pages that are open: it takes time in proportion to the alerts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._at_s = -LOOK_S
        self._silences: list[Silence] = []

    def now(self) -> list[Silence]:
        """As of LOOK_S ago at most."""
        if time.monotonic() - self._at_s >= LOOK_S:
            self._at_s, self._silences = time.monotonic(), actions.muted(self._desk)
        return self._silences


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add `/api/v1/events`."""
    listening, muted = asyncio.Semaphore(OPEN_MAX), Muted(desk)

    async def events(request: web.Request) -> web.StreamResponse:
        """Changes of alerts and of what is muted, and ticks, as they come."""
        if listening.locked():
            return web.Response(status=503, text="too many open pages\n", headers={"Retry-After": "60"})
        async with listening:
            return await _stream(desk, muted, request)

    router.add_get("/api/v1/events", events)


async def _stream(desk: Desk, muted: Muted, request: web.Request) -> web.StreamResponse:
    from stream.console.door import HEADERS

    response = web.StreamResponse(headers=HEADERS | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    given = request.headers.get("Last-Event-ID", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 15 else desk.view.number
    silences = muted.now()  # what a page shows that is told from here on that it changed
    with contextlib.suppress(ConnectionError):  # who listens may go at any time
        await response.prepare(request)
        await _follow(desk, response, min(number, desk.view.number), muted, silences)
    return response


async def _follow(desk: Desk, response: web.StreamResponse, number: int, muted: Muted, silences: list[Silence]) -> None:
    at_ms, silent_s = -1, 0.0
    await response.write(b"retry: 3000\n\n")
    while True:
        said = b""
        for change in desk.view.changes_since(number):
            number = change.number
            said += _alert(change)
        if desk.view.pulse.at_ms != at_ms:
            at_ms = desk.view.pulse.at_ms
            said += b"event: tick\ndata: " + orjson.dumps({"at_ms": at_ms}) + b"\n\n"
        if muted.now() != silences:
            silences = muted.now()
            said += b"event: muted\ndata: " + orjson.dumps({"silences": len(silences)}) + b"\n\n"
        silent_s = 0.0 if said else silent_s + LOOK_S
        if not said and silent_s >= BEAT_S:
            said, silent_s = b": still here\n\n", 0.0
        if said:
            await response.write(said)
        await asyncio.sleep(LOOK_S)


def _alert(change: Change) -> bytes:
    alert = change.alert
    told = {
        "alert_id": alert.alert_id,
        "status": alert.status,
        "severity": alert.severity,
        "kind": alert.kind,
        "accounts_total": alert.accounts_total,
        "updated_at": alert.updated_at,
        "summary": alert.summary,
    }
    return b"id: %d\nevent: alert\ndata: " % change.number + orjson.dumps(told) + b"\n\n"
