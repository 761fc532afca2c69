"""How does a person's word reach Swerve? To a running one over HTTP, into a Kafka topic, or into a file."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import orjson
import typer

from stream.configuration.settings import Settings
from stream.errors import SwerveError, UsageError
from stream.sinks.catalogue import links_of
from stream.sinks.posting import host_of

TIMEOUT_S = 15.0

Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="A running Swerve. Else \\[http] public_url, or its host and port."),
]
Kafka = Annotated[bool, typer.Option("--kafka", help="Write to (or read from) the topic instead of asking over HTTP.")]
By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who says so. Else you.")]

Confirm = Annotated[
    str | None, typer.Option("--confirm", metavar="TEXT", help="What must be typed for a wide one, typed here.")
]


def who(by: str | None) -> str:
    """The name that goes into the record."""
    return by or os.environ.get("SUDO_USER") or getpass.getuser()


def ask(settings: Settings, url: str | None, method: str, path: str, body: Any = None) -> Any:
    """One call of a running Swerve's API; gives the JSON of its answer, None where it is empty.

    Raises SwerveError: nobody there, the door is closed, or what the other side said.
    """
    base = (url or links_of(settings).base).rstrip("/")
    return asyncio.run(_ask(settings, base, method, base + path, body))


async def _ask(settings: Settings, base: str, method: str, url: str, body: Any) -> Any:
    headers = {"Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if settings.http.token is not None:
        headers["Authorization"] = f"Bearer {settings.http.token.get_secret_value()}"
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    data = None if body is None else orjson.dumps(body)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.request(method, url, data=data, allow_redirects=False) as response,
        ):
            answer = await response.read()
            if response.status >= 300:
                raise SwerveError(f"{host_of(base)}: {_said(response.status, answer)}")
            return orjson.loads(answer) if answer.strip() else None
    except (aiohttp.ClientConnectionError, TimeoutError):
        raise SwerveError(f"no Swerve answers at {host_of(base)}; start it, or say where it is with --url") from None
    except aiohttp.InvalidURL:
        raise UsageError(f"--url: expected http://host:port, got {url[:80]!r}") from None
    except orjson.JSONDecodeError:
        raise SwerveError(f"{host_of(base)}: expected JSON, got something else; is this Swerve?") from None


def _said(status: int, answer: bytes) -> str:
    if status in (401, 403):
        return f"the door is closed ({status}); set [http] token, or SWERVE_HTTP__TOKEN"
    try:
        told = orjson.loads(answer)
        text = str(told.get("error") or told.get("detail") or told) if isinstance(told, dict) else str(told)
    except orjson.JSONDecodeError:
        text = answer[:200].decode("utf-8", "replace")
    return f"answered {status}: {' '.join(text.split())[:300]}"


def publish(settings: Settings, topic: str, key: str, record: dict[str, Any] | None) -> None:
    """Write one record to a compacted topic; None withdraws its key. Raises SwerveError."""
    asyncio.run(_publish(settings, topic, key, record))


async def _publish(settings: Settings, topic: str, key: str, record: dict[str, Any] | None) -> None:
    from stream.kafka import broker

    value = None if record is None else orjson.dumps(record)
    await broker.partitions_or_refuse(settings.kafka, topic)
    async with broker.producer(settings.kafka) as producer:
        await producer.send_and_wait(topic, value, key=key.encode())


def records(settings: Settings, topic: str) -> list[bytes]:
    """What a topic holds now, without what was withdrawn. Raises SwerveError where it is not there."""
    return asyncio.run(_records(settings, topic))


async def _records(settings: Settings, topic: str) -> list[bytes]:
    from stream.kafka import broker

    return [one.value async for one in broker.read_to_end(settings.kafka, topic) if one.value is not None]


def put_in_file(path: Path, key: str, record: dict[str, Any]) -> None:
    """Add to a JSON array on disk, or replace the entry with the same value of `key`. Raises UsageError."""
    try:
        entries = json.loads(path.read_text()) if path.exists() else []
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: expected a JSON array, got: {error}") from None
    if not isinstance(entries, list):
        raise UsageError(f"{path}: expected a JSON array, got {type(entries).__name__}")
    kept = [one for one in entries if not (isinstance(one, dict) and one.get(key) == record[key])]
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.write_text(json.dumps([*kept, record], indent=2) + "\n")
        fresh.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
