"""Which networks moved in this tick, how far, and are they one operator's? The judgement of one tick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detectors.budget import Budget
from detectors.carriers import Carried
from detectors.coordination import Coordination, coordination_of, without_one_customer
from detectors.membership import Holdings, candidates_of, cleaned
from detectors.movement import Movement
from detectors.operator import Activity, Ordinary, Verdict, ordinary_of, verdict_of
from detectors.parameters import Parameters
from detectors.population import Floats, Ints, Population
from detectors.shift import Cohort, Comparison, Shift, comparison_of, ordinary_cohorts, shift_of
from detectors.stories import stories_of
from detectors.ties import Ties
from detectors.tracks import Track, Tracks

Parts = Sequence[tuple[Ints, int]]  # rows, and the number of their component

LEADING_Z = 3.0
ONE_HAND_TICKS = 3
RISE_MIN = 0.01
RISE_OF_SHARE_MIN = 0.2
UNUSED_SHARE = 0.02  # below it a target is one that the group did not use
BEGUN_MIN = 0.1  # of the organisations, beyond comparable ones
ANY_ORGANISATIONS = 1 << 40
UNCALIBRATED_MORE = 1.5
PLACEBOS_MAX = 24
PLACEBO_ACCOUNTS_MIN, PLACEBO_ACCOUNTS_MAX = 10, 400


@dataclass(slots=True)
class Group:
    """One network in one tick. rows: members in this tick's population, keys alike; scores: log-odds of each.

    z: statistic by target, less the group's own past; 0 while warming up. strong: columns of the targets over the
    line for long enough, strongest first. verdict: of the operator test, where something is strong.
    """

    track: Track
    component: int
    rows: Ints
    keys: NDArray[np.uint64]
    scores: Floats
    shift: Shift
    z: Floats
    strong: Ints
    coordination: Coordination
    verdict: Verdict | None


@dataclass(slots=True)
class Tick:
    """Everything that judging one tick looks at. lines: what z must reach, by target."""

    hour: int
    population: Population
    movement: Movement
    carried: Carried
    known: Holdings
    all_values: Holdings
    comparison: Comparison
    cohorts: Sequence[Cohort]
    taken: NDArray[np.bool_]
    activity: Activity
    capabilities: Ints
    ordinary: Ordinary
    history_h: int
    is_new: Callable[[str], bool]
    new: NDArray[np.bool_]
    lines: Floats
    warning_line: float


def tick_of(
    population: Population, movement: Movement, carried: Carried, activity: Activity, parts: Parts,
    parameters: Parameters, history_h: int, is_new: Callable[[str], bool], known: Holdings,
    budget: Budget,
) -> Tick:  # fmt: skip
    """Prepare one tick. O(accounts x targets + memberships)."""
    taken = np.zeros(len(population), bool)
    for rows, _ in parts:
        taken[rows] = True
    cohorts = ordinary_cohorts(population, carried, taken)
    new = np.array([is_new(target) for target in population.targets], bool)
    capabilities = np.flatnonzero([name.startswith("capability:") for name in population.targets])
    return Tick(
        hour=population.hour,
        population=population,
        movement=movement,
        carried=carried,
        known=known,
        all_values=Holdings(population, carried, ANY_ORGANISATIONS),
        comparison=comparison_of(population, cohorts),
        cohorts=cohorts,
        taken=taken,
        activity=activity,
        capabilities=capabilities,
        ordinary=ordinary_of(population, capabilities),
        history_h=history_h,
        is_new=is_new,
        new=new,
        lines=_lines(budget, new),
        warning_line=budget.warning_line,
    )


def groups_of(tick: Tick, ties: Ties, parts: Parts, tracks: Tracks, parameters: Parameters) -> list[Group]:
    """Clean, follow and test the networks of one tick; most accounts first."""
    found = []
    for rows, component in parts:
        members, scores = _members(tick, ties, rows, parameters)
        if len(np.unique(tick.population.org[members])) >= parameters.group_organisations_min:
            found.append((members, scores, component))
    found.sort(key=lambda one: (-len(one[0]), one[0].tolist()))
    keys = tick.population.columns.keys
    followed = tracks.match(tick.hour, [keys[members].tolist() for members, _, _ in found])
    judged: list[Group] = []
    for track, (members, scores, component) in zip(followed, found, strict=True):
        judged += _judged(tick, track, component, members, scores, parameters)
    return judged


def _members(tick: Tick, ties: Ties, rows: Ints, parameters: Parameters) -> tuple[Ints, Floats]:
    """The part, cleaned up: who belongs by what it shares and how it moved."""
    shift = shift_of(tick.population, tick.comparison, rows, parameters)
    leading = np.flatnonzero(shift.z >= LEADING_Z)
    candidates = candidates_of(tick.population, ties, rows, tick.taken)
    members, scores = cleaned(tick.known, tick.movement, rows, candidates, leading)
    kept = without_one_customer(tick.population, members)
    return kept, scores[np.isin(members, kept)]


def _judged(
    tick: Tick, track: Track, component: int, rows: Ints, scores: Floats, parameters: Parameters
) -> list[Group]:
    """The group, or one for each of its stories."""
    population = tick.population
    shift = shift_of(population, tick.comparison, rows, parameters)
    keys = population.columns.keys[rows]
    coordination = _coordination(tick, rows, parameters)
    z = np.where(_may_fire(tick, parameters), shift.z, np.minimum(shift.z, 0.0))
    z -= np.array([track.past(tick.hour, target) for target in population.targets])
    over = (z >= tick.lines) & coordination.holds & sharp(shift)
    strong = _strong(track, population.targets, z, over, parameters)
    for k in strong:
        track.freeze(tick.hour, population.targets[k])
    track.seen(tick.hour, keys.tolist(), dict(zip(population.targets, shift.z.tolist(), strict=True)))
    whole = Group(track, component, rows, keys, scores, shift, z, strong, coordination, None)
    if not len(strong):
        return [whole]
    stories = stories_of(shift.used_more > 0, strong)
    groups = [whole] if len(stories) == 1 else [_told_apart(tick, whole, *story, parameters) for story in stories]
    for group in groups:
        if len(group.strong):
            group.verdict = _lasting(
                track,
                population.targets[group.strong[0]],
                _verdict(tick, group.shift, group.rows, int(group.strong[0]), parameters),
            )
    return groups


def _lasting(track: Track, target: str, verdict: Verdict) -> Verdict:
    """One hand is believed at once where it is clear, else on the third tick in a row that says so."""
    ticks = track.one_hand.get(target, 0) + 1 if verdict.one_hand else 0
    track.one_hand[target] = ticks
    if verdict.one_hand and not verdict.clearly and ticks < ONE_HAND_TICKS:
        return replace(verdict, one_hand=False)
    return verdict


def _told_apart(tick: Tick, whole: Group, targets: Ints, who: NDArray[np.bool_], parameters: Parameters) -> Group:
    """One of several stories of a group; it must hold by itself."""
    rows = whole.rows[who]
    coordination = _coordination(tick, rows, parameters)
    shift = shift_of(tick.population, tick.comparison, rows, parameters)
    strong = targets if coordination.holds else targets[:0]
    return Group(
        whole.track, whole.component, rows, whole.keys[who], whole.scores[who], shift, whole.z, strong, coordination,
        None,
    )  # fmt: skip


def _coordination(tick: Tick, rows: Ints, parameters: Parameters) -> Coordination:
    return coordination_of(
        tick.population, tick.known, rows, parameters.candidate_organisations_min, parameters.value_organisations_max
    )


def _lines(budget: Budget, new: NDArray[np.bool_]) -> Floats:
    """What is not new needs more until the fleet's own swings are known."""
    return budget.line + np.where(new | budget.calibrated, 0.0, UNCALIBRATED_MORE)


