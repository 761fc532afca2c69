"""Which shifts are one story? Groups of many ticks become incidents, each with its accounts, targets and findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from detectors.comparison.named import is_new, named_of, rows_of
from detectors.comparison.population import Ints, Population
from detectors.comparison.shift import Shift
from detectors.judgement.groups import RISE_OF_SHARE_MIN, Group, Tick
from detectors.judgement.hand import NAME_ODDS, NAME_ODDS_STILL, belonging, probability
from detectors.parameters import HOUR_MS

MOVED_NATS = 2.0  # evidence of one account by which it moved, whatever its mix of the day
OVERLAP_MIN = 0.5
ALIKE_MIN = 0.3
SAME_ACCOUNTS = 0.6
REOPEN_H = 96
FOLLOWED_H = 6
SAME_ONSET_H = 12
ALL_MOVED = 0.5
NAME_TICKS_MIN = 4  # hours in which an account was with its network; honest neighbours come and go
PAGE_Z = 6.0  # standard errors, of those who were found moving
PAGE_STANDING_Z = 1.5  # and of the standing network that they are of, in which nobody was chosen
NAMED_MIN = 5  # accounts, for a page: with fewer names there is nothing to act on
PRESENCE_MIN = 0.5  # of the ticks since an account was first seen
SCORE_PACE = 0.3  # how fast an account's score follows what the tick says
SERIES_MAX = 336  # two weeks of hours
QUIET_TICKS_ADOPTED = 12
ANSWER = (
    "votes",
    "votes_for",
    "log_odds",
    "log_odds_now",
    "log_odds_page",
    "log_odds_ticket",
    "looks_like",
    "one_operator",
)
UNKNOWN_ORGANISATIONS = "unknown_organisations"


@dataclass(slots=True)
class Evidence:
    """What an incident knows of one account (by key)."""

    account_id: str
    ticks: int
    score: float
    first: int
    last: int
    named: bool
    since_tick: int
    moved: int = 0


@dataclass(slots=True)
class Incident:
    """One story. passed: the operator test said one hand; it is never asked again. hand: the highest log-odds of it.

    adopted: by target, the share of its accounts' requests that has become normal for them. share, peak: of all its
    accounts' requests, to its first target. courses: by target, tick by tick, what is told: see `_courses`.
    """

    key: str
    kind: str
    opened: int
    onset: int
    target: str
    passed: bool
    level: Level
    last: int
    targets: dict[str, int] = field(default_factory=dict)
    evidence: dict[int, Evidence] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    courses: dict[str, list[list[float]]] = field(default_factory=dict)
    share: float = 0.0
    superseded: bool = False
    ticks: int = 0
    peak: float = 0.0
    adopted: dict[str, float] = field(default_factory=dict)
    hand: float = 0.0

    def accounts(self) -> set[int]:
        """Keys of the accounts that moved in it; of all where none has yet."""
        moved = {key for key, one in self.evidence.items() if 2 * one.moved >= one.ticks}
        return moved or set(self.evidence)


class Incidents:
    """From groups to findings: one incident a campaign, whatever number of parts, targets and ticks it has."""

    def __init__(self, link: Callable[[str], Target]) -> None:
        self._target = link
        self.incidents: list[Incident] = []

    def step(self, tick: Tick, groups: Sequence[Group]) -> list[Finding]:
        """Take the strong groups of one tick in; gives a finding for every incident that is open."""
        self.incidents = [one for one in self.incidents if one.last >= tick.hour - REOPEN_H and not one.superseded]
        touched: dict[str, list[Group]] = {}
        for group in sorted((g for g in groups if len(g.strong)), key=lambda g: (not _passed(g), -len(g.rows))):
            incident = self._incident_of(tick, group)
            touched.setdefault(incident.key, []).append(group)
            _absorb(tick, incident, group)
        for incident in self.incidents:
            _observe(tick, incident, touched.get(incident.key, ()))
        return [
            self._finding(tick, incident, phase_of(tick, incident, touched.get(incident.key, ())))
            for incident in self.incidents
            if incident.last >= tick.hour - REOPEN_H
        ]

    def state(self) -> list[Any]:
        """All of it, for a snapshot."""
        return [asdict(one) | {"level": int(one.level)} for one in self.incidents]

    def restore(self, state: list[Any]) -> None:
        """Continue from what `state` gave."""
        known = {one.name for one in fields(Incident)}  # a snapshot of an earlier version may hold more
        self.incidents = [
            Incident(
                **{name: value for name, value in entry.items() if name in known}
                | {"level": Level(entry["level"]), "evidence": _evidence(entry["evidence"])}
            )
            for entry in state
        ]

    def networks(self, population: Population) -> list[Ints]:
        """The accounts that each open incident of a warning or a page names, in rows: looked at again in every tick,
        since together they tell better than any hour's crowd who else belongs to them."""
        found = []
        for incident in self.incidents:
            if incident.level >= Level.WARNING and incident.last >= population.hour - FOLLOWED_H:
                named = [key for key, one in incident.evidence.items() if one.named]
                found.append(np.sort(rows_of(population, named)))
        return [rows for rows in found if len(rows)]

    def _incident_of(self, tick: Tick, group: Group) -> Incident:
        """The incident that the group belongs to, or a new one."""
        passed = _passed(group)
        members = set(group.keys[group.shift.used_more[:, group.strong].any(axis=1)].tolist())
        same = [one for one in self.incidents if one.passed == passed and not one.superseded and _same(one, members)]
        if not passed:
            same = [one for one in self.incidents if one.passed and _is_of(one, members)] or same
        if passed and not same:
            same = [one for one in self.incidents if one.passed and self._joins(tick, one, group)]
        if same:
            return max(same, key=lambda one: (len(one.accounts() & members), one.key))
        for one in self.incidents:
            if passed and not one.passed and _overlaps(one, members):
                one.superseded = True
        incident = _opened(tick, group, passed)
        self.incidents.append(incident)
        return incident

    def _joins(self, tick: Tick, incident: Incident, group: Group) -> bool:
        """Another part of the same operator: a common target or a common begin, in the same hours."""
        if incident.last < tick.hour - 2:
            return False
        common = incident.target in {tick.population.targets[k] for k in group.strong}
        return common or abs(incident.onset - group.track.born) <= SAME_ONSET_H

    def _finding(self, tick: Tick, incident: Incident, phase: Phase) -> Finding:
        ranked = sorted(incident.targets, key=lambda name: (-incident.facts["z"].get(name, 0.0), name))
        course = incident.courses.get(ranked[0], [])
        evidence = {**incident.facts["evidence"], "series": [*course]}
        if phase is Phase.MOVING:  # what is quiet writes no record of today's numbers
            evidence["named"] = named_of(tick.population, _named(incident), ranked[0], incident.onset)
            if course and course[-1][0] == tick.population.at_ms:
                evidence["named"]["share_expected"] = course[-1][2]
        return Finding(
            key=f"network:{incident.key}",
            kind=incident.kind,
            subject=Subject("cluster", incident.key),
            targets=tuple(self._target(name) for name in ranked),
            level=incident.level,
            phase=phase,
            at_ms=tick.population.at_ms,
            onset_ms=incident.onset * HOUR_MS,
            members=members_of(tick.population, incident, ranked[0]),
            evidence=evidence,
            why=incident.facts["why"],
        )


