"""THE composition of the pure parts. Backtest, demo, watch and the Kafka workers all call it, so they agree."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.comparison.findings import Finding
from detectors.counts.accounts import Accounts
from detectors.counts.held import accounts_for, bytes_held
from detectors.counts.known import UNNAMED
from detectors.counts.recoding import recoded
from detectors.counts.resharding import Part, gathered, shards_of
from detectors.counts.rows import NO_CLOCK_MS, SHARDS, Frame, key_of
from detectors.counts.snapshot import UnreadableSnapshotError, from_bytes, to_bytes
from detectors.counts.summary import Summary
from detectors.counts.ticks import OpenTicks
from detectors.fleet import Judge, joined
from detectors.forgetting import judge_without
from detectors.parameters import HOUR_MS, Parameters
from stream.alerts.expected_shifts import Announced
from stream.alerts.life import Life, NamedAccount
from stream.alerts.verdicts import Said, lessons_from
from stream.contract.alert import Alert
from stream.pipeline.chain import Applied, Source
from stream.pipeline.messages.join import Join

TICKS_AT_ONCE = 12  # an hour: with a million accounts seconds, after which a worker can do something else
PIECE_BYTES_MAX = 800_000  # below the default limit of a Kafka message, with room for its key and headers


@dataclass(slots=True)
class Shards:
    """Frames in, summaries out: the shards of one partition, each request counted once.

    sources: names of all sources that will send; time stands still until each has a clock or is idle.
    An account lives in shard crc32(id) % 256, and shard s in partition s % partitions.
    bytes_max: of memory that the state should hold; over it those accounts are forgotten of whom least can be said.
    """

    parameters: Parameters
    sources: Iterable[str]
    partition: int = 0
    partitions: int = 1
    bytes_max: float = math.inf
    accounts: Accounts = field(init=False)
    ticks: OpenTicks = field(init=False)
    without_room: int = field(init=False, default=0)  # requests of accounts for which there was none
    _sources: dict[str, Source] = field(init=False)

    def __post_init__(self) -> None:
        self.accounts = Accounts(self.parameters)
        self.ticks = OpenTicks(self.parameters)
        self._sources = {name: Source() for name in self.sources}

    @property
    def shards(self) -> tuple[int, ...]:
        """The shards that live here."""
        return tuple(range(self.partition, SHARDS, self.partitions))

    @property
    def late(self) -> int:
        """Requests that came too late to count, so far."""
        return self.ticks.late

    def bytes_held(self) -> dict[str, int]:
        """Bytes of the state, by what holds them: see `detectors.counts.held`."""
        return bytes_held(self.accounts, self.ticks)

    @property
    def reused(self) -> int:
        """About how many requests since the start had an id that another of their account and tick has."""
        return self.ticks.reused

    def position(self, source: str) -> int | None:
        """The offset up to which a source is counted; None before its first frame."""
        return self._sources[source].position

    def positions(self) -> dict[str, int]:
        """The offset up to which each source is counted; -1 before its first record."""
        return {name: -1 if one.position is None else one.position for name, one in self._sources.items()}

    def give_up(self, source: str) -> None:
        """What is missing of this source is deleted: count on with its next frame, wherever that begins."""
        self._sources[source].give_up()

    def lost(self, source: str) -> int:
        """Offsets of this source that were passed over since the start, for what held them is deleted."""
        return self._sources[source].lost if source in self._sources else 0

    def clock_ms(self, source: str) -> int:
        """The clock of a source, NO_CLOCK_MS before it has one."""
        return self._sources[source].clock_ms

    def begin(self, source: str, after: int = -1, clock_ms: int = NO_CLOCK_MS) -> None:
        """A source will send what follows an offset, and its clock will begin here; time waits for it from now on."""
        self._sources[source] = Source(after if after >= 0 else None, clock_ms)

    def leave(self) -> None:
        """No source that was known will send again."""
        self._sources.clear()

    def apply(self, frame: Frame) -> Applied:
        """Count a frame where it continues its source's chain; skip what is counted; refuse what leaves a gap."""
        source = self._sources.setdefault(frame.source, Source())
        applied = source.place(frame)
        if applied is not Applied.APPLIED:
            return applied
        assert source.position is not None
        rows = frame.rows
        if frame.after < source.position:
            rows = rows.where(rows.offset > source.position)
        if len(rows):
            account_row = self.accounts.rows_of(rows)
            if account_row.min() < 0:
                has_room = account_row[rows.account] >= 0
                self.without_room += int(len(rows) - has_room.sum())
                rows = rows.where(has_room)
            self.ticks.add(
                rows, rows.account_keys[rows.account], lambda fresh: self.accounts.entries(fresh, account_row)
            )
        source.position = frame.upto
        return Applied.APPLIED

    def summaries(self, most: int | None = None) -> list[Summary]:
        """Close every tick that all sources have passed by the lateness, oldest first; `most`: only so many.

        Whether they are closed at once or little by little changes no summary: what comes later for them is late.
        """
        end = self._closable()
        return [] if end is None else self.close_until(end, most)

    @property
    def is_behind(self) -> bool:
        """Whether ticks may close that `summaries` has left open."""
        end, first = self._closable(), self.ticks.first_open
        return end is not None and first is not None and first < end

    def close_until(self, end: int, most: int | None = None) -> list[Summary]:
        """Close every tick before this one, or the first so many of them, oldest first, whatever the clocks say."""
        opened = self.ticks.open_ticks()
        first = self.ticks.first_open
        if first is None:
            # Before the first request there is nothing to tell, however the source was cut. A partition that has none
            # yet tells of the latest tick that it is empty, so that the others need not wait for it.
            first = opened[0] if opened else end - 1
        return [self._close(tick) for tick in range(first, end if most is None else min(end, first + most))]

    def _closable(self) -> int | None:
        """The first tick that may not close yet; None while some source has no clock."""
        opened = self.ticks.open_ticks()
        if self._sources and all(source.ended for source in self._sources.values()):
            return opened[-1] + 1 if opened else None
        waiting = [s.clock_ms for s in self._sources.values() if not (s.idle or s.ended)]
        clock = min(waiting) if waiting else max((s.clock_ms for s in self._sources.values()), default=NO_CLOCK_MS)
        if clock == NO_CLOCK_MS:
            return None
        return (clock - self.parameters.lateness_ms) // self.parameters.tick_ms

    def _close(self, tick: int) -> Summary:
        counts = self.ticks.close(tick)
        cohorts = self.accounts.absorb(counts)
        self.accounts.make_room(self.ticks)
        self.accounts.most = accounts_for(self.bytes_max, self.accounts, self.ticks)
        columns = None
        if (tick + 1) % self.parameters.ticks_per_network_tick == 0:
            hour = tick * self.parameters.tick_ms // HOUR_MS
            columns = self.accounts.close_hour(hour)
            new_row = self.accounts.forget(hour, self.ticks.keys_held(), self.ticks.rows_held())
            if new_row is not None:
                self.ticks.renumber(new_row, self.parameters.targets_max)
            self.accounts.forget_names(self.ticks)
        counters = {"accepted": counts.accepted, "duplicate_event": counts.repeats}
        return Summary(tick, self.shards, counters, cohorts, columns)

    def snapshot(self) -> dict[str, bytes]:
        """The whole state in pieces below the limit of a Kafka message; `restore` takes them all."""
        sources = {n: [s.position, s.clock_ms, s.idle, s.ended] for n, s in self._sources.items()}
        return _in_pieces(
            to_bytes(
                {
                    "partition": [self.partition, self.partitions],
                    "width": self.parameters.targets_max,
                    "tick_ms": [self.parameters.tick_ms, self.parameters.network_tick_ms],
                    "sources": sources,
                    "accounts": self.accounts.state(),
                    "ticks": self.ticks.state(),
                }
            )
        )

    @classmethod
    def restore(cls, parameters: Parameters, pieces: dict[str, bytes]) -> Shards:
        """The state that `snapshot` wrote, under another `targets_max` perhaps.

        Raises UnreadableSnapshotError where the bytes are damaged, or of ticks of another length.
        """
        state = from_bytes(b"".join(pieces[name] for name in sorted(pieces)))
        _refuse_other_ticks(state, parameters)
        partition, partitions = state["partition"]
        shards = cls(parameters, list(state["sources"]), partition, partitions)
        shards._sources = {name: Source(*values) for name, values in state["sources"].items()}
        accounts, ticks = state["accounts"], state["ticks"]
        # Snapshots that do not tell their width are of a time when it was never changed.
        was, width = state.get("width", Parameters().targets_max), parameters.targets_max
        if was != width:
            shards.accounts.known.targets_over += max(len(accounts["interned"][0]) - (width - UNNAMED), 0)
            accounts, ticks = recoded(accounts, ticks, was, width)
        shards.accounts.restore(accounts)
        shards.ticks.restore(ticks)
        return shards

    @classmethod
    def of_others(
        cls, others: Sequence[Shards], partition: int, partitions: int, without: Iterable[str] = ()
    ) -> Shards:
        """A partition of another division, from all old ones that hold shards of it. O(their state).

        They must stand at one position of every source, and have closed the same ticks (`close_until`): ValueError.
        without: accounts that are forgotten on the way. What their requests added to cohorts stays in what was told;
        of ticks that are open it goes with them.
        """
        mine, gone = shards_of(partition, partitions), frozenset(map(key_of, without))
        parts = [
            Part(one.accounts.state(), one.ticks.state(), mine, one.partition % partitions == partition, gone)
            for one in others
        ]
        shards = cls(others[0].parameters, [], partition, partitions)
        shards._sources = _agreed(others)
        accounts, ticks = gathered(shards.parameters, parts)
        shards.accounts.restore(accounts)
        shards.ticks.restore(ticks)
        return shards


