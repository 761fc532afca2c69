"""Which shifts are one story? Groups of many ticks become incidents, each with its accounts, targets and findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from hashlib import blake2b
from typing import Any

import numpy as np

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from detectors.comparison.named import is_new, named_of, rows_of
from detectors.comparison.population import Ints, Population
from detectors.judgement.answer import ANSWER, evidence_of, why_of
from detectors.judgement.belonging import FRESH_H, Evidence, belonging_of, probability
from detectors.judgement.groups import RISE_OF_SHARE_MIN, Group, Tick
from detectors.judgement.hand import of_crowd
from detectors.judgement.severity import convicts, is_suspect, level_of
from detectors.parameters import HOUR_MS
from detectors.ties.membership import carried_of, values_of

MOVED_NATS = 2.0  # evidence of one account by which it moved, whatever its mix of the day
OVERLAP_MIN = 0.5
ALIKE_MIN = 0.3
SAME_ACCOUNTS = 0.6
REOPEN_H = 96
FOLLOWED_H = 6
SAME_ONSET_H = 12
KNOWN_MIN = 3  # accounts, by which an incident is known again
TIED_MIN = 0.1  # of a group's accounts, that carry a value of its own and of an incident
NEAR_ODDS = -1.0  # nats of belonging from which an account near a network is followed: one in four
LIKELY_ODDS = 0.0  # and from which what it does is told with it
SERIES_MAX = 336  # two weeks of hours
QUIET_TICKS_ADOPTED = 12
QUIET_TICKS_OPERATOR = 24  # of one operator's: a whole fast window, since accounts that rotate rest and come again


@dataclass(slots=True)
class Incident:
    """One story. passed: it was taken for one operator's, by its traits or with those that it names; it stays so.

    adopted: by target, the share of its accounts' requests that has become normal for them. share, peak: of all its
    accounts' requests, to its first target. crowd: what it was once seen gathered around, which counts until it passes.
    courses: by target, tick by tick, what is told: see `_courses`. suspect: hours in which its traits and names were
    worth a warning, whether it moved sharply or not; suspected: the last of them. hand: the highest log-odds of one
    operator's that a network of it had.
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
    crowd: str | None = None
    suspect: int = 0
    suspected: int = -1
    hand: float = 0.0

    def accounts(self) -> set[int]:
        """Keys of the accounts by which it is known again: that moved in it; all of them where none has yet.

        Of one operator's those alone that rather belong than not: it would else grow by whatever it once had in common
        with somebody. Of others those that were of its networks, and not who seemed near: it would be unlike every
        hour's network, and open anew in each.
        """
        mine = self.likely() if self.passed else self.within()
        mine = mine if len(mine) >= KNOWN_MIN else set(self.evidence)
        return {key for key in mine if 2 * self.evidence[key].moved >= self.evidence[key].ticks} or mine

    def within(self) -> set[int]:
        """Keys of the accounts that were of its networks in half of the hours in which they were near."""
        return {key for key, one in self.evidence.items() if 2 * one.inside >= one.ticks}

    def likely(self) -> set[int]:
        """Keys of the accounts that it names, or that rather belong than not."""
        return {key for key, one in self.evidence.items() if one.named or one.odds >= LIKELY_ODDS}


