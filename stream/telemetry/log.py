"""How do log lines look? One structlog set-up for every process, the standard library's lines included."""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

from stream.spoken import harmless

QUIET = ("faust.transport", "aiokafka.consumer.group_coordinator", "aiohttp.access")


def set_up(*, json_lines: bool | None = None, level: str = "info", stream: TextIO | None = None) -> None:
    """Log to `stream` (standard error), as JSON unless a person reads along; call it once, before anything logs.

    json_lines: None decides by whether `stream` is a terminal. Lines of libraries take the same way, so that one
    parser reads everything.
    """
    out = stream or sys.stderr
    as_json = not out.isatty() if json_lines is None else json_lines
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _harmless,
                structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=out.isatty()),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _harmless(logger: Any, method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Names that strangers chose can neither move a terminal's cursor nor begin a line of their own."""
    return {
        key: harmless(value, lines=key == "exception") if isinstance(value, str) else value
        for key, value in line.items()
    }


def get(name: str) -> Any:
    """The logger of one part: `log.get("watch").info("alert fired", alert_id=...)`."""
    return structlog.stdlib.get_logger(name)
