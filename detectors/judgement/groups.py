"""Which networks moved in this tick, how far, and are they one operator's? The judgement of one tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.movement import Movement
from detectors.comparison.population import Floats, Ints, Population, breadth_of, strata_of, used_more_of
from detectors.comparison.shift import Comparison, Shift, comparison_of, shift_of, statistics_of
from detectors.counts.sparse import distinct
from detectors.judgement.binding import ties_of
from detectors.judgement.coordination import Coordination, coordination_of, without_one_customer
from detectors.judgement.hand import NO_LESSONS, Lessons, Verdict, hand_of
from detectors.judgement.operator import Activity, Ordinary, ordinary_of, traits_of
from detectors.judgement.stories import stories_of
from detectors.parameters import Parameters
from detectors.ties.carriers import Carried
from detectors.ties.crowds import Crowd
from detectors.ties.holdings import Holdings
from detectors.ties.membership import candidates_of, cleaned, log_odds, near_of, shared_nats
from detectors.ties.standing import Standing
from detectors.ties.tracks import Track, Tracks

LEADING_Z = 3.0
LEADING_PART = 0.6  # of the largest statistic
RISE_MIN = 0.01
RISE_OF_SHARE_MIN = 0.2
UNUSED_SHARE = 0.02  # below it a target is one that the group did not use
BEGUN_MIN = 0.1  # of the organisations, beyond comparable ones
ANY_ORGANISATIONS = 1 << 40
ONE_NETWORK = 0.5  # of the accounts of the smaller of two that are one
HAND_KEPT_H = 6  # how long it is remembered what the traits of a network said
STANDING_Z = 3.5  # standard errors: a hundred networks are asked of every target, and three come by chance
LEANED = 1.0  # nats of evidence: one in three of its like, enough to begin with in a network that did move
MOVERS_MIN = 8  # with fewer who moved, the group as a whole is asked
KIN_NATS_MIN = 0.1  # of what is shared, to be kin at all


@dataclass(slots=True)
class Group:
    """One network in one tick. rows: members in this tick's population, keys alike; scores: log-odds of each.

    z: statistic by target, the largest of the windows, less the group's own past; 0 while warming up. strong: columns
    of the targets over the line for long enough, strongest first. verdict: on the hand, where something is strong.
    kin: z of all who share as much with it as half of it does, whether they moved or not, toward the strongest; None
    where a network stands that says so, or nobody need look at it.
    """

    track: Track
    rows: Ints
    keys: NDArray[np.uint64]
    scores: Floats
    shift: Shift
    z: Floats
    strong: Ints
    coordination: Coordination
    verdict: Verdict | None
    kin: float | None = None


@dataclass(slots=True)
class View:
    """What the accounts did in one window that asked anything in it. at: the place of each row of the whole, or -1."""

    hours: int
    population: Population
    at: Ints
    comparison: Comparison

    def shift(self, rows: Ints, parameters: Parameters) -> Shift | None:
        """The test of a group in this window; None where too few of it asked anything."""
        mine = self.who(rows, parameters)
        return None if mine is None else shift_of(self.population, self.comparison, mine, parameters)

    def who(self, rows: Ints, parameters: Parameters) -> Ints | None:
        """Rows in this window of a group; None where too few of it asked anything."""
        mine = self.at[rows]
        mine = mine[mine >= 0]
        enough = len(distinct(self.population.org[mine])) >= parameters.group_organisations_min
        return mine if enough else None


@dataclass(slots=True)
class Tick:
    """Everything that judging one tick looks at. line: what z must reach. views: of the shorter windows.
    evidence: of each account and target, the largest of the windows, in nats. may_fire: targets that have a past to be
    held against, or are known to be new. lessons: what verdicts taught of one operator's hand."""

    hour: int
    population: Population
    movement: Movement
    carried: Carried
    known: Holdings
    all_values: Holdings
    comparison: Comparison
    views: Sequence[View]
    crowds: Sequence[Crowd]
    evidence: Floats
    taken: NDArray[np.bool_]
    activity: Activity
    capabilities: Ints
    ordinary: Ordinary
    history_h: int
    is_new: Callable[[str], bool]
    may_fire: NDArray[np.bool_]
    line: float
    standing: Standing
    lessons: Lessons = NO_LESSONS


