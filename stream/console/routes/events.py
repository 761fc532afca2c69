"""What just changed? Server-sent events, so that an open page is never old."""

from __future__ import annotations

import asyncio
import contextlib

import orjson
from aiohttp import web

from stream.console.desk import Desk
from stream.console.shown.view import Change

LOOK_S = 1.0
BEAT_S = 15.0  # proxies close what is silent
OPEN_MAX = 100  # pages at once


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add `/api/v1/events`."""
    listening = asyncio.Semaphore(OPEN_MAX)

    async def events(request: web.Request) -> web.StreamResponse:
        """Changes of alerts and ticks, as they come."""
        if listening.locked():
            return web.Response(status=503, text="too many open pages\n", headers={"Retry-After": "60"})
        async with listening:
            return await _stream(desk, request)

    router.add_get("/api/v1/events", events)


async def _stream(desk: Desk, request: web.Request) -> web.StreamResponse:
    from stream.console.door import HEADERS

    response = web.StreamResponse(headers=HEADERS | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.content_type = "text/event-stream"
    given = request.headers.get("Last-Event-ID", "")
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 15 else desk.view.number
    with contextlib.suppress(ConnectionError):  # who listens may go at any time
        await response.prepare(request)
        await _follow(desk, response, min(number, desk.view.number))
    return response


async def _follow(desk: Desk, response: web.StreamResponse, number: int) -> None:
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
