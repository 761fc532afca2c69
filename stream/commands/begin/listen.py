"""What does `swerve watch --listen` take, and where does it go until it is judged?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from stream.configuration.sections import Http, Sources
from stream.configuration.settings import Settings
from stream.console.door import Door, guarded
from stream.console.health import Health
from stream.errors import UsageError
from stream.mapping.mapping import OTLP
from stream.mapping.named import OWN, mapping_named
from stream.receiver.inbox import LogFile, Memory
from stream.receiver.otlp_http import Receiver, application
from stream.sources.growing import STANDARD_INPUT, Growing

_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]+):(?P<port>[0-9]{1,5})")
PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Listening:
    """A receiver, where it is served, and the log that is followed: what it appends to, or what it holds in memory."""

    receiver: Receiver
    http: Http
    followed: Growing | Memory
    log: LogFile | None

    def served(self, ready: Callable[[], str | None]) -> Health:
        """The server of the receiver, behind the same door as the console."""
        app = application(self.receiver, guarded(Door(self.http)))
        return Health(self.http, ready=ready, app=app, port_from="--listen")

    def close(self) -> None:
        """Whoever is told 200 from now on is told so of what was kept before."""
        self.receiver.is_closing = True
        (self.followed if self.log is None else self.log).close()


def listening(address: str, path: str | None, configured: Settings) -> Listening:
    """Ready to receive. path: the log in which what is received is kept; in memory where it is None.

    Raises UsageError where the address, the log or the dialect cannot be used.
    """
    http = _http(address, configured.http)
    sources = configured.sources.dialect
    dialect = OTLP if sources == OWN and not configured.map else sources
    mapping = mapping_named(dialect, configured.map)
    if mapping is None or mapping.envelope != OTLP:
        raise UsageError(f'--listen takes OpenTelemetry: expected --dialect otlp, or envelope = "otlp", got {dialect}')
    if path == STANDARD_INPUT:
        raise UsageError("--listen keeps what it receives in a log: expected a FILE or none, got -")
    if path is None:
        memory = Memory()
        return Listening(Receiver(mapping.reader(), memory), http, memory, None)
    log = LogFile(path)
    return Listening(Receiver(mapping.reader(), log), http, Growing(path), log)


def following(configured: Settings) -> Settings:
    """The configuration for what is followed: a receiver has made our own form of it."""
    return configured.model_copy(update={"sources": Sources(dialect=OWN), "map": {}})


def _http(address: str, http: Http) -> Http:
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found["port"]) > PORT_MAX:
        raise UsageError(f"--listen {address}: expected HOST:PORT, as 127.0.0.1:4318")
    return http.model_copy(update={"host": found["host"].strip("[]"), "port": int(found["port"])})