class Incidents:
    """From groups to findings: one incident a campaign, whatever number of parts, targets and ticks it has."""

    def __init__(self, link: Callable[[str], Target]) -> None:
        self._target = link
        self.incidents: list[Incident] = []

    def step(self, tick: Tick, groups: Sequence[Group]) -> list[Finding]:
        """Take the strong groups of one tick in; gives a finding for every incident that is open."""
        self.incidents = [one for one in self.incidents if one.last >= tick.hour - REOPEN_H and not one.superseded]
        for group in groups:
            self._know_crowd(group)
        touched: dict[str, list[Group]] = {}
        for group in sorted((g for g in groups if len(g.strong)), key=lambda g: (not _passed(g), -len(g.rows))):
            incident = self._absorbed(tick, self._incident_of(tick, group), group)
            touched.setdefault(incident.key, []).append(group)
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
        """The accounts that each open incident that is suspect names, in rows: looked at again in every tick, since
        together they tell better than any hour's crowd who else belongs to them."""
        found = []
        for incident in self.incidents:
            if incident.suspect > 0 and incident.last >= population.hour - FOLLOWED_H:
                found.append(np.sort(rows_of(population, _named(incident))))
        return [rows for rows in found if len(rows)]

    def _know_crowd(self, group: Group) -> None:
        """A part of a crowd is of that crowd, though the part alone does not show what it is gathered around."""
        if len(group.strong) and group.verdict is not None and group.verdict.crowd is None:
            crowds = [one.crowd for one in self._crowds_around(_movers(group)) if one.crowd]
            group.verdict = of_crowd(group.verdict, crowds[0]) if crowds else group.verdict

    def _crowds_around(self, members: set[int]) -> list[Incident]:
        """The crowds that did not pass of which most of those who move are."""
        crowds = [one for one in self.incidents if one.crowd and not one.passed and not one.superseded]
        return [one for one in crowds if _is_mostly(one.accounts(), members)]

    def _incident_of(self, tick: Tick, group: Group) -> Incident:
        """The incident that the group belongs to, or a new one."""
        passed, members = _passed(group), _movers(group)
        same = [one for one in self.incidents if one.passed == passed and not one.superseded and _same(one, members)]
        if not passed and not _crowd_of(group):
            same = [one for one in self.incidents if one.passed and _is_of(one, members)] or same
        if not passed and not same and _crowd_of(group):
            same = self._crowds_around(members)
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

    def _absorbed(self, tick: Tick, incident: Incident, group: Group) -> Incident:
        """Take a strong group of this tick in; gives the incident that has it then."""
        _absorb(tick, incident, group)
        if not incident.passed and convicts(group, len(_named(incident))):
            same = [one for one in self.incidents if one.passed and self._joins(tick, one, group)]
            if same:
                incident.superseded = True
                part, incident = incident, max(same, key=lambda one: (one.last, one.key))
                _inherit(incident, part)
                _hear(tick, incident, group)
            incident.passed = True
            _answer(tick, incident, group)
        return incident

    def _joins(self, tick: Tick, incident: Incident, group: Group) -> bool:
        """Another part of the same operator, in the same hours: a common target and a common begin, or one of them and
        values in common. That both moved to one model is no story: a class may have done so the day before."""
        if incident.last < tick.hour - 2:
            return False
        common = incident.target in {tick.population.targets[k] for k in group.strong}
        together = abs(incident.onset - group.track.born) <= SAME_ONSET_H
        return (common and together) or ((common or together) and _is_tied(tick, incident, group))

    def _finding(self, tick: Tick, incident: Incident, phase: Phase) -> Finding:
        z = incident.facts["z"]
        ranked = sorted(incident.targets, key=lambda name: (-_risen(incident, name), -z.get(name, 0.0), name))
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


def _crowd_of(group: Group) -> str | None:
    return None if group.verdict is None else group.verdict.crowd


def _movers(group: Group) -> set[int]:
    """Keys of those of a group that use more of what it moved to."""
    return set(group.keys[group.shift.used_more[:, group.strong].any(axis=1)].tolist())


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


def _is_tied(tick: Tick, incident: Incident, group: Group) -> bool:
    """Whether enough of a group carry what is both its own and the incident's, of the accounts that it names: each has
    two accounts that carry it, far oftener than everybody else. O(memberships)."""
    named = rows_of(tick.population, _named(incident))
    common = values_of(tick.known, named) & values_of(tick.known, group.rows)
    return float((carried_of(tick.known, common)[group.rows] > 0).mean()) >= TIED_MIN


def _is_of(incident: Incident, members: set[int]) -> bool:
    """Whether most of those who move are an incident's that has passed: what was answered once is not asked again."""
    return _is_mostly(incident.likely(), members)


def _is_mostly(known: set[int], members: set[int]) -> bool:
    return len(known & members) >= SAME_ACCOUNTS * max(len(members), 1)


def _opened(tick: Tick, group: Group, passed: bool) -> Incident:
    target = tick.population.targets[int(group.strong[0])]
    ids = sorted(tick.population.columns.ids[r] for r in group.rows.tolist())
    name = blake2b("\0".join([str(tick.hour), *ids]).encode(), digest_size=5).hexdigest()
    kind = "capability_shift" if target.startswith("capability:") else "coordinated_shift"
    if target.startswith("model:") and tick.is_new(target):
        kind = "release_shift"
    return Incident(f"net-{name}", kind, tick.hour, tick.hour - 1, target, passed, Level.NONE, tick.hour)