def _refuse_other_ticks(state: Mapping[str, Any], parameters: Parameters) -> None:
    """A tick is known by its number: under another length it would be at another time, and all that comes late."""
    now = [parameters.tick_ms, parameters.network_tick_ms]
    was = state.get("tick_ms", now)
    if was != now:
        raise UnreadableSnapshotError(
            f"the state was written with [ticks] tick_ms = {was[0]}, network_tick_ms = {was[1]}; now they are {now[0]} "
            f"and {now[1]}: its ticks cannot be cut anew. Set them back, or count anew under other [kafka.groups]"
        )


def _agreed(others: Sequence[Shards]) -> dict[str, Source]:
    """The sources as all of them know them.

    A clock can run on without a record, so the latest is right. A source that is idle for some only holds time back
    until its next frame says what it is.
    """
    agreed: dict[str, Source] = {}
    for name in sorted({name for shards in others for name in shards.positions()}):
        said = [shards._sources.get(name, Source()) for shards in others]
        positions = {shards.positions().get(name, -1) for shards in others}
        if len(positions) > 1:
            raise ValueError(f"expected one position of {name} in all partitions, got {sorted(positions)}")
        agreed[name] = Source(
            position=max((one.position for one in said if one.position is not None), default=None),
            clock_ms=max(one.clock_ms for one in said),
            idle=all(one.idle for one in said),
            ended=all(one.ended for one in said),
        )
    return agreed


