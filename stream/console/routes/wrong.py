"""An error is a page as well: what is wrong, what to do, and the way on. Programs get a line of text, the API JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from stream.console.desk import Desk
from stream.console.door import HEADERS, Handler, said
from stream.console.routes.pages import shown
from stream.telemetry import log

TITLES: Mapping[int, str] = {
    400: "That cannot be used",
    401: "The door is closed",
    403: "That was not believed",
    404: "There is no such thing",
    405: "That is not how it is asked for",
    409: "That changed meanwhile",
    500: "A defect of Swerve",
    503: "Not now",
}
KEPT_HEADERS = ("WWW-Authenticate", "Retry-After", "Allow")
DEFECT = "a defect of Swerve itself; its log says more. What is judged and who is told goes on as before"


def readable(desk: Desk) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The outermost middleware: what is said in a line of text becomes a page for whoever reads pages."""

    @web.middleware
    async def render(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except web.HTTPException:
            raise
        except Exception:
            log.get("swerve.console").exception("page_failed", path=request.path)
            answer = said(request, 500, DEFECT)
            answer.headers.update(HEADERS)
        is_wrong = answer.status >= 400 and answer.content_type == "text/plain" and isinstance(answer, web.Response)
        return _page(desk, request, answer) if is_wrong and _reads_pages(request) else answer

    return render


def _reads_pages(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/api/")


def _page(desk: Desk, request: web.Request, answer: web.StreamResponse) -> web.Response:
    assert isinstance(answer, web.Response)
    context = {"status": answer.status, "title": TITLES.get(answer.status, "It did not work"), "said": answer.text}
    page = shown(desk, request, "error.html.j2", context, status=answer.status)
    page.headers.update(HEADERS | {"Cache-Control": "no-store"})
    page.headers.update({name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers})
    return page
