"""What happens when a button is pressed? Each form says one thing, and leads back to where it was pressed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from stream.console import actions
from stream.console.desk import Desk
from stream.console.door import REFUSED_S, said
from stream.console.routes.pages import shown
from stream.console.who import NOBODY, known_name, remember, written_name
from stream.contract.verdict import NOTE_MAX, VERDICTS
from stream.errors import UsageError
from stream.oncall.silence.in_force import HARMLESS
from stream.oncall.voice import as_json
from stream.telemetry import metrics

CAMPAIGN = VERDICTS[0]

Fields = Mapping[str, Any]
Answer = Callable[[Desk, web.Request, Fields], Awaitable[web.StreamResponse]]


def attach(desk: Desk, router: web.UrlDispatcher) -> None:
    """Add where forms are sent to."""
    take(desk, router, "/alerts/{alert_id}/verdict", _verdict)
    take(desk, router, "/alerts/{alert_id}/ack", _ack)
    take(desk, router, "/alerts/{alert_id}/handover", _hand_over)
    take(desk, router, "/alerts/{alert_id}/note", _note)
    take(desk, router, "/logout", _logout)
    router.add_post("/login", _login_of(desk))


def take(desk: Desk, router: web.UrlDispatcher, path: str, answer: Answer) -> None:
    """Add where one form is sent to; what is no form of ours is refused."""

    async def handler(request: web.Request) -> web.StreamResponse:
        fields = await request.post()
        if not desk.door.believes(request, text_of(fields, "csrf")):
            return said(request, 403, "this form is old, or not from here: go back, reload, and press again")
        return await answer(desk, request, fields)

    router.add_post(path, handler)


def lead(where: str) -> web.Response:
    """What was pressed is done: on to this address."""
    return web.Response(status=303, headers={"Location": where})


def text_of(fields: Fields, name: str, most: int = 4_000) -> str:
    """What was typed into one field of a form."""
    given = fields.get(name, "")
    return given.strip()[:most] if isinstance(given, str) else ""


def _back(request: web.Request) -> str:
    """The alert's own page; its id as it stands in the address."""
    return request.rel_url.raw_path.rpartition("/")[0]


async def _verdict(desk: Desk, request: web.Request, fields: Fields) -> web.StreamResponse:
    """What silences is previewed first: see routes/silence_page.py. Whoever takes a word back need not say who."""
    alert_id, word = request.match_info["alert_id"], text_of(fields, "verdict")
    if word == HARMLESS:
        return lead("/silence?" + urlencode({"kind": HARMLESS, "alert": alert_id}))
    by = _written(request, fields) if word == CAMPAIGN else known_name(request) or NOBODY
    record = actions.verdict_of(alert_id, word, by, desk.now_ms(), text_of(fields, "note", NOTE_MAX))
    await actions.judge(desk, as_json(record))
    return _done(desk, request, "" if by == NOBODY else by)


async def _ack(desk: Desk, request: web.Request, fields: Fields) -> web.StreamResponse:
    name = _written(request, fields)
    had = text_of(fields, "had") if "had" in fields else None
    await actions.acknowledge(desk, request.match_info["alert_id"], name, text_of(fields, "note"), had)
    return _done(desk, request, name)


async def _hand_over(desk: Desk, request: web.Request, fields: Fields) -> web.StreamResponse:
    name = _written(request, fields)
    had = text_of(fields, "had") if "had" in fields else None
    await actions.hand_over(
        desk, request.match_info["alert_id"], name, text_of(fields, "to"), text_of(fields, "note", NOTE_MAX), had
    )
    return _done(desk, request, name)


async def _note(desk: Desk, request: web.Request, fields: Fields) -> web.StreamResponse:
    name = _written(request, fields)
    await actions.note_down(desk, request.match_info["alert_id"], name, text_of(fields, "note", NOTE_MAX + 1))
    return _done(desk, request, name)


def _written(request: web.Request, fields: Fields) -> str:
    name = written_name(request, text_of(fields, "by"))
    if not name:
        raise UsageError("your name: expected who has it or says so, so that others know whom to ask")
    return name


def _done(desk: Desk, request: web.Request, name: str) -> web.StreamResponse:
    answer = lead(_back(request))
    remember(desk, request, answer, name)
    return answer


async def _logout(desk: Desk, request: web.Request, fields: Fields) -> web.StreamResponse:
    answer = web.HTTPSeeOther("/login")
    desk.door.forget(answer)
    raise answer


def _login_of(desk: Desk) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def login(request: web.Request) -> web.StreamResponse:
        fields = await request.post()
        following = local(text_of(fields, "next"))
        if not desk.door.believes(request, text_of(fields, "csrf")):
            return said(request, 403, "this form is old, or not from here: go back, reload, and try again")
        if not desk.door.is_token(text_of(fields, "token")):
            metrics.token_refused(request.remote or "", request.path)
            await asyncio.sleep(REFUSED_S)
            return shown(desk, request, "login.html.j2", {"next": following, "was_wrong": True}, status=403)
        answer = web.Response(status=303, headers={"Location": following})
        desk.door.admit(answer)
        return answer

    return login


def local(path: str) -> str:
    """An address of this console, else its first page: a login must not lead to another host.

    >>> local("/alerts/a1?sort=score"), local("//evil.example"), local("https://evil.example"), local("/\\\\evil")
    ('/alerts/a1?sort=score', '/', '/', '/')
    """
    is_path = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and path.isascii()
    return path if is_path else "/"