def _evidence(state: dict[int, dict[str, Any]]) -> dict[int, Evidence]:
    known = {one.name for one in fields(Evidence)}  # a snapshot of an earlier version may hold more
    return {key: Evidence(**{name: one[name] for name in one if name in known}) for key, one in state.items()}


def _named(incident: Incident) -> list[int]:
    return [key for key, one in incident.evidence.items() if one.named]


def _passed(group: Group) -> bool:
    return group.verdict is not None and group.verdict.one_hand


def _same(incident: Incident, members: set[int]) -> bool:
    """Whether a group is this incident's: half of the smaller; for what did not pass, a third of both together, since
    honest networks have members in common and would grow into one."""
    if incident.passed:
        return _overlaps(incident, members)
    mine = incident.accounts()
    return len(mine & members) >= ALIKE_MIN * len(mine | members)


def _overlaps(incident: Incident, members: set[int]) -> bool:
    mine = incident.accounts()
    return len(mine & members) >= OVERLAP_MIN * min(len(mine), len(members))


def _is_of(incident: Incident, members: set[int]) -> bool:
    """Whether most of those who move are an incident's that has passed: what was answered once is not asked again."""
    return len(incident.evidence.keys() & members) >= SAME_ACCOUNTS * len(members)


def _opened(tick: Tick, group: Group, passed: bool) -> Incident:
    target = tick.population.targets[int(group.strong[0])]
    ids = sorted(tick.population.columns.ids[r] for r in group.rows.tolist())
    name = blake2b("\0".join([str(tick.hour), *ids]).encode(), digest_size=5).hexdigest()
    kind = "capability_shift" if target.startswith("capability:") else "coordinated_shift"
    if target.startswith("model:") and tick.is_new(target):
        kind = "release_shift"
    return Incident(f"net-{name}", kind, tick.hour, tick.hour - 1, target, passed, Level.NONE, tick.hour)


