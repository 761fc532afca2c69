"""Who is at this screen? The proxy says so, else people do: once, and their browser keeps it."""

from __future__ import annotations

from urllib.parse import quote, unquote

from aiohttp import web

from stream.console.desk import Desk
from stream.console.door import NAME_MAX, WHO

COOKIE = "swerve_name"
KEPT_S = 90 * 86_400
NOBODY = "console"  # whom the door names where it is open, or asks for a token alone


def known_name(request: web.Request) -> str:
    """The name that is known, "" where nobody said one yet."""
    who = request.get(WHO, "")
    return _clean(unquote(request.cookies.get(COOKIE, ""))) if who in ("", NOBODY) else who


def written_name(request: web.Request, typed: str) -> str:
    """The name that goes into a record: the proxy's, which nobody can change, else what was typed."""
    return known_name(request) if request.get(WHO, "") != NOBODY else _clean(typed)


def remember(desk: Desk, request: web.Request, response: web.StreamResponse, name: str) -> None:
    """Offer it again next time. No secret, and no proof: whoever sits there may type another."""
    if request.get(WHO, "") == NOBODY and name:
        desk.door.set_cookie(response, COOKIE, quote(name, safe=""), KEPT_S)


def _clean(name: str) -> str:
    return "".join(one for one in name if one.isprintable()).strip()[:NAME_MAX]
