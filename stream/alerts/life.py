"""The life of every alert: findings of one tick in, the records that changed out.

Pure and deterministic: event time only, groups in order of their keys, and the table of `transitions.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from detectors.comparison.findings import Finding, Level, Phase
from stream.alerts.case import Case, Involved, new_case, observe, pause, share_of
from stream.alerts.evidence import number
from stream.alerts.expected_shifts import Announced, are_members, covering
from stream.alerts.figures import judged_of
from stream.alerts.sentence import sentence
from stream.alerts.transitions import SEVERITY, Change, Event, State, Step, step_of
from stream.alerts.verdicts import Said, is_harmless, last_verdicts
from stream.contract.alert import ACCOUNTS_MAX, SEVERITIES, Alert, Severity, alert_id_of
from stream.contract.redacted import alert_without, redacted

SNAPSHOT_VERSION = 1
DAY_MS = 86_400_000
FORGET_MS = 90 * DAY_MS  # after its end an alert is known this long: names, members, what came before
SAME_GROUP_MIN = 0.5  # of the smaller group's accounts
INFOS_MAX = 200  # alerts of severity info at once; a page of context that nobody can read is none


class UnreadableLifeError(ValueError):
    """Bytes that are no snapshot of alerts, or of a version that this build does not read."""


class Told(msgspec.Struct):
    """What the world knows of one alert: its last record, and every account that a record named."""

    alert: Alert
    key: str
    members: tuple[Involved, ...]
    named: dict[str, tuple[float, int]] = {}


class NamedAccount(msgspec.Struct, frozen=True):
    """One row of --accounts. score: highest probability over the alerts of severity warning or critical."""

    account_id: str
    score: float
    first_flagged_at: int
    alert_ids: tuple[str, ...]


class _Snapshot(msgspec.Struct, array_like=True):
    version: int
    last_ms: int
    cases: list[Case]
    told: list[Told]


class _Known(NamedTuple):
    """What people said before this tick."""

    expected: Sequence[Announced]
    verdicts: Mapping[str, Said]


class Life:
    """All alerts of one fleet.

    tick_ms, network_tick_ms: how often cohorts, and groups of accounts, are judged. A group of which a whole such tick
    says nothing counts as quiet. `step` costs O(findings + live groups), apart from members.
    """

    def __init__(self, tick_ms: int = 300_000, network_tick_ms: int = 3_600_000) -> None:
        self._tick_ms = tick_ms
        self._network_tick_ms = network_tick_ms
        self._last_ms = 0
        self._cases: dict[str, Case] = {}
        self._told: dict[str, Told] = {}
        self._forgotten: list[str] = []
        self.infos_suppressed = 0

    def step(
        self,
        findings: Sequence[Finding],
        at_ms: int,
        *,
        expected: Sequence[Announced] = (),
        verdicts: Sequence[Said] = (),
    ) -> list[Alert]:
        """Judge one tick that ends at at_ms; gives the records that changed, by alert id.

        Raises ValueError where time runs back, or two findings have one key.
        """
        if at_ms < self._last_ms:
            raise ValueError(f"expected a tick at or after {self._last_ms}, got {at_ms}")
        self._last_ms = at_ms
        given = {finding.key: finding for finding in findings}
        if len(given) != len(findings):
            raise ValueError(f"expected one finding a group, got {len(findings)} for {len(given)} groups at {at_ms}")
        known = _Known(expected, last_verdicts(verdicts))
        live = {key for key, case in self._cases.items() if case.is_live}
        changed: list[Alert] = []
        # What ends makes room and hands over its name before anything opens.
        for key in sorted(live | given.keys()):
            alert = self._judge(key, given.get(key), at_ms, known)
            if alert is not None:
                changed.append(alert)
        self._forget(at_ms)
        return sorted(changed, key=lambda alert: alert.alert_id)

    def _judge(self, key: str, finding: Finding | None, at_ms: int, known: _Known) -> Alert | None:
        case = self._cases.get(key)
        if case is None:
            if finding is None or finding.level is Level.NONE or finding.phase is not Phase.MOVING:
                return None
            case = self._cases[key] = new_case(finding)
        event = self._event(case, finding, at_ms, known)
        step = step_of(case.state, event)
        if step.change is Change.OPENED and step.state is State.INFO and not self._has_room(case, event):
            step = Step(case.state)
        alert = self._tell(case, step, event, at_ms, known) if step.change is not Change.NOTHING else None
        case.state = step.state
        if case.state is State.NOTHING and not case.alert_ids:
            del self._cases[key]
        return alert

    def _event(self, case: Case, finding: Finding | None, at_ms: int, known: _Known) -> Event:
        seen = self._seen(case, finding, at_ms)
        if case.state is State.HARMLESS and self._outgrew(case):
            case.outgrown = case.alert_ids
        harmless = is_harmless([one for one in case.alert_ids if one not in case.outgrown], known.verdicts)
        if harmless is not (case.state is State.HARMLESS):
            return Event.DISMISSED if harmless else Event.REOPENED
        worth = seen in (Event.WARN, Event.PAGE) or (seen is not Event.QUIET and _SAYS.get(case.state, False))
        if worth and seen not in (Event.ADOPTED, Event.SUPERSEDED) and self._covering(case, at_ms, known):
            return Event.EXPECTED
        return seen

    def _seen(self, case: Case, finding: Finding | None, at_ms: int) -> Event:
        if finding is not None:
            return observe(case, finding, at_ms)
        every_ms = self._tick_ms if case.subject.kind == "cohort" else self._network_tick_ms
        return pause(case, at_ms) if at_ms - case.seen_ms >= every_ms else Event.WAIT

    def _covering(self, case: Case, at_ms: int, known: _Known) -> tuple[str, ...]:
        shared = case.evidence.get("shared_values") or ()
        # The detector counts carriers among all accounts of the group; members are those that it dares to name.
        accounts = number(judged_of(case.evidence), "accounts")
        size = len(case.members) if accounts is None else int(accounts)
        return covering(
            known.expected, case.subject, case.targets, shared, size, at_ms, lambda name: self._is_of(case, name)
        )

    def _is_of(self, case: Case, alert_id: str) -> bool:
        """Whether the group is this alert's incident now, and its members are those of the alert."""
        told = self._told.get(alert_id)
        if told is None:
            return False
        is_the_one = alert_id in case.alert_ids
        if is_the_one and (case.is_alerting and case.alert_ids[-1] == alert_id):
            return True  # whoever announces it saw its members of now
        if not case.members:
            return is_the_one
        return are_members((one.account_id for one in case.members), (one.account_id for one in told.members))

    def _outgrew(self, case: Case) -> bool:
        """Whether a group that was called harmless has mostly other members now, or turned to another target."""
        told = self._told.get(case.alert_ids[-1]) if case.alert_ids else None
        if told is None:
            return False
        return not (set(case.targets) <= set(told.alert.targets) and self._is_of(case, told.alert.alert_id))

    def _has_room(self, case: Case, event: Event) -> bool:
        """Context is kept where it compares something, and only so much of it. What was announced is always kept."""
        if event is Event.EXPECTED:
            return True
        if "share_after" not in case.evidence:
            return False
        if sum(one.state is State.INFO for one in self._cases.values()) < INFOS_MAX:
            return True
        self.infos_suppressed += 1
        return False

    def _tell(self, case: Case, step: Step, event: Event, at_ms: int, known: _Known) -> Alert:
        told = self._open(case, step, at_ms) if step.change is Change.OPENED else self._told[case.alert_ids[-1]]
        if not case.previous and not case.told_accounts:
            case.previous = self._came_back(case, at_ms)
        by = self._covering(case, at_ms, known) if event is Event.EXPECTED else ()
        alert = told.alert = _record(case, told.alert, step, by, at_ms)
        told.members = case.members
        if alert.severity != "info":
            _name(told, at_ms)
        case.told_ms, case.told_accounts, case.told_targets = at_ms, len(case.members), case.targets
        case.told_share = share_of(case)
        return alert

    def _open(self, case: Case, step: Step, at_ms: int) -> Told:
        alert_id = alert_id_of(case.kind, case.subject, at_ms)
        if alert_id in self._told:
            alert_id = alert_id_of(case.kind, case.subject, at_ms, salt=case.key)
        case.previous, case.told_accounts = (case.alert_ids or ("",))[-1], 0
        case.alert_ids = (*case.alert_ids, alert_id)
        case.quiet_ticks = 0
        first = Alert(
            alert_id=alert_id,
            status="firing",
            severity=SEVERITY[step.state],
            kind=case.kind,
            subject=case.subject,
            target=case.targets[0],
            targets=case.targets,
            started_at=min(case.onset_ms, at_ms),
            detected_at=at_ms,
            updated_at=at_ms,
            accounts=(),
            accounts_total=0,
            evidence={},
            summary="-",
        )
        told = self._told[alert_id] = Told(first, case.key, case.members)
        return told

    def _came_back(self, case: Case, at_ms: int) -> str:
        """The latest alert that ended and had half of these accounts: a detector may forget who an operator is."""
        mine = {one.account_id for one in case.members}
        found = [
            (told.alert.resolved_at, told.alert.alert_id)
            for told in self._told.values()
            # What ends in this tick is left out: whether it was looked at already depends on the order of keys.
            if told.alert.resolved_at is not None and told.alert.resolved_at < at_ms
            and told.alert.severity != "info" and _is_same_group(mine, told.members)
        ]  # fmt: skip
        return max(found, default=(0, ""))[1]

    def _forget(self, at_ms: int) -> None:
        before_ms = at_ms - FORGET_MS
        gone = [alert_id for alert_id, told in self._told.items() if self._is_past(told, before_ms)]
        for alert_id in gone:
            case = self._cases[self._told.pop(alert_id).key]
            case.alert_ids = tuple(one for one in case.alert_ids if one != alert_id)
            if not case.alert_ids:
                del self._cases[case.key]
        self._forgotten += sorted(gone)

    def _is_past(self, told: Told, before_ms: int) -> bool:
        ended_ms, case = told.alert.resolved_at, self._cases[told.key]
        # A verdict silences a group by the alert that it is about: that one is kept as long as the silence.
        is_needed = case.is_live and case.alert_ids[-1] == told.alert.alert_id
        return ended_ms is not None and ended_ms < before_ms and not is_needed

    def forgotten(self) -> list[str]:
        """Ids of the alerts that ended more than 90 days ago, each given once: their records may be deleted."""
        gone, self._forgotten = self._forgotten, []
        return gone

    def forget(self, account_id: str) -> list[Alert]:
        """Name an account no more; gives the records of the alerts that named it, as they are without."""
        for case in self._cases.values():
            case.members = tuple([one for one in case.members if one.account_id != account_id])
            case.evidence = redacted(case.evidence, account_id)
        changed = []
        for told in self._told.values():
            left = tuple([one for one in told.members if one.account_id != account_id])
            record = alert_without(told.alert, account_id, was_member=len(left) < len(told.members))
            told.members = left
            told.named.pop(account_id, None)
            if record != told.alert:
                told.alert = record
                changed.append(record)
        return sorted(changed, key=lambda one: one.alert_id)

    def alert(self, alert_id: str) -> Alert | None:
        """The last record of an alert."""
        told = self._told.get(alert_id)
        return None if told is None else told.alert

    def alerts(self) -> list[Alert]:
        """The last record of every alert that is remembered, latest first."""
        return sorted((told.alert for told in self._told.values()), key=lambda one: (-one.updated_at, one.alert_id))

    def firing(self) -> list[Alert]:
        """The last record of every alert that is firing, loudest first, then oldest."""
        live = (told.alert for told in self._told.values() if told.alert.status == "firing")
        return sorted(live, key=lambda one: (-SEVERITIES.index(one.severity), one.detected_at, one.alert_id))

    def members(self, alert_id: str) -> tuple[Involved, ...]:
        """All accounts of an alert, most involved first; of a live one as of its last tick. () where it is unknown."""
        told = self._told.get(alert_id)
        if told is None:
            return ()
        case = self._cases[told.key]
        is_latest = case.is_alerting and case.alert_ids[-1] == alert_id
        return case.members if is_latest else told.members

    def member_ids(self, alert_id: str) -> list[str]:
        """Their ids alone."""
        return [one.account_id for one in self.members(alert_id)]

    def similar(self, alert_id: str, limit: int = 5) -> list[Alert]:
        """Earlier alerts of the same group first, then those of the same kind with the most accounts in common."""
        told = self._told.get(alert_id)
        if told is None:
            return []
        mine = {one.account_id for one in self.members(alert_id)}
        ranked = []
        for other in self._told.values():
            if other.alert.alert_id == alert_id or other.alert.kind != told.alert.kind:
                continue
            common = len(mine & {one.account_id for one in other.members})
            if other.key == told.key or common:
                ranked.append((other.key != told.key, -common, -other.alert.detected_at, other.alert.alert_id))
        return [self._told[one[-1]].alert for one in sorted(ranked)[:limit]]

    def named_accounts(self) -> list[NamedAccount]:
        """One row per account that an alert of severity warning or critical named, best first, ties by id."""
        rows: dict[str, tuple[float, int, list[str]]] = {}
        for alert_id, told in sorted(self._told.items()):
            if told.alert.severity == "info":
                continue
            for account_id, (score, first_ms) in self._named_now(told).items():
                best, earliest, alert_ids = rows.get(account_id, (score, first_ms, []))
                rows[account_id] = (max(best, score), min(earliest, first_ms), [*alert_ids, alert_id])
        named = [NamedAccount(name, score, first, tuple(ids)) for name, (score, first, ids) in rows.items()]
        return sorted(named, key=lambda row: (-row.score, row.account_id))

    def _named_now(self, told: Told) -> dict[str, tuple[float, int]]:
        """Whom its records named, and who belongs to it now though no record had to be written since."""
        if told.alert.status == "resolved":
            return told.named
        now = dict(told.named)
        for one in self.members(told.alert.alert_id):
            score, first_ms = now.get(one.account_id, (one.score, max(one.since_ms, told.alert.detected_at)))
            now[one.account_id] = (max(score, one.score), first_ms)
        return now

    def snapshot(self) -> bytes:
        """The whole state, versioned; the same bytes for the same state."""
        cases = [case for _, case in sorted(self._cases.items())]
        told = [one for _, one in sorted(self._told.items())]
        return msgspec.msgpack.Encoder(order="sorted").encode(_Snapshot(SNAPSHOT_VERSION, self._last_ms, cases, told))

    @classmethod
    def restore(cls, raw: bytes, tick_ms: int = 300_000, network_tick_ms: int = 3_600_000) -> Life:
        """The state that `snapshot` wrote. Raises UnreadableLifeError."""
        try:
            state = msgspec.msgpack.decode(raw, type=_Snapshot)
        except msgspec.DecodeError as error:
            raise UnreadableLifeError(f"snapshot of alerts: {error}") from error
        if state.version != SNAPSHOT_VERSION:
            raise UnreadableLifeError(f"snapshot of alerts: expected version {SNAPSHOT_VERSION}, got {state.version}")
        life = cls(tick_ms, network_tick_ms)
        life._last_ms = state.last_ms
        life._cases = {case.key: case for case in state.cases}
        life._told = {one.alert.alert_id: one for one in state.told}
        return life