def _absorb(tick: Tick, incident: Incident, group: Group) -> None:
    """Take a strong group of this tick into its incident."""
    targets = tick.population.targets
    for k in group.strong.tolist():
        incident.targets.setdefault(targets[k], tick.hour)
    incident.ticks += incident.last != tick.hour or incident.ticks == 0
    incident.last = tick.hour
    if group.verdict is not None:
        incident.hand = max(incident.hand, group.verdict.log_odds)
    top = int(group.strong[0])
    everybody = _moved_beyond_others(group.shift, top) >= ALL_MOVED
    turned = tick.evidence[np.ix_(group.rows, group.strong)] >= MOVED_NATS
    moved: NDArray[np.bool_] = np.any((group.shift.used_more[:, group.strong] > 0) | turned, axis=1)
    for i, key in enumerate(group.keys.tolist()):
        _account(tick, incident, group, i, key, bool(moved[i]), everybody)
    incident.level = max(incident.level, _level(incident, group))
    z = {targets[k]: round(float(group.z[k]), 2) for k in group.strong.tolist()}
    known = incident.facts.get("z", {})
    incident.facts["z"] = {**known, **z}
    if incident.facts.get("hour") != tick.hour or len(group.rows) > incident.facts.get("size", 0):
        evidence = evidence_of(tick, incident, group)
        if incident.passed and not _passed(group):
            # It was asked when it opened; what the numbers of today's part look like is no second answer.
            before = incident.facts["evidence"]
            evidence |= {name: before[name] for name in ANSWER if name in before}
        else:
            incident.facts["why"] = _why(group)
        incident.facts.update(hour=tick.hour, size=len(group.rows), evidence=evidence)


def _moved_beyond_others(shift: Shift, target: int) -> float:
    """Part of the group that moved, of those who would not have as comparable accounts (Abbott's correction)."""
    moved = float((shift.used_more[:, target] > 0).mean())
    others = min(max(moved - float(shift.excess_breadth[target]), 0.0), 0.99)
    return (moved - others) / (1.0 - others)


def _account(tick: Tick, incident: Incident, group: Group, i: int, key: int, moved: bool, everybody: bool) -> None:
    row = int(group.rows[i])
    score = float(group.scores[i])
    known = incident.evidence.get(key)
    if known is None:
        account_id = tick.population.columns.ids[row]
        known = Evidence(account_id, 0, score, tick.hour, tick.hour, False, incident.ticks - 1)
        incident.evidence[key] = known
    known.ticks += 1
    known.last = tick.hour
    known.score += SCORE_PACE * (score - known.score)
    known.moved += moved
    lasting = known.ticks >= min(NAME_TICKS_MIN, incident.ticks)
    often = lasting and known.ticks >= PRESENCE_MIN * (incident.ticks - known.since_tick)
    odds = belonging(known.score)
    shifted = known.moved >= 0.5 * known.ticks and odds >= NAME_ODDS
    known.named = often and (shifted or (everybody and odds >= NAME_ODDS_STILL))


