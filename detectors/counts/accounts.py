"""What has every account of some shards done lately, and before? Counts in columns, one row an account."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.interned import in_order, order_of, order_of_pairs
from detectors.counts.known import KEPT, SLOTS, UNNAMED, Known, accounts_heard, accounts_weighed, first_to_go
from detectors.counts.recoding import Columns
from detectors.counts.rows import Rows, Sets
from detectors.counts.sparse import Packed, SparseCounts, distinct, reduced
from detectors.counts.summary import AccountColumns, CohortCounts
from detectors.counts.ticks import COHORT_BITS, Entries, Int64s, OpenTicks, TickCounts, counts_from, plain_counts
from detectors.parameters import FAST_WINDOW_MAX_H, HOUR_MS, Parameters


class Accounts:
    """Every account of some shards: fast window (24 h, hour by hour), slow baseline, and what it says of itself.

    What leaves the fast window enters the baseline, which halves every week; so the baseline never holds what is being
    judged. Rows are in order of first sight, everything given out is sorted by account id. An hour's close costs
    O(accounts + entries); memory is about 250 bytes an account and 3 bytes a (hour, account, target) of a busy window.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters
        self.ids: list[str] = []
        self._by_id: Int64s = np.zeros(0, np.int64)  # rows in the order of their ids, as far as that was asked for
        self.keys: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self.shards: NDArray[np.uint8] = np.zeros(0, np.uint8)
        self._sorted_keys: NDArray[np.uint64] = np.zeros(0, np.uint64)
        self._sorted_rows: Int64s = np.zeros(0, np.int64)
        self.said: NDArray[np.int32] = np.zeros((0, SLOTS), np.int32)
        self.said_at: Int64s = np.zeros((0, SLOTS), np.int64)
        self.first_seen: Int64s = np.zeros(0, np.int64)
        self.last_seen_h: Int64s = np.zeros(0, np.int64)
        self.hours: NDArray[np.uint32] = np.zeros((0, FAST_WINDOW_MAX_H), np.uint32)  # a ring
        self.nb: NDArray[np.float32] = np.zeros(0, np.float32)
        width = parameters.targets_max
        self.fast = SparseCounts(width, np.int64)
        self.slow = SparseCounts(width, np.float32)
        self.ring: deque[tuple[int, Packed]] = deque()  # what each hour of the fast window brought
        self.known = Known(parameters)
        self.targets, self.cohorts, self.names = self.known.targets, self.known.cohorts, self.known.names
        self.hour_counts: list[TickCounts] = []
        self._heard: Int64s = np.zeros(0, np.int64)  # accounts of each cohort in the hour that closed
        self.most = parameters.accounts_max  # rows that may be held: fewer where memory asks for it
        self.evicted = 0
        self._is_full = False
        self._values_over = 0

    def __len__(self) -> int:
        return len(self.ids)

    # Into rows and codes

    def rows_of(self, rows: Rows) -> Int64s:
        """The account row of each of the frame's accounts, new ones added; -1 of those for which there is no room.

        O(accounts of the frame x log accounts).
        """
        at = np.searchsorted(self._sorted_keys, rows.account_keys)
        known = at < len(self._sorted_keys)
        known[known] = self._sorted_keys[at[known]] == rows.account_keys[known]
        found = np.empty(len(rows.account_keys), np.int64)
        found[known] = self._sorted_rows[at[known]]
        new = np.flatnonzero(~known)
        found[new] = -1
        room = max(self.most - len(self.ids), 0)
        self._is_full |= len(new) > room
        new = new[:room]
        if len(new):
            found[new] = np.arange(len(new)) + len(self.ids)
            self._append(rows, new)
        return found

    def _append(self, rows: Rows, new: Int64s) -> None:
        count = len(new)
        first = len(self.ids)
        self.ids.extend(rows.accounts[i] for i in new.tolist())
        keys = rows.account_keys[new]
        order = np.argsort(keys)
        at = np.searchsorted(self._sorted_keys, keys[order])
        self._sorted_keys = np.insert(self._sorted_keys, at, keys[order])
        self._sorted_rows = np.insert(self._sorted_rows, at, order + first)
        self.keys = np.concatenate((self.keys, keys))
        self.shards = np.concatenate((self.shards, rows.account_shards[new]))
        for name, blank in _BLANK.items():
            column = getattr(self, name)
            added = np.full((count, *column.shape[1:]), blank, column.dtype)
            setattr(self, name, np.concatenate((column, added)))

    def entries(self, rows: Rows, account_row: Int64s) -> Entries:
        """What rows add to their tick. account_row: the account row of each of the frame's accounts."""
        width = self.parameters.targets_max
        row = account_row[rows.account]
        at_request, capability = rows.capability_sets.take(rows.capability_set)
        target = self.known.targets_of(rows, capability)
        request = np.concatenate((np.arange(len(rows)), at_request))
        toward = np.concatenate((target[rows.model], target[capability]))
        carrier, value = rows.value_sets.take(rows.value_set)
        kinds = self.known.kinds_of_values(rows)
        link = kinds.link[value]
        cohort = kinds.cohort[value]
        of_cohort, of_request = cohort[cohort >= 0], carrier[cohort >= 0]
        said = [(kinds.slot[value] == slot).nonzero()[0] for slot in range(SLOTS)]
        said_at = np.concatenate(said)
        return Entries(
            account_target=row[request] * width + toward,
            cohort_target=self._cohort_targets(rows, request, toward, of_request, of_cohort),
            cohort_account=np.concatenate((row, of_cohort * COHORT_BITS + row[of_request])),
            carried_row=row[carrier[link]],
            carried_key=rows.value_keys[value[link]],
            said=(
                row[carrier[said_at]],
                kinds.slot[value[said_at]],
                kinds.name[value[said_at]],
                rows.at_ms[carrier[said_at]],
                rows.event[carrier[said_at]],
            ),
            seen_row=row,
            seen_at=rows.at_ms,
        )

    def _cohort_targets(
        self, rows: Rows, request: Int64s, toward: Int64s, of_request: Int64s, of_cohort: Int64s
    ) -> Int64s:
        """cohort * width + target of every request, cohort and target; and of the fleet, which is cohort 0."""
        width = self.parameters.targets_max
        everything = np.full(len(rows), width - 1, np.int64)
        request = np.concatenate((request, np.arange(len(rows))))
        toward = np.concatenate((toward, everything))
        order = np.argsort(request, kind="stable")
        targets = Sets(np.searchsorted(request[order], np.arange(len(rows) + 1)), toward[order].astype(np.uint32))
        position, item = targets.take(of_request)
        return np.concatenate((toward, of_cohort[position] * width + item.astype(np.int64)))

    # Ticks

    def absorb(self, counts: TickCounts) -> CohortCounts:
        """Take a closed tick in; gives its cohort counts. O(entries of the tick)."""
        self.hour_counts.append(counts)
        row, at, _ = counts.seen
        self.first_seen[row] = np.minimum(self.first_seen[row], at)
        self.last_seen_h[row] = np.maximum(self.last_seen_h[row], at // HOUR_MS)
        row, slot, name, at = counts.said
        newer = at >= self.said_at[row, slot]
        self.said[row[newer], slot[newer]] = name[newer]
        self.said_at[row[newer], slot[newer]] = at[newer]
        return self._cohort_counts(counts)

    def _cohort_counts(self, counts: TickCounts) -> CohortCounts:
        width = self.parameters.targets_max
        codes, requests = counts.cohort_target
        cohort, target = codes // width, codes % width
        total = target == width - 1
        present = cohort[total]  # rising, as codes are
        rank = np.full(len(self.cohorts.names), -1, np.int64)
        rank[present] = np.arange(len(present))
        order = rank[self.cohorts.sorted()]
        order = order[order >= 0]
        rank[present[order]] = np.arange(len(order))
        members, accounts = counts.cohort_accounts
        per_cohort = np.zeros(len(self.cohorts.names), np.int64)
        per_cohort[members] = accounts
        judged = target < width - UNNAMED
        names, target_rank = self._sorted_targets(np.unique(target[judged]))
        at, toward, count = rank[cohort[judged]], target_rank[target[judged]], requests[judged]
        by = np.lexsort((toward, at))
        return CohortCounts(
            cohorts=tuple([self.cohorts.names[i] for i in present[order].tolist()]),
            targets=names,
            requests=requests[total][order],
            accounts=per_cohort[present][order],
            at=at[by],
            target=toward[by],
            count=count[by],
        )

    def _sorted_targets(self, used: Int64s) -> tuple[tuple[str, ...], Int64s]:
        """Names of the used targets, sorted, and the rank of each target among them."""
        names = [self.targets.names[i][0] for i in used.tolist()]
        order = sorted(range(len(names)), key=names.__getitem__)
        rank = np.zeros(len(self.targets.names), np.int64)
        rank[used[order]] = np.arange(len(order))
        return tuple(names[i] for i in order), rank

    def close_hour(self, hour: int) -> AccountColumns:
        """End an hour: the fast window moves on by it, what leaves goes to the baseline. Gives the active accounts.

        hour: number of the hour since 1970. The columns are taken after the hour is in.
        """
        p = self.parameters
        codes = np.concatenate([c.account_target[0] for c in self.hour_counts] or [np.zeros(0, np.int64)])
        counts = np.concatenate([c.account_target[1] for c in self.hour_counts] or [np.zeros(0, np.int64)])
        codes, counts = reduced(codes, counts)
        judged = codes % p.targets_max < p.targets_max - UNNAMED
        self._decay()
        self._leave(hour - p.fast_window_h)
        self.ring.append((hour, Packed(codes[judged], counts[judged])))
        self.fast.add(codes[judged], counts[judged])
        column = np.zeros(len(self), np.uint32)
        for c in self.hour_counts:
            column[c.seen[0]] += c.seen[2].astype(np.uint32)
        self.hours[:, hour % FAST_WINDOW_MAX_H] = column
        columns = self._columns(hour)
        self._heard = accounts_heard([one.cohort_accounts for one in self.hour_counts], len(self.cohorts.names))
        self.hour_counts = []
        return columns

    def _decay(self) -> None:
        factor = np.float32(0.5 ** (1.0 / self.parameters.slow_half_life_h))
        self.nb *= factor
        self.slow.scale(float(factor))
        self.slow.drop_below(0.01)

    def _leave(self, last_hour: int) -> None:
        """Move the hours up to last_hour from the fast window to the baseline."""
        while self.ring and self.ring[0][0] <= last_hour:
            hour, packed = self.ring.popleft()
            codes, counts = packed.columns()
            self.fast.add(codes, -counts.astype(np.int64))
            self.slow.add(codes, counts)
            self.nb += self.hours[:, hour % FAST_WINDOW_MAX_H]
            self.hours[:, hour % FAST_WINDOW_MAX_H] = 0

    def _columns(self, hour: int) -> AccountColumns:
        n = self.hours.sum(axis=1, dtype=np.int64)
        self._by_id = order_of(self.ids, self._by_id)
        active = self._by_id[n[self._by_id] > 0]
        said, names = self._said(active)
        fast_start, fast_target, fast_count = self.fast.of_rows(active)
        slow_start, slow_target, slow_count = self.slow.of_rows(active)
        used = distinct(np.concatenate((fast_target, slow_target)))
        targets, rank = self._sorted_targets(used)
        fast, fast_count = _by_rank(fast_start, rank[fast_target], fast_count)
        slow, slow_count = _by_rank(slow_start, rank[slow_target], slow_count)
        values, value_keys, carried, carried_count = self._carried(active)
        return AccountColumns(
            ids=tuple([self.ids[i] for i in active.tolist()]),
            keys=self.keys[active],
            shards=self.shards[active],
            names=names,
            org=said[:, 0],
            country=said[:, 1],
            signup_week=said[:, 2],
            first_seen_ms=self.first_seen[active],
            targets=targets,
            n=n[active],
            fast=fast,
            fast_count=fast_count.astype(np.uint32),
            nb=self.nb[active],
            slow=slow,
            slow_count=slow_count.astype(np.float32),
            hours=np.minimum(self.hours[active], 65_535).astype(np.uint16),
            bins=self._bins(active, hour),
            values=values,
            value_keys=value_keys,
            carried=carried,
            carried_count=carried_count,
        )

    def _said(self, active: Int64s) -> tuple[NDArray[np.int32], tuple[str, ...]]:
        said = self.said[active]
        used = np.unique(said[said >= 0])
        names = in_order({self.names.names[i][1] for i in used.tolist()})
        place = {name: i for i, name in enumerate(names)}
        rank = np.full(len(self.names.names) + 1, -1, np.int32)  # the last entry answers for -1
        rank[used] = [place[self.names.names[i][1]] for i in used.tolist()]
        return rank[said], tuple(names)

    def _bins(self, active: Int64s, hour: int) -> NDArray[np.uint16]:
        per_hour = HOUR_MS // self.parameters.tick_ms
        place = np.full(len(self), -1, np.int64)
        place[active] = np.arange(len(active))
        bins = np.zeros((len(active), per_hour), np.uint16)
        for c in self.hour_counts:
            row, _, count = c.seen
            bins[place[row], c.tick % per_hour] = np.minimum(count, 65_535)
        return bins

    def _carried(
        self, active: Int64s
    ) -> tuple[tuple[tuple[str, str], ...], NDArray[np.uint64], Sets, NDArray[np.uint32]]:
        """Values carried in this hour by the active accounts, and with how many requests."""
        row = np.concatenate([c.carried[0] for c in self.hour_counts] or [np.zeros(0, np.int64)])
        key = np.concatenate([c.carried[1] for c in self.hour_counts] or [np.zeros(0, np.uint64)])
        count = np.concatenate([c.carried[2] for c in self.hour_counts] or [np.zeros(0, np.int64)])
        keys = distinct(key)
        pairs = [self.known.value_names[k] for k in keys.tolist()]
        order = order_of_pairs(pairs)
        rank = np.zeros(len(pairs), np.int64)
        rank[order] = np.arange(len(order))
        place = np.full(len(self), -1, np.int64)
        place[active] = np.arange(len(active))
        width = max(len(pairs), 1)
        codes, counts = reduced(place[row] * width + rank[np.searchsorted(keys, key)], count)
        start = np.searchsorted(codes // width, np.arange(len(active) + 1))
        return (
            tuple(pairs[i] for i in order),
            keys[order],
            Sets(start, (codes % width).astype(np.uint32)),
            counts.astype(np.uint32),
        )

    def forget(self, hour: int, held: NDArray[np.uint64], held_rows: Int64s) -> NDArray[np.int64] | None:
        """Forget names that nothing refers to, and accounts gone for too long; the new row of each old one, or None.

        held, held_rows: value keys and account rows that open ticks refer to. Over the bound those go of whom least can
        be said, see `first_to_go`, until an eighth of the room is free. An account is forgotten in its very hour, so
        that who comes back is new or not by the records alone; rows are given up once they are a twentieth.
        """
        self.known.keep_values(held)
        seen = self.last_seen_h >= 0
        gone = seen & (self.last_seen_h < hour - self.parameters.forget_after_h)
        stay = int(seen.sum() - gone.sum())
        if self._is_full or stay > self.most:
            lately = self.hours.sum(axis=1)
            judged = lately + self.nb >= self.parameters.requests_min
            order = first_to_go(self.last_seen_h, self.first_seen, lately, judged, self.keys)
            order = order[(seen & ~gone)[order]]
            gone[order[: max(stay - (self.most - self.most // (2 * KEPT)), 0)]] = True
            self._is_full = False
        if gone.any():
            self.evicted += int(gone.sum())
            self._blank(gone)
        empty = self.last_seen_h < 0
        empty[held_rows] = False
        if not empty.any() or empty.sum() * 20 < len(self):
            return None
        return self._renumber(~empty)

    def forget_names(self, ticks: OpenTicks) -> None:
        """Forget cohorts that no account was in during the hour that closed, and names that no account has any more.

        Call it after `forget`. O(names).
        """
        opened = ticks.entries_held()
        heard = np.zeros(len(self.cohorts.names), np.int64)
        heard[: len(self._heard)] = self._heard[: len(heard)]
        held = distinct(_flat([one.cohort_account // COHORT_BITS for one in opened]))
        cohort = self.known.keep_cohorts(heard, held)
        used = np.zeros(len(self.names.names) + 1, bool)  # the last entry answers for -1
        used[self.said.ravel()] = True
        used[_flat([one.said[2] for one in opened])] = True
        name = self.known.keep_names(np.flatnonzero(used[:-1]))
        if name is not None:
            self.said = np.where(self.said >= 0, name[self.said], -1).astype(np.int32)
        ticks.rename(cohort, name)

    def make_room(self, ticks: OpenTicks) -> None:
        """Where requests brought names of targets that found no room: forget the weakest. O(entries) a tick at most.

        Names of values that accounts carried beyond those that are kept are forgotten too.
        """
        if ticks.values_over > self._values_over:
            self._values_over = ticks.values_over
            self.known.keep_values(np.concatenate([ticks.keys_held(), *[one.carried[1] for one in self.hour_counts]]))
        if not self.known.room_of_targets.turned_away:
            return
        width = self.parameters.targets_max
        hour = _flat([c.account_target[0] for c in self.hour_counts])
        counts = _flat([c.account_target[1] for c in self.hour_counts])
        opened = _flat([one.account_target for one in ticks.entries_held()])
        lately = reduced(np.concatenate((hour, opened)), np.concatenate((counts, np.ones(len(opened), np.int64))))
        parts = [(self.fast.codes, self.fast.counts), (self.slow.codes, self.slow.counts), lately]
        columns = Columns(width, width, self.known.keep_targets(accounts_weighed(width, parts)))
        for sparse in (self.fast, self.slow):
            sparse.codes, sparse.counts = columns.judged(sparse.codes, sparse.counts)
        self.ring = deque((hour, Packed(*columns.judged(*packed.columns()))) for hour, packed in self.ring)
        self.hour_counts = [columns.closed(one) for one in self.hour_counts]
        ticks.change(columns.opened)

    def _blank(self, gone: NDArray[np.bool_]) -> None:
        for name, blank in _BLANK.items():
            getattr(self, name)[gone] = blank
        self.fast.forget(gone)
        self.slow.forget(gone)
        self._renumber_hours(np.where(gone, -1, np.arange(len(gone))))

    def state(self) -> dict[str, Any]:
        """All of it, as plain values and arrays, for a snapshot."""
        arrays = {name: getattr(self, name) for name in COLUMNS}
        sparse = {name: [getattr(self, name).codes, getattr(self, name).counts] for name in ("fast", "slow")}
        return {
            **arrays,
            **sparse,
            "ids": self.ids,
            "ring": [[hour, *packed.columns()] for hour, packed in self.ring],
            "interned": [self.targets.names, self.cohorts.names, self.names.names],
            "value_names": [[key, *pair] for key, pair in self.known.value_names.items()],
            "hour_counts": [plain_counts(one) for one in self.hour_counts],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from what `state` gave."""
        for name in COLUMNS:
            setattr(self, name, state[name])
        self.ids, self._by_id = list(state["ids"]), np.zeros(0, np.int64)
        order = np.argsort(self.keys)
        self._sorted_keys, self._sorted_rows = self.keys[order], order.astype(np.int64)
        for name, sparse in (("fast", self.fast), ("slow", self.slow)):
            sparse.codes, sparse.counts = state[name]
        self.ring = deque((hour, Packed(codes, counts)) for hour, codes, counts in state["ring"])
        self.known.restore(state["interned"], state["value_names"])
        self.hour_counts = [counts_from(plain) for plain in state["hour_counts"]]

    def _renumber(self, keep: NDArray[np.bool_]) -> NDArray[np.int64]:
        new_row = np.where(keep, np.cumsum(keep) - 1, -1)
        self.ids, self._by_id = [self.ids[i] for i in np.flatnonzero(keep).tolist()], np.zeros(0, np.int64)
        for name in COLUMNS:
            setattr(self, name, getattr(self, name)[keep])
        still = keep[self._sorted_rows]
        self._sorted_keys = self._sorted_keys[still]
        self._sorted_rows = new_row[self._sorted_rows[still]]
        self.fast.renumbered(new_row)
        self.slow.renumbered(new_row)
        self._renumber_hours(new_row)
        return new_row

    def _renumber_hours(self, new_row: Int64s) -> None:
        """As `SparseCounts.renumbered`, of each hour of the fast window."""
        for i, (hour, packed) in enumerate(self.ring):
            one = SparseCounts(self.fast.width, np.int64)
            one.codes, one.counts = packed.columns()
            one.renumbered(new_row)
            self.ring[i] = (hour, Packed(one.codes, one.counts))


# What a row holds before its first request, and once it is forgotten.
_BLANK = {"said": -1, "said_at": 0, "first_seen": np.iinfo(np.int64).max, "last_seen_h": -1, "hours": 0, "nb": 0}
COLUMNS = ("keys", "shards", *_BLANK)  # what is held of every account, one entry a row


def _flat(parts: list[Int64s]) -> Int64s:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _by_rank(start: Int64s, rank: Int64s, counts: NDArray[Any]) -> tuple[Sets, NDArray[Any]]:
    """Items of each account in the order of their names: that of their first sight differs between replays."""
    order = np.lexsort((rank, np.repeat(np.arange(len(start) - 1), np.diff(start))))
    return Sets(start, rank[order].astype(np.uint32)), counts[order]
