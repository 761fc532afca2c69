"""Who said what, and who was not let in? The audit trail: a line of the log for each word, and counters."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Final

import structlog

from stream.telemetry.metrics.exposition import counter
from stream.telemetry.metrics.seldom import Seldom

WORDS: Final = ("expected", "verdict", "ack", "snooze")

_log = structlog.get_logger("swerve.audit")
_words = counter(
    "swerve_words",
    "Words of people about alerts, through console and API. One that nobody remembers: read the log for `said`.",
    ["word"],
    ["correlate"],
)
_refused = counter(
    "swerve_tokens_refused",
    "Requests with a wrong token. Many: somebody guesses, or a program has an old one; the log says from where.",
    (),
    ["correlate"],
)
_refused_told = Seldom()
for _word in WORDS:
    _words.labels(_word)


def asked_by(who: str, remote: str) -> AbstractContextManager[Any]:
    """While it is open, lines of the log name who asks and from where."""
    return structlog.contextvars.bound_contextvars(who=who, remote=remote)


def said(word: str, **what: Any) -> None:
    """A person's word was taken: what it says, and by whom where it has a name of its own beside the door's."""
    _words.labels(word).inc()
    _log.info("said", word=word, **what)


def token_refused(remote: str, path: str) -> None:
    """Somebody came with a wrong token; the line tells of the last one, and how many there were in the minute."""
    _refused.inc()
    n = _refused_told.due(1)
    if n:
        _log.warning("token_refused", n=n, remote=remote, path=path[:200])