def _level(incident: Incident, group: Group) -> Level:
    if group.verdict is None:
        return Level.NONE
    if group.verdict.one_hand:
        # Where nobody says who belongs to whom, one hand may be one customer's; and a page that names nobody wakes
        # somebody who can do nothing.
        told = group.coordination.unrelated and len(_named(incident)) >= NAMED_MIN
        return Level.CRITICAL if told and _is_sharp(group) else Level.WARNING
    return Level.WARNING if group.verdict.worth_a_ticket else Level.INFO


def _is_sharp(group: Group) -> bool:
    """Whether one operator's accounts did move: they stand out on any day, and so do some of their chance swings."""
    assert group.verdict is not None
    standing = [vote.value for vote in group.verdict.votes if vote.trait == "standing"]
    return float(group.z[group.strong].max()) >= PAGE_Z and all(z >= PAGE_STANDING_Z for z in standing)


def _why(group: Group) -> str:
    assert group.verdict is not None
    if group.verdict.one_hand and not group.coordination.unrelated:
        return UNKNOWN_ORGANISATIONS
    return "one_operator" if group.verdict.one_hand else f"looks_like_{group.verdict.looks_like}"


def _observe(tick: Tick, incident: Incident, groups: Sequence[Group]) -> None:
    """One point of what the incident's accounts do, and of what is told of it."""
    population = tick.population
    _courses(tick, incident)
    if incident.target not in population.targets:
        return
    k = population.targets.index(incident.target)
    rows = rows_of(population, list(incident.evidence))
    n = population.n[rows].sum()
    if n <= 0:
        return
    incident.share = float(population.X[rows, k].sum() / n)
    incident.peak = max(incident.peak, incident.share)


def _courses(tick: Tick, incident: Incident) -> None:
    """By target: (time in ms, share of it in the requests of the accounts that are named, what was to be expected)."""
    population, rows = tick.population, rows_of(tick.population, _named(incident))
    n = population.n[rows]
    if n.sum() <= 0:
        return
    mean, _ = tick.comparison.change.without(population.stratum[rows], population.change[rows])
    for target in incident.targets:
        if target not in population.targets:
            continue
        k = population.targets.index(target)
        share = float(population.X[rows, k].sum() / n.sum())
        expected = float((n * (population.before[rows, k] + mean[population.stratum[rows], k])).sum() / n.sum())
        course = incident.courses.setdefault(target, [])
        course.append([population.at_ms, round(share, 6), round(min(max(expected, 0.0), 1.0), 6)])
        del course[:-SERIES_MAX]


def phase_of(tick: Tick, incident: Incident, groups: Sequence[Group]) -> Phase:
    """What the incident does now; remembers what it adopted, until it gives that up."""
    if incident.superseded:
        return Phase.SUPERSEDED
    if groups:
        strong = {tick.population.targets[k] for group in groups for k in group.strong.tolist()}
        return Phase.MOVING if _is_more_than_adopted(tick, incident, strong) else Phase.ADOPTED
    if incident.share < 0.8 * incident.peak:
        incident.adopted = {}
        return Phase.QUIET
    if tick.hour - incident.last < QUIET_TICKS_ADOPTED:
        return Phase.QUIET
    incident.adopted = _shares(tick, incident)
    return Phase.ADOPTED


def _is_more_than_adopted(tick: Tick, incident: Incident, strong: set[str]) -> bool:
    """Whether a target is new to it, or clearly above what became normal: a test that hovers at its line is no news."""
    if not strong <= incident.adopted.keys():
        return True
    shares = _shares(tick, incident)
    return any(shares.get(name, 0.0) > (1.0 + RISE_OF_SHARE_MIN) * incident.adopted[name] for name in strong)


