"""What do programs ask before and after something is silenced? The same preview, and the same list, as people see."""

from __future__ import annotations

import dataclasses

import orjson
from aiohttp import web

from stream.console import actions
from stream.console.desk import Desk
from stream.console.routes.api import as_answer, body_of, object_of
from stream.console.routes.silence_asked import previewed, wanted
from stream.contract.expected import decode_expected
from stream.errors import UsageError
from stream.oncall.silence.in_force import HARMLESS, SNOOZE
from stream.oncall.silence.preview import of_shifts

SHIFTS_MAX = 100


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add the routes."""

    async def preview(request: web.Request) -> web.Response:
        given = object_of(await body_of(request)).get("expected")
        if not isinstance(given, list) or not 0 < len(given) <= SHIFTS_MAX:
            raise UsageError(f"expected: expected 1 to {SHIFTS_MAX} expected shifts")
        shifts = [decode_expected(orjson.dumps(one)).known_by(desk.settings) for one in given]
        return as_answer(of_shifts(shifts, desk.view.alerts(), desk.at_ms).record())

    async def preview_of_one(request: web.Request) -> web.Response:
        kind = request.query.get("kind", "")
        if kind not in (SNOOZE, HARMLESS):
            raise UsageError(f"kind: expected {SNOOZE} or {HARMLESS}, got {kind[:20]!r}")
        return as_answer(
            previewed(desk, wanted(desk, {"kind": kind, "alert": request.match_info["alert_id"]})).record()
        )

    async def silences(request: web.Request) -> web.Response:
        return as_answer({"at_ms": desk.at_ms, "silences": [dataclasses.asdict(one) for one in actions.muted(desk)]})

    router.add_post("/api/v1/expected/preview", preview)
    router.add_get("/api/v1/alerts/{alert_id}/preview", preview_of_one)
    router.add_get("/api/v1/silences", silences)
