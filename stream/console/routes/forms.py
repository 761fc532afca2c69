"""What happens when a button is pressed? Each form says one thing, and leads back to where it was pressed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from stream.console import actions
from stream.console.desk import Desk
from stream.console.door import REFUSED_S, WHO, said
from stream.console.routes.pages import shown
from stream.errors import UsageError
from stream.oncall.expected import record_of
from stream.oncall.moment import moment_ms
from stream.oncall.voice import as_json

HOUR_MS = 3_600_000
HOURS = re.compile(r"[0-9]{1,5}")
Fields = Mapping[str, Any]
Answer = Callable[[Desk, web.Request, Fields], Awaitable[str]]


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add where forms are sent to."""

    def form(path: str, answer: Answer) -> None:
        async def handler(request: web.Request) -> web.StreamResponse:
            fields = await request.post()
            if not desk.door.believes(request, _text(fields, "csrf")):
                return said(request, 403, "this form is old, or not from here: go back, reload, and press again")
            return web.Response(status=303, headers={"Location": await answer(desk, request, fields)})

        router.add_post(path, handler)

    form("/alerts/{alert_id}/verdict", _verdict)
    form("/alerts/{alert_id}/ack", _ack)
    form("/alerts/{alert_id}/snooze", _snooze)
    form("/alerts/{alert_id}/expected", _expect_alert)
    form("/expected", _expect)
    form("/expected/withdraw", _withdraw)
    form("/logout", _logout)
    router.add_post("/login", _login_of(desk))


def _text(fields: Fields, name: str, most: int = 4_000) -> str:
    given = fields.get(name, "")
    return given.strip()[:most] if isinstance(given, str) else ""


def _back(request: web.Request) -> str:
    """The alert's own page; its id as it stands in the address."""
    return request.rel_url.raw_path.rpartition("/")[0]


async def _verdict(desk: Desk, request: web.Request, fields: Fields) -> str:
    record = actions.verdict_of(
        request.match_info["alert_id"], _text(fields, "verdict"), request[WHO], desk.now_ms(), _text(fields, "note")
    )
    await actions.judge(desk, as_json(record))
    return _back(request)


async def _ack(desk: Desk, request: web.Request, fields: Fields) -> str:
    await actions.acknowledge(desk, request.match_info["alert_id"], request[WHO])
    return _back(request)


async def _snooze(desk: Desk, request: web.Request, fields: Fields) -> str:
    until_ms = desk.now_ms() + _hours(fields, "hours") * HOUR_MS
    await actions.snooze(desk, request.match_info["alert_id"], request[WHO], until_ms)
    return _back(request)


def _hours(fields: Fields, name: str) -> int:
    given = _text(fields, name)
    if not HOURS.fullmatch(given):
        raise UsageError(f"{name}: expected whole hours, got {given[:20]!r}")
    return int(given)


async def _expect_alert(desk: Desk, request: web.Request, fields: Fields) -> str:
    """From the begin of the shift on, so that what is firing is covered."""
    known = actions.known(desk, request.match_info["alert_id"])
    record = record_of(
        _text(fields, "subject"), _text(fields, "to") or None, known.last.started_at,
        desk.at_ms + _hours(fields, "hours") * HOUR_MS, _reason(fields),
    )  # fmt: skip
    await actions.expect(desk, as_json(record))
    return _back(request)


def _reason(fields: Fields) -> str:
    return _text(fields, "reason", 1_000) or "said in the console"


async def _expect(desk: Desk, request: web.Request, fields: Fields) -> str:
    now_ms = desk.at_ms
    first_ms = moment_ms(_text(fields, "from") or "now", now_ms, "from")
    until_ms = moment_ms(_text(fields, "until") or "+7d", now_ms, "until")
    if until_ms <= first_ms:
        raise UsageError("until: expected a time after the begin")
    record = record_of(_text(fields, "subject"), _text(fields, "to") or None, first_ms, until_ms, _reason(fields))
    await actions.expect(desk, as_json(record))
    return "/expected"


async def _withdraw(desk: Desk, request: web.Request, fields: Fields) -> str:
    await actions.withdraw(desk, _text(fields, "id"))
    return "/expected"


async def _logout(desk: Desk, request: web.Request, fields: Fields) -> str:
    answer = web.HTTPSeeOther("/login")
    desk.door.forget(answer)
    raise answer


def _login_of(desk: Desk) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def login(request: web.Request) -> web.StreamResponse:
        fields = await request.post()
        following = _ours(_text(fields, "next"))
        if not desk.door.believes(request, _text(fields, "csrf")):
            return said(request, 403, "this form is old, or not from here: go back, reload, and try again")
        if not desk.door.is_token(_text(fields, "token")):
            await asyncio.sleep(REFUSED_S)
            return shown(desk, request, "login.html.j2", {"next": following, "was_wrong": True}, status=403)
        answer = web.Response(status=303, headers={"Location": following})
        desk.door.admit(answer)
        return answer

    return login


def _ours(path: str) -> str:
    """An address of this console, else its first page: a login must not lead to another host.

    >>> _ours("/alerts/a1?sort=score"), _ours("//evil.example"), _ours("https://evil.example"), _ours("/\\\\evil")
    ('/alerts/a1?sort=score', '/', '/', '/')
    """
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and path.isascii()
    return path if is_path else "/"