def tick_of(
    population: Population, movement: Movement, carried: Carried, activity: Activity,
    windows: Sequence[tuple[int, Floats, Floats]], crowds: Sequence[Crowd], evidence: Floats, parts: Sequence[Ints],
    parameters: Parameters, history_h: int, is_new: Callable[[str], bool],
    may_fire: NDArray[np.bool_], known: Holdings, standing: Standing,
) -> Tick:  # fmt: skip
    """Prepare one tick. windows: (hours, requests by target, requests) of each. O(accounts x targets + memberships)."""
    taken = np.zeros(len(population), bool)
    for rows in parts:
        taken[rows] = True
    capabilities = np.flatnonzero([name.startswith("capability:") for name in population.targets])
    return Tick(
        hour=population.hour,
        population=population,
        movement=movement,
        carried=carried,
        known=known,
        all_values=Holdings(population, carried, ANY_ORGANISATIONS),
        comparison=comparison_of(population),
        views=[_view(population, *window) for window in windows],
        crowds=crowds,
        evidence=evidence,
        taken=taken,
        activity=activity,
        capabilities=capabilities,
        ordinary=ordinary_of(population, carried, capabilities),
        history_h=history_h,
        is_new=is_new,
        may_fire=may_fire,
        line=parameters.page_z,
        standing=standing,
    )


def _view(population: Population, hours: int, counts: Floats, requests: Floats) -> View:
    """The population as one of the shorter windows has it; who asked nothing in it is not in it."""
    asked = np.flatnonzero(requests > 0)
    at = np.full(len(population), -1, np.int64)
    at[asked] = np.arange(len(asked))
    n, before = requests[asked], population.before[asked]
    now = counts[asked] / n[:, None]
    stratum, strata = strata_of(n, population.nb[asked])
    inside = replace(
        population, org=population.org[asked], n=n, nb=population.nb[asked], X=counts[asked], XB=population.XB[asked],
        before=before, now=now, change=now - before, used_more=used_more_of(now, before),
        breadth=breadth_of(n, now, before), stratum=stratum, strata=strata,
    )  # fmt: skip
    return View(hours, inside, at, comparison_of(inside))


def groups_of(tick: Tick, parts: Sequence[Ints], tracks: Tracks, parameters: Parameters) -> list[Group]:
    """Clean, join, follow and test the networks of one tick; most accounts first."""
    found = _joined(tick, [_members(tick, rows, parameters) for rows in parts], parameters)
    keys = tick.population.columns.keys
    followed = tracks.match(tick.hour, [keys[members].tolist() for members, _ in found])
    judged: list[Group] = []
    for track, (members, scores) in zip(followed, found, strict=True):
        judged += _judged(tick, track, members, scores, parameters)
    return judged


def standing_parts(tick: Tick, parameters: Parameters) -> list[Ints]:
    """Of each network that stands and moved, whoever was chosen: those of it who turned to what it turned to."""
    parts = []
    networks = tick.standing.parts(parameters.group_organisations_min)
    for rows, largest in zip(networks, _largest_of(tick, networks, parameters), strict=True):
        z = np.where(tick.may_fire, largest, -np.inf)
        best = int(np.argmax(z))
        if z[best] >= STANDING_Z:
            turned = rows[tick.evidence[rows, best] >= LEANED]
            if len(np.unique(tick.population.org[turned])) >= parameters.group_organisations_min:
                parts.append(turned)
    for part in parts:
        tick.taken[part] = True
    return parts


def _shifts(tick: Tick, rows: Ints, parameters: Parameters) -> list[Shift]:
    """The test of a group in the fast window, then in those of the shorter ones that can say something."""
    whole = shift_of(tick.population, tick.comparison, rows, parameters)
    return [whole, *(found for view in tick.views if (found := view.shift(rows, parameters)) is not None)]


def _largest(shifts: Sequence[Shift]) -> Floats:
    """The largest statistic of the windows, by target."""
    z: Floats = np.max([one.z for one in shifts], axis=0)
    return z


def _largest_of(tick: Tick, networks: Sequence[Ints], parameters: Parameters) -> Floats:
    """`_largest` of many networks at once: networks x targets."""
    z = statistics_of(tick.population, tick.comparison, networks, parameters)
    for view in tick.views:
        asked = {at: mine for at, rows in enumerate(networks) if (mine := view.who(rows, parameters)) is not None}
        if asked:
            inside = statistics_of(view.population, view.comparison, list(asked.values()), parameters)
            z[list(asked)] = np.maximum(z[list(asked)], inside)
    return z


