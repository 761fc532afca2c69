"""What of a state goes where when the shards are divided anew? Accounts and open ticks, taken out and put together.

Works on the states that snapshots hold. What belongs to an account moves with it. What belongs to none is treated so
that nothing is lost and nothing counts twice: identities of events go wherever accounts of theirs may be, since one
more than needed refuses nothing; counters go to one place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.accounts import COLUMNS
from detectors.counts.interned import Interned
from detectors.counts.known import UNNAMED
from detectors.counts.rows import SHARDS
from detectors.counts.sparse import reduced
from detectors.counts.summary import FLEET
from detectors.counts.ticks import COHORT_BITS, Entries, Int64s, TickCounts
from detectors.parameters import Parameters


@dataclass(frozen=True, slots=True)
class Part:
    """What one old place gives: the states of its accounts and of its open ticks, and which shards (a mask) move.

    counters: whether what it counted beside accounts (repeats, late requests) goes along; once for each old place.
    without: keys of accounts that stay behind, wherever they live.
    """

    accounts: Mapping[str, Any]
    ticks: Mapping[str, Any]
    shards: NDArray[np.bool_]
    counters: bool
    without: frozenset[int] = frozenset()


def gathered(parameters: Parameters, parts: Sequence[Part]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The states of accounts and of open ticks that hold exactly the accounts that move. O(state of the parts).

    All parts must have closed the same ticks. Raises ValueError where they have not, or a part cannot be divided.
    """
    opened = {part.ticks["first_open"] for part in parts} - {None}
    if len(opened) > 1:
        raise ValueError(f"expected parts that closed the same ticks, got first open ticks {sorted(opened)}")
    gathering = _Gathering(parameters)
    for part in parts:
        gathering.take(part)
    ticks = {"first_open": max(opened, default=None), "late": gathering.late, "ticks": gathering.open_ticks()}
    accounts = gathering.accounts()
    if any(part.without for part in parts):
        accounts["value_names"] = _still_carried(accounts, ticks)
    return accounts, ticks


def _still_carried(accounts: Mapping[str, Any], ticks: Mapping[str, Any]) -> list[Any]:
    """The names of values that an account carries which is left, in this hour or in an open tick."""
    carried = TickCounts.__slots__.index("carried")
    keys = [plain[carried][1] for plain in accounts["hour_counts"]]
    opened = Entries.__slots__.index("carried_key")
    keys += [plain[opened] for *_, entries in ticks["ticks"] for plain in entries]
    left = set(np.concatenate(keys).tolist()) if keys else set()
    return [one for one in accounts["value_names"] if one[0] in left]


def shards_of(partition: int, partitions: int) -> NDArray[np.bool_]:
    """Which shards live in a partition, as a mask.

    >>> shards_of(1, 4).nonzero()[0][:3].tolist()
    [1, 5, 9]
    """
    mask: NDArray[np.bool_] = np.arange(SHARDS) % partitions == partition
    return mask


class _Renamed:
    """Codes of an old table in the new one. A name is taken over when it is first used; `over` where there is no room.

    Codes from `kept` on, and negative ones, mean the same everywhere.
    """

    def __init__(self, old: Sequence[Sequence[str]], new: Interned, limit: int, kept: int, over: int) -> None:
        self._old = old
        self._new = new
        self._limit = limit
        self._kept = kept
        self._over = over
        self._code = np.full(len(old), -2, np.int64)

    def of(self, codes: NDArray[Any]) -> Int64s:
        """The new code of each old one. O(codes)."""
        named = (codes >= 0) & (codes < self._kept)
        used = np.unique(codes[named])
        for code in used[self._code[used] == -2].tolist():
            self._code[code] = self._place(code)
        found = codes.astype(np.int64)
        found[named] = self._code[codes[named]]
        return found

    def _place(self, code: int) -> int:
        first, second = self._old[code]
        if (first, second) not in self._new.index and len(self._new.names) >= self._limit:
            return self._over
        return self._new.of((first, second))


