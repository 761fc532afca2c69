"""Which shifts are known beforehand? What the on-call engineer already knows, and what thus raises no page."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import msgspec

from stream.contract.reading.fields import Fields
from stream.contract.reading.refusal import Refusal, Reject
from stream.contract.record_file import records_of

ID_MAX = 256  # characters
REASON_MAX = 1000
OF_ALERT = "alert"  # a cohort of this dimension is the incident of the alert that its id names, and its members
FLEET_MS_MAX = 30 * 86_400_000  # as long as a snooze: what silences everything has an end that somebody sees


class ExpectedSubject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who will shift: kind is "account", "cohort" or "fleet"; the fleet has no id, only cohorts a dimension."""

    kind: str
    id: str = ""
    dimension: str | None = None


class ExpectedTarget(msgspec.Struct, frozen=True):
    """Toward what: kind is "model", "capability" or "mix"."""

    kind: str
    id: str


class Names(Protocol):
    """How accounts and values that a person names are known here."""

    def said_account(self, account_id: str) -> str:
        """The account's name here."""

    def said_value(self, dimension: str, value: str) -> str:
        """The value's name here."""


class Expected(msgspec.Struct, frozen=True):
    """A shift that was announced: it covers [from_ms, until_ms). target None: whatever it is toward."""

    id: str
    subject: ExpectedSubject
    target: ExpectedTarget | None
    from_ms: int
    until_ms: int
    reason: str = ""

    def known_by(self, names: Names) -> Expected:
        """The same shift, of the subject as it is known here."""
        who = self.subject
        if who.kind == "account":
            return msgspec.structs.replace(self, subject=ExpectedSubject(who.kind, names.said_account(who.id)))
        if who.kind != "cohort" or who.dimension is None or who.dimension == OF_ALERT:
            return self
        return msgspec.structs.replace(
            self, subject=ExpectedSubject(who.kind, names.said_value(who.dimension, who.id), who.dimension)
        )


def decode_expected(raw: bytes) -> Expected:
    """The expected shift that these bytes are; raises Refusal. An `until` before `from` is a withdrawal, and fine.

    >>> decode_expected(b'{"id": "m", "subject": {"kind": "fleet"}, "from": 0, "until": 5, "target": null}').until_ms
    5
    """
    fields = Fields(raw)
    fields.refuse_misspelt(("id", "subject", "target", "from", "until", "reason"))  # no target is every target
    shift = Expected(
        fields.text("id", ID_MAX),
        _subject(fields.object("subject", "an object with kind")),
        None if fields.is_absent("target") else _target(fields.object("target", "an object with kind and id")),
        fields.instant("from", earliest_ms=0),
        fields.instant("until", earliest_ms=0),
        fields.note("reason", REASON_MAX),
    )
    if shift.subject.kind == "fleet" and shift.until_ms - shift.from_ms > FLEET_MS_MAX:
        days = (shift.until_ms - shift.from_ms) / 86_400_000
        raise Refusal(
            Reject.OUT_OF_RANGE,
            f"{fields.path('until')}: expected at most 30 days after `from` where the whole fleet is meant, got "
            f"{days:,.0f} days; announce it again when they are over",
        )
    return shift


def _subject(fields: Fields) -> ExpectedSubject:
    kind = fields.choice("kind", ("account", "cohort", "fleet"))
    if kind == "fleet":
        return ExpectedSubject(kind)
    if kind == "cohort":
        return ExpectedSubject(kind, fields.text("id", ID_MAX), fields.text("dimension", ID_MAX))
    if not fields.is_absent("dimension"):
        raise Refusal(Reject.OUT_OF_RANGE, f"{fields.path('dimension')}: expected it with a cohort only, got one")
    return ExpectedSubject(kind, fields.text("id", ID_MAX))


def _target(fields: Fields) -> ExpectedTarget:
    return ExpectedTarget(fields.choice("kind", ("model", "capability", "mix")), fields.text("id", ID_MAX))


def expected_in(path: Path) -> list[Expected]:
    """The expected shifts of a file, a JSON array, sorted by id; of an id that comes twice the last entry counts.

    Raises UsageError in one line where the file cannot be read or an entry is no expected shift.
    """
    by_id = {expected.id: expected for expected in records_of(path, decode_expected, "expected shifts")}
    return sorted(by_id.values(), key=lambda expected: expected.id)
