"""What is the fleet doing, and who moves together? The judgement of network ticks, one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.cohorts import Cohorts
from detectors.comparison.drift import Releases
from detectors.comparison.findings import Finding, Level, Target
from detectors.comparison.movement import movement_of
from detectors.comparison.population import Floats, Population, population_of
from detectors.comparison.recent import Recent
from detectors.comparison.series import DriftWatch
from detectors.counts.interned import in_order, order_of_pairs, ordered
from detectors.counts.rows import Sets
from detectors.counts.summary import SAID, AccountColumns, CohortCounts
from detectors.judgement.groups import Group, Tick, groups_of, standing_parts, tick_of
from detectors.judgement.hand import NO_LESSONS, Lessons
from detectors.judgement.incidents import Incidents
from detectors.judgement.operator import Activity
from detectors.parameters import Parameters
from detectors.room import Room
from detectors.ties.carriers import Carriers
from detectors.ties.coverage import coverage_of
from detectors.ties.crowds import Usual, crowds_of, parts_of
from detectors.ties.holdings import Holdings
from detectors.ties.neighbours import Evidence, Neighbours, evidence_of, hear
from detectors.ties.standing import EVERY_H, Standings
from detectors.ties.tracks import Tracks
from detectors.triage.watchlist import WatchList

NEW_AFTER_H = 48  # a day for the fast window, and one for the baseline
RECENT_WINDOWS_H = (6, 3)  # beside the fast window: a shift that has just begun is most of what they hold
HEARD_MIN = 30.0  # requests in the fast window: below it nobody can have moved together toward a target
REAL_SHARE = 0.01  # of the busiest hour of the last day: a smoke test is below it, the quietest hour of a night is not
NEW_FLEET_SHARE = 0.02  # a model below this share of the fleet's baseline hardly existed in it


def target_of(name: str) -> Target:
    """The target of an inner name.

    >>> target_of("model:atlas-4")
    Target(kind='model', id='atlas-4')
    """
    kind, _, id = name.partition(":")
    return Target(kind, id)


class Judge:
    """Network ticks in, findings out. Everything that it remembers is bounded by hours."""

    def __init__(self, parameters: Parameters, released_ms: Mapping[str, int] | None = None) -> None:
        self.parameters = parameters
        self.released_ms: Mapping[str, int] = released_ms or {}
        self.room = Room()
        self.carriers = Carriers(parameters.carried_h)
        self.activity = Activity()
        self.tracks = Tracks()
        self.incidents = Incidents(target_of)
        self.recent = Recent(parameters, max(RECENT_WINDOWS_H))
        self.usual = Usual()
        self.standings = Standings()
        self.declared = Cohorts(target_of, parameters.org_dimension, parameters.tick_ms)
        self.watch = WatchList(parameters)
        self.releases = Releases()
        self.series = DriftWatch(parameters.drift, target_of, parameters.tick_ms)
        self.renamed: dict[str, str] = {}
        self._models: dict[str, int] = {}  # requests of this hour so far, by model
        self.first_hour: int | None = None
        self.grown: list[tuple[int, int]] = []  # (requests, hour) of each hour with over twice as many as any before
        self.coverage: dict[str, float] = {}
        self.lessons: Lessons = NO_LESSONS  # what people found out: whoever knows it tells it before each hour
        self.last_tick: Tick | None = None
        self.last_groups: Sequence[Group] = ()

    def state(self) -> dict[str, Any]:
        """All that later ticks depend on, for a snapshot; what was seen last, for the console, is not in it."""
        return {
            "first_hour": self.first_hour,
            "grown": self.grown,
            "renamed": self.renamed,
            "carriers": self.carriers.state(),
            "activity": self.activity.state(),
            "tracks": self.tracks.state(),
            "incidents": self.incidents.state(),
            "recent": self.recent.state(),
            "usual": self.usual.state(),
            "standings": self.standings.state(),
            "declared": self.declared.state(),
            "watch": self.watch.state(),
            "releases": self.releases.state(),
            "models": self._models,
            "series": self.series.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.first_hour, self.renamed = state["first_hour"], state["renamed"]
        self.grown = [(requests, hour) for requests, hour in state.get("grown", ())]  # of an earlier version: anew
        self.carriers.restore(state["carriers"])
        self.activity.restore(state["activity"])
        self.tracks.restore(state["tracks"])
        self.incidents.restore(state["incidents"])
        if "recent" in state:  # in a snapshot of an earlier version they are not: they begin anew
            self.recent.restore(state["recent"])
            self.usual.restore(state["usual"])
        if "standings" in state:
            self.standings.restore(state["standings"])
        self.declared.restore(state["declared"])
        if "watch" in state:  # in a snapshot of an earlier version they are not: they begin anew
            self.watch.restore(state["watch"])
        if "releases" in state:
            self.releases.restore(state["releases"])
            self._models = dict(state["models"])
        self.series.restore(state.get("series", ()))

    def cohorts(self, parts: Sequence[CohortCounts], tick: int) -> list[Finding]:
        """Judge the declared cohorts of one 5-minute tick."""
        for part in parts:
            for name, requests in part.of_fleet()["model"].items():
                self._models[name] = self._models.get(name, 0) + requests
        return self.declared.judge(parts, tick) + self.series.judge(parts, tick)

    def _date_releases(self, population: Population, hour: int) -> None:
        """Tell the fleet's requests of this hour by model, for the releases that nobody announced."""
        self.releases.announced = self.released_ms
        used = (population.X.sum(axis=0) + population.XB.sum(axis=0)).tolist()
        names = (name for name, requests in zip(population.targets, used, strict=True) if requests > 0)
        self.releases.seen(hour, (name.partition(":")[2] for name in names if name.startswith("model:")))
        if self.releases.hour is None or hour > self.releases.hour:  # a network tick may be shorter than an hour
            self.releases.learn(hour, self._models)
            self._models = {}

    def _begun(self, columns: AccountColumns, hour: int, first_hour: int) -> int:
        """The first hour with a real part of the traffic now: a smoke test weeks before is no history of this fleet."""
        by_hour = columns.hours.sum(axis=0)
        requests = int(by_hour[hour % 24])
        if not self.grown:
            self.grown.append((requests, first_hour))
        elif requests > 2 * self.grown[-1][0]:
            self.grown.append((requests, hour))
        enough = REAL_SHARE * by_hour.max()
        return next((at for most, at in self.grown if 2 * most >= enough), hour)

    def _windows(self, population: Population) -> list[tuple[int, Floats, Floats]]:
        """(hours, requests by target, requests) of the shorter windows."""
        found = []
        for hours in RECENT_WINDOWS_H:
            at = [(population.hour - back) % 24 for back in range(hours)]
            requests = population.columns.hours[:, at].sum(axis=1).astype(float)
            found.append((hours, self.recent.of(population, hours), requests))
        return found

    def judge(self, columns: AccountColumns, hour: int) -> list[Finding]:
        """Judge one hour. O(accounts x targets + memberships + pairs)."""
        if not len(columns):
            return []  # nothing has happened yet, or everybody is gone: no hour of history
        if self.first_hour is None:
            self.first_hour = hour
        columns = self.room.within(columns, self.carriers.bytes_held(), self.parameters.requests_min)
        history_h = hour - self._begun(columns, hour, self.first_hour)
        self.carriers.learn(columns, hour)
        self.activity.learn(columns, hour)
        self.recent.learn(columns, hour)
        if len(columns) < 2:
            return []
        parameters = self.parameters
        population = population_of(columns, hour, parameters, self.renamed)
        movement = movement_of(population)
        carried = self.carriers.of(population, parameters.link_dimensions, parameters.link_roles)
        self.coverage = coverage_of(population, carried, (name for name, _ in self.declared.rows), parameters)
        fleet = dict(zip(population.targets, population.fleet.tolist(), strict=True))

        self._date_releases(population, hour)

        def is_new(target: str) -> bool:
            # In the first days no model has a past; only one that the baseline could know is new for not being in it.
            kind, _, model = target.partition(":")
            known = history_h >= NEW_AFTER_H and kind == "model" and self.releases.is_new(model, hour)
            return known and (history_h >= parameters.warm_up_h or fleet.get(target, 0.0) < NEW_FLEET_SHARE)

        known = Holdings(population, carried, parameters.popular_max(population.organisations))
        windows = self._windows(population)
        neighbours = Neighbours(known)
        heard_of = np.flatnonzero(population.X.sum(axis=0) >= HEARD_MIN)
        whole = Evidence(parameters.fast_window_h, movement.evidence, population.stratum, population.strata)
        evidence = [whole, *(evidence_of(population, counts, asked, hours) for hours, counts, asked in windows)]
        heard = [hear(neighbours, one, heard_of, seed=hour) for one in evidence if len(heard_of)]
        crowds = crowds_of(population, heard, self.usual, parameters.page_z)
        may_fire = np.array([history_h >= parameters.warm_up_h or is_new(name) for name in population.targets], bool)
        crowds = [crowd for crowd in crowds if may_fire[crowd.target]]
        parts = parts_of(population, neighbours, crowds, parameters) + self.incidents.networks(population)
        turned = np.max([one.nats for one in evidence], axis=0)
        soon_h = hour + EVERY_H - self.first_hour  # no history is longer while the networks of this hour are kept
        standing = self.standings.of(known, may_matter=soon_h > min(NEW_AFTER_H, parameters.warm_up_h))
        tick = tick_of(population, movement, carried, self.activity, windows, crowds, turned, parts, parameters,
                       history_h, is_new, may_fire, known, standing)  # fmt: skip
        tick.lessons = self.lessons
        if may_fire.any():
            parts += standing_parts(tick, parameters)
        self.last_groups = groups_of(tick, parts, self.tracks, parameters)
        self.last_tick = tick
        findings = self.incidents.step(tick, self.last_groups)
        named = {one.account_id for finding in findings if finding.level >= Level.WARNING for one in finding.members}
        self.watch.learn(population, movement, carried, history_h, named)
        return findings


