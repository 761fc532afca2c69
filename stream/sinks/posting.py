"""One POST with a deadline: did the receiver take it, may it take it later, or never?"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from stream.sinks.sink import SinkRefusedError, SinkUnreachableError

PASSING = (408, 425, 429)  # besides 5xx
ANSWER_CHARS_MAX = 200
RETRY_AFTER_S_MAX = 600.0


class Poster:
    """An HTTP client for one sink, opened with its first request. Redirects are not followed: secrets stay here."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """POST JSON. Raises SinkUnreachableError or SinkRefusedError; both name only the host."""
        where = host_of(url)
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(timeout=self._timeout, trust_env=True)
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            async with self._session.post(url, data=body, headers=sent, allow_redirects=False) as response:
                await _judge(response, where)
        except TimeoutError:
            raise SinkUnreachableError(f"{where}: no answer within {self._timeout.total:g} s") from None
        except aiohttp.InvalidURL:
            raise SinkRefusedError(f"{where}: this is no address") from None
        except (aiohttp.ClientError, OSError) as error:
            # The texts of some client errors hold the whole address, and with it a secret.
            raise SinkUnreachableError(f"{where}: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()


async def _judge(response: aiohttp.ClientResponse, where: str) -> None:
    if 200 <= response.status < 300:
        return
    answer = (await response.content.read(ANSWER_CHARS_MAX)).decode("utf-8", "replace")
    told = f"{where}: answered {response.status} {' '.join(answer.split())}".rstrip()
    if response.status >= 500 or response.status in PASSING:
        raise SinkUnreachableError(told, _seconds(response.headers.get("Retry-After")))
    raise SinkRefusedError(told)


def _seconds(text: str | None) -> float | None:
    """Retry-After in seconds; its form with a date is rare, and our own back-off serves.

    >>> _seconds("120"), _seconds("Wed, 21 Oct 2026 07:28:00 GMT"), _seconds("99999999")
    (120.0, None, 600.0)
    """
    return min(float(text), RETRY_AFTER_S_MAX) if text is not None and text.isascii() and text.isdigit() else None


def host_of(url: str) -> str:
    """Scheme, host and port: what of an address may be shown. User, path and query can hold secrets.

    >>> host_of("https://user:pw@hooks.example:8443/services/T0/B0/secret?token=x")
    'https://hooks.example:8443'
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(no address)"
    return f"{parts.scheme}://{parts.hostname or ''}{port}"
