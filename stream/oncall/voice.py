"""What can a person say through the console, and where does it go? Expected shifts, verdicts, and attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
import orjson

from stream.alerts.expected_shifts import Announced
from stream.alerts.verdicts import Said
from stream.contract.alert import Alert
from stream.contract.expected import Expected
from stream.contract.verdict import Verdict
from stream.errors import SwerveError
from stream.oncall.attention import AttentionBook, Attentive
from stream.pipeline.composition import Fleet
from stream.sinks.ledger import write


class Voice(Protocol):
    """Takes a person's word to whoever judges; it holds from the next tick."""

    attention: Attentive

    async def expect(self, shift: Expected) -> None:
        """Announce a shift, or withdraw it by an end before its begin. Raises SwerveError where nobody takes it."""

    async def judge(self, verdict: Verdict) -> None:
        """Say what an alert was. Raises SwerveError where nobody takes it."""

    def expected(self) -> Sequence[Announced]:
        """What is announced, the allow-lists among it."""

    def verdicts(self) -> Sequence[Said]:
        """What was said so far."""


class _Words(msgspec.Struct):
    """What people said, as it is kept."""

    expected: list[Expected] = []
    verdicts: list[Verdict] = []


class EmbeddedVoice:
    """Speaks to a fleet in the same process. path: where words are kept over a restart; None: nowhere.

    at_once: given the records of a word that need not wait for a tick (where none will come); None: from the next one.
    """

    def __init__(
        self,
        fleet: Fleet,
        path: Path | None = None,
        attention: Attentive | None = None,
        at_once: Callable[[Sequence[Alert]], None] | None = None,
    ) -> None:
        self.attention: Attentive = attention or AttentionBook()
        self.at_once = at_once
        self._fleet = fleet
        self._path = path
        self._given = list(fleet.expected)
        self._words = _Words() if path is None else _read(path)
        self._tell()

    async def expect(self, shift: Expected) -> None:
        """Announce or withdraw; one of the same id is replaced."""
        kept = [one for one in self._words.expected if one.id != shift.id]
        self._words.expected = [*kept, shift]
        self._said()

    async def judge(self, verdict: Verdict) -> None:
        """The last word about an alert counts."""
        kept = [one for one in self._words.verdicts if one.alert_id != verdict.alert_id]
        self._words.verdicts = [*kept, verdict]
        self._said()

    def expected(self) -> Sequence[Announced]:
        """What holds, of the files and of people."""
        return self._fleet.expected

    def verdicts(self) -> Sequence[Said]:
        """The last word about each alert."""
        return self._fleet.verdicts

    def _said(self) -> None:
        self._tell()
        if self.at_once is not None:
            fleet = self._fleet
            self.at_once(fleet.life.step((), fleet.at_ms, expected=fleet.expected, verdicts=fleet.verdicts))
        if self._path is None:
            return
        try:
            write(self._path, msgspec.json.encode(self._words))
        except OSError as error:
            raise SwerveError(f"{self._path}: {error.strerror or error}; it holds until this process ends") from None

    def _tell(self) -> None:
        ids = {one.id for one in self._words.expected}
        self._fleet.expected = [*(one for one in self._given if one.id not in ids), *self._words.expected]
        self._fleet.verdicts = list(self._words.verdicts)


def _read(path: Path) -> _Words:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Words)
    except FileNotFoundError:
        return _Words()
    except (OSError, msgspec.DecodeError) as error:
        raise SwerveError(f"{path}: {error}; delete it, and what was said in the console is forgotten") from None


def expected_record(shift: Expected | Announced) -> dict[str, Any]:
    """A shift as the contract writes it."""
    subject: dict[str, Any] = {"kind": shift.subject.kind}
    if shift.subject.kind != "fleet":
        subject["id"] = shift.subject.id
    if getattr(shift.subject, "dimension", None):
        subject["dimension"] = shift.subject.dimension
    target = None if shift.target is None else {"kind": shift.target.kind, "id": shift.target.id}
    reason = getattr(shift, "reason", "")
    return {
        "id": shift.id,
        "subject": subject,
        "target": target,
        "from": shift.from_ms,
        "until": shift.until_ms,
        "reason": reason,
    }


def verdict_record(verdict: Verdict) -> Mapping[str, Any]:
    """A verdict as the contract writes it."""
    return {
        "alert_id": verdict.alert_id,
        "verdict": verdict.verdict,
        "by": verdict.by,
        "at": verdict.at_ms,
        "note": verdict.note,
    }


def as_json(record: Mapping[str, Any]) -> bytes:
    """The bytes that go onto a topic, or into a decoder of the contract."""
    return orjson.dumps(record)
