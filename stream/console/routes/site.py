"""The console of one process: what it shows, whom it lets in, and to whom it speaks. Attach it before HTTP starts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import resources

from aiohttp import web

from stream.console import actions
from stream.console.desk import Desk
from stream.console.door import Handler, guarded, said
from stream.console.routes import api, events, forms, openapi, pages
from stream.console.routes import silence_api as silences
from stream.console.routes import silence_page as silence
from stream.console.routes.wrong import readable
from stream.contract.reading.refusal import Refusal
from stream.errors import SwerveError, UsageError
from stream.sinks.catalogue import links_of
from stream.telemetry import metrics

STATIC = {
    "console.css": "text/css", "console.js": "text/javascript", "charts.js": "text/javascript",
    "icon.svg": "image/svg+xml", "vendor/uplot/uPlot.iife.min.js": "text/javascript",
    "vendor/uplot/uPlot.min.css": "text/css", "vendor/uplot/LICENSE": "text/plain",
}  # fmt: skip


def attach(desk: Desk, app: web.Application) -> None:
    """Add every page and the API to an application that has not started. Middlewares hold for all of its routes."""
    app.middlewares.extend([readable(desk), guarded(desk.door), _explained])
    metrics.console_at(links_of(desk.settings).base)
    pages.attach(desk, app.router)
    forms.attach(desk, app.router)
    silence.attach(desk, app.router)
    api.attach(desk, app.router)
    silences.attach(desk, app.router)
    events.attach(desk, app.router)
    app.router.add_get("/api/v1/openapi.json", openapi.served)
    for file, kind in STATIC.items():
        app.router.add_get(f"/static/{file}", _static(file, kind))


def _static(file: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = (resources.files("stream.console") / "static" / file).read_bytes()

    async def serve(request: web.Request) -> web.Response:
        # The address changes with the content: see look.asset.
        kept = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=kept)

    return serve


@web.middleware
async def _explained(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What a person did wrong, and what is not there, in words."""
    try:
        return await handler(request)
    except (UsageError, Refusal) as error:
        return said(request, 400, str(error))
    except (actions.UnknownAlertError, actions.UnknownAccountError, actions.UnknownReleaseError) as error:
        return said(request, 404, str(error))
    except actions.ChangedMeanwhileError as error:
        return said(request, 409, str(error))
    except SwerveError as error:
        return said(request, 503, str(error))