def _members(tick: Tick, rows: Ints, parameters: Parameters) -> Ints:
    """The part, cleaned up: who belongs by what it shares and how it moved."""
    evidence = _turned(tick, rows, parameters)
    candidates = candidates_of(tick.known, evidence, rows, tick.taken)
    return without_one_customer(tick.population, cleaned(tick.known, evidence, rows, candidates))


def _turned(tick: Tick, rows: Ints, parameters: Parameters) -> Floats:
    return turned_to(tick, shift_of(tick.population, tick.comparison, rows, parameters).z)


def turned_to(tick: Tick, z: Floats) -> Floats:
    """Evidence of every account that it turned to what a group turned to most. z: the group's, of the fast window."""
    leading = np.flatnonzero(z >= max(LEADING_Z, LEADING_PART * float(z.max())))
    if not len(leading):
        leading = np.array([int(np.argmax(z))])
    found: Floats = tick.evidence[:, leading].max(axis=1) - np.log(len(leading))
    return found


def _joined(tick: Tick, networks: Sequence[Ints], parameters: Parameters) -> list[tuple[Ints, Floats]]:
    """Networks that have half of the smaller's accounts in common are one. With the score of each account."""
    wholes: list[Ints] = []
    for mine in sorted(networks, key=lambda rows: (-len(rows), rows.tolist())):
        for i, other in enumerate(wholes):
            if len(np.intersect1d(mine, other, assume_unique=True)) >= ONE_NETWORK * len(mine):
                wholes[i] = np.union1d(mine, other)
                break
        else:
            wholes.append(mine)
    found = []
    for rows in wholes:
        if len(np.unique(tick.population.org[rows])) >= parameters.group_organisations_min:
            found.append((rows, log_odds(tick.known, _turned(tick, rows, parameters), rows, rows)))
    return sorted(found, key=lambda one: (-len(one[0]), one[0].tolist()))


def _judged(tick: Tick, track: Track, rows: Ints, scores: Floats, parameters: Parameters) -> list[Group]:
    """The group, or one for each of its stories."""
    population = tick.population
    shifts = _shifts(tick, rows, parameters)
    shift = shifts[0]
    keys = population.columns.keys[rows]
    coordination = _coordination(tick, rows, parameters)
    largest = _largest(shifts)
    z = np.where(tick.may_fire, largest, np.minimum(largest, 0.0))
    z -= np.array([track.past(tick.hour, target) for target in population.targets])
    risen = np.any([(one.z >= tick.line) & sharp(one) for one in shifts], axis=0)
    over = (z >= tick.line) & coordination.holds & risen
    strong = _strong(track, population.targets, z, over, parameters)
    for k in strong:
        track.freeze(tick.hour, population.targets[k])
    track.seen(tick.hour, keys.tolist(), dict(zip(population.targets, largest.tolist(), strict=True)))
    whole = Group(track, rows, keys, scores, shift, z, strong, coordination, None)
    if not len(strong):
        return [whole]
    stories = stories_of(shift.used_more > 0, strong)
    groups = [whole] if len(stories) == 1 else [_told_apart(tick, whole, *story, parameters) for story in stories]
    for group in groups:
        if len(group.strong):
            _ask(tick, group, "" if group is whole else population.targets[group.strong[0]], parameters)
    return groups


def _ask(tick: Tick, group: Group, story: str, parameters: Parameters) -> None:
    """Ask for the hand, with what the hour before said of this network and story in mind."""
    at, before = group.track.hand.get(story, (tick.hour, 0.0))
    traits = group_traits(tick, group, int(group.strong[0]), parameters)
    before = before if tick.hour - at <= HAND_KEPT_H else 0.0
    crowd = group.coordination.crowd(traits.get("prefix_dominance", 0.0))
    group.verdict = hand_of(traits, parameters, before, tick.lessons, crowd)
    group.track.hand[story] = (tick.hour, group.verdict.log_odds)
    if group.verdict.worth_a_ticket and "standing" not in traits:
        group.kin = _kin(tick, group.rows, int(group.strong[0]), parameters)


def _told_apart(tick: Tick, whole: Group, targets: Ints, who: NDArray[np.bool_], parameters: Parameters) -> Group:
    """One of several stories of a group; it must hold by itself."""
    rows = whole.rows[who]
    coordination = _coordination(tick, rows, parameters)
    shift = shift_of(tick.population, tick.comparison, rows, parameters)
    strong = targets if coordination.holds else targets[:0]
    return Group(whole.track, rows, whole.keys[who], whole.scores[who], shift, whole.z, strong, coordination, None)


