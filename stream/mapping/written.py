"""How is a mapping written? Tables of TOML to a Mapping, every mistake told in one line: file, key, what to write."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path as File
from typing import Any
from zoneinfo import ZoneInfo

from stream.errors import UsageError
from stream.mapping.evidence import Evidence
from stream.mapping.mapping import FIELDS, OTLP, REQUIRED, Chain
from stream.mapping.mapping import Mapping as Ready
from stream.mapping.paths import Path, path_of
from stream.mapping.steps import PER_MS, Way, key_of

Table = Mapping[str, Any]
NESTED = ("when", "capabilities", "evidence", "attributes")
WORDS = ("name", "source", "sample", "note", "envelope", "records", "absent")  # of the mapping as a whole
TAGGING = ("tags", "tools", "finish", "conversation")
# As they are written -> as a condition has them.
_LIMITS = {"is": "is_one", "not": "is_none", "starts": "starts", "above": "above", "below": "below", "has": "has"}


class _MistakeError(Exception):
    """What is wrong, without the place."""


def read_map(file: File) -> dict[str, Any]:
    """The `[map]` of a file. Raises UsageError in one line."""
    try:
        written = tomllib.loads(file.read_bytes().decode())
    except OSError as error:
        raise UsageError(f"mapping {file}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"mapping {file} is not TOML: {error}") from None
    table = written.get("map")
    if not isinstance(table, dict) or len(written) > 1:
        others = ", ".join(f"[{name}]" for name in written if name != "map")
        raise UsageError(f"mapping {file}: expected [map] and nothing else, got {others or 'no [map]'}")
    return table


def laid_over(below: Table, above: Table, where: str = "configuration") -> dict[str, Any]:
    """One mapping with what another says instead; a key of a table that is false there is taken away.

    where: names the file of `above` in a mistake. Raises UsageError.

    >>> laid_over({"model": "a", "when": {"x": "b", "y": "c"}}, {"when": {"x": False, "z": "d"}})
    {'model': 'a', 'when': {'y': 'c', 'z': 'd'}}
    """
    merged = {**below, **{key: value for key, value in above.items() if key not in NESTED}}
    for name in NESTED:
        inner = {**_table(below, name, where), **_table(above, name, where)}
        if inner:
            merged[name] = {key: value for key, value in inner.items() if value is not False}
    return merged


def _table(written: Table, name: str, where: str) -> Table:
    held = written.get(name, {})
    if not isinstance(held, Mapping):
        raise UsageError(f"{where}: [map] {name}: expected a table [map.{name}], got {held!r}")
    return held


def mapping_of(written: Table, where: str, *, needs_keys: bool = True) -> Ready:
    """The mapping that these tables are. where: names the file in a mistake. needs_keys: whether hashes are made.

    Raises UsageError in one line.
    """
    return _Reading(where, needs_keys).whole(written)


class _Reading:
    """Reads one mapping, and knows where it stands."""

    def __init__(self, where: str, needs_keys: bool) -> None:
        self._where = where
        self._needs_keys = needs_keys

    def whole(self, written: Table) -> Ready:
        self._known("map", written, (*WORDS, *FIELDS, *NESTED))
        missing = [name for name in REQUIRED if name not in written]
        if missing:
            raise UsageError(f"{self._where}: [map] {missing[0]}: expected the path of it in a record, got nothing")
        tagging = _table(written, "capabilities", self._where)
        self._known("map.capabilities", tagging, TAGGING)
        return Ready(
            name=str(written.get("name", "a record")),
            fields={name: self.chain("map", name, written[name]) for name in FIELDS if name in written},
            attributes=self._each("attributes", written, self.chain),
            when=self._each("when", written, self.evidence),
            evidence=self._each("evidence", written, self.evidence),
            **{name: self.chain("map.capabilities", name, tagging.get(name, [])) for name in TAGGING[:3]},
            conversation=self._conversation(tagging),
            envelope=self._one_of("envelope", written.get("envelope", ""), ("", OTLP)),
            records=self._held(lambda: path_of(written["records"]), "map", "records") if "records" in written else None,
            absent=frozenset(self._held(lambda: _texts(written.get("absent", [])), "map", "absent")),
        )

    def _conversation(self, tagging: Table) -> Evidence | None:
        given = tagging.get("conversation")
        return None if given is None else self.evidence("map.capabilities", "conversation", given)

    def _each(self, table: str, written: Table, read: Callable[[str, str, Any], Any]) -> dict[str, Any]:
        return {key: read(f"map.{table}", key, value) for key, value in _table(written, table, self._where).items()}

    def chain(self, table: str, key: str, value: Any) -> Chain:
        """The ways to a field: a path, a table, or a list of them."""
        given = value if isinstance(value, list) else [value]
        return tuple(self._held(partial(self._way, one), table, key) for one in given)

    def _way(self, given: Any) -> Way:
        table = given if isinstance(given, Mapping) else {"from": given}
        _refuse_unknown(table, _STEPS, "step")
        if "from" not in table and "const" not in table:
            raise _MistakeError("expected `from`, the path of it in a record, or `const`")
        steps = {name: _STEPS[name](value) for name, value in table.items() if name != "from"}
        if "hash" in steps and self._needs_keys:
            steps["key"] = key_of(steps["hash"])
        return Way(_paths(table.get("from", [])), **steps)

    def evidence(self, table: str, key: str, value: Any) -> Evidence:
        """A condition: a path, a list of paths, or a table."""
        shown: Evidence = self._held(partial(_evidence, value), table, key)
        return shown

    def _held(self, read: Callable[[], Any], table: str, key: str) -> Any:
        try:
            return read()
        except (_MistakeError, ValueError, UsageError) as mistake:
            raise UsageError(f"{self._where}: [{table}] {key}: {mistake}") from None

    def _one_of(self, key: str, value: Any, choices: tuple[str, ...]) -> str:
        if value not in choices:
            known = ", ".join(repr(one) for one in choices if one)
            raise UsageError(f"{self._where}: [map] {key}: expected {known}, got {value!r}")
        return str(value)

    def _known(self, table: str, written: Table, known: Iterable[str]) -> None:
        try:
            _refuse_unknown(written, known, "key")
        except _MistakeError as mistake:
            raise UsageError(f"{self._where}: [{table}] {mistake}") from None


def _evidence(value: Any) -> Evidence:
    table = value if isinstance(value, Mapping) else {"from": value}
    _refuse_unknown(table, ("from", *_LIMITS), "condition")
    if "from" not in table:
        raise _MistakeError("expected `from`, the path of what shows it")
    limits: dict[str, Any] = {}
    for name, given in table.items():
        if name in ("is", "not"):
            limits[_LIMITS[name]] = frozenset(_texts(given))
        elif name == "starts":
            limits[name] = tuple(_texts(given))
        elif name == "has":
            limits[name] = _flag(given)
        elif name != "from":
            limits[name] = _number(given)
    return Evidence(_paths(table["from"]), **limits)


def _refuse_unknown(table: Table, known: Iterable[str], what: str) -> None:
    for name in table:
        if name not in known:
            close = difflib.get_close_matches(name, list(known), n=1)
            told = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            raise _MistakeError(f"no {what} {name}; {told}")


def _paths(given: Any) -> tuple[Path, ...]:
    return tuple(path_of(one) for one in _texts(given))


def _texts(given: Any) -> list[str]:
    listed = given if isinstance(given, list) else [given]
    if not all(isinstance(one, str) for one in listed):
        raise _MistakeError(f"expected a text or a list of texts, got {given!r}")
    return listed


def _text(given: Any) -> str:
    if not isinstance(given, str) or not given:
        raise _MistakeError(f"expected a text, got {given!r}")
    return given


def _flag(given: Any) -> bool:
    if not isinstance(given, bool):
        raise _MistakeError(f"expected true or false, got {given!r}")
    return given


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise _MistakeError(f"expected a number, got {given!r}")
    return float(given)


def _integer(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise _MistakeError(f"expected an integer, got {given!r}")
    return given


def _unit(given: Any) -> str:
    if given not in PER_MS:
        raise _MistakeError(f"expected the unit of an epoch, one of {', '.join(PER_MS)}, got {given!r}")
    return str(given)


def _zone(given: Any) -> ZoneInfo:
    try:
        return ZoneInfo(_text(given))
    except (KeyError, ValueError, OSError):
        raise _MistakeError(f"expected a time zone like UTC or Europe/Berlin, got {given!r}") from None


#: How each step is written; their meaning stands with `Way`.
_STEPS: dict[str, Callable[[Any], Any]] = {
    "from": _paths,
    "const": _text,
    "ignore": lambda given: frozenset(_texts(given)),
    "after": _text,
    "split": _text,
    "take": _integer,
    "lower": _flag,
    "prefix": _flag,
    "client": _flag,
    "number": _flag,
    "epoch": _unit,
    "zone": _zone,
    "plus_ms": _paths,
    "hash": _text,
    "join": _text,
}
assert set(_STEPS) == {one.name for one in fields(Way)} - {"paths", "key"} | {"from"}
