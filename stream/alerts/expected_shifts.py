"""Was this shift announced? Expected shifts from people, and the allow-lists of the configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from stream.contract.alert import AlertSubject, AlertTarget
from stream.contract.expected import OF_ALERT as OF_ALERT

CARRIED_MIN = 0.8  # of a group's accounts must carry the announced value: a few of them could hide all others
FOREVER_MS = 1 << 62
FLEET, ALLOW_LIST = "fleet", "allow_list"
SCOPES: Final = (FLEET, "cohort", "account", OF_ALERT, ALLOW_LIST)  # of announcements, the widest first


class Named(Protocol):
    """A kind and an id, as subjects and targets have them."""

    @property
    def kind(self) -> str:
        """What it is, such as "cluster" or "model"."""

    @property
    def id(self) -> str:
        """Which of its kind; empty of the whole fleet."""


class Announced(Protocol):
    """What is read of an expected-shift record."""

    @property
    def id(self) -> str:
        """Its own name, by which it is withdrawn."""

    @property
    def subject(self) -> Any:
        """Whose traffic it is about."""

    @property
    def target(self) -> Named | None:
        """Toward what; None for anything."""

    @property
    def from_ms(self) -> int:
        """When it begins, event time."""

    @property
    def until_ms(self) -> int:
        """When it ends, event time."""


class Allowed:
    """An entry of the allow-list: an expected shift without an end, toward whatever it is."""

    __slots__ = ("from_ms", "id", "subject", "target", "until_ms")

    def __init__(self, dimension: str, value: str) -> None:
        self.id = f"allow-list: {dimension}={value}"
        self.subject = AlertSubject("cohort", value, dimension)
        self.target: Named | None = None
        self.from_ms, self.until_ms = 0, FOREVER_MS


def allow_list(orgs: Iterable[str], values: Iterable[str], org_dimension: str = "org") -> list[Announced]:
    """The configuration's [allow] as expected shifts. values: "dimension=value".

    >>> [one.id for one in allow_list(["org_7"], ["asn=64500"])]
    ['allow-list: org=org_7', 'allow-list: asn=64500']
    """
    pairs = [(org_dimension, org) for org in orgs]
    for value in values:
        dimension, _, name = value.partition("=")
        pairs.append((dimension, name))
    return [Allowed(dimension, name) for dimension, name in pairs]


def of_none(alert_id: str) -> bool:
    """This group is no alert's."""
    return False


def covering(
    shifts: Sequence[Announced],
    subject: AlertSubject,
    targets: Sequence[AlertTarget],
    shared_values: Sequence[Mapping[str, Any]],
    accounts: int,
    at_ms: int,
    is_of: Callable[[str], bool] = of_none,
) -> tuple[str, ...]:
    """Ids of the shifts that together announce every target of this group now; () where one target is left.

    A group that Swerve found by itself is covered by a value when at least 80 % of its accounts carry it; by an alert
    where is_of says that the group is that alert's.
    """
    about = [
        one
        for one in shifts
        if one.from_ms <= at_ms < one.until_ms and _is_about(one, subject, shared_values, accounts, is_of)
    ]
    used: list[str] = []
    for target in targets:
        found = next((one.id for one in about if _is_toward(one, target)), None)
        if found is None:
            return ()
        used.append(found)
    return tuple(dict.fromkeys(used))


def _is_toward(shift: Announced, target: AlertTarget) -> bool:
    return shift.target is None or (shift.target.kind == target.kind and shift.target.id == target.id)


def _is_about(
    shift: Announced,
    subject: AlertSubject,
    shared_values: Sequence[Mapping[str, Any]],
    accounts: int,
    is_of: Callable[[str], bool],
) -> bool:
    who = shift.subject
    if who.kind == "fleet":
        return True
    if who.kind == "cohort" and who.dimension == OF_ALERT:
        return is_of(str(who.id))
    if who.kind != "cohort":
        return bool(who.kind == subject.kind and who.id == subject.id)
    if subject.kind == "cohort":
        return bool(who.dimension == subject.dimension and who.id == subject.id)
    return any(
        one.get("dimension") == who.dimension
        and one.get("value") == who.id
        and _count(one.get("accounts")) >= CARRIED_MIN * max(1, accounts)
        for one in shared_values
    )


def are_members(group: Iterable[str], of: Iterable[str]) -> bool:
    """Whether four fifths of a group's accounts are among the others: the same incident, and hardly anybody new.

    >>> are_members("abcde", "abcdx"), are_members("abcde", "abcxx"), are_members("", "abc")
    (True, False, False)
    """
    those, known = set(group), set(of)
    return bool(those) and len(those & known) >= CARRIED_MIN * len(those)


def _count(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def scope_of(shift: Announced) -> str:
    """How wide an announcement is, as one of SCOPES."""
    if shift.until_ms >= FOREVER_MS:
        return ALLOW_LIST
    who = shift.subject
    return OF_ALERT if who.kind == "cohort" and who.dimension == OF_ALERT else str(who.kind)


def active(shifts: Iterable[Announced], at_ms: int) -> list[Announced]:
    """Announcements that hold at this time, the widest first, then those that end last."""
    those = [one for one in shifts if one.from_ms <= at_ms < one.until_ms]
    return sorted(those, key=lambda one: (SCOPES.index(scope_of(one)), -one.until_ms, one.id))


def count_by_scope(shifts: Iterable[Announced], at_ms: int) -> Mapping[str, int]:
    """How many announcements hold now, of each scope; 0 where none does."""
    counted = Counter(scope_of(one) for one in active(shifts, at_ms))
    return {scope: counted[scope] for scope in SCOPES}
