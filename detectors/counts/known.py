"""Which names are known by a number? Where there is not room for all, those that most accounts use, not the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.interned import Interned
from detectors.counts.rows import Rows
from detectors.counts.summary import FLEET
from detectors.parameters import Parameters

SLOTS = 3  # what an account says of itself: organisation, country, signup week
UNNAMED = 2  # the last two columns: what has no name, which is never judged, and the request itself
UNUSED_MAX = 1_024  # names that nobody uses may stay, beside as many as are used

ACCOUNT_WEIGHS = 20  # requests of one account that count for a name: no account makes room for its own by asking more
EVERY = 64  # of so many requests with names that are not known, one brings its name in where room is scarce
KEPT = 4  # a quarter of the room is free again after names were forgotten


class Room:
    """Whether a name that is not known comes in. It does while an eighth of the room is free.

    Then only with every 64th request that has such a name, and with every 4096th while less than a sixteenth is free:
    a model that many begin to use comes in among a million names that are used once. Source: Estan and Varghese 2002,
    New directions in traffic measurement and accounting (sample and hold).

    turned_away: requests that did not bring their name in, since `made`.

    >>> room = Room(capacity=4)
    >>> [room.admits(held, requests=1) for held in (0, 3, 4)], room.turned_away
    ([True, True, False], 1)
    """

    __slots__ = ("_waited", "capacity", "turned_away")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.turned_away = 0
        self._waited = 0

    def admits(self, held: int, requests: int) -> bool:
        """Whether a new name with so many requests comes in, where so many are held. O(1)."""
        free = self.capacity - held
        every = 1 if free > self.capacity // 8 else EVERY if free > self.capacity // 16 else EVERY**2
        before, self._waited = self._waited, self._waited + requests
        if free > 0 and (every == 1 or before // every != self._waited // every):
            return True
        self.turned_away += requests
        return False

    @property
    def most(self) -> int:
        """How many names are kept when some are forgotten."""
        return max(self.capacity - max(self.capacity // KEPT, 1), 1)

    def made(self) -> None:
        """There is room again."""
        self.turned_away = 0


def accounts_weighed(width: int, counted: Iterable[tuple[NDArray[np.int64], NDArray[Any]]]) -> NDArray[np.float64]:
    """Traffic by column of codes `row * width + column`, an account's up to `ACCOUNT_WEIGHS` a part. O(entries).

    >>> accounts_weighed(10, [(np.array([3, 13, 14]), np.array([2, 1, 900]))])[3:5].tolist()
    [3.0, 20.0]
    """
    total = np.zeros(width)
    for codes, counts in counted:
        total += np.bincount(codes % width, weights=np.minimum(counts, ACCOUNT_WEIGHS), minlength=width)
    return total


def accounts_heard(counted: Iterable[tuple[NDArray[np.int64], NDArray[np.int64]]], cohorts: int) -> NDArray[np.int64]:
    """How many accounts each cohort had, summed over the (cohorts, accounts) of ticks."""
    accounts = np.zeros(cohorts, np.int64)
    for cohort, heard in counted:
        accounts[cohort] += heard
    return accounts


def strongest(traffic: NDArray[np.float64], names: Sequence[Any], most: int) -> NDArray[np.int64]:
    """Indexes of the names with most traffic, rising; of equal ones the first by name. O(names log names).

    >>> strongest(np.array([1.0, 3.0, 1.0]), ["b", "c", "a"], most=2).tolist()
    [1, 2]
    """
    ranked = sorted(range(len(names)), key=lambda i: (-traffic[i], names[i]))
    return np.array(sorted(ranked[:most]), np.int64)


def first_to_go(
    last_seen_h: NDArray[np.int64], first_seen: NDArray[np.int64], lately: NDArray[Any], judged: NDArray[np.bool_],
    keys: NDArray[np.uint64],
) -> NDArray[np.int64]:  # fmt: skip
    """Accounts in the order in which they give way where there is no room. lately: requests of the fast window.

    First those of too few requests to be judged: silent ones for longest, then the others by their key, so that some
    stay long enough to be judged however many come. Then judged ones that are silent, for longest, and last the active
    ones, the newest first: a flood of accounts pushes nobody out who was there before it. O(accounts log accounts).

    >>> seen, none = np.array([9, 9, 5, 9]), np.zeros(4)
    >>> first_to_go(seen, np.array([0, 8, 0, 9]), np.array([4, 5, 0, 1]), none == 1, seen.astype(np.uint64)).tolist()
    [2, 0, 1, 3]
    >>> first_to_go(seen, np.array([0, 8, 0, 9]), np.array([4, 5, 0, 1]), none == 0, seen.astype(np.uint64)).tolist()
    [2, 3, 1, 0]
    """
    active = lately > 0
    within = np.where(~active, last_seen_h, np.where(judged, -first_seen, 0))
    return np.lexsort((keys, within, active, judged))


class Kinds:
    """What each value of a frame's table means: link value, declared cohort, what an account says of itself."""

    __slots__ = ("cohort", "link", "name", "slot")

    def __init__(self, count: int) -> None:
        self.link = np.zeros(count, bool)
        self.cohort = np.full(count, -1, np.int64)
        self.slot = np.full(count, -1, np.int64)
        self.name = np.full(count, -1, np.int64)