def joined(parts: Sequence[AccountColumns]) -> AccountColumns:
    """The columns of several partitions of shards as one, sorted by account id. O(accounts log accounts)."""
    if len(parts) == 1:
        return parts[0]
    names = tuple(in_order({name for part in parts for name in part.names}))
    targets = tuple(sorted({name for part in parts for name in part.targets}))
    values = list({pair for part in parts for pair in part.values})
    pairs = [values[i] for i in order_of_pairs(values)]
    ids = [id for part in parts for id in part.ids]
    order = ordered(range(len(ids)), ids)
    fast = _merged([p.fast for p in parts], [p.targets for p in parts], targets, order, [p.fast_count for p in parts])
    slow = _merged([p.slow for p in parts], [p.targets for p in parts], targets, order, [p.slow_count for p in parts])
    carried = _merged(
        [p.carried for p in parts], [p.values for p in parts], tuple(pairs), order, [p.carried_count for p in parts]
    )
    key_of_pair = {pair: key for p in parts for pair, key in zip(p.values, p.value_keys.tolist(), strict=True)}

    def column(name: str) -> NDArray[Any]:
        whole: NDArray[Any] = np.concatenate([getattr(part, name) for part in parts])[order]
        return whole

    return AccountColumns(
        ids=tuple(ids[i] for i in order.tolist()),
        keys=column("keys"),
        shards=column("shards"),
        names=names,
        **{name: np.concatenate([_renamed(getattr(p, name), p.names, names) for p in parts])[order] for name in SAID},
        first_seen_ms=column("first_seen_ms"),
        targets=targets,
        n=column("n"),
        fast=fast[0],
        fast_count=fast[1],
        nb=column("nb"),
        slow=slow[0],
        slow_count=slow[1],
        hours=column("hours"),
        bins=column("bins"),
        values=tuple(pairs),
        value_keys=np.array([key_of_pair[pair] for pair in pairs], np.uint64),
        carried=carried[0],
        carried_count=carried[1],
    )


