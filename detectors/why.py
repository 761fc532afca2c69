"""Why did it not fire? For an account, a cohort or a target: which test, which number, which limit.

Reads what the last tick looked at, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from detectors.comparison.population import Ints
from detectors.comparison.shift import Shift, shift_of
from detectors.fleet import Judge
from detectors.judgement.groups import Group, Tick, rise_needed, rise_of_requests, sharp
from detectors.judgement.severity import unchosen
from detectors.parameters import Parameters
from detectors.ties.holdings import Holdings
from detectors.ties.membership import KEEP_SCORE

TARGETS_SHOWN = 3
GROUPS_SHOWN = 5
COHORT_ACCOUNTS_MIN = 2

RULES = {
    "few_organisations": "too few organisations (`candidate_organisations_min`)",
    "coordinated": "it holds",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One test. holds: whether it speaks for an alert; None where it is only said for context."""

    test: str
    value: str
    limit: str
    holds: bool | None = None


def why_account(judge: Judge, account_id: str) -> list[Reason]:
    """Every test between an account and an alert, in the order in which they are asked. O(targets + groups)."""
    tick, parameters = judge.last_tick, judge.parameters
    if tick is None:
        return [_nothing_yet()]
    population = tick.population
    row = int(np.searchsorted(np.array(population.columns.ids, object), account_id))
    if row >= len(population) or population.columns.ids[row] != account_id:
        return [Reason("requests in the last 24 h", "0: not active, or no such account", "at least 1", False)]
    requests = int(population.n[row])
    reasons = [
        Reason("requests in the last 24 h", str(requests), f"at least {parameters.requests_min}",
               requests >= parameters.requests_min),
        *_movement(tick, row),
    ]  # fmt: skip
    mine = [group for group in judge.last_groups if row in group.rows]
    if not mine:
        return [*reasons, _in_no_group(tick, row, parameters)]
    for group in mine:
        reasons += [_score(group, row), *why_group(tick, group, parameters)]
    return reasons


def _nothing_yet() -> Reason:
    return Reason("an hour of the log", "none has been judged yet", "at least one", False)


def _movement(tick: Tick, row: int) -> list[Reason]:
    """Its strongest moves. One account alone never fires: whom it moves with decides."""
    population, nats = tick.population, tick.movement.u[row, : len(tick.population.targets)]
    found = []
    for k in np.argsort(-nats, kind="stable")[:TARGETS_SHOWN].tolist():
        if nats[k] > 0:
            before, now = population.before[row, k], population.now[row, k]
            rank = float(np.exp(-nats[k]))
            value = f"{before:.1%} -> {now:.1%}; {rank:.1%} of accounts like it moved as far"
            found.append(Reason(f"its move to {population.targets[k]}", value, "one account alone never fires"))
    return found or [Reason("its moves", "to nothing more than before", "context")]


def _in_no_group(tick: Tick, row: int, parameters: Parameters) -> Reason:
    rare = Holdings(tick.population, tick.carried, parameters.value_organisations_max)
    _, value = rare.of(np.array([row]))
    return Reason(
        "in a network",
        f"no; it carries {len(value)} rare values that others carry as well",
        "it and those it shares rare values with moved toward one target, in the same hours",
        False,
    )


def _score(group: Group, row: int) -> Reason:
    score = float(group.scores[np.flatnonzero(group.rows == row)[0]])
    return Reason("belongs to its group", f"log-odds {score:.1f}", f"{KEEP_SCORE:g} to stay in it", score >= KEEP_SCORE)


def why_group(tick: Tick, group: Group, parameters: Parameters) -> list[Reason]:
    """The tests of one network: is it a network, did it move, is it one hand?"""
    held = group.coordination
    organisations = f"{len(group.rows)} accounts of {held.organisations} organisations, {held.values} values shared"
    reasons = [Reason("is it a network", organisations, RULES.get(held.why, held.why), held.holds)]
    reasons += _strongest(tick, group.shift, group.z, parameters)
    streak = max(group.track.streak.values(), default=0)
    reasons.append(
        Reason("ticks in a row", str(streak), f"at least {parameters.ticks_min}", streak >= parameters.ticks_min)
    )
    if group.verdict is None:
        reasons.append(Reason("one operator", "not asked: nothing is strong enough", "asked of what moved"))
    else:
        said = f"log-odds {group.verdict.log_odds:+.1f}; {group.verdict.looks_like or 'one operator'}"
        limit = f"a page from {group.verdict.page:+.1f}, a warning from {group.verdict.ticket:+.1f}"
        reasons.append(Reason("one operator", said, limit, group.verdict.one_hand))
        reasons += _swing(group)
    return reasons


def _swing(group: Group) -> list[Reason]:
    """Whether those moved as well whom nobody chose by how they moved."""
    others, line = unchosen(group)
    if others is None:
        return []
    limit = f"z at least {line:g}; for a warning, or half a day"
    return [Reason("did those move whom nobody chose", f"z {others:.1f}", limit, others >= line)]