class Known:
    """Names and their numbers: targets, cohorts, what accounts say of themselves, and the values that they carry.

    targets_over, cohorts_over: requests that did not bring a name in because there was no room.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.targets, self.cohorts, self.names = Interned(), Interned(), Interned()
        self.value_names: dict[int, tuple[str, str]] = {}
        self.room_of_targets = Room(parameters.targets_max - UNNAMED)
        self.room_of_cohorts = Room(parameters.cohorts_max)
        self.targets_over = self.cohorts_over = 0
        # A frame's rows come tick by tick, all with the frame's one table of values: it is looked up once.
        self._kinds: tuple[Sequence[tuple[str, str]], Kinds] | None = None
        self.cohorts.of(FLEET)

    def held(self) -> dict[str, int]:
        """How many names of each kind are known."""
        return {
            "targets": len(self.targets.names),
            "cohorts": len(self.cohorts.names),
            "accounts_say": len(self.names.names),
            "values": len(self.value_names),
        }

    def targets_of(self, rows: Rows, capability: NDArray[np.integer]) -> NDArray[np.int64]:
        """The number of each target of the rows' table. capability: of each (request, capability), flat."""
        index = self.targets.index
        found = np.array([index.get((name, ""), -1) for name in rows.targets], np.int64)
        new = np.flatnonzero(found < 0)
        if len(new):
            requests = np.bincount(np.concatenate((rows.model, capability)), minlength=len(found))
            for i in new[np.argsort(-requests[new], kind="stable")].tolist():
                found[i] = self._target(rows.targets[i], max(int(requests[i]), 1))
        return found

    def _target(self, name: str, requests: int) -> int:
        if self.room_of_targets.admits(len(self.targets.names), requests):
            return self.targets.of((name, ""))
        self.targets_over += requests
        return self.parameters.targets_max - UNNAMED

    def kinds_of_values(self, rows: Rows) -> Kinds:
        """What the values of the rows' table mean; link values are remembered by their keys."""
        p = self.parameters
        slots = {p.org_dimension: 0, p.country_dimension: 1, p.signup_dimension: 2}
        if self._kinds is not None and self._kinds[0] is rows.values:
            return self._kinds[1]
        kinds = Kinds(len(rows.values))
        dimensions = [dimension for dimension, _ in rows.values]
        places = {dimension: i for i, dimension in enumerate(dict.fromkeys(dimensions))}
        place = np.array([places[dimension] for dimension in dimensions], np.int64)

        def of(wanted: Iterable[str]) -> NDArray[np.int64]:
            return np.flatnonzero(np.array([dimension in wanted for dimension in places], bool)[place])

        links = of(p.link_dimensions)
        kinds.link[links] = True
        pairs = [rows.values[i] for i in links.tolist()]
        self.value_names.update(zip(rows.value_keys[links].tolist(), pairs, strict=True))
        for i in of(p.cohort_dimensions).tolist():
            kinds.cohort[i] = self._cohort(rows.values[i])
        for i in of(slots).tolist():
            kinds.slot[i] = slots[dimensions[i]]
            kinds.name[i] = self.names.of(rows.values[i])
        self._kinds = (rows.values, kinds)
        return kinds

    def _cohort(self, pair: tuple[str, str]) -> int:
        known = self.cohorts.index.get(pair)
        if known is not None:
            return known
        if self.room_of_cohorts.admits(len(self.cohorts.names), 1):
            return self.cohorts.of(pair)
        self.cohorts_over += 1
        return -1

    def keep_targets(self, traffic: NDArray[np.float64]) -> NDArray[np.int64]:
        """Forget the weakest targets; the old numbers of those that stay, rising. traffic: requests by target."""
        kept = strongest(traffic, self.targets.names, self.room_of_targets.most)
        self.targets.keep(kept)
        self.room_of_targets.made()
        return kept

    def keep_cohorts(self, accounts: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Forget cohorts; the new number of each old one, or None.

        accounts: of each cohort in this hour; held: the numbers that open ticks refer to, which stay. Those without an
        account go once they are the larger part, and where there is no room the weakest too.
        """
        traffic = np.maximum(accounts, 0).astype(np.float64)
        traffic[held] = np.inf
        traffic[0] = np.inf  # the fleet
        used = int((traffic > 0).sum())
        if not self.room_of_cohorts.turned_away and len(traffic) <= 2 * used + UNUSED_MAX:
            return None
        most = self.room_of_cohorts.most if self.room_of_cohorts.turned_away else used
        kept = strongest(traffic, self.cohorts.names, max(most, int(np.isinf(traffic).sum())))
        self.room_of_cohorts.made()
        self._kinds = None
        return self.cohorts.keep(kept)

    def keep_names(self, used: NDArray[np.int64]) -> NDArray[np.int64] | None:
        """Forget what no account says of itself any more; the new number of each old name, or None. used: rising."""
        if len(self.names.names) <= 2 * len(used) + UNUSED_MAX:
            return None
        self._kinds = None
        return self.names.keep(used)

    def keep_values(self, keys: NDArray[np.uint64]) -> None:
        """Forget the names of all values but these. keys: of values, uint64, in any order."""
        kept = set(keys.tolist())
        self.value_names = {key: name for key, name in self.value_names.items() if key in kept}
        self._kinds = None

    def restore(self, interned: Sequence[Iterable[Sequence[str]]], values: Iterable[tuple[int, str, str]]) -> None:
        """Continue with these names of targets, cohorts and accounts, in their order, and values by their keys."""
        for table, names in zip((self.targets, self.cohorts, self.names), interned, strict=True):
            table.hold(names)
        self.value_names = {key: (dimension, value) for key, dimension, value in values}
        self._kinds = None
