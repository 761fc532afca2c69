"""What is remembered about one group between two ticks, and what does this tick say of it?

A case counts; what becomes of its alert stands in `transitions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from detectors.comparison.findings import Finding, Level, Phase
from stream.alerts.evidence import number, plain
from stream.alerts.figures import agreed
from stream.alerts.transitions import Event, State
from stream.contract.alert import AlertSubject, AlertTarget

QUIET_NETWORK_TICKS = 24  # a day: longer than the pause of an operator who sleeps
QUIET_COHORT_TICKS = 24  # two hours of five-minute ticks
TICKS_MIN = 2  # evidence on one tick is a coincidence
GROWTH = 1.2
GROWTH_OF_SHARE = 0.15  # of the requests: a sentence that says 11 % while it is 48 % misleads
UPDATE_EVERY_MS = 3 * 3_600_000


class Involved(msgspec.Struct, frozen=True, array_like=True):
    """One account of an alert. score: probability that it belongs; since_ms: first tick in which it did.

    share_before: None for an account that has no past.
    """

    account_id: str
    score: float
    since_ms: int
    requests: int
    share_before: float | None
    share_after: float


class Case(msgspec.Struct):
    """One group, by the key of its detector.

    level_before: of the last tick, 0 where it was quiet. quiet_ticks: how many in a row. told_*: what the last
    record said. alert_ids: all that this group ever had, oldest first. previous: the alert that came back as this one.
    outgrown: of alert_ids, those whose verdict was of another group: of other members, or of another target.
    """

    key: str
    kind: str
    subject: AlertSubject
    state: State = State.NOTHING
    level_before: int = 0
    quiet_ticks: int = 0
    seen_ms: int = 0
    onset_ms: int = 0
    targets: tuple[AlertTarget, ...] = ()
    members: tuple[Involved, ...] = ()
    evidence: dict[str, Any] = {}
    why: str = ""
    alert_ids: tuple[str, ...] = ()
    previous: str = ""
    outgrown: tuple[str, ...] = ()
    told_ms: int = 0
    told_accounts: int = 0
    told_targets: tuple[AlertTarget, ...] = ()
    told_share: float = 0.0

    @property
    def is_live(self) -> bool:
        """Whether it must be looked at even in a tick that says nothing of it."""
        return self.state is not State.NOTHING

    @property
    def is_alerting(self) -> bool:
        """Whether an alert of it is firing."""
        return self.state in (State.INFO, State.WARNING, State.CRITICAL)


def new_case(finding: Finding) -> Case:
    """A case that knows who and what, and nothing else yet."""
    who = finding.subject
    dimension = (who.dimension or "") if who.kind == "cohort" else None
    return Case(finding.key, finding.kind, AlertSubject(who.kind, who.id, dimension))  # type: ignore[arg-type]


def observe(case: Case, finding: Finding, at_ms: int) -> Event:
    """Take one tick of a group into its case; gives what it says, apart from verdicts and announcements."""
    case.seen_ms = at_ms
    if finding.phase is Phase.ADOPTED:
        return Event.ADOPTED
    if finding.phase is Phase.SUPERSEDED:
        return Event.SUPERSEDED
    if finding.phase is Phase.QUIET or finding.level is Level.NONE:
        return pause(case, at_ms)
    _remember(case, finding, at_ms)
    confirmed = _confirmed(case, finding)
    case.level_before, case.quiet_ticks = int(finding.level), 0
    return _said(case, confirmed, at_ms)


def pause(case: Case, at_ms: int) -> Event:
    """One more tick below every line, or without a word of the group."""
    case.seen_ms = at_ms
    case.level_before = 0
    case.quiet_ticks += 1
    return Event.QUIET if case.quiet_ticks >= quiet_ticks_max(case) else Event.PAUSE


def quiet_ticks_max(case: Case) -> int:
    """How many quiet ticks end an alert, in the group's own ticks."""
    return QUIET_COHORT_TICKS if case.subject.kind == "cohort" else QUIET_NETWORK_TICKS


def _remember(case: Case, finding: Finding, at_ms: int) -> None:
    case.onset_ms = max(0, min(finding.onset_ms, at_ms))
    given = plain(finding.evidence)
    if not finding.members and case.evidence.get("named"):  # the accounts of the record are still those of then
        given.setdefault("named", case.evidence["named"])
    case.evidence = agreed(given)
    case.why = finding.why
    now = tuple(AlertTarget(one.kind, one.id) for one in finding.targets)  # type: ignore[arg-type]
    # Strongest first, and what it moved to before stays on the list: an alert's targets only grow.
    kept = case.targets if case.is_alerting else ()
    case.targets = tuple(dict.fromkeys((*now, *kept)))
    if finding.members or "named" in finding.evidence:  # or nobody is named any longer
        case.members = tuple(
            {
                one.account_id: Involved(
                    one.account_id, one.score, one.since_ms, one.requests, one.share_before, one.share_after
                )
                for one in reversed(finding.members)
            }.values()
        )[::-1]


def _confirmed(case: Case, finding: Finding) -> Level:
    """The level that holds on two ticks: the detector's own count of ticks serves as well."""
    if (number(finding.evidence, "ticks") or 0) >= TICKS_MIN:
        return finding.level
    return Level(min(case.level_before, int(finding.level)))


_BY_LEVEL: Mapping[Level, Event] = {
    Level.NONE: Event.ONCE,
    Level.INFO: Event.HINT,
    Level.WARNING: Event.WARN,
    Level.CRITICAL: Event.PAGE,
}
_OUT: Mapping[State, Level] = {
    State.INFO: Level.INFO,
    State.WARNING: Level.WARNING,
    State.CRITICAL: Level.CRITICAL,
}


def _said(case: Case, confirmed: Level, at_ms: int) -> Event:
    louder = confirmed > _OUT.get(case.state, Level.NONE)
    return Event.GREW if not louder and _grew(case, at_ms) else _BY_LEVEL[confirmed]


def _grew(case: Case, at_ms: int) -> bool:
    if not case.is_alerting:
        return False
    # A record that could name nobody yet is completed as soon as it can be.
    is_first_to_name = bool(case.members) and not case.told_accounts
    if at_ms - case.told_ms < UPDATE_EVERY_MS and not is_first_to_name:
        return False
    further = share_of(case) >= case.told_share + GROWTH_OF_SHARE
    return _is_another_number(case) or further or not set(case.targets) <= set(case.told_targets)


def _is_another_number(case: Case) -> bool:
    """Whether clearly more accounts are named than the last record told, or clearly fewer: whoever reads it looks at
    the members of now beside it."""
    now, told = len(case.members), case.told_accounts
    more = now >= GROWTH * max(1, told) and now > told
    return more or 0 < GROWTH * now <= told


def share_of(case: Case) -> float:
    """The share of its requests that go to the strongest target now; 0 where no one said."""
    return number(case.evidence, "share_after") or 0.0