def _in_pieces(data: bytes) -> dict[str, bytes]:
    cuts = range(0, len(data), PIECE_BYTES_MAX)
    return {f"{number:06d}": data[at : at + PIECE_BYTES_MAX] for number, at in enumerate(cuts)}


@dataclass(frozen=True, slots=True)
class Judged:
    """One tick as the fleet judged it: what it saw, found and wrote. For whoever shows it."""

    at_ms: int
    summaries: Sequence[Summary]
    findings: Sequence[Finding]
    changed: Sequence[Alert]

    @property
    def is_network(self) -> bool:
        """Whether networks were judged in it."""
        return any(summary.accounts is not None for summary in self.summaries)


def nobody(judged: Judged) -> None:
    """Is told of a tick, and does nothing."""


class Fleet:
    """Summaries in, alerts out: the whole fleet, one tick after the other.

    on_tick is told of each tick as soon as it is judged; it changes nothing.
    `expected` and `verdicts` are what people have said; they are read when a tick is judged, so a change holds from
    the next tick. A verdict ends its own alert where it says "harmless", and moves what is asked of networks like it.
    """

    def __init__(self, parameters: Parameters, released_ms: Mapping[str, int] | None = None) -> None:
        self.parameters = parameters
        self.judge = Judge(parameters, released_ms)
        self.life = Life(parameters.tick_ms, parameters.network_tick_ms)
        self.join = Join(HOUR_MS // parameters.tick_ms)
        self.expected: Sequence[Announced] = ()
        self.verdicts: Sequence[Said] = ()
        self.at_ms = 0
        self.on_tick: Callable[[Judged], None] = nobody

    def keep_within(self, bytes_max: float) -> None:
        """Hold memberships of half as many bytes at most. Together with the tables of an hour, which are there while it
        is judged, they may take twice as many: that is all that the process was given."""
        self.judge.carriers.bytes_max = bytes_max / 2
        self.judge.room.bytes_max = 2 * bytes_max

    def apply(self, summary: Summary) -> list[Alert]:
        """Take a summary in; gives the alert records that changed in the ticks that are whole now, in their order."""
        changed: list[Alert] = []
        for tick, summaries in self.join.add(summary):
            changed += self._judged(tick, summaries)
        return changed

    def go_on_without(self, silent: NDArray[np.bool_]) -> tuple[list[Alert], list[int]]:
        """Judge the ticks that wait for these shards alone, without them; what changed, and the ticks' ends in ms."""
        changed: list[Alert] = []
        ends_ms: list[int] = []
        for tick, summaries in self.join.without(silent):
            changed += self._judged(tick, summaries)
            ends_ms.append(self.at_ms)
        return changed, ends_ms

    def _judged(self, tick: int, summaries: Sequence[Summary]) -> list[Alert]:
        self.at_ms = (tick + 1) * self.parameters.tick_ms
        findings = self.judge.cohorts([summary.cohorts for summary in summaries], tick)
        columns = [summary.accounts for summary in summaries if summary.accounts is not None]
        if columns:
            self.judge.lessons = lessons_from(self.life.alert, self.verdicts)
            findings += self.judge.judge(joined(columns), self.at_ms // HOUR_MS - 1)
        changed = self.life.step(findings, self.at_ms, expected=self.expected, verdicts=self.verdicts)
        self.on_tick(Judged(self.at_ms, summaries, findings, changed))
        return changed

    def forget(self, account_id: str) -> list[Alert]:
        """Remember an account no more; gives the alerts that named it, as they are without. It is new when it returns.

        O(state): for between two runs, not between two ticks.
        """
        self.join.forget(account_id)
        # By way of its bytes, as a restart would bring it back: every table is a copy, and has its keys as numbers.
        self.judge.restore(judge_without(from_bytes(to_bytes(self.judge.state())), key_of(account_id), account_id))
        return self.life.forget(account_id)

    def snapshot(self) -> dict[str, bytes]:
        """The whole state in pieces below the limit of a Kafka message; what people said is not in it."""
        state = {"at_ms": self.at_ms, "join": self.join.state(), "judge": self.judge.state()}
        state["tick_ms"] = [self.parameters.tick_ms, self.parameters.network_tick_ms]
        return _in_pieces(to_bytes(state | {"life": self.life.snapshot()}))

    def restore(self, pieces: Mapping[str, bytes]) -> None:
        """Continue, with nothing seen yet, from what `snapshot` gave. Raises UnreadableSnapshotError."""
        state = from_bytes(b"".join(pieces[name] for name in sorted(pieces)))
        _refuse_other_ticks(state, self.parameters)
        self.at_ms = state["at_ms"]
        self.join.restore(state["join"])
        self.join.judged = self.at_ms // self.parameters.tick_ms - 1
        self.judge.restore(state["judge"])
        self.life = Life.restore(state["life"], self.parameters.tick_ms, self.parameters.network_tick_ms)

    def named_accounts(self) -> list[NamedAccount]:
        """Every account that a warning or critical alert named, best first."""
        return self.life.named_accounts()
