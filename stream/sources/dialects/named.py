"""Which formats of logs are understood? Every dialect by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request, decode
from stream.errors import UsageError
from stream.sources.dialects import envoy, litellm, otlp

OWN = "swerve"

#: Name -> how one record is read: its requests, or a Refusal in place of one; raises Refusal of the whole.
DIALECTS: dict[str, Callable[[bytes], Sequence[Request | Refusal]]] = {
    OWN: lambda raw: [decode(raw)],
    "otlp": otlp.read,
    "litellm": litellm.read,
    "envoy": envoy.read,
}


def dialect_named(name: str) -> Callable[[bytes], Sequence[Request | Refusal]] | None:
    """How an encoder is to read this dialect; None is our own, for which it has a quicker way. Raises UsageError.

    >>> dialect_named("swerve") is None, dialect_named("otlp") is None
    (True, False)
    """
    if name not in DIALECTS:
        raise UsageError(f"no dialect {name!r}; expected one of {', '.join(DIALECTS)}")
    return None if name == OWN else DIALECTS[name]
