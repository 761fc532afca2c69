"""What keeps alerts from people now: who is silent, toward what, until when, and why?

Four things do: an expected shift, a snooze, the verdict "harmless", and the allow-lists of the configuration.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stream.alerts.expected_shifts import ALLOW_LIST, FLEET, OF_ALERT, Announced, active, scope_of
from stream.alerts.sentence import name
from stream.alerts.verdicts import Said, is_harmless
from stream.contract.alert import Alert
from stream.contract.verdict import Verdict
from stream.oncall.attention import Entry

EXPECTED, SNOOZE, HARMLESS, ALLOWED = "expected", "snooze", "harmless", "allowed"
WHATEVER = "whatever it is"


@dataclass(frozen=True, slots=True)
class Silence:
    """One thing that keeps alerts from people.

    kind: one of the four. scope: one of SCOPES. until_ms: None where it has no end. reason: what was said, and who said
    it. key: by which it is ended, "" where only the configuration can. alert_id: what it is about, if an alert.
    """

    kind: str
    scope: str
    who: str
    toward: str
    until_ms: int | None
    reason: str
    key: str = ""
    alert_id: str = ""

    @property
    def is_fleet_wide(self) -> bool:
        """Whether nobody is left who would be told of."""
        return self.scope == FLEET


def who_of(shift: Announced) -> str:
    """Whom an announcement covers, in words."""
    who, scope = shift.subject, scope_of(shift)
    if scope == FLEET:
        return "the whole fleet"
    if scope == OF_ALERT:
        return f"alert {name(who.id, 20)} and its members"
    return f"account {name(who.id, 40)}" if who.kind == "account" else f"{name(who.dimension, 24)} {name(who.id, 40)}"


def toward_of(shift: Announced) -> str:
    """Toward what, in words."""
    return WHATEVER if shift.target is None else f"{shift.target.kind} {name(shift.target.id, 40)}"


def announced(shift: Announced) -> Silence:
    """An expected shift or an entry of the allow-lists."""
    scope = scope_of(shift)
    alert_id = str(shift.subject.id) if scope == OF_ALERT else ""
    if scope == ALLOW_LIST:
        return Silence(ALLOWED, scope, who_of(shift), toward_of(shift), None, "in the configuration, under [allow]")
    reason = str(getattr(shift, "reason", ""))
    key = f"{EXPECTED}/{shift.id}"
    return Silence(EXPECTED, scope, who_of(shift), toward_of(shift), shift.until_ms, reason, key, alert_id)


def snoozed(alerts: Iterable[Alert], entry_of: Callable[[str], Entry]) -> list[Silence]:
    """Alerts that fire and were asked to be quiet for a while."""
    found = []
    for alert in alerts:
        word = entry_of(alert.alert_id).snoozed if alert.status == "firing" else None
        if word is not None:
            key = f"{SNOOZE}/{alert.alert_id}"
            who = f"alert {alert.alert_id}"
            reason = f"{word.note}, says {word.by}" if word.note else f"says {word.by}"
            found.append(Silence(SNOOZE, "alert", who, WHATEVER, word.until_ms, reason, key, alert.alert_id))
    return found


def called_harmless(alerts: Iterable[Alert], last: Mapping[str, Said]) -> list[Silence]:
    """Groups that stay silent because of a verdict, by the alert that it is about."""
    found = []
    for alert in alerts:
        if is_harmless((alert.alert_id,), last):
            said = last[alert.alert_id]
            words = f"{said.note}, says {said.by}" if isinstance(said, Verdict) and said.note else f"says {_by(said)}"
            toward = ", ".join(f"{one.kind} {name(one.id, 40)}" for one in alert.targets[:3])
            who = f"alert {alert.alert_id} and its members"
            key = f"{HARMLESS}/{alert.alert_id}"
            found.append(Silence(HARMLESS, "alert", who, toward, None, words, key, alert.alert_id))
    return found


def _by(said: Said) -> str:
    return str(getattr(said, "by", "somebody"))


def in_force(
    shifts: Iterable[Announced],
    alerts: Sequence[Alert],
    last: Mapping[str, Said],
    entry_of: Callable[[str], Entry],
    at_ms: int,
) -> list[Silence]:
    """Everything that is silent now: what people said, the widest first, then the allow-lists. O(alerts + shifts)."""
    told = [announced(one) for one in active(shifts, at_ms)]
    found = [*told, *snoozed(alerts, entry_of), *called_harmless(alerts, last)]
    return sorted(found, key=lambda one: (one.kind == ALLOWED, not one.is_fleet_wide))


def in_words(silences: Sequence[Silence]) -> str:
    """How many of each kind, for a line of text; "" for none.

    >>> in_words([Silence("snooze", "alert", "alert a1", "whatever it is", 5, ""),
    ...           Silence("expected", "fleet", "the whole fleet", "whatever it is", 5, "")])
    'the whole fleet is muted; 1 announced shift, 1 snoozed alert'
    """
    counted = Counter(one.kind for one in silences)
    words = {EXPECTED: "announced shift", SNOOZE: "snoozed alert", HARMLESS: "harmless group",
             ALLOWED: "allow-list value"}  # fmt: skip
    parts = [f"{counted[kind]:,} {word}{'s' * (counted[kind] != 1)}" for kind, word in words.items() if counted[kind]]
    head = "the whole fleet is muted; " if any(one.is_fleet_wide for one in silences) else ""
    return head + ", ".join(parts)
