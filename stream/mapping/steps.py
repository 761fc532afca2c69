"""What is done with a value on its way into a request? A short list of named steps, in one order."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from stream.errors import UsageError
from stream.mapping.paths import Path
from stream.sources.dialects.mapped import client_of, ids_of, ip_prefix

PER_MS = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}
_NUMBER = re.compile(r"-?[0-9]{1,19}(\.[0-9]{1,12})?")
_EPOCH_MAX = 1e15  # ms; what is beyond is no time, and is left to the contract to refuse


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a value: where it may stand, best place first, and the steps, in the order of these fields.

    const: the value where no path has one. ignore: texts that say nothing, as `default_user_id` and "-". after: of a
    text, or of the first in a list, that begins so, the rest. split, take: cut a text into a list, and take one of it.
    prefix: the network of an address. client: the first product of a user agent. number: text or 12.0 to an integer.
    epoch, zone: the unit of a number, and the time zone of a text without one, to epoch milliseconds. plus_ms: where a
    duration stands that is added. hash: the variable of the environment that holds the key of a keyed hash.
    join: all values there are, with this between them, instead of the first.
    """

    paths: tuple[Path, ...]
    const: str | None = None
    ignore: frozenset[str] = frozenset()
    after: str | None = None
    split: str | None = None
    take: int | None = None
    lower: bool = False
    prefix: bool = False
    client: bool = False
    number: bool = False
    epoch: str | None = None
    zone: ZoneInfo | None = None
    plus_ms: tuple[Path, ...] = ()
    hash: str | None = None
    join: str | None = None
    key: bytes = field(default=b"", repr=False)

    def value(self, record: Mapping[str, Any], absent: frozenset[str]) -> tuple[Any, str]:
        """The value, None without one, and the path that gave it, for a person. absent: as `ignore`, for all."""
        if self.join is not None:
            found = [(path.written, self._found(path, record, absent)) for path in self.paths]
            parts = {where: text_of(self._stepped(one, record)) for where, one in found if one is not None}
            return ids_of(*parts.values(), between=self.join), " + ".join(parts)
        for path in self.paths:
            held = self._found(path, record, absent)
            if held is not None and (stepped := self._stepped(held, record)) is not None and stepped != "":
                return stepped, path.written
        return self.const, "const" if self.const is not None else ""

    def _found(self, path: Path, record: Mapping[str, Any], absent: frozenset[str]) -> Any:
        value = path.of(record)
        if isinstance(value, str) and (not value or value in absent or value in self.ignore):
            return None
        return value

    def _stepped(self, value: Any, record: Mapping[str, Any]) -> Any:
        if self.after is not None:
            value = _after(value, self.after)
        if self.split is not None and isinstance(value, str):
            value = [part.strip() for part in value.split(self.split) if part.strip()]
        if self.take is not None and isinstance(value, list):
            value = value[self.take] if -len(value) <= self.take < len(value) else None
        if self.ignore and isinstance(value, str) and value in self.ignore:
            return None
        if self.lower and isinstance(value, str):
            value = value.lower()
        if self.prefix:
            value = ip_prefix(value)
        if self.client:
            value = client_of(value)
        if self.number:
            value = integer(value)
        if self.epoch is not None or self.zone is not None:
            value = epoch_ms(value, self.epoch or "ms", self.zone)
        if self.plus_ms:
            value = self._later(value, record)
        return self._hashed(value) if self.hash is not None and value is not None else value

    def _later(self, at_ms: Any, record: Mapping[str, Any]) -> Any:
        """The time, and the first duration that is there, in ms; a time that nobody can read stays as it came."""
        durations = (integer(path.of(record)) for path in self.plus_ms)
        duration = next((one for one in durations if isinstance(one, (int, float)) and not isinstance(one, bool)), 0)
        if isinstance(at_ms, str):
            at_ms = epoch_ms(at_ms, "ms", ZoneInfo("UTC"))
        is_time = isinstance(at_ms, int) and not isinstance(at_ms, bool) and math.isfinite(duration)
        return at_ms + round(duration) if is_time and abs(duration) < _EPOCH_MAX else at_ms

    def _hashed(self, value: Any) -> str:
        said = value.encode() if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return blake2b(said, key=self.key, digest_size=16).hexdigest()


def key_of(variable: str) -> bytes:
    """The key that a variable of the environment holds. Raises UsageError where it holds none.

    >>> key_of("SWERVE_NO_SUCH_KEY")
    Traceback (most recent call last):
    ...
    stream.errors.UsageError: environment SWERVE_NO_SUCH_KEY: expected the key of a hash, at least 16 characters, got 0
    """
    key = os.environ.get(variable, "").encode()
    if len(key) < 16:
        raise UsageError(f"environment {variable}: expected the key of a hash, at least 16 characters, got {len(key)}")
    return blake2b(key).digest() if len(key) > 64 else key


def text_of(value: Any) -> str | None:
    """A value as JSON writes it, a text as it is; None for what is no single value.

    >>> text_of(True), text_of(400), text_of("x"), text_of([1]), text_of(None)
    ('true', '400', 'x', None, None)
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and value.bit_length() > 64:  # Python refuses to print some of these
        return None
    return str(value) if isinstance(value, (str, int, float)) else None


def _after(value: Any, beginning: str) -> Any:
    texts = value if isinstance(value, list) else [value]
    found = (one[len(beginning) :].strip() for one in texts if isinstance(one, str) and one.startswith(beginning))
    return next(found, None)


def integer(value: Any) -> Any:
    """The integer that a text of digits or a whole float stands for; a fraction as a float; else the value as it is.

    >>> integer("97"), integer(97.0), integer("97.5"), integer("-"), integer(None)
    (97, 97, 97.5, '-', None)
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value


def epoch_ms(value: Any, unit: str, zone: ZoneInfo | None) -> Any:
    """Epoch milliseconds of a number in a unit, or of a text without a time zone; what is neither stays as it came.

    >>> epoch_ms(1772366400.25, "s", None), epoch_ms("1772366400250000000", "ns", None)
    (1772366400250, 1772366400250)
    >>> epoch_ms("2026-03-01 13:00:00.25", "ms", ZoneInfo("Europe/Berlin")), epoch_ms("noon", "s", None)
    (1772366400250, 'noon')
    """
    number = integer(value)
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return _of_text(value, zone) if isinstance(value, str) else value
    if isinstance(number, int) and unit in ("us", "ns"):
        return number // int(PER_MS[unit])  # exact: a float would round nanoseconds
    in_ms = number / PER_MS[unit] if abs(number) < _EPOCH_MAX * PER_MS[unit] else math.inf
    return round(in_ms) if math.isfinite(in_ms) else value


def _of_text(value: str, zone: ZoneInfo | None) -> Any:
    """A text with its own zone is left to the contract, unless a zone is given: then any form of ISO 8601 is read."""
    if zone is None:
        return value
    try:
        at = datetime.fromisoformat(value.strip().removesuffix(" UTC"))
        at = at.replace(tzinfo=zone) if at.tzinfo is None else at
        return round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return value