def _may_fire(tick: Tick, parameters: Parameters) -> NDArray[np.bool_]:
    """Targets that have a past to be held against, or are known to be new."""
    if tick.history_h >= parameters.warm_up_h:
        return np.ones(len(tick.population.targets), bool)
    return tick.new


def placebos_of(tick: Tick, parameters: Parameters) -> dict[int, dict[str, float]]:
    """What ordinary groups of this tick show, tested as networks are: by key, z of each target that rose sharply.

    Cohorts of the size of networks, the same ones hour after hour while they last. O(placebos x members x targets).
    """
    if tick.history_h < parameters.warm_up_h:
        return {}
    sized = [one for one in tick.cohorts if PLACEBO_ACCOUNTS_MIN <= len(one.rows) <= PLACEBO_ACCOUNTS_MAX]
    found = {}
    for cohort in sorted(sized, key=lambda one: one.key)[:PLACEBOS_MAX]:
        shift = shift_of(tick.population, tick.comparison, cohort.rows, parameters)
        rose = np.flatnonzero(sharp(shift))
        found[cohort.key] = {tick.population.targets[k]: float(shift.z[k]) for k in rose.tolist()}
    return found


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


def _verdict(tick: Tick, shift: Shift, rows: Ints, target: int, parameters: Parameters) -> Verdict:
    """Asked of the group and of those of it who moved; both must pass."""

    def ask(members: Ints) -> Verdict:
        return verdict_of(
            tick.population, tick.ordinary, tick.all_values, tick.activity, members, tick.capabilities, target,
            clock=parameters.clock_vote,
        )  # fmt: skip

    whole = ask(rows)
    movers = rows[shift.used_more[:, target] > 0]
    if len(movers) < 8 or not whole.one_hand:
        return whole
    moved = ask(movers)
    return whole if moved.one_hand else moved