def _renamed(index: NDArray[Any], old: Sequence[str], new: Sequence[str]) -> NDArray[Any]:
    place = {name: i for i, name in enumerate(new)}
    table = np.array([*(place[name] for name in old), -1], np.int32)  # the last entry answers for -1
    renamed: NDArray[np.int32] = table[index]
    return renamed


def _merged(
    sets: Sequence[Sets],
    tables: Sequence[Sequence[Any]],
    table: Sequence[Any],
    order: NDArray[Any],
    counts: Sequence[NDArray[Any]],
) -> tuple[Sets, NDArray[Any]]:
    """Sets of several parts over one table, in the given order of accounts, items sorted, with their counts."""
    place = {name: i for i, name in enumerate(table)}
    items = [
        np.array([place[name] for name in t], np.int64)[s.items] if len(s.items) else np.zeros(0, np.int64)
        for s, t in zip(sets, tables, strict=True)
    ]
    lengths = np.concatenate([np.diff(s.start) for s in sets])
    first = np.cumsum(lengths) - lengths
    start = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths[order], out=start[1:])
    owner = np.repeat(np.arange(len(order)), lengths[order])
    at = first[order][owner] + np.arange(start[-1]) - start[:-1][owner]
    item, count = np.concatenate(items)[at], np.concatenate(list(counts))[at]
    by = np.lexsort((item, owner))
    return Sets(start, item[by].astype(np.uint32)), count[by]
