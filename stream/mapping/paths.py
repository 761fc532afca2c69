"""Where in a record does a value stand? Paths as a mapping writes them, and what a record has there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_PART = re.compile(r"(?P<names>[^.\[\]]+(?:\.[^.\[\]]+)*)|\[(?P<index>-?[0-9]{1,6})?\]")
# What names in a row may be: a key, and what is then left of them, the longest key first.
Keys = tuple[tuple[str, "Keys | None"], ...]
Parts = tuple[Keys | int | None, ...]  # names in a row, the index of an element, None for every element


@dataclass(frozen=True, slots=True)
class Path:
    """A way into a record: names with dots between them, `[0]` or `[-1]` for an element, `[]` for every one.

    A key that has dots of its own is found as well: of `a.b.c` the longest key that is there is taken first. A text
    that holds JSON is entered like the JSON, which then stands in its place: it is read once. Build it with `path_of`.
    A lookup takes 1 to 3 us.

    >>> path_of("usage.tokens").of({"usage": {"tokens": 7}}), path_of("usage.tokens").of({"usage.tokens": 7})
    (7, 7)
    >>> path_of("tools[].type").of({"tools": [{"type": "f"}, {}, {"type": "g"}]}), path_of("a[-1]").of({"a": "[1, 2]"})
    (['f', 'g'], 2)
    """

    written: str
    parts: Parts

    def of(self, record: Any) -> Any:
        """What stands there; None where nothing does."""
        return _at(record, self.parts)


def path_of(written: str) -> Path:
    """The path of these words. Raises ValueError that says what a path is.

    >>> path_of("a..b")
    Traceback (most recent call last):
    ...
    ValueError: expected a path like usage.tokens, choices[0].finish_reason or tools[].type, got 'a..b'
    """
    parts: list[Keys | int | None] = []
    at = 0
    while at < len(written):
        at += written[at] == "." and bool(parts) and not isinstance(parts[-1], tuple)
        found = _PART.match(written, at)
        if found is None or (found["names"] and parts and isinstance(parts[-1], tuple)):
            break
        index = int(found["index"]) if found["index"] else None
        parts.append(_keys(found["names"].split(".")) if found["names"] else index)
        at = found.end()
    if at != len(written) or not parts:
        raise ValueError(
            f"expected a path like usage.tokens, choices[0].finish_reason or tools[].type, got {written[:60]!r}"
        )
    return Path(written, tuple(parts))


def _keys(names: list[str]) -> Keys:
    """
    >>> _keys(["a", "b"])
    (('a.b', None), ('a', (('b', None),)))
    """
    ends = range(len(names), 0, -1)
    return tuple((".".join(names[:end]), _keys(names[end:]) if end < len(names) else None) for end in ends)


def _at(value: Any, parts: Parts) -> Any:
    if not parts:
        return value
    part, rest = parts[0], parts[1:]
    if isinstance(part, tuple):
        return _named(value, part, rest)
    value = _entered(value)
    if not isinstance(value, list):
        return None
    if part is None:
        found = [one for each in value if (one := _at(each, rest)) is not None]
        return found or None
    return _at(value[part], rest) if -len(value) <= part < len(value) else None


def _named(value: Any, keys: Keys, rest: Parts) -> Any:
    if type(value) is not dict:  # asked first: it is quicker, and nearly always so
        value = _entered(value)
        if not isinstance(value, Mapping):
            return None
    for key, left in keys:
        inner = value.get(key)
        if inner is None:
            continue
        if left is None and not rest:
            return inner
        if type(inner) is str and type(value) is dict:
            inner = value[key] = _entered(inner)
        found = _at(inner, rest) if left is None else _named(inner, left, rest)
        if found is not None:
            return found
    return None


def _entered(value: Any) -> Any:
    """The JSON that a text holds, where it does; anything else as it is."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        return value
