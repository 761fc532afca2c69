"""Is a request late, repeated, or in which tick does it count? Ticks that are still open, and their counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import NO_CLOCK_MS, Rows
from detectors.counts.sparse import begins_of, distinct
from detectors.parameters import Parameters

Int64s = NDArray[np.int64]
_MIX = np.uint64(0x9E37_79B9_7F4A_7C15)
_MIX_TIME = np.uint64(0xD6E8_FEB8_6659_FD93)  # odd, as the other: different times stay different
SAMPLED = 64  # of so many event ids one is followed through its tick, to see whether it is used again
VALUES_MAX = 256  # of an account in a tick: who carries more has a new one with each request, which ties to nobody
_SLOTS_MAX = np.int64(4)  # of what an account says of itself
COHORT_BITS = np.int64(1 << 32)  # (cohort, account) pairs in one integer


@dataclass(frozen=True, slots=True)
class Entries:
    """What some requests of one tick add, flat; rows are account rows, names are interned attribute values.

    account_target: row * width + target, one entry a request and target. cohort_target: cohort * width + target;
    target `width - 1` stands for the request itself. cohort_account: cohort << 32 | row. carried: (row, value key).
    said: (row, slot, name, at_ms, event), what a request said of its account. seen: (row, at_ms).
    """

    account_target: Int64s
    cohort_target: Int64s
    cohort_account: Int64s
    carried_row: Int64s
    carried_key: NDArray[np.uint64]
    said: tuple[Int64s, Int64s, Int64s, Int64s, NDArray[np.uint64]]
    seen_row: Int64s
    seen_at: Int64s


@dataclass(frozen=True, slots=True)
class TickCounts:
    """All that one closed tick counted: sorted, distinct codes and their requests.

    said: (row, slot, name, at_ms), the latest of each (row, slot), by time and then by event.
    """

    tick: int
    accepted: int
    repeats: int
    account_target: tuple[Int64s, Int64s]
    cohort_target: tuple[Int64s, Int64s]
    cohort_accounts: tuple[Int64s, Int64s]
    carried: tuple[Int64s, NDArray[np.uint64], Int64s]
    said: tuple[Int64s, Int64s, Int64s, Int64s]
    seen: tuple[Int64s, Int64s, Int64s]


@dataclass(slots=True)
class _OpenTick:
    """Events seen, in sorted runs, and entries not yet reduced."""

    events: list[NDArray[np.uint64]] = field(default_factory=list)
    entries: list[Entries] = field(default_factory=list)
    accepted: int = 0
    repeats: int = 0
    sampled: set[int] = field(default_factory=set)  # event ids of accounts, without their times; no part of the state


class OpenTicks:
    """Requests on their way into closed ticks: late and repeated ones are told apart and counted.

    A repeat has the id, the account and the timestamp of its original, so it falls into the same tick or is late: the
    identities of a tick's events are kept until it closes, 8 bytes each, which makes the count exact. An id that comes
    again at another time is another request: where clients choose the ids, one id for all requests would uncount them.
    Adding n requests to a tick that holds m costs O(n log m), amortised.

    reused: about how many requests had an id that another of the same account and tick has at another time.
    values_over: values that an account carried beyond `VALUES_MAX` in a tick, which are left out.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._tick_ms = parameters.tick_ms
        self._width = parameters.targets_max
        self._lateness_ms = parameters.lateness_ms
        self._open: dict[int, _OpenTick] = {}
        self.first_open: int | None = None  # ticks before it are closed; None until the first one closes
        self.late = 0
        self.reused = 0
        self.values_over = 0

    def add(self, rows: Rows, account_keys: NDArray[np.uint64], entries_of: Callable[[Rows], Entries]) -> None:
        """Judge rows and add what is neither late nor a repeat. account_keys: of each row's account."""
        tick = rows.at_ms // self._tick_ms
        late = (rows.clock_ms != NO_CLOCK_MS) & (rows.at_ms < rows.clock_ms - self._lateness_ms)
        if self.first_open is not None:
            late |= tick < self.first_open
        self.late += int(late.sum())
        # An id is unique to a request of one account: mixing the account in makes the judgement the same
        # whichever accounts share a worker.
        of_account = rows.event ^ (account_keys * _MIX)
        identity = of_account ^ (rows.at_ms.astype(np.uint64) * _MIX_TIME)
        for number in np.unique(tick[~late]).tolist():
            inside = np.flatnonzero((tick == number) & ~late)
            fresh = inside[self._fresh(number, identity[inside])]
            self._open[number].repeats += len(inside) - len(fresh)
            self._open[number].accepted += len(fresh)
            if len(fresh):
                self._open[number].entries.append(entries_of(rows.where(fresh)))
                self._look_for_reuse(self._open[number], of_account[fresh])

    def _look_for_reuse(self, tick: _OpenTick, of_account: NDArray[np.uint64]) -> None:
        """In a sample, at half a byte an event; for a metric, so that a restart may forget it."""
        sample = of_account[of_account % np.uint64(SAMPLED) == 0].tolist()
        before = len(tick.sampled)
        tick.sampled.update(sample)
        self.reused += (len(sample) - (len(tick.sampled) - before)) * SAMPLED

    def _fresh(self, number: int, identity: NDArray[np.uint64]) -> Int64s:
        """Positions of the identities that this tick has not seen, each once; remembers them."""
        tick = self._open.setdefault(number, _OpenTick())
        once = np.sort(identity)
        position = np.arange(len(identity))
        if len(begins_of(once)) < len(once):
            once, position = np.unique(identity, return_index=True)
            position.sort()
        known = np.zeros(len(once), bool)
        for run in tick.events:
            at = np.searchsorted(run, once)
            known |= run[np.minimum(at, len(run) - 1)] == once
        if known.any():
            position = position[~np.isin(identity[position], once[known])]
        fresh = once[~known]
        if len(fresh):
            tick.events.append(fresh)
        # Runs of doubling length: an identity is merged a logarithmic number of times.
        while len(tick.events) > 1 and len(tick.events[-1]) * 2 > len(tick.events[-2]):
            merged = np.concatenate((tick.events.pop(), tick.events.pop()))
            tick.events.append(np.sort(merged, kind="stable"))
        return position

    def open_ticks(self) -> list[int]:
        """Numbers of the ticks that hold something, oldest first."""
        return sorted(self._open)

    def close(self, number: int) -> TickCounts:
        """Close the tick, which must be the oldest open one or hold nothing, and give its counts."""
        self.first_open = number + 1
        tick = self._open.pop(number, _OpenTick())
        counts = counts_of(number, tick.entries, tick.accepted, tick.repeats)
        carried = _few_of_each(*counts.carried)
        self.values_over += len(counts.carried[0]) - len(carried[0])
        return replace(counts, carried=carried)

    def keys_held(self) -> NDArray[np.uint64]:
        """The value keys that open ticks refer to, sorted."""
        held = [entries.carried_key for tick in self._open.values() for entries in tick.entries]
        return np.unique(np.concatenate(held)) if held else np.zeros(0, np.uint64)

    def rows_held(self) -> Int64s:
        """The account rows that open ticks refer to, sorted."""
        return np.unique(_joined([entries.seen_row for tick in self._open.values() for entries in tick.entries]))

    def entries_held(self) -> list[Entries]:
        """What every open tick holds, unreduced."""
        return [entries for tick in self._open.values() for entries in tick.entries]

    def change(self, follow: Callable[[Entries], Entries]) -> None:
        """Replace all that is held by what `follow` makes of it, in its order."""
        for tick in self._open.values():
            tick.entries = [follow(one) for one in tick.entries]

    def renumber(self, new_row: Int64s, width: int) -> None:
        """Follow accounts that moved to other rows; none that an open tick refers to may be gone."""
        self.change(lambda one: _renumbered(one, new_row, width))

    def rename(self, cohort: Int64s | None, name: Int64s | None) -> None:
        """Follow cohorts, and names that accounts say of themselves, to new numbers; None: they kept theirs."""
        if cohort is not None:
            self.change(lambda one: _of_other_cohorts(one, cohort, self._width))
        if name is not None:
            self.change(lambda one: replace(one, said=(*one.said[:2], name[one.said[2]], *one.said[3:])))

    def state(self) -> dict[str, Any]:
        """All that is open, as plain values and arrays, for a snapshot."""
        ticks = [
            [number, tick.accepted, tick.repeats, tick.events, [plain_entries(one) for one in tick.entries]]
            for number, tick in sorted(self._open.items())
        ]
        return {"first_open": self.first_open, "late": self.late, "ticks": ticks}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        self.first_open, self.late = state["first_open"], state["late"]
        self._open = {
            number: _OpenTick(list(events), [entries_from(one) for one in entries], accepted, repeats)
            for number, accepted, repeats, events, entries in state["ticks"]
        }


