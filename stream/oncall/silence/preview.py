"""What would a silence have covered? Told before it holds, from the alerts of the last 30 days."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from stream.alerts.case import Involved
from stream.alerts.evidence import number
from stream.alerts.expected_shifts import FLEET, FOREVER_MS, are_members, covering, scope_of
from stream.alerts.figures import judged_of
from stream.contract.alert import Alert
from stream.contract.expected import Expected

DAYS = 30
DAY_MS = 86_400_000
SILENCE_THE_FLEET = "silence the fleet"
REASON_MIN = 3  # characters; whoever reads it next week must learn something


class Remembered(Protocol):
    """What is read of an alert: its last record, its members of now, and the highest severity that it ever had."""

    @property
    def last(self) -> Alert:
        """Its last record."""

    @property
    def members(self) -> Sequence[Involved]:
        """The accounts that it involves now."""

    @property
    def worst(self) -> str:
        """The highest severity that it ever had."""


@dataclass(frozen=True, slots=True)
class Preview:
    """covered: alerts of the last 30 days, of `of` that reached a person. this: the alert that it is asked from."""

    covered: tuple[Alert, ...]
    of: int
    is_fleet_wide: bool = False
    this: str = ""

    @property
    def open_pages(self) -> tuple[Alert, ...]:
        """Pages that fire now, and would be quiet."""
        return tuple(one for one in self.covered if one.status == "firing" and one.severity == "critical")

    @property
    def confirm(self) -> str | None:
        """What must be typed for it; None where nothing need be: it covers neither the fleet nor an open page."""
        pages = len(self.open_pages)
        told = "" if not pages else f"{pages} page{'s' * (pages != 1)}"
        if self.is_fleet_wide:
            return SILENCE_THE_FLEET + (f" and {told}" if told else "")
        return f"silence {told}" if told else None

    @property
    def said(self) -> str:
        """In a sentence."""
        if not self.of:
            return f"No alert of the last {DAYS} days reached anybody, so there is none that it would have covered."
        what = "None" if not self.covered else f"{len(self.covered):,}"
        this = next((one for one in self.covered if one.alert_id == self.this), None)
        kind = "page" if this is not None and this.severity == "critical" else "alert"
        among = f", this {kind} among them" if this is not None else ""
        return (
            f"{what} of the last {DAYS} days' {self.of:,} alert{'s' * (self.of != 1)} would have been covered{among}."
        )

    def is_confirmed(self, typed: str) -> bool:
        """Whether what was typed is what must be, apart from capitals and spaces."""
        return self.confirm is None or is_typed(self.confirm, typed)

    def record(self) -> dict[str, Any]:
        """For the API."""
        return {
            "covered": [one.alert_id for one in self.covered],
            "of": self.of,
            "open_pages": [one.alert_id for one in self.open_pages],
            "said": self.said,
            "confirm": self.confirm,
        }


def is_typed(wanted: str, typed: str) -> bool:
    """Whether what was typed is what must be, apart from capitals and spaces.

    >>> is_typed("silence 1 page", " Silence  1 page")
    True
    """
    return " ".join(typed.lower().split()) == wanted


def of_shifts(shifts: Sequence[Expected], known: Sequence[Remembered], at_ms: int, this: str = "") -> Preview:
    """What these expected shifts would have covered together, whenever they begin and end. O(alerts x members)."""
    always = [msgspec.structs.replace(one, from_ms=0, until_ms=FOREVER_MS - 1) for one in shifts]
    by_id = {one.last.alert_id: one for one in known}

    def is_covered(one: Remembered) -> bool:
        last = one.last
        shared = last.evidence.get("shared_values") or ()
        size = number(judged_of(last.evidence), "accounts") or len(one.members)
        is_of = _is_of(one, by_id.get)
        return bool(covering(always, last.subject, last.targets, shared, int(size), 0, is_of))

    is_fleet_wide = any(scope_of(one) == FLEET for one in shifts)
    return _preview(known, at_ms, is_covered, is_fleet_wide, this)


def of_group(alert_id: str, known: Sequence[Remembered], at_ms: int) -> Preview:
    """What the verdict "harmless" about an alert keeps silent: its group."""
    by_id = {one.last.alert_id: one for one in known}
    return _preview(known, at_ms, lambda one: _is_of(one, by_id.get)(alert_id), False, alert_id)


def of_one(alert_id: str, known: Sequence[Remembered], at_ms: int) -> Preview:
    """What a snooze keeps silent: the alert itself."""
    return _preview(known, at_ms, lambda one: one.last.alert_id == alert_id, False, alert_id)


def _is_of(one: Remembered, named: Callable[[str], Remembered | None]) -> Callable[[str], bool]:
    def is_of(alert_id: str) -> bool:
        other = named(alert_id)
        if other is None:
            return False
        if other.last.alert_id == one.last.alert_id:
            return True
        if not one.members:
            return other.last.subject == one.last.subject
        return are_members((it.account_id for it in one.members), (it.account_id for it in other.members))

    return is_of


def _preview(
    known: Iterable[Remembered], at_ms: int, covers: Callable[[Remembered], bool], is_fleet_wide: bool, this: str
) -> Preview:
    since_ms = at_ms - DAYS * DAY_MS
    late = [one for one in known if one.worst != "info" and (one.last.resolved_at or at_ms) >= since_ms]
    found = sorted((one.last for one in late if covers(one)), key=lambda one: (-one.detected_at, one.alert_id))
    return Preview(tuple(found), len(late), is_fleet_wide, this)


def with_name(reason: str, by: str) -> str:
    """A reason and who gave it, as one text: the record of an announcement has no field for a name.

    >>> with_name("ticket 4711", "kim"), with_name("ticket 4711, says kim", "kim")
    ('ticket 4711, says kim', 'ticket 4711, says kim')
    """
    said = f"says {by}"
    return reason if re.search(rf"(^|, ){re.escape(said)}$", reason) else f"{reason}, {said}"
