"""Does a record show this? Conditions on values: which records are requests, and what a request exercised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stream.mapping.paths import Path
from stream.mapping.steps import integer, text_of


@dataclass(frozen=True, slots=True)
class Evidence:
    """A condition on what stands at any of some paths. Without any limit: something stands there that is not nothing.

    is_one: texts of which it is one. starts: beginnings, one of which it has. above: a number that it exceeds. These
    hold where any of the values does so. is_none, below, has=False hold as well where nothing stands there at all: what
    is not said to have failed has not.
    """

    paths: tuple[Path, ...]
    is_one: frozenset[str] | None = None
    is_none: frozenset[str] | None = None
    starts: tuple[str, ...] | None = None
    above: float | None = None
    below: float | None = None
    has: bool | None = None

    def holds(self, record: Mapping[str, Any], absent: frozenset[str]) -> bool:
        """Whether the record shows it. absent: texts that stand for nothing."""
        values = [value for value in self._values(record) if not (isinstance(value, str) and value in absent)]
        if self.has is not None and any(value not in (None, "") for value in values) is not self.has:
            return False
        if self.is_none is not None and any(text_of(value) in self.is_none for value in values):
            return False
        if self.below is not None and any(_at_least(value, self.below) for value in values):
            return False
        return self._is_shown(values)

    def _is_shown(self, values: list[Any]) -> bool:
        if self.is_one is not None:
            return any(text_of(value) in self.is_one for value in values)
        if self.starts is not None:
            return any((text_of(value) or "").startswith(self.starts) for value in values)
        if self.above is not None:
            return any((_number(value) or 0.0) > self.above for value in values)
        if self.is_none is not None and self.has is None and self.below is None:
            return True
        return self.has is not None or self.below is not None or any(_is_something(value) for value in values)

    def _values(self, record: Mapping[str, Any]) -> list[Any]:
        """Every value there is; of a list its elements, and the list itself where it is empty."""
        found = [path.of(record) for path in self.paths]
        return [one for value in found for one in (value if isinstance(value, list) and value else [value])]


def _number(value: Any) -> float | None:
    number = integer(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return None
    return float(number) if isinstance(number, float) or number.bit_length() <= 64 else None


def _at_least(value: Any, limit: float) -> bool:
    number = _number(value)
    return number is not None and number >= limit


def _is_something(value: Any) -> bool:
    """Whether a value says anything: 0, false, empty texts, lists and objects do not."""
    return bool(value) and value not in ("false", "0", "null", "[]", "{}")
