"""What does a field of a record say? One field of a JSON object at a time, or the reason why it cannot be taken."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import msgspec

from stream.contract.reading.instant import EARLIEST_MS, instant_ms
from stream.contract.reading.json_object import got, read_object
from stream.contract.reading.refusal import Refusal, Reject

INTEGER_MAX = (1 << 63) - 1  # what an int64 column holds


class Fields:
    """The fields of one JSON object. Every method raises Refusal, with the path of the field, or gives its value.

    >>> fields = Fields(b'{"model": "atlas-4", "count": true}')
    >>> fields.text("model", 256)
    'atlas-4'
    >>> fields.count("count")
    Traceback (most recent call last):
    ...
    stream.contract.reading.refusal.Refusal: wrong_type: $.count: expected an integer, got boolean true
    """

    def __init__(self, raw: bytes | msgspec.Raw, path: str = "$") -> None:
        self._fields = read_object(bytes(raw))
        self._path = path

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def refuse_misspelt(self, known: Sequence[str]) -> None:
        """A field that is nearly one of these was meant to be it. Others are ignored, as they are everywhere.

        >>> Fields(b'{"supercedes": "atlas-3"}').refuse_misspelt(["model", "supersedes"])
        Traceback (most recent call last):
        ...
        stream.contract.reading.refusal.Refusal: out_of_range: $.supercedes: no such field, did you mean supersedes?
        """
        for name in self._fields:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.8) if name not in known else []
            if close:
                text = f"{self.path(name)}: no such field, did you mean {close[0]}?"
                raise Refusal(Reject.OUT_OF_RANGE, text)

    def path(self, name: str) -> str:
        """Where the field is, for a person."""
        return f"{self._path}.{name}"

    def required(self, name: str, expected: str) -> Any:
        """The value of a field that must be there."""
        if name not in self._fields:
            raise Refusal(Reject.MISSING_FIELD, f"{self.path(name)}: expected {expected}, got nothing")
        return self.value(name)

    def value(self, name: str) -> Any:
        """The value of a field that is there. It is known to be JSON; a number beyond all measure cannot be read."""
        try:
            return msgspec.json.decode(self._fields[name])
        except (ValueError, msgspec.MsgspecError) as error:
            raise Refusal(Reject.OUT_OF_RANGE, f"{self.path(name)}: expected a value to be read, got {error}") from None

    def object(self, name: str, expected: str) -> Fields:
        """The fields of a field that must be there and be an object."""
        value = self.required(name, expected)
        if not isinstance(value, dict):
            raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}: expected {expected}, got {got(value)}")
        return Fields(self._fields[name], self.path(name))

    def text(self, name: str, length_max: int) -> str:
        """A string of 1 to `length_max` characters that must be there."""
        value = self._string(name, "a string")
        if not 1 <= len(value) <= length_max:
            raise Refusal(
                Reject.OUT_OF_RANGE, f"{self.path(name)}: expected 1 to {length_max} characters, got {len(value)}"
            )
        return value

    def text_or_none(self, name: str, length_max: int) -> str | None:
        """As `text`, or None where the field is absent or null."""
        return None if self.is_absent(name) else self.text(name, length_max)

    def note(self, name: str, length_max: int) -> str:
        """Free text of at most `length_max` characters, empty where the field is absent or null."""
        value = "" if self.is_absent(name) else self._string(name, "a string")
        if len(value) > length_max:
            raise Refusal(
                Reject.OUT_OF_RANGE, f"{self.path(name)}: expected at most {length_max} characters, got {len(value)}"
            )
        return value

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of a few words."""
        expected = "one of " + ", ".join(choices)
        value = self._string(name, expected)
        if value not in choices:
            raise Refusal(Reject.OUT_OF_RANGE, f"{self.path(name)}: expected {expected}, got {value[:40]!r}")
        return value

    def instant(self, name: str, earliest_ms: int = EARLIEST_MS) -> int:
        """Epoch milliseconds of a time that must be there."""
        expected = "integer epoch milliseconds or an RFC 3339 string"
        value = self.required(name, expected)
        if isinstance(value, bool) or not isinstance(value, (int, str)):
            raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}: expected {expected}, got {got(value)}")
        return instant_ms(value, self.path(name), earliest_ms)

    def count(self, name: str) -> int:
        """An integer from 0 on, 0 where the field is absent or null."""
        if self.is_absent(name):
            return 0
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}: expected an integer, got {got(value)}")
        if not 0 <= value <= INTEGER_MAX:
            raise Refusal(
                Reject.OUT_OF_RANGE, f"{self.path(name)}: expected an integer from 0 to {INTEGER_MAX}, got {got(value)}"
            )
        return value

    def texts(self, name: str, entries_max: int) -> tuple[str, ...]:
        """An array of at most `entries_max` strings, () where the field is absent or null."""
        value = [] if self.is_absent(name) else self.value(name)
        if not isinstance(value, list):
            raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}: expected an array of strings, got {got(value)}")
        self._check_entries(name, len(value), entries_max)
        for index, one in enumerate(value):
            if not isinstance(one, str):
                raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}[{index}]: expected a string, got {got(one)}")
        return tuple(value)

    def named_texts(self, name: str, entries_max: int) -> dict[str, str]:
        """An object of at most `entries_max` strings, those that are null left out; {} where it is absent or null."""
        value = {} if self.is_absent(name) else self.value(name)
        if not isinstance(value, dict):
            raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}: expected an object of strings, got {got(value)}")
        value = {key: one for key, one in value.items() if one is not None}
        self._check_entries(name, len(value), entries_max)
        for key, one in value.items():
            if not isinstance(one, str):
                raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}.{key[:64]}: expected a string, got {got(one)}")
        return value

    def is_absent(self, name: str) -> bool:
        """Not there, or null."""
        return name not in self._fields or bytes(self._fields[name]).strip() == b"null"

    def _string(self, name: str, expected: str) -> str:
        value = self.required(name, expected)
        if not isinstance(value, str):
            raise Refusal(Reject.WRONG_TYPE, f"{self.path(name)}: expected {expected}, got {got(value)}")
        return value

    def _check_entries(self, name: str, entries: int, entries_max: int) -> None:
        if entries > entries_max:
            raise Refusal(
                Reject.OUT_OF_RANGE, f"{self.path(name)}: expected at most {entries_max} entries, got {entries}"
            )
