"""What is to be silent, and for how long? Read from an address or a form; narrow wherever nothing wider is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from stream.alerts.expected_shifts import OF_ALERT
from stream.console import actions
from stream.console.desk import Desk
from stream.console.shown.view import Known
from stream.contract.expected import REASON_MAX, Expected, decode_expected
from stream.errors import UsageError
from stream.oncall.expected import record_of
from stream.oncall.moment import moment_ms
from stream.oncall.silence import preview
from stream.oncall.silence.in_force import EXPECTED, HARMLESS, SNOOZE

KINDS = (EXPECTED, SNOOZE, HARMLESS)
OWN = "own"  # toward the alert's own targets, and no other
UNTIL = {EXPECTED: "+24h", SNOOZE: "+2h", HARMLESS: ""}
FIELD_MAX = 600


@dataclass(frozen=True, slots=True)
class Wanted:
    """A silence that somebody asks for. begins, until: as typed. known: the alert that it is asked from, if any."""

    kind: str
    known: Known | None
    subject: str
    to: str
    begins: str
    until: str
    reason: str
    by: str

    @property
    def alert_id(self) -> str:
        """Of the alert that it is asked from, or ""."""
        return "" if self.known is None else self.known.last.alert_id

    @property
    def fields(self) -> Mapping[str, str]:
        """What a form must send again."""
        return {"kind": self.kind, "alert": self.alert_id, "subject": self.subject, "to": self.to,
                "from": self.begins, "until": self.until}  # fmt: skip


def wanted(desk: Desk, fields: Mapping[str, Any]) -> Wanted:
    """What an address or a form asks for. Raises UsageError, UnknownAlertError."""
    kind = _text(fields, "kind") or EXPECTED
    if kind not in KINDS:
        raise UsageError(f"kind: expected one of {', '.join(KINDS)}, got {kind[:40]!r}")
    alert_id = _text(fields, "alert")
    known = actions.known(desk, alert_id) if alert_id else None
    subject = _text(fields, "subject") or (f"{OF_ALERT}={alert_id}" if alert_id else "")
    if known is None and kind != EXPECTED:
        raise UsageError(f"alert: expected the id of an alert, which a {kind} is about")
    if not subject:
        raise UsageError("who: expected DIMENSION=VALUE, account=ID or fleet, such as org=org_7")
    return Wanted(
        kind, known, subject, _text(fields, "to") or (OWN if known is not None else ""), _text(fields, "from") or "now",
        _text(fields, "until") or UNTIL[kind], _text(fields, "reason")[:REASON_MAX], _text(fields, "by"),
    )  # fmt: skip


def _text(fields: Mapping[str, Any], name: str) -> str:
    given = fields.get(name, "")
    return given.strip()[:FIELD_MAX] if isinstance(given, str) else ""


def ends_ms(desk: Desk, one: Wanted) -> int | None:
    """When it ends, by the clock that it goes by: a snooze by the wall's, a shift by the stream's. None: never.

    Raises UsageError where what was typed is no time.
    """
    if one.kind == HARMLESS:
        return None
    now_ms = desk.now_ms() if one.kind == SNOOZE else desk.at_ms
    until_ms = moment_ms(one.until, now_ms, "until")
    if until_ms <= now_ms:
        raise UsageError(f"until: expected a time to come, got {one.until[:40]}")
    return until_ms


def shifts_of(desk: Desk, one: Wanted) -> list[Expected]:
    """The announcements that make it up: one for each target that it is toward. Raises UsageError."""
    until_ms = ends_ms(desk, one)
    # From the begin of the shift on, so that what is firing is covered.
    first_ms = one.known.last.started_at if one.known is not None else moment_ms(one.begins, desk.at_ms, "from")
    if until_ms is None or until_ms <= first_ms:
        raise UsageError("until: expected a time after the begin")
    if until_ms <= desk.at_ms:
        raise UsageError("until: expected a time to come")
    reason = preview.with_name(one.reason, one.by) if one.reason else ""
    records = [
        record_of(desk.settings.said_subject(one.subject), to, first_ms, until_ms, reason) for to in _targets(one)
    ]
    return [decode_expected(orjson.dumps(record)) for record in records]


def _targets(one: Wanted) -> Sequence[str | None]:
    if one.to == OWN and one.known is not None:
        return [f"{target.kind}:{target.id}" for target in one.known.last.targets]
    return [None if one.to in ("", "*", OWN) else one.to]


def previewed(desk: Desk, one: Wanted) -> preview.Preview:
    """What it would have covered. Raises UsageError where it makes no sense."""
    known = desk.view.alerts()
    if one.kind == SNOOZE:
        return preview.of_one(one.alert_id, known, desk.at_ms)
    if one.kind == HARMLESS:
        return preview.of_group(one.alert_id, known, desk.at_ms)
    return preview.of_shifts(shifts_of(desk, one), known, desk.at_ms, one.alert_id)
