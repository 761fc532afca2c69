"""What do these records look like? A dialect by name, a document over several lines, or nothing known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request
from stream.mapping.mapping import REQUIRED, Mapping
from stream.mapping.named import OWN, mapping_named, read_by
from stream.mapping.presets import NAMES

ALIKE_MIN = 3  # of the four required fields: with so many a record is probably of this kind


def looks_like(raws: Sequence[bytes]) -> str:
    """What these records probably are, and what to type, as the end of a sentence.

    >>> looks_like([b"{", b'  "model": "atlas-4"', b"}"])
    'looks like one JSON document over several lines: put each record on a line of its own, as jq -c . does'
    >>> looks_like([b'{"a": 1}'])
    'looks like nothing known: swerve map suggest FILE proposes a mapping for it'
    """
    read = {name: [one for raw in raws for one in _requests(raw, name)] for name in (OWN, *NAMES)}
    best = max(read, key=lambda name: (len(read[name]), len(repr(read[name]))))  # of equals the one that reads most
    if read[best]:
        return f"looks like {best}: --dialect {best}"
    if (document := _document(raws)) is not None:
        each = "jq -c '.[]'" if isinstance(document, list) else "jq -c ."
        return f"looks like one JSON document over several lines: put each record on a line of its own, as {each} does"
    alike = {name: max((_fields(raw, name) for raw in raws), default=0) for name in NAMES}
    best = max(alike, key=lambda name: alike[name])
    if alike[best] >= ALIKE_MIN:
        return f"looks like {best}, but for a field that it lacks: swerve map check FILE --dialect {best} says which"
    return "looks like nothing known: swerve map suggest FILE proposes a mapping for it"


def _requests(raw: bytes, name: str) -> list[Request]:
    try:
        return [one for one in read_by(name)(raw) if isinstance(one, Request)]
    except Refusal:
        return []


def _fields(raw: bytes, name: str) -> int:
    """How many of the required fields a record has in a dialect."""
    mapping = mapping_named(name, {})
    assert isinstance(mapping, Mapping)
    try:
        records = mapping.unfolded(raw)
    except Refusal:
        return 0
    return max((sum(mapping.field(one, each.record)[0] is not None for one in REQUIRED) for each in records), default=0)


def _document(raws: Sequence[bytes]) -> Any:
    """What the lines are together, or [] or {} where they begin as one would; None where each stands for itself."""
    joined = b"\n".join(raws)
    if len(raws) < 2:
        return None
    try:
        return orjson.loads(joined)
    except orjson.JSONDecodeError:
        return {b"[": [], b"{": {}}.get(raws[0].strip())
