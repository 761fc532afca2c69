"""Takes OTLP over HTTP: what is read of a batch is kept, and only then the sender hears that it may forget it.

Source: the OTLP specification, "OTLP/HTTP". 200 with a partial success names what was refused, which is never to be
sent again; nor is a batch that cannot be read (400, 413, 415). 429 and 503 say when to come again.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.contract.reading.refusal import Refusal, Reject, refusal_of
from stream.contract.request import Request, encode
from stream.receiver.answers import JSON, PROTO, SIGNALS, failed, taken
from stream.receiver.inbox import Inbox, NoRoomError

AT_ONCE_MAX = 8  # batches in memory, of 16 MiB each before they are read
REASONS_TOLD = 3
_ENCODINGS = ("", "identity", "gzip", "deflate")
Read = Callable[[bytes], Sequence[Request | Refusal]]


class Receiver:
    """What takes batches. read: how they are read; of one stream, so one is read at a time. inbox: where they go."""

    def __init__(self, read: Read, inbox: Inbox) -> None:
        self._read = read
        self._inbox = inbox
        self._reading = threading.Lock()
        self._refused: Counter[str] = Counter()
        self._at_once = 0
        self.is_closing = False

    def routes(self) -> list[web.RouteDef]:
        """Where the batches of each kind are taken."""
        return [web.post(f"/v1/{signal}", partial(self._post, signal)) for signal in SIGNALS]

    def refused(self) -> Counter[str]:
        """How many records were refused since the last call, by reason."""
        with self._reading:
            refused, self._refused = self._refused, Counter()
            return refused

    async def _post(self, signal: str, request: web.Request) -> web.Response:
        encoding = request.content_type if request.content_type in (PROTO, JSON) else ""
        if not encoding or request.headers.get("Content-Encoding", "").lower() not in _ENCODINGS:
            return failed(PROTO, 415, f"expected {PROTO} or {JSON}, plain, gzip or deflate")
        if self.is_closing:
            return failed(encoding, 503, "it is stopping", again=True)
        if self._at_once >= AT_ONCE_MAX or not self._inbox.has_room():
            return failed(encoding, 429, "more comes than is judged", again=True)
        self._at_once += 1
        try:
            return await self._taken(encoding, signal, request.read)
        finally:
            self._at_once -= 1

    async def _taken(self, encoding: str, signal: str, body: Callable[[], Awaitable[bytes]]) -> web.Response:
        try:
            raw = await body()
            refused = await asyncio.to_thread(self._kept, raw) if raw else []
        except web.HTTPRequestEntityTooLarge:
            return failed(encoding, 413, f"expected at most {BATCH_BYTES_MAX} bytes, inflated")
        except (HttpProcessingError, web.RequestPayloadError) as error:
            return failed(encoding, 400, f"the body cannot be read: {error}")
        except Refusal as refusal:
            return failed(encoding, 413 if refusal.reason is Reject.TOO_LARGE else 400, str(refusal))
        except NoRoomError as error:
            return failed(encoding, 429, str(error), again=True)
        return taken(encoding, signal, len(refused), _told(refused))

    def _kept(self, raw: bytes) -> list[Refusal]:
        """Keep what is read of a batch; gives what is refused. Raises Refusal of the whole, and NoRoomError."""
        with self._reading:
            try:
                read = self._read(raw)
            except Exception as error:
                refusal = refusal_of(error)
                self._refused[refusal.reason.value] += 1
                raise refusal from None
            lines = [encode(one) for one in read if isinstance(one, Request)]
            if lines:
                self._inbox.put(lines)
            refused = [one for one in read if isinstance(one, Refusal)]
            self._refused.update(one.reason.value for one in refused)
            return refused


def application(receiver: Receiver, guard: Callable[..., Awaitable[web.StreamResponse]]) -> web.Application:
    """What serves it, behind a door. A body is inflated piece by piece, up to 16 MiB and not a byte beyond."""
    app = web.Application(middlewares=[guard], client_max_size=BATCH_BYTES_MAX)
    app.add_routes(receiver.routes())
    return app


def _told(refused: Sequence[Refusal]) -> str:
    """The first few reasons, for whoever reads the sender's log."""
    details = list(dict.fromkeys(str(one) for one in refused))
    more = f"; and {len(details) - REASONS_TOLD} more" if len(details) > REASONS_TOLD else ""
    return "; ".join(details[:REASONS_TOLD]) + more