def group_traits(tick: Tick, group: Group, target: int, parameters: Parameters) -> dict[str, float]:
    """What the judgement of the hand rests on. Of how they work: those of the group who moved, where they are enough.

    strength: z. moved: part of the organisations that use the target more. rise: of the mean share of organisations,
    beyond comparable ones. uptake: what comparable accounts rose by. company: ln of how many more of the group moved
    in company than are expected in the whole fleet. organisations, per_organisation: log10.
    """
    movers = group.rows[group.shift.used_more[:, target] > 0]
    rows = movers if len(movers) >= MOVERS_MIN else group.rows
    traits = traits_of(tick.population, tick.ordinary, tick.all_values, tick.activity, rows, tick.capabilities, target)
    own = {
        "strength": float(group.z[target]),
        "moved": float(group.shift.moved[target]),
        "rise": float(group.shift.excess[target]),
        "uptake": float(group.shift.comparable[target]),
        "company": _company(tick, group.rows, target),
        **_standing(tick, group.rows, target, parameters),
        "organisations": float(np.log10(group.shift.organisations)),
        "per_organisation": float(np.log10(len(group.rows) / group.shift.organisations)),
        **ties_of(tick.known, group.rows, tick.evidence[:, target], tick.history_h),
    }
    return traits | {name: round(value, 4) for name, value in own.items()}


def _standing(tick: Tick, rows: Ints, target: int, parameters: Parameters) -> dict[str, float]:
    """What the network that stands whoever moves, and to which most of these belong, did: nobody chose who is in it."""
    whole = tick.standing.of(rows)
    if len(np.unique(tick.population.org[whole])) < parameters.group_organisations_min:
        return {}
    return {"standing": float(_largest(_shifts(tick, whole, parameters))[target])}


def _kin(tick: Tick, rows: Ints, target: int, parameters: Parameters) -> float | None:
    """What those did who share as much with the group as half of it does: chosen by what they carry alone."""
    near = near_of(tick.known, rows, rows)
    shared = shared_nats(tick.known, rows, near)
    kin = near[shared >= max(float(np.median(shared[np.isin(near, rows)])), KIN_NATS_MIN)]
    if len(np.unique(tick.population.org[kin])) < parameters.group_organisations_min:
        return None
    return round(float(_largest(_shifts(tick, kin, parameters))[target]), 4)


def _company(tick: Tick, rows: Ints, target: int) -> float:
    best = 0.0
    for crowd in tick.crowds:
        if crowd.target == target:
            mine = len(np.unique(tick.population.org[np.intersect1d(crowd.rows, rows)]))
            best = max(best, float(np.log((mine + 1.0) / (crowd.expected + 1.0))))
    return best


def _coordination(tick: Tick, rows: Ints, parameters: Parameters) -> Coordination:
    return coordination_of(
        tick.population, tick.known, rows, parameters.candidate_organisations_min, parameters.value_organisations_max
    )


def sharp(shift: Shift) -> NDArray[np.bool_]:
    """By target, whether it rose by enough to matter: however sure, a drift by a few hundredths of itself does not.

    Both of all requests and of the organisations' mean. Of a target that the group did not use, the mean is enough, or
    how many organisations begin to: one heavy account, which does not, is not the group.
    """
    enough = rise_needed(shift)
    unused = shift.share_before < UNUSED_SHARE
    rise = (shift.excess >= enough) & (unused | (rise_of_requests(shift) >= enough))
    begun: NDArray[np.bool_] = unused & (shift.excess_breadth >= BEGUN_MIN)
    return rise | begun


def rise_needed(shift: Shift) -> Floats:
    """What the organisations' mean, and all requests, must rise by beyond comparable ones, by target."""
    enough: Floats = np.maximum(RISE_MIN, RISE_OF_SHARE_MIN * shift.share_before)
    return enough


def rise_of_requests(shift: Shift) -> Floats:
    """By how much the group's share of all its requests rose beyond comparable ones, by target."""
    return shift.share_now - shift.share_before - np.maximum(shift.comparable, 0.0)


def _strong(track: Track, targets: tuple[str, ...], z: Floats, over: NDArray[np.bool_], parameters: Parameters) -> Ints:
    """Columns over the line on enough ticks in a row, strongest first."""
    track.streak = {targets[k]: track.streak.get(targets[k], 0) + 1 for k in np.flatnonzero(over)}
    strong = [k for k in np.flatnonzero(over) if track.streak[targets[k]] >= parameters.ticks_min]
    return np.array(sorted(strong, key=lambda k: (-z[k], k)), np.int64)
