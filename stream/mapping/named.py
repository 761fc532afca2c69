"""How are records read? As our own form, by a mapping that is shipped, or by one that somebody wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request, decode
from stream.errors import UsageError
from stream.mapping import presets
from stream.mapping.mapping import Mapping
from stream.mapping.written import laid_over, mapping_of

OWN = "swerve"
#: What the collector's exporters call OpenTelemetry's encodings: which one a message is in, it says itself.
ENCODINGS = {"otlp_json": "otlp", "otlp_proto": "otlp"}
NAMES = (OWN, *sorted((*presets.NAMES, *ENCODINGS)))
Read = Callable[[bytes], Sequence[Request | Refusal]]


def read_by(name: str) -> Read:
    """How the records of a dialect are read as it is shipped: their requests, or a Refusal in place of one.

    A reader raises Refusal of the whole. Raises UsageError where there is no such dialect.
    """
    if name == OWN:
        return lambda raw: [decode(raw)]
    return _shipped(_known(name)).reader()


def dialect_of(name: str, written: dict[str, Any], where: str = "configuration") -> Read | None:
    """How an encoder is to read records of a dialect, with what a `[map]` says instead; where: names its file.

    None is our own form, for which it has a quicker way. Raises UsageError.

    >>> dialect_of("swerve", {}) is None, dialect_of("otlp", {}) is None
    (True, False)
    """
    chosen = mapping_named(name, written, where)
    return None if chosen is None else chosen.reader()


def mapping_named(name: str, written: dict[str, Any], where: str = "configuration") -> Mapping | None:
    """The mapping of a dialect with what a `[map]` says instead; None for our own form. Raises UsageError."""
    known = _known(name)
    if not written:
        return None if known == OWN else _shipped(known)
    below = {} if known == OWN else presets.preset(known)
    return mapping_of(laid_over(below, written, where), where)


@cache
def _shipped(name: str) -> Mapping:
    return mapping_of(presets.preset(name), f"preset {name}")


def _known(name: str) -> str:
    if name not in NAMES:
        raise UsageError(f"no dialect {name!r}; expected one of {', '.join(NAMES)}")
    return ENCODINGS.get(name, name)