def _strongest(
    tick: Tick, shift: Shift, z: np.ndarray[tuple[int], np.dtype[np.float64]], parameters: Parameters
) -> list[Reason]:
    """The targets toward which a group moved most."""
    found = []
    for k in np.argsort(-z, kind="stable")[:TARGETS_SHOWN].tolist():
        expected = shift.share_before[k] + shift.comparable[k]
        value = f"{shift.share_before[k]:.1%} -> {shift.share_now[k]:.1%}, expected {expected:.1%}: z {z[k]:.1f}"
        strong = bool(z[k] >= tick.line)
        found.append(Reason(f"move to {tick.population.targets[k]}", value, f"z at least {tick.line:g}", strong))
        if strong:
            found.append(_rise(shift, k))
    return found


def _rise(shift: Shift, k: int) -> Reason:
    """However sure a shift is, a small one is no alert."""
    value = (
        f"beyond its like: organisations' mean {100 * shift.excess[k]:+.1f} points, all requests "
        f"{100 * rise_of_requests(shift)[k]:+.1f}, begun by {shift.excess_breadth[k]:.0%}"
    )
    limit = f"both at least {100 * rise_needed(shift)[k]:+.1f}; of what it did not use, the mean, or a tenth that begin"
    return Reason("is it large enough", value, limit, bool(sharp(shift)[k]))


def why_cohort(judge: Judge, dimension: str, value: str) -> list[Reason]:
    """The test of the accounts that carry one value now. O(accounts x targets)."""
    tick, parameters = judge.last_tick, judge.parameters
    if tick is None:
        return [_nothing_yet()]
    rows = _rows_of(tick, parameters, dimension, value)
    enough = len(rows) >= COHORT_ACCOUNTS_MIN
    size = Reason("accounts active with it", str(len(rows)), f"at least {COHORT_ACCOUNTS_MIN}", enough)
    if not enough:
        return [size]
    shift = shift_of(tick.population, tick.comparison, rows, parameters)
    inside = [group for group in judge.last_groups if len(np.intersect1d(group.rows, rows))]
    alone = Reason("by itself a page", "never: one customer may migrate", "a network of unrelated organisations", False)
    return [size, *_strongest(tick, shift, shift.z, parameters), alone, *_overlaps(inside, rows)]


def _rows_of(tick: Tick, parameters: Parameters, dimension: str, value: str) -> Ints:
    columns = tick.population.columns
    own = {
        parameters.org_dimension: columns.org,
        parameters.country_dimension: columns.country,
        parameters.signup_dimension: columns.signup_week,
    }
    if dimension in own:
        places = [i for i, name in enumerate(columns.names) if name == value]
        return np.flatnonzero(np.isin(own[dimension], places))
    carried = tick.carried
    wanted = [i for i in range(len(carried.key)) if carried.name(i) == (dimension, value)]
    return np.unique(carried.row[np.isin(carried.value, wanted)])


def _overlaps(groups: Sequence[Group], rows: Ints) -> list[Reason]:
    return [
        Reason("shared with a network", f"{len(np.intersect1d(group.rows, rows))} of its {len(group.rows)} accounts",
               "context")
        for group in groups[:GROUPS_SHOWN]
    ]  # fmt: skip


def why_target(judge: Judge, target: str) -> list[Reason]:
    """What the fleet, and the networks that moved most, did toward one target. O(groups x log groups)."""
    tick, parameters = judge.last_tick, judge.parameters
    if tick is None:
        return [_nothing_yet()]
    names = [name for name in tick.population.targets if target in (name, name.partition(":")[2])]
    if not names:
        return [Reason("requests toward it", "none in the last 24 h", "at least 1", False)]
    k = tick.population.targets.index(names[0])
    now = float(tick.population.X[:, k].sum() / max(1.0, tick.population.n.sum()))
    reasons = [Reason(f"the fleet's share of {names[0]}", f"{tick.population.fleet[k]:.1%} -> {now:.1%}", "context")]
    reasons.append(_history(tick, names[0], parameters))
    groups = sorted(judge.last_groups, key=lambda group: (-float(group.z[k]), len(group.rows)))[:GROUPS_SHOWN]
    for group in groups:
        value = f"z {group.z[k]:.1f}: {group.shift.share_before[k]:.1%} -> {group.shift.share_now[k]:.1%}"
        limit = f"z at least {tick.line:g}; {RULES.get(group.coordination.why, group.coordination.why)}"
        holds = bool(group.z[k] >= tick.line and group.coordination.holds)
        reasons.append(Reason(f"a network of {len(group.rows)} accounts", value, limit, holds))
    return reasons if groups else [*reasons, Reason("networks", "none was found in this tick", "at least one", False)]


def _history(tick: Tick, target: str, parameters: Parameters) -> Reason:
    known = tick.history_h >= parameters.warm_up_h
    limit = f"{parameters.warm_up_h} h, or a model that is new"
    return Reason("hours of history", str(tick.history_h), limit, known or tick.is_new(target))