_SAYS: Mapping[State, bool] = {State.WARNING: True, State.CRITICAL: True}


def _is_same_group(mine: set[str], members: Sequence[Involved]) -> bool:
    common = sum(one.account_id in mine for one in members)
    return common > 0 and common >= SAME_GROUP_MIN * min(len(mine), len(members))


def _name(told: Told, at_ms: int) -> None:
    for one in told.members:
        score, first_ms = told.named.get(one.account_id, (one.score, at_ms))
        told.named[one.account_id] = (max(score, one.score), first_ms)


def _record(case: Case, last: Alert, step: Step, expected: Sequence[str], at_ms: int) -> Alert:
    """The next record of an alert, from its last one. expected: the ids of the announcements that cover it."""
    severity: Severity = SEVERITY.get(step.state, last.severity)
    is_over = step.change is Change.RESOLVED
    evidence = {**case.evidence, "change": step.change.value, "why": case.why}
    if case.previous:
        evidence["previous_alert"] = case.previous
    if expected:
        evidence["expected"] = list(expected)
    if is_over:
        evidence["lasted_h"] = round((at_ms - last.detected_at) / 3_600_000, 1)
    alert = msgspec.structs.replace(
        last,
        status="resolved" if is_over else "firing",
        severity=severity,
        target=case.targets[0],
        targets=case.targets,
        started_at=min(case.onset_ms, last.detected_at),
        updated_at=at_ms,
        resolved_at=at_ms if is_over else None,
        resolved_reason=step.reason,
        accounts=tuple(one.account_id for one in case.members[:ACCOUNTS_MAX]),
        accounts_total=len(case.members),
        evidence=evidence,
    )
    return msgspec.structs.replace(alert, summary=sentence(alert))