def _shares(tick: Tick, incident: Incident) -> dict[str, float]:
    """Of the requests of its accounts, by its targets. O(accounts x targets of the incident)."""
    population = tick.population
    rows = rows_of(population, list(incident.accounts()))
    total = max(float(population.n[rows].sum()), 1.0)
    known = {name: k for k, name in enumerate(population.targets) if name in incident.targets}
    return {name: float(population.X[rows, k].sum()) / total for name, k in known.items()}


def members_of(population: Population, incident: Incident, target: str) -> tuple[Member, ...]:
    """The accounts that the incident names, most involved first; their shares are of the same sums as `named_of`."""
    named = [one for one in incident.evidence.items() if one[1].named]
    named.sort(key=lambda one: (-one[1].score, one[1].account_id))
    at, active = population.places(np.array([key for key, _ in named], np.uint64))
    new = is_new(population, at, incident.onset)
    column = population.targets.index(target) if target in population.targets else None
    members = []
    for row, is_active, has_no_past, (_, one) in zip(at.tolist(), active.tolist(), new.tolist(), named, strict=True):
        requests, before, now = 0, None, 0.0
        if is_active:
            x, xb = (0.0, 0.0) if column is None else (population.X[row, column], population.XB[row, column])
            n, nb = float(population.n[row]), float(population.nb[row])
            requests, now = int(n), round(float(x) / max(n, 1.0), 6)
            before = None if has_no_past or nb <= 0 else round(float(xb) / nb, 6)
        score = probability(one.score, incident.hand)
        members.append(Member(one.account_id, score, one.first * HOUR_MS, requests, before, now))
    return tuple(members)


def evidence_of(tick: Tick, incident: Incident, group: Group) -> dict[str, Any]:
    """Numbers of one group that a person can check."""
    shift, top = group.shift, int(group.strong[0])
    targets = tick.population.targets
    assert group.verdict is not None
    return {
        "requests": int(tick.population.n[group.rows].sum()),
        "window_h": 24,
        "accounts": len(group.rows),
        "organisations": shift.organisations,
        "moved_accounts": int((shift.used_more[:, top] > 0).sum()),
        "organisations_moved_share": round(float(shift.moved[top]), 4),
        "share_before": round(float(shift.share_before[top]), 4),
        "share_after": round(float(shift.share_now[top]), 4),
        "share_expected": round(float(np.clip(shift.share_before[top] + shift.comparable[top], 0.0, 1.0)), 4),
        "comparable_change": round(float(shift.comparable[top]), 4),
        "statistic": round(float(group.z[top]), 2),
        "own_past": round(float(shift.z[top] - group.z[top]), 2),
        "threshold": tick.line,
        "ticks": group.track.streak.get(targets[top], 0),
        "per_target": [_per_target(tick, group, k) for k in group.strong.tolist()],
        "shared_values_total": group.coordination.values,
        "largest_value_covers": round(group.coordination.cover, 4),
        "shared_values": [
            {name: getattr(value, name) for name in value.__slots__} for value in group.coordination.shared
        ],
        "votes": [{name: getattr(vote, name) for name in vote.__slots__} for vote in group.verdict.votes],
        "votes_for": group.verdict.votes_for,
        "log_odds": group.verdict.log_odds,
        "log_odds_now": group.verdict.log_odds_now,
        "log_odds_page": group.verdict.page,
        "log_odds_ticket": group.verdict.ticket,
        "looks_like": group.verdict.looks_like or (None if group.coordination.unrelated else UNKNOWN_ORGANISATIONS),
        "one_operator": group.verdict.one_hand,
    }


def _per_target(tick: Tick, group: Group, k: int) -> dict[str, Any]:
    shift = group.shift
    return {
        "target": tick.population.targets[k],
        "share_before": round(float(shift.share_before[k]), 4),
        "share_after": round(float(shift.share_now[k]), 4),
        "share_expected": round(float(np.clip(shift.share_before[k] + shift.comparable[k], 0.0, 1.0)), 4),
        "statistic": round(float(group.z[k]), 2),
    }
