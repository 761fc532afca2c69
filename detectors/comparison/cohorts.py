"""Did one declared cohort's traffic turn sharply? Difference in differences on a short tick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.findings import Finding, Level, Phase, Subject, Target
from detectors.comparison.population import Floats, Ints
from detectors.counts.summary import FLEET, CohortCounts

FAST_HALF_LIFE_TICKS = 12  # an hour of 5-minute ticks
SLOW_HALF_LIFE_TICKS = 2_016  # a week of them
REQUESTS_MIN = 60.0  # in the fast window: below it, a share says nothing within the hour
BASELINE_MIN = 400.0
COHORTS_MAX = 20_000  # 24 bytes a target each: 24 MB for 50 targets, 245 MB for the most
TARGETS_MAX = 512  # that are followed by cohort: a platform has dozens
KEPT = 0.75  # of either, where some must go
COLUMNS_AT_ONCE = 64  # compared in one go: 10 MB for each intermediate matrix, whatever the number of targets
FLEET_PRIOR = 20.0  # requests that the fleet's past weighs in a cohort's
SPREAD_MIN = 0.02
CROWD_MIN = 8.0  # accounts in 5 minutes: with fewer, one busy account's session is the cohort
LINE_Z = 6.0
SHARP = 0.25  # points of share beyond what the fleet did
LARGE = 0.02  # of the fleet's requests: one customer whom the platform should hear about
TICKS_MIN = 12  # an hour: the session of one busy account is over by then
LARGE_CROWD_MIN = 20.0
LASTING_TICKS = 36  # three hours: what one batch of one account does not reach, a migration does
BASELINE_TICKS = 24 * 12
HISTORY_TICKS = 72 * 12
OWN_Z = 6.0
OWN_SPREAD_MIN = 0.03
WOBBLE_HALF_LIFE_TICKS = 576  # two days
_PLAIN = ("fast_n", "slow_n", "crowd", "fast", "slow", "wobble", "first_tick")  # stand in a snapshot as they are


@dataclass(slots=True)
class Turn:
    """What one cohort did in one tick. Shares of requests, 0 to 1."""

    row: int
    target: int
    z: float
    before: float
    now: float
    expected: float
    requests: float


class Cohorts:
    """Counts of every declared cohort by target: the last hour, and the weeks before it.

    The baseline is fed only by what leaves the fast window. A cohort is held against the fleet's own change since
    then, in units of how much the cohorts of its dimension differ in this very tick, so that a release or a viral
    feature makes nobody stand out; and in units of how much it wobbles by itself, since a cohort of one busy account
    turns with every session. O(cohorts x targets) a tick. Of more than COHORTS_MAX cohorts or TARGETS_MAX targets those
    with most requests, decayed, are followed: what came first has no right to stay.
    """

    def __init__(self, target_of: Callable[[str], Target], org_dimension: str, tick_ms: int) -> None:
        self._target_of = target_of
        self._org = org_dimension
        self._tick_ms = tick_ms
        self.rows: dict[tuple[str, str], int] = {FLEET: 0}
        self._dimension: NDArray[np.str_] = np.array([FLEET[0]])  # of each row
        self.columns: dict[str, int] = {}
        self.fast_n: Floats = np.zeros(1)
        self.slow_n: Floats = np.zeros(1)
        self.crowd: Floats = np.zeros(1)  # accounts a tick, over the last hour
        self.fast: Floats = np.zeros((1, 0))
        self.slow: Floats = np.zeros((1, 0))
        self.wobble: Floats = np.zeros((1, 0))  # mean square of the excess, by cohort and target
        self.first_tick: int | None = None
        self.streak: dict[tuple[int, int], int] = {}
        self.live: dict[tuple[int, int], int] = {}
        self.not_followed = 0
        self._turned_away: set[Any] = set()  # of this tick
        self.strongest: dict[str, float] = {}  # by dimension, the largest z of the last tick; for people

    def judge(self, parts: Sequence[CohortCounts], tick: int) -> list[Finding]:
        """Take one tick in; gives a finding for every cohort that turned sharply, or lately did."""
        self.first_tick = tick if self.first_tick is None else self.first_tick
        self._forget_a_tick()
        self._make_room(parts)
        self._learn(parts)
        if tick - self.first_tick < BASELINE_TICKS:
            return []
        turns = {(turn.row, turn.target): turn for turn in self._turns()}
        if tick - self.first_tick < HISTORY_TICKS:
            return []
        self.streak = {key: self.streak.get(key, 0) + 1 for key in turns}
        for key, ticks in self.streak.items():
            if ticks >= TICKS_MIN:
                self.live[key] = tick
        self.live = {key: at for key, at in self.live.items() if tick - at <= 24}
        names, targets = list(self.rows), list(self.columns)
        found = [self._finding(names[k[0]], targets[k[1]], k, turns.get(k), tick) for k in sorted(self.live)]
        # One finding a cohort: its strongest target speaks.
        best: dict[str, Finding] = {}
        for one in found:
            if one.key not in best or one.evidence.get("statistic", 0.0) > best[one.key].evidence.get("statistic", 0.0):
                best[one.key] = one
        return [best[key] for key in sorted(best)]

    def _forget_a_tick(self) -> None:
        leave = 1.0 - 0.5 ** (1.0 / FAST_HALF_LIFE_TICKS)
        stay = 0.5 ** (1.0 / SLOW_HALF_LIFE_TICKS)
        for fast, slow in ((self.fast_n, self.slow_n), (self.fast, self.slow)):
            slow *= stay
            slow += leave * fast
            fast *= 1.0 - leave
        self.crowd *= 1.0 - leave

    def _learn(self, parts: Sequence[CohortCounts]) -> None:
        """Add one tick. Integers are summed over the partitions first: floats would differ by how many there are."""
        placed = [
            (
                self._placed(part.cohorts),
                np.array([self._column(target) for target in part.targets], np.int64),
            )
            for part in parts
        ]
        self._grow()
        requests, accounts = np.zeros(len(self.fast_n), np.int64), np.zeros(len(self.fast_n), np.int64)
        counts = np.zeros(self.fast.shape, np.int64)
        for part, (row, column) in zip(parts, placed, strict=True):
            known = row >= 0
            requests[row[known]] += part.requests[known]  # a cohort, and a target of it, comes once in a part
            accounts[row[known]] += part.accounts[known]
            at, toward = row[part.at], column[part.target]
            inside = (at >= 0) & (toward >= 0)
            counts[at[inside], toward[inside]] += part.count[inside]
        self.fast_n += requests
        self.crowd += accounts * (1.0 - 0.5 ** (1.0 / FAST_HALF_LIFE_TICKS))
        self.fast += counts

    def _make_room(self, parts: Sequence[CohortCounts]) -> None:
        """Forget the weakest cohorts and targets where what is new in this tick does not fit beside them."""
        self._turned_away = set()
        cohorts: Counter[tuple[str, str]] = Counter()
        targets: Counter[str] = Counter()
        for part in parts:
            cohorts.update(dict(zip(part.cohorts, part.requests.tolist(), strict=True)))
            of_fleet = part.at == (part.cohorts.index(FLEET) if FLEET in part.cohorts else -1)
            names = [part.targets[i] for i in part.target[of_fleet].tolist()]
            targets.update(dict(zip(names, part.count[of_fleet].tolist(), strict=True)))
        weight = self.fast_n + self.slow_n
        weight[0] = np.inf  # the fleet
        rows = self._strongest(self.rows, weight, cohorts, COHORTS_MAX)
        columns = self._strongest(self.columns, self.fast[0] + self.slow[0], targets, TARGETS_MAX)
        if rows is not None or columns is not None:
            self._keep(rows, columns)

    def _strongest(
        self, known: dict[Any, int], weight: Floats, seen: Counter[Any], most: int
    ) -> Mapping[Any, int] | None:
        """What is known of the strongest, with its old places, and room for what is new of them; None: all fit."""
        new = [name for name in seen if name not in known]
        if len(known) + len(new) <= most:
            return None
        told = {name: float(weight[at]) for name, at in known.items()}
        ranked = sorted([*known, *new], key=lambda name: (-(told.get(name, 0.0) + seen[name]), name))
        for name in new:
            self._turned_away.add(name)
        kept = set(ranked[: int(KEPT * most)])
        self._turned_away -= kept
        self.not_followed += len(known) + len(new) - len(kept)
        return {name: at for name, at in known.items() if name in kept}

    def _keep(self, rows: Mapping[Any, int] | None, columns: Mapping[Any, int] | None) -> None:
        """Forget all other cohorts and targets; None: all of them stay."""
        row = np.array(list((rows if rows is not None else self.rows).values()), np.int64)
        column = np.array(list((columns if columns is not None else self.columns).values()), np.int64)
        for name in ("fast_n", "slow_n", "crowd"):
            setattr(self, name, getattr(self, name)[row])
        for name in ("fast", "slow", "wobble"):
            setattr(self, name, getattr(self, name)[np.ix_(row, column)])
        self.rows = {name: i for i, name in enumerate(rows if rows is not None else self.rows)}
        self.columns = {name: i for i, name in enumerate(columns if columns is not None else self.columns)}
        self._dimension = np.array([dimension for dimension, _ in self.rows])
        places = {int(old): new for new, old in enumerate(row)}, {int(old): new for new, old in enumerate(column)}
        self.streak, self.live = _moved(self.streak, *places), _moved(self.live, *places)

    def _placed(self, cohorts: Sequence[tuple[str, str]]) -> Ints:
        """The row of each cohort, new ones added; -1 for those beyond the bound."""
        row = np.array([self.rows.get(cohort, -1) for cohort in cohorts], np.int64)
        for i in np.flatnonzero(row < 0).tolist():
            if cohorts[i] not in self._turned_away:
                row[i] = self.rows.setdefault(cohorts[i], len(self.rows))
        return row

    def _column(self, target: str) -> int:
        return -1 if target in self._turned_away else self.columns.setdefault(target, len(self.columns))

    def _grow(self) -> None:
        rows, columns = len(self.rows), len(self.columns)
        if rows <= len(self.fast_n) and columns == self.fast.shape[1]:
            return
        rows = max(rows, min(2 * len(self.fast_n), COHORTS_MAX)) if rows > len(self.fast_n) else len(self.fast_n)
        for name in ("fast_n", "slow_n", "crowd"):
            grown = np.zeros(rows)
            grown[: len(getattr(self, name))] = getattr(self, name)
            setattr(self, name, grown)
        for name in ("fast", "slow", "wobble"):
            old: Floats = getattr(self, name)
            matrix = np.zeros((rows, columns))
            matrix[: old.shape[0], : old.shape[1]] = old
            setattr(self, name, matrix)

    def _turns(self) -> list[Turn]:
        """Cohorts over the line in this tick, each target by itself."""
        heard = np.flatnonzero((self.fast_n >= REQUESTS_MIN) & (self.slow_n >= BASELINE_MIN))
        heard = heard[(heard > 0) & (self.crowd[heard] >= CROWD_MIN)]
        if len(self._dimension) < len(self.rows):
            new = [dimension for dimension, _ in islice(self.rows, len(self._dimension), None)]
            self._dimension = np.concatenate((self._dimension, np.array(new)))
        dimension = self._dimension
        turns: list[Turn] = []
        self.strongest = {}
        for one in sorted(set(dimension[heard].tolist())):
            rows = heard[dimension[heard] == one]
            if len(rows) >= 2:
                turns += self._turns_of(rows, one)
        return turns

    def _turns_of(self, rows: Ints, dimension: str) -> list[Turn]:
        self.strongest[dimension] = 0.0
        return [
            turn
            for first in range(0, self.fast.shape[1], COLUMNS_AT_ONCE)
            for turn in self._turns_toward(rows, dimension, slice(first, first + COLUMNS_AT_ONCE))
        ]

    def _turns_toward(self, rows: Ints, dimension: str, some: slice) -> list[Turn]:
        """The turns toward some of the targets, each of which is compared by itself."""
        n = self.fast_n[rows][:, None]
        fast, slow = self.fast[:, some], self.slow[:, some]
        fleet_before = slow[0] / max(self.slow_n[0], 1.0)
        before = (slow[rows] + FLEET_PRIOR * fleet_before) / (self.slow_n[rows] + FLEET_PRIOR)[:, None]
        now = fast[rows] / n
        rest_n = np.maximum(self.fast_n[0] - self.fast_n[rows], 1.0)[:, None]
        rest_nb = np.maximum(self.slow_n[0] - self.slow_n[rows], 1.0)[:, None]
        others = (fast[0] - fast[rows]) / rest_n - (slow[0] - slow[rows]) / rest_nb
        excess = now - before - others
        unit = excess / np.sqrt(np.clip(before, 0.01, 0.99) * (1 - np.clip(before, 0.01, 0.99)) / n + SPREAD_MIN**2)
        usual = np.maximum(1.4826 * np.median(np.abs(unit - np.median(unit, axis=0)), axis=0), 1.0)
        z = unit / usual
        self.strongest[dimension] = max(self.strongest[dimension], float(z.max(initial=0.0)))
        own = excess / np.sqrt(self.wobble[rows, some] + OWN_SPREAD_MIN**2)
        over = (z >= LINE_Z) & (excess >= SHARP)
        self._learn_wobble(rows, some, excess, over)
        at, target = np.nonzero(over & (own >= OWN_Z))
        return [
            Turn(int(rows[i]), int(k) + some.start, float(z[i, k]), float(before[i, k]), float(now[i, k]),
                 float(np.clip(before[i, k] + others[i, k], 0.0, 1.0)), float(n[i, 0]))
            for i, k in zip(at.tolist(), target.tolist(), strict=True)
        ]  # fmt: skip

    def _learn_wobble(self, rows: Ints, some: slice, excess: Floats, over: NDArray[np.bool_]) -> None:
        """How much each cohort turns by itself; a turn that lasts is learnt at a quarter of the pace."""
        pace = (1.0 - 0.5 ** (1.0 / WOBBLE_HALF_LIFE_TICKS)) * np.where(over, 0.25, 1.0)
        self.wobble[rows, some] += pace * (excess**2 - self.wobble[rows, some])

    def _finding(
        self, cohort: tuple[str, str], target: str, key: tuple[int, int], turn: Turn | None, tick: int
    ) -> Finding:
        dimension, name = cohort
        large = self.fast_n[key[0]] >= LARGE * self.fast_n[0] and self.crowd[key[0]] >= LARGE_CROWD_MIN
        lasting = self.streak.get(key, 0) >= LASTING_TICKS
        level = Level.WARNING if dimension == self._org and large and lasting else Level.INFO
        at_ms = (tick + 1) * self._tick_ms
        return Finding(
            key=f"cohort:{dimension}={name}",
            kind="capability_shift" if target.startswith("capability:") else "release_shift",
            subject=Subject("cohort", name, dimension),
            targets=(self._target_of(target),),
            level=level,
            phase=Phase.QUIET if turn is None else Phase.MOVING,
            at_ms=at_ms,
            onset_ms=at_ms - (1 + self.streak.get(key, 0)) * self._tick_ms,
            members=(),
            evidence={} if turn is None else _evidence(turn, self.streak[key]),
            why="one_customer" if dimension == self._org else "one_cohort",
        )

    def state(self) -> dict[str, Any]:
        """All of it, for a snapshot."""
        return {
            **{name: getattr(self, name) for name in _PLAIN},
            "rows": [list(name) for name in self.rows],
            "columns": list(self.columns),
            "streak": [[*key, ticks] for key, ticks in self.streak.items()],
            "live": [[*key, at] for key, at in self.live.items()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        for name in _PLAIN:
            setattr(self, name, state[name])
        self.rows = {(dimension, value): i for i, (dimension, value) in enumerate(state["rows"])}
        self._dimension = np.array([dimension for dimension, _ in self.rows])
        self.columns = {name: i for i, name in enumerate(state["columns"])}
        self.streak = {(row, column): ticks for row, column, ticks in state["streak"]}
        self.live = {(row, column): at for row, column, at in state["live"]}


def _moved(told: Mapping[tuple[int, int], int], row: Mapping[int, int], column: Mapping[int, int]) -> dict[Any, int]:
    """What is known by (row, column), at their new places; what has none is forgotten."""
    return {(row[r], column[k]): value for (r, k), value in told.items() if r in row and k in column}


def _evidence(turn: Turn, ticks: int) -> dict[str, Any]:
    return {
        "requests": round(turn.requests),
        "window_h": 1,
        "share_before": round(turn.before, 4),
        "share_after": round(turn.now, 4),
        "share_expected": round(turn.expected, 4),
        "comparable_change": round(turn.expected - turn.before, 4),
        "statistic": round(turn.z, 2),
        "threshold": LINE_Z,
        "ticks": ticks,
        "looks_like": "one_customer",
        "harmless_if": ["the customer migrated: announce it as an expected shift"],
    }