def plain_entries(one: Entries) -> list[Any]:
    """What some requests added, as a snapshot holds it."""
    return [getattr(one, name) for name in Entries.__slots__]


def entries_from(plain: list[Any]) -> Entries:
    """What `plain_entries` gave, again."""
    values = dict(zip(Entries.__slots__, plain, strict=True))
    values["said"] = tuple(values["said"])
    return Entries(**values)


def _renumbered(one: Entries, new_row: Int64s, width: int) -> Entries:
    return Entries(
        account_target=new_row[one.account_target // width] * width + one.account_target % width,
        cohort_target=one.cohort_target,
        cohort_account=one.cohort_account // COHORT_BITS * COHORT_BITS + new_row[one.cohort_account % COHORT_BITS],
        carried_row=new_row[one.carried_row],
        carried_key=one.carried_key,
        said=(new_row[one.said[0]], *one.said[1:]),
        seen_row=new_row[one.seen_row],
        seen_at=one.seen_at,
    )


def _of_other_cohorts(one: Entries, cohort: Int64s, width: int) -> Entries:
    return replace(
        one,
        cohort_target=cohort[one.cohort_target // width] * width + one.cohort_target % width,
        cohort_account=cohort[one.cohort_account // COHORT_BITS] * COHORT_BITS + one.cohort_account % COHORT_BITS,
    )


def counts_of(number: int, entries: list[Entries], accepted: int, repeats: int) -> TickCounts:
    """Reduce the entries of one tick. The result does not depend on the order in which requests came."""
    return TickCounts(
        tick=number,
        accepted=accepted,
        repeats=repeats,
        account_target=_counted(_joined([one.account_target for one in entries])),
        cohort_target=_counted(_joined([one.cohort_target for one in entries])),
        cohort_accounts=_counted(distinct(_joined([one.cohort_account for one in entries])) // COHORT_BITS),
        carried=_carried(entries),
        said=_latest(entries),
        seen=_seen(entries),
    )


def plain_counts(one: TickCounts) -> list[Any]:
    """The counts of a closed tick as a snapshot holds them."""
    return [getattr(one, name) for name in TickCounts.__slots__]


def counts_from(plain: list[Any]) -> TickCounts:
    """The counts of a closed tick again, from what a snapshot holds of them."""
    values: list[Any] = [tuple(value) if isinstance(value, list) else value for value in plain]
    return TickCounts(**dict(zip(TickCounts.__slots__, values, strict=True)))


def _joined(parts: list[Int64s]) -> Int64s:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _counted(codes: Int64s) -> tuple[Int64s, Int64s]:
    codes = np.sort(codes)
    first = begins_of(codes)
    return codes[first], np.diff(np.append(first, len(codes)))


def _carried(entries: list[Entries]) -> tuple[Int64s, NDArray[np.uint64], Int64s]:
    """(row, value key, requests), sorted by row and key."""
    row = _joined([one.carried_row for one in entries])
    key = np.concatenate([one.carried_key for one in entries]) if entries else np.zeros(0, np.uint64)
    if not len(row):
        return row, key, row
    order = np.lexsort((key, row))
    row, key = row[order], key[order]
    first = np.flatnonzero(np.concatenate(([True], (row[1:] != row[:-1]) | (key[1:] != key[:-1]))))
    return row[first], key[first], np.diff(np.append(first, len(row)))


def _few_of_each(row: Int64s, key: NDArray[np.uint64], count: Int64s) -> tuple[Int64s, NDArray[np.uint64], Int64s]:
    """Of each row `VALUES_MAX` values, those of the lowest keys: two accounts that carry the same keep the same."""
    first = begins_of(row)
    place = np.arange(len(row)) - np.repeat(first, np.diff(np.append(first, len(row))))
    few = place < VALUES_MAX
    return (row, key, count) if few.all() else (row[few], key[few], count[few])


def _latest(entries: list[Entries]) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    row = _joined([one.said[0] for one in entries])
    slot = _joined([one.said[1] for one in entries])
    name = _joined([one.said[2] for one in entries])
    at = _joined([one.said[3] for one in entries])
    if not len(row):
        return row, slot, name, at
    moment, bits = _moments(row * _SLOTS_MAX + slot, at)
    order = np.argsort(moment)
    last = np.append(begins_of(moment[order] >> bits)[1:], len(order)) - 1
    if (moment[order[last]] == moment[order[last - 1]])[last > 0].any():
        # Twice in one millisecond: the event decides.
        order = np.lexsort((np.concatenate([one.said[4] for one in entries]), moment))
    last = order[last]
    return row[last], slot[last], name[last], at[last]


def _moments(code: Int64s, at: Int64s) -> tuple[Int64s, np.int64]:
    """Code and time in one integer that sorts by both, and the bits that the time takes.

    Both fit: a tick of an hour takes 22 bits, and codes are below 2^34.
    """
    since = at - at.min()
    bits = np.int64(int(since.max()).bit_length())
    return (code << bits) | since, bits


def _seen(entries: list[Entries]) -> tuple[Int64s, Int64s, Int64s]:
    """(row, earliest at_ms, requests), sorted by row."""
    row = _joined([one.seen_row for one in entries])
    at = _joined([one.seen_at for one in entries])
    if not len(row):
        return row, at, row
    moment, bits = _moments(row, at)
    moment.sort()
    first = begins_of(moment >> bits)
    earliest = (moment[first] & ((np.int64(1) << bits) - 1)) + at.min()
    return moment[first] >> bits, earliest, np.diff(np.append(first, len(moment)))
