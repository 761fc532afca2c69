"""The page on which a silence is previewed and confirmed, and where it is ended again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aiohttp import web

from stream.console import actions
from stream.console.desk import Desk
from stream.console.routes.forms import lead, local, take, text_of
from stream.console.routes.pages import shown
from stream.console.routes.silence_asked import Wanted, ends_ms, previewed, shifts_of, wanted
from stream.console.who import NOBODY, known_name, remember, written_name
from stream.errors import UsageError
from stream.oncall.silence.in_force import EXPECTED, HARMLESS, SNOOZE, announced
from stream.oncall.silence.preview import REASON_MIN, Preview
from stream.oncall.voice import as_json


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add the page, its form, and the end of a silence."""

    async def ask(request: web.Request) -> web.Response:
        one = wanted(desk, request.query)
        return _shown(desk, request, one, previewed(desk, one))

    router.add_get("/silence", ask)
    take(desk, router, "/silence", _taken)
    take(desk, router, "/silence/end", _ended)


def _shown(
    desk: Desk, request: web.Request, one: Wanted, told: Preview, missing: Sequence[str] = (), status: int = 200
) -> web.Response:
    shifts = shifts_of(desk, one) if one.kind == EXPECTED else []
    context: Mapping[str, Any] = {
        "wanted": one,
        "preview": told,
        "said": {known.last.alert_id: known.said for known in desk.view.alerts()},
        "whom": [announced(shift) for shift in shifts],
        "until_ms": ends_ms(desk, one),
        "missing": missing,
        "name": one.by or known_name(request),
    }
    return shown(desk, request, "silence.html.j2", context, status=status)


async def _taken(desk: Desk, request: web.Request, fields: Mapping[str, Any]) -> web.StreamResponse:
    by = written_name(request, text_of(fields, "by"))
    one = wanted(desk, {**fields, "by": by})
    told, missing = previewed(desk, one), []
    if not by:
        missing.append("your name")
    if len(one.reason) < REASON_MIN:
        missing.append("a reason")
    if not told.is_confirmed(text_of(fields, "confirm")):
        missing.append(f"“{told.confirm}”, typed")
    if missing:
        return _shown(desk, request, one, told, missing, status=422)
    await _said(desk, one)
    answer = lead(_after(one))
    remember(desk, request, answer, by)
    return answer


def _after(one: Wanted) -> str:
    return f"/alerts/{quote(one.alert_id, safe='')}" if one.alert_id else "/expected"


async def _said(desk: Desk, one: Wanted) -> None:
    if one.kind == SNOOZE:
        until_ms = ends_ms(desk, one)
        assert until_ms is not None
        await actions.snooze(desk, one.alert_id, one.by, until_ms, one.reason)
    elif one.kind == HARMLESS:
        record = actions.verdict_of(one.alert_id, HARMLESS, one.by, desk.now_ms(), one.reason)
        await actions.judge(desk, as_json(record))
    else:
        for shift in shifts_of(desk, one):
            await actions.announce(desk, shift)


async def _ended(desk: Desk, request: web.Request, fields: Mapping[str, Any]) -> web.StreamResponse:
    """One click, from any page, and back to it."""
    key, by = text_of(fields, "key"), known_name(request) or NOBODY
    kind, _, name = key.partition("/")
    if kind == EXPECTED:
        await actions.withdraw(desk, name)
    elif kind == SNOOZE:
        await actions.snooze(desk, name, by, desk.now_ms())
    elif kind == HARMLESS:
        record = actions.verdict_of(name, "unsure", by, desk.now_ms(), "taken back")
        await actions.judge(desk, as_json(record))
    else:
        raise UsageError(f"key: expected expected/ID, snooze/ALERT or harmless/ALERT, got {key[:60]!r}")
    return lead(local(text_of(fields, "back")))