def _absorb(tick: Tick, incident: Incident, group: Group) -> None:
    """Take a strong group of this tick into its incident; the largest of the hour's gives the answer."""
    _hear(tick, incident, group)
    if incident.facts.get("hour") != tick.hour or len(group.rows) > incident.facts.get("size", 0):
        _answer(tick, incident, group)


def _hear(tick: Tick, incident: Incident, group: Group) -> None:
    """What the group moved toward, who is of it, and how loud that is."""
    targets = tick.population.targets
    for k in group.strong.tolist():
        incident.targets.setdefault(targets[k], tick.hour)
    incident.ticks += incident.last != tick.hour or incident.ticks == 0
    incident.last = tick.hour
    incident.crowd = _crowd_of(group) or incident.crowd
    if group.verdict is not None:
        incident.hand = max(incident.hand, group.verdict.log_odds)
    _accounts(tick, incident, group)
    named = len(_named(incident))
    if is_suspect(group, named) and incident.suspected < tick.hour:
        incident.suspect, incident.suspected = incident.suspect + 1, tick.hour
    incident.level = max(incident.level, level_of(group, named, incident.suspect))
    z = {targets[k]: round(float(group.z[k]), 2) for k in group.strong.tolist()}
    known = incident.facts.get("z", {})
    incident.facts["z"] = {**known, **z}


def _inherit(incident: Incident, part: Incident) -> None:
    """What was known of the accounts of an incident that turned out to be a part of this one."""
    incident.hand = max(incident.hand, part.hand)
    for key, one in part.evidence.items():
        if key not in incident.evidence:
            since = max(incident.ticks - (part.ticks - one.since_tick), 0)
            incident.evidence[key] = replace(one, since_tick=since)


def _answer(tick: Tick, incident: Incident, group: Group) -> None:
    """What is told of the incident: numbers of this group, and whose hand it is."""
    named = len(_named(incident))
    evidence = evidence_of(tick, group, incident.passed, named)
    if incident.passed and not _passed(group) and not convicts(group, named):
        # It was asked before; what the numbers of today's part look like is no second answer.
        before = incident.facts["evidence"]
        evidence |= {name: before[name] for name in ANSWER if name in before}
    else:
        incident.facts["why"] = why_of(group, incident.passed)
    incident.facts.update(hour=tick.hour, size=len(group.rows), evidence=evidence)


def _accounts(tick: Tick, incident: Incident, group: Group) -> None:
    """Hear what this hour says of the group's accounts, and of those near it that seem to belong to it."""
    near, scores = belonging_of(tick, group, incident.onset - FRESH_H)
    inside = np.isin(near, group.rows)
    moved = np.any(tick.evidence[np.ix_(near, group.strong)] >= MOVED_NATS, axis=1)
    moved[np.searchsorted(near, group.rows)] |= np.any(group.shift.used_more[:, group.strong] > 0, axis=1)
    keys = tick.population.columns.keys[near].tolist()
    for i in np.flatnonzero(inside | (scores >= NEAR_ODDS)).tolist():
        _account(tick, incident, int(near[i]), keys[i], float(scores[i]), bool(moved[i]), bool(inside[i]))


def _account(
    tick: Tick, incident: Incident, row: int, key: int, score: float, moved: bool, inside: bool
) -> None:  # fmt: skip
    known = incident.evidence.get(key)
    if known is None:
        account_id = tick.population.columns.ids[row]
        known = Evidence(account_id, 0, score, tick.hour, -1, False, incident.ticks - 1, before=score)
        incident.evidence[key] = known
    lived = tick.hour + 1 - float(tick.population.columns.first_seen_ms[row]) / HOUR_MS
    known.hear(tick.hour, score, moved, inside, incident.ticks, lived)


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


def _risen(incident: Incident, target: str) -> float:
    """By how much those it names came to use a target beyond what was to be expected, at most so far.

    What is told first is what a reader finds in the log, and not what a short window was surest of; the most so far,
    so that it does not change from hour to hour.
    """
    return round(max((share - expected for _, share, expected in incident.courses.get(target, ())), default=0.0), 2)


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
    if tick.hour - incident.last < (QUIET_TICKS_OPERATOR if incident.passed else QUIET_TICKS_ADOPTED):
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
    named.sort(key=lambda one: (-one[1].odds, one[1].account_id))
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
        score = probability(one.odds, incident.hand)
        members.append(Member(one.account_id, score, one.first * HOUR_MS, requests, before, now))
    return tuple(members)
