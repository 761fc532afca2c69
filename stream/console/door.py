"""Who may come in, and may this form be believed? The door of the console and its API.

On loopback, without a token or a proxy configured, it is open to whoever is on the machine. With a token, the token
is asked for: as a bearer, or once at /login, after which a cookie holds. With a trusted proxy header alone, the proxy
has checked who comes, and its header says who. Health and metrics name nobody, and are served without.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

import orjson
from aiohttp import web

from stream.configuration.sections import LOOPBACK, Http
from stream.telemetry import metrics

WITHOUT = ("/livez", "/readyz", "/metrics", "/login")
WITHOUT_BELOW = "/static/"
SESSION, FORM = "swerve_session", "swerve_form"
SESSION_S = 12 * 3600
REFUSED_S = 0.5  # between a wrong token and its answer
NAME_MAX = 120
BY_TOKEN = "the door is closed: send Authorization: Bearer TOKEN"
BY_PROXY = "the door is closed: the proxy before this console did not say who comes; come through it, and log in there"
WHO = web.RequestKey("who", str)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Door:
    """Decides about each request. secret: what cookies and forms are signed with; of the token where there is one, so
    that replicas behind one address believe each other."""

    def __init__(self, http: Http) -> None:
        self._token = None if http.token is None else http.token.get_secret_value().encode()
        self._proxy_header = http.trusted_proxy_header
        self._is_secure = str(http.public_url or "").startswith("https://")
        self._hosts = {*LOOPBACK, "[::1]", http.host}
        if http.public_url:
            self._hosts.add(urlsplit(str(http.public_url)).hostname or "")
        seed = secrets.token_bytes(32) if self._token is None else self._token
        self._secret = hmac.digest(seed, b"swerve console", "sha256")

    @property
    def is_open(self) -> bool:
        """Whether everybody on this machine may come in."""
        return self._token is None and self._proxy_header is None

    @property
    def takes_tokens(self) -> bool:
        """Whether /login is of use."""
        return self._token is not None

    def who(self, request: web.Request) -> str | None:
        """The name of who comes; None: the door stays closed."""
        if self.is_open:
            return "console"
        named = request.headers.get(self._proxy_header, "") if self._proxy_header else ""
        name = "".join(one for one in named if one.isprintable()).strip()[:NAME_MAX]
        if self._token is None:
            return name or None
        return (name or "console") if self._has_token(request) else None

    def _has_token(self, request: web.Request) -> bool:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self.is_token(given.strip())
        return self._is_session(request.cookies.get(SESSION, ""))

    def is_token(self, given: str) -> bool:
        """In constant time."""
        return self._token is not None and hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def _is_session(self, cookie: str) -> bool:
        until, _, signed = cookie.partition(".")
        if not re.fullmatch(r"[0-9]{1,12}", until) or int(until) < time.time():
            return False
        return hmac.compare_digest(signed.encode("utf-8", "replace"), self._signed(f"session {until}").encode())

    def _signed(self, text: str) -> str:
        return hmac.digest(self._secret, text.encode("utf-8", "replace"), "sha256").hex()

    def admit(self, response: web.StreamResponse) -> None:
        """Whoever gets this answer need not show the token again for twelve hours."""
        until = int(time.time()) + SESSION_S
        self.set_cookie(response, SESSION, f"{until}.{self._signed(f'session {until}')}", SESSION_S)

    def forget(self, response: web.StreamResponse) -> None:
        """Log out."""
        response.del_cookie(SESSION, path="/")

    def form_of(self, request: web.Request) -> tuple[str, str | None]:
        """(what forms of a page must send back, the cookie to set for it or None where there is one)."""
        cookie = request.cookies.get(FORM, "")
        if re.fullmatch(r"[A-Za-z0-9_-]{32}", cookie):
            return self._signed(f"form {cookie}"), None
        cookie = secrets.token_urlsafe(24)
        return self._signed(f"form {cookie}"), cookie

    def remember_form(self, response: web.StreamResponse, cookie: str) -> None:
        """Set what `form_of` gave."""
        self.set_cookie(response, FORM, cookie, None)

    def set_cookie(self, response: web.StreamResponse, name: str, value: str, age_s: int | None) -> None:
        """A cookie of ours, that no other site and no script reads."""
        response.set_cookie(
            name, value, max_age=age_s, path="/", httponly=True, samesite="Strict", secure=self._is_secure
        )

    def believes(self, request: web.Request, given: str) -> bool:
        """Whether a form comes from a page of ours."""
        cookie = request.cookies.get(FORM, "")
        return bool(cookie) and hmac.compare_digest(
            given.encode("utf-8", "replace"), self._signed(f"form {cookie}").encode()
        )

    def is_asked_by_name(self, request: web.Request) -> bool:
        """Where it is open, only by a name of this machine: a foreign name that points here is somebody's trick."""
        return not self.is_open or _name_of(request.host) in self._hosts

    def is_from_elsewhere(self, request: web.Request) -> bool:
        """Whether a browser says that another site sent this."""
        if request.method in ("GET", "HEAD"):
            return False
        site = request.headers.get("Sec-Fetch-Site")
        return site is not None and site not in ("same-origin", "none")


def _name_of(host: str) -> str:
    """The name in a Host header. Raises HTTPBadRequest for what is none.

    >>> _name_of("[::1]:8321"), _name_of("localhost")
    ('::1', 'localhost')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        raise web.HTTPBadRequest(text="Host: expected a name or an address, and a port perhaps") from None


def guarded(door: Door) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The middleware of the whole application: the door, and the headers of every answer."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        answer = await _answer(door, request, handler)
        if not answer.prepared:
            answer.headers.update(HEADERS)
            if not request.path.startswith(WITHOUT_BELOW):
                answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return guard


async def _answer(door: Door, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        refused = await _refused(door, request)
        if refused is not None:
            return refused
        with metrics.asked_by(request.get(WHO, ""), request.remote or ""):
            return await handler(request)
    except web.HTTPException as error:
        if error.status >= 400:
            return said(request, error.status, error.text or error.reason)
        error.headers.update(HEADERS)
        raise


async def _refused(door: Door, request: web.Request) -> web.StreamResponse | None:
    if request.path in ("/livez", "/readyz", "/metrics"):
        return None
    if not door.is_asked_by_name(request):
        return said(request, 403, "this console answers to a name of its own machine only; set [http] public_url")
    if door.is_from_elsewhere(request):
        return said(request, 403, "sent from another site")
    if request.path in WITHOUT or request.path.startswith(WITHOUT_BELOW):
        return None
    name = door.who(request)
    if name is None:
        if "Authorization" in request.headers:
            metrics.token_refused(request.remote or "", request.path)
            await asyncio.sleep(REFUSED_S)
        return _closed(door, request)
    request[WHO] = name
    return None


def _closed(door: Door, request: web.Request) -> web.StreamResponse:
    if door.takes_tokens and request.method == "GET" and not request.path.startswith("/api/"):
        return web.Response(status=303, headers={"Location": f"/login?next={quote(request.path_qs, safe='')}"})
    answer = said(request, 401, BY_TOKEN if door.takes_tokens else BY_PROXY)
    answer.headers["WWW-Authenticate"] = 'Bearer realm="swerve"'
    return answer


def said(request: web.Request, status: int, text: str) -> web.Response:
    """An answer that explains itself: JSON for the API, else text."""
    if request.path.startswith("/api/"):
        return web.Response(status=status, body=orjson.dumps({"error": text}), content_type="application/json")
    return web.Response(status=status, text=f"{text}\n")