class _Codes:
    """The way of one part's rows and codes into the gathered state."""

    def __init__(self, gathering: _Gathering, part: Part) -> None:
        p = gathering.parameters
        self.width = p.targets_max
        targets, cohorts, names = part.accounts["interned"]
        moves = part.shards[part.accounts["shards"]]
        if part.without:
            moves &= ~np.isin(part.accounts["keys"], np.array(sorted(part.without), np.uint64))
        self.rows = np.flatnonzero(moves)
        self.row = np.full(len(part.accounts["shards"]), -1, np.int64)
        self.row[self.rows] = np.arange(len(self.rows)) + len(gathering.ids)
        named = p.targets_max - UNNAMED
        self.target = _Renamed(targets, gathering.targets, limit=named, kept=named, over=named)
        self.cohort = _Renamed(cohorts, gathering.cohorts, p.cohorts_max, len(cohorts), -1)
        self.name = _Renamed(names, gathering.names, 1 << 31, len(names), -1)

    def account_target(self, codes: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
        """row * width + target of those whose account moves; and which those are."""
        row = self.row[codes // self.width]
        keep = row >= 0
        return row[keep] * self.width + self.target.of(codes[keep] % self.width), keep

    def judged(self, codes: Int64s, counts: NDArray[Any]) -> tuple[Int64s, NDArray[Any]]:
        """Sorted codes with their counts; what has no name of its own is never judged."""
        moved, keep = self.account_target(codes)
        named = moved % self.width < self.width - UNNAMED
        return reduced(moved[named], counts[keep][named])


class _Gathering:
    """Takes part after part; each one's accounts follow those of the one before."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.ids: list[str] = []
        self.targets, self.cohorts, self.names = Interned(), Interned(), Interned()
        self.cohorts.of(FLEET)
        self.late = 0
        self._columns: dict[str, list[NDArray[Any]]] = defaultdict(list)
        self._sparse: dict[str, list[tuple[Int64s, NDArray[Any]]]] = {"fast": [], "slow": []}
        self._ring: dict[int, list[tuple[Int64s, NDArray[Any]]]] = defaultdict(list)
        self._hour: dict[int, list[TickCounts]] = defaultdict(list)
        self._value_names: dict[int, tuple[str, str]] = {}
        self._open: dict[int, _Opened] = {}

    def take(self, part: Part) -> None:
        """Add what moves of one part."""
        codes = _Codes(self, part)
        state = part.accounts
        for name in COLUMNS:
            column = state[name][codes.rows]
            self._columns[name].append(codes.name.of(column).astype(column.dtype) if name == "said" else column)
        for name, taken in self._sparse.items():
            taken.append(codes.judged(*state[name]))
        for hour, entries, counts in state["ring"]:
            self._ring[hour].append(codes.judged(entries, counts))
        for plain in state["hour_counts"]:
            self._hour[plain[0]].append(_closed(plain, codes))
        self._value_names |= {key: (dimension, value) for key, dimension, value in state["value_names"]}
        self.late += part.ticks["late"] if part.counters else 0
        for number, _, repeats, events, entries in part.ticks["ticks"]:
            moved = [one for one in (_moved(plain, codes) for plain in entries) if len(one.seen_row)]
            if moved or (part.counters and repeats):
                tick = self._open.setdefault(number, _Opened([], [], 0))
                tick.entries += moved
                tick.events += events if moved else []
                tick.repeats += repeats if part.counters else 0
        self.ids += [state["ids"][row] for row in codes.rows.tolist()]

    def accounts(self) -> dict[str, Any]:
        """As `Accounts.state` gives it."""
        return {
            **{name: np.concatenate(self._columns[name]) for name in COLUMNS},
            **{name: list(_joined(taken)) for name, taken in self._sparse.items()},
            "ids": self.ids,
            "ring": [[hour, *_joined(taken)] for hour, taken in sorted(self._ring.items())],
            "interned": [self.targets.names, self.cohorts.names, self.names.names],
            "value_names": [[key, *pair] for key, pair in self._value_names.items()],
            "hour_counts": [_as_one(taken) for _, taken in sorted(self._hour.items())],
        }

    def open_ticks(self) -> list[list[Any]]:
        """As `OpenTicks.state` gives them."""
        return [[number, *tick.state()] for number, tick in sorted(self._open.items())]


@dataclass(slots=True)
class _Opened:
    """What is gathered of one open tick."""

    entries: list[Entries]
    events: list[NDArray[np.uint64]]
    repeats: int

    def state(self) -> list[Any]:
        events = [np.unique(np.concatenate(self.events))] if self.events else []
        plain = [[getattr(one, name) for name in Entries.__slots__] for one in self.entries]
        return [sum(len(one.seen_row) for one in self.entries), self.repeats, events, plain]


def _joined(taken: Sequence[tuple[Int64s, NDArray[Any]]]) -> tuple[Int64s, NDArray[Any]]:
    """Sorted codes of parts whose rows follow one another, as one."""
    return np.concatenate([codes for codes, _ in taken]), np.concatenate([counts for _, counts in taken])


_NONE = np.zeros(0, np.int64)


def _closed(plain: Sequence[Any], codes: _Codes) -> TickCounts:
    """What the close of the hour reads of a closed tick. What was told when the tick closed is not needed again."""
    old = dict(zip(TickCounts.__slots__, plain, strict=True))
    entries, keep = codes.account_target(old["account_target"][0])
    row, key, carried = old["carried"]
    carrier = codes.row[row]
    seen, at, requests = old["seen"]
    seer = codes.row[seen]
    return TickCounts(
        tick=old["tick"],
        accepted=int(requests[seer >= 0].sum()),
        repeats=0,
        account_target=reduced(entries, old["account_target"][1][keep]),
        cohort_target=(_NONE, _NONE),
        cohort_accounts=(_NONE, _NONE),
        carried=(carrier[carrier >= 0], key[carrier >= 0], carried[carrier >= 0]),
        said=(_NONE, _NONE, _NONE, _NONE),
        seen=(seer[seer >= 0], at[seer >= 0], requests[seer >= 0]),
    )


def _as_one(taken: Sequence[TickCounts]) -> list[Any]:
    """One closed tick, of parts whose rows follow one another."""
    out: list[Any] = []
    for name in TickCounts.__slots__:
        each = [getattr(one, name) for one in taken]
        if name == "tick":
            out.append(each[0])
        elif isinstance(each[0], int):
            out.append(sum(each))
        else:
            out.append([np.concatenate(column) for column in zip(*each, strict=True)])
    return out


def _moved(plain: Sequence[Any], codes: _Codes) -> Entries:
    """The entries of the accounts that move, of one frame's rows in an open tick."""
    old = dict(zip(Entries.__slots__, plain, strict=True))
    account_target, _ = codes.account_target(old["account_target"])
    carrier = codes.row[old["carried_row"]]
    sayer, slot, name, at, event = old["said"]
    says = codes.row[sayer]
    seer = codes.row[old["seen_row"]]
    spoke = says >= 0
    return Entries(
        account_target=account_target,
        cohort_target=_cohort_target(old, codes),
        cohort_account=_cohort_account(old["cohort_account"], codes),
        carried_row=carrier[carrier >= 0],
        carried_key=old["carried_key"][carrier >= 0],
        said=(says[spoke], slot[spoke], codes.name.of(name[spoke]), at[spoke], event[spoke]),
        seen_row=seer[seer >= 0],
        seen_at=old["seen_at"][seer >= 0],
    )


def _cohort_account(pairs: Int64s, codes: _Codes) -> Int64s:
    """cohort and row of the accounts that move, where the cohort has room."""
    row = codes.row[pairs % COHORT_BITS]
    cohort = codes.cohort.of(pairs[row >= 0] // COHORT_BITS)
    recoded: Int64s = cohort[cohort >= 0] * COHORT_BITS + row[row >= 0][cohort >= 0]
    return recoded


def _cohort_target(old: Mapping[str, Any], codes: _Codes) -> Int64s:
    """cohort * width + target of the accounts that move.

    The entries name no account, but their order does: first the fleet's, target by target as `account_target` has them
    and then request by request; then those of every (request, cohort) pair in the order of `cohort_account`, and each
    pair ends with the request itself, which is target width - 1. Raises ValueError where that does not hold.
    """
    width = codes.width
    cohort, target = old["cohort_target"] // width, old["cohort_target"] % width
    requests, fleet = len(old["seen_row"]), len(old["account_target"]) + len(old["seen_row"])
    ends = (target[fleet:] == width - 1).astype(np.int64)
    pairs = old["cohort_account"][requests:] % COHORT_BITS
    if int(ends.sum()) != len(pairs) or cohort[:fleet].any() or (len(ends) and not ends[-1]):
        raise ValueError("expected cohort counts in the order of their accounts: this state cannot be divided")
    row = np.concatenate((old["account_target"] // width, old["seen_row"], pairs[np.cumsum(ends) - ends]))
    moved = codes.row[row] >= 0
    cohort = codes.cohort.of(cohort[moved])
    room = cohort >= 0
    recoded: Int64s = cohort[room] * width + codes.target.of(target[moved][room])
    return recoded
