"""From bytes to frames: reads records, judges their times by the source's clock, and puts them into columns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.counts.arrivals import WINDOW, ClockState, SourceClock, lower_median
from detectors.counts.rows import NO_CLOCK_MS, Frame, Rows
from stream.contract.reading.arrays import is_array, records_of
from stream.contract.reading.instant import EARLIEST_MS, LATEST_MS, instant_ms
from stream.contract.reading.json_object import all_plain, check_bytes, plain
from stream.contract.reading.refusal import Refusal, Reject, refusal_of
from stream.contract.request import Line, Request, decode, decode_closely, read_line
from stream.pipeline.frames import compact_rows
from stream.pipeline.jumps import AHEAD_MS_MAX, date_what_lies_long_before, follows_slowly, out_of_time
from stream.pipeline.tables import Tables
from stream.pipeline.waiting import Waiting, event_of

RUN_RECORDS = 64  # read at once: what they are made of stays in the processor's cache until it is in columns
REFUSED_BYTES_LEAST = 1_024  # of a refused record, whatever waits: 4,096 of them are 4 MiB

#: How a record is read: one may hold several requests, or none. Raises Refusal of the whole, or gives one of a part.
Dialect = Callable[[bytes], Sequence[Request | Refusal]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What an encoder may hold between two flushes.

    names: entries that each of its tables may have kept from one flush to the next; over it they start anew.
    About 0.7 kB over all tables for each: 32,768 are some 22 MB. A source with more accounts than that reads each
    account's attributes anew most times that they come, at five times the price.
    refused_bytes: of refused records that wait for their frame; beyond, only the beginning of each is kept. At 16 MiB a
    worker with 12 partitions holds 192 MiB at worst.
    hold: records, itself included, after which a readable one is judged though 16 later readable ones did not come, so
    that a flood of unreadable records holds nothing back.
    """

    names: int = 32_768
    hold: int = 4_096
    refused_bytes: int = 16 << 20


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that broke the contract, as it came, and why. size: its bytes, where only the beginning was kept."""

    offset: int
    raw: bytes
    reason: Reject
    detail: str
    size: int | None = None


class Encoder:
    """Reads the records of one source in their order, and cuts them into the frames of its chain.

    source: name, part of every frame. after: offset before the first record. clock: where the source's clock stood at
    `after` (`clock_state` of the encoder that stopped there). dialect: how records are read, ours where it is None.
    names_max: that of the limits, for whoever shares a larger number among encoders.

    A record is judged when 16 later readable ones were read, or the source ended or went idle: more than an hour ahead
    of the source's clock at that moment, it is refused as `impossible_time`. What is not judged yet stays buffered, so
    a frame holds the same rows, with the same clocks, however the source is cut. Not for use by two threads.

    >>> encoder = Encoder("requests[0]", after=41)
    >>> encoder.read([b'{"event_id":"e","timestamp":1772362800000,"account_id":"a","model":"m"}', b"{"], [42, 43])
    >>> frame = encoder.flush(ended=True)
    >>> len(frame.rows), (frame.after, frame.upto), frame.refused
    (1, (41, 43), {'not_json': 1})
    >>> [(refused.offset, refused.reason.value) for refused in encoder.refusals()]
    [(43, 'not_json')]
    """

    def __init__(
        self,
        source: str,
        after: int = -1,
        clock: ClockState | None = None,
        limits: Limits | None = None,
        dialect: Dialect | None = None,
    ) -> None:
        self.source = source
        self.after = after
        self.clock_state = clock if clock is not None else ClockState()
        self._limits = limits if limits is not None else Limits()
        self.names_max = self._limits.names
        self._dialect = dialect
        self._tables = Tables()
        self._waiting = Waiting()
        self._unreadable: list[Refused] = []  # beyond `after`, by offset
        self._unreadable_bytes = 0
        self._refusals: list[Refused] = []  # of frames that were flushed
        self._long_names = 0
        self._no_requests = 0
        self._records = 0
        self._read_upto = after

    @property
    def names(self) -> int:
        """Entries of the largest of its tables."""
        return self._tables.size()

    @property
    def buffered(self) -> int:
        """Requests and refused records that no frame holds yet."""
        return len(self._waiting) + len(self._unreadable)

    def read(self, raws: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Takes records in, at rising offsets beyond all that were read. About 4 us each.

        Raises ValueError where there are not as many offsets as records.
        """
        if len(raws) != len(offsets):
            raise ValueError(f"{self.source}: {len(raws)} records with {len(offsets)} offsets")
        if not raws:
            return
        if offsets[0] <= self._read_upto:
            raise ValueError(f"{self.source}: offset {offsets[0]} after {self._read_upto}; offsets must rise")
        if self._dialect is None:
            self._read_lines(raws, offsets)
        else:
            self._read_dialect(self._dialect, raws, offsets)
        self._read_upto = offsets[-1]

    def _read_lines(self, raws: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Our own JSON, the quick way: run by run, with a closer look at what ends a run before its time."""
        at = 0
        while at < len(raws):
            end = min(at + RUN_RECORDS, len(raws))
            at += self._read_run(raws[at:end], offsets[at:end])
            if at < end:
                self._read_closely(raws[at], offsets[at], self._records)
                self._records += 1
                at += 1

    def _read_run(self, raws: Sequence[bytes], offsets: Sequence[int]) -> int:
        """Reads records up to the first that is not in order; how many. `decode` and `_add` in one, by test."""
        tables, waiting, lines = self._tables, self._waiting, list[Line]()
        accounts, models = tables.accounts, tables.models
        capability_sets, value_sets = tables.capability_sets, tables.value_sets
        add_line, add_time, add_model = lines.append, waiting.at_ms.append, waiting.model.append
        add_capability_set, add_value_set = waiting.capability_set.append, waiting.value_set.append
        plainly = all_plain(raws)
        with suppress(Exception):  # whatever it is: read closely, the record says why, or is in order
            for raw in raws:
                if not (plainly or plain(raw)):
                    check_bytes(raw)
                line = read_line(raw)
                at_ms = line.timestamp
                if type(at_ms) is not int or not EARLIEST_MS <= at_ms <= LATEST_MS:
                    at_ms = instant_ms(at_ms, "$.timestamp")
                model = models[line.model]
                capability_set = capability_sets[bytes(line.capabilities)]
                value_set = value_sets[bytes(line.attributes)]
                add_line(line)
                add_time(at_ms)
                add_model(model)
                add_capability_set(capability_set)
                add_value_set(value_set)
        read = len(lines)
        waiting.account += [accounts[line.account_id] for line in lines]
        waiting.event += [event_of(line.event_id) for line in lines]
        waiting.input_tokens += [line.input_tokens or 0 for line in lines]
        waiting.output_tokens += [line.output_tokens or 0 for line in lines]
        waiting.offset += offsets[:read]
        waiting.record += range(self._records, self._records + read)
        waiting.raw += raws[:read]
        self._long_names += tables.shortened(waiting.capability_set[-read:], waiting.value_set[-read:]) if read else 0
        self._records += read
        return read

    def _read_closely(self, raw: bytes, offset: int, record: int) -> None:
        if is_array(raw):
            self._read_array(_own, raw, offset)
            return
        try:
            self._add(decode_closely(raw), raw, offset, record)
        except Exception as error:
            self._refuse(raw, offset, refusal_of(error))

    def _read_array(self, dialect: Dialect, raw: bytes, offset: int) -> None:
        """Every record of an array, in order; each is refused for itself, as the whole is that has none."""
        records = records_of(raw)
        for number, one in enumerate(records or [raw]):
            self._read_one(dialect, one, raw, offset, f"$[{number}]" if records else "$")

    def _read_dialect(self, dialect: Dialect, raws: Sequence[bytes], offsets: Sequence[int]) -> None:
        for raw, offset in zip(raws, offsets, strict=True):
            if is_array(raw):
                self._read_array(dialect, raw, offset)
            else:
                self._read_one(dialect, raw, raw, offset, "$")
            self._records += 1

    def _read_one(self, dialect: Dialect, one: bytes, raw: bytes, offset: int, path: str) -> None:
        """One record, `path` within the raw one that came."""
        try:
            requests = dialect(one)
            self._no_requests += not requests
            for request in requests:
                if isinstance(request, Refusal):
                    self._refuse(raw, offset, request, path)
                else:
                    self._add(request, raw, offset, self._records)
        except Exception as error:
            self._refuse(raw, offset, refusal_of(error), path)

    def _add(self, request: Request, raw: bytes, offset: int, record: int) -> None:
        """All of the request or, where anything about it fails, nothing."""
        tables, waiting = self._tables, self._waiting
        account, model = tables.accounts[request.account_id], tables.models[request.model]
        capability_set = tables.capability_sets.number(request.capabilities)
        value_set = tables.value_sets.number(request.attributes)
        event = event_of(request.event_id)
        waiting.account.append(account)
        waiting.model.append(model)
        waiting.capability_set.append(capability_set)
        waiting.value_set.append(value_set)
        waiting.at_ms.append(request.at_ms)
        waiting.event.append(event)
        waiting.input_tokens.append(request.input_tokens)
        waiting.output_tokens.append(request.output_tokens)
        waiting.offset.append(offset)
        waiting.record.append(record)
        waiting.raw.append(raw)
        self._long_names += tables.shortened((capability_set,), (value_set,))

    def _refuse(self, raw: bytes, offset: int, refusal: Refusal, path: str = "$") -> None:
        detail = path + refusal.detail.removeprefix("$")
        last = self._unreadable[-1] if self._unreadable else None
        if last is not None and last.offset == offset:  # another one of the same record
            self._unreadable.append(Refused(offset, last.raw, refusal.reason, detail, last.size))
            return
        fits = self._unreadable_bytes + len(raw) <= self._limits.refused_bytes
        kept = raw if fits else raw[:REFUSED_BYTES_LEAST]
        self._unreadable_bytes += len(kept)
        size = len(raw) if len(kept) < len(raw) else None
        self._unreadable.append(Refused(offset, kept, refusal.reason, detail, size))

    def flush(self, ended: bool = False, idle: bool = False, received_ms: int | None = None) -> Frame:
        """The next frame of the chain: every record that is judged by now; all of them where `ended` or `idle`.

        received_ms: what time it is where records come as they happen. Then one that lies over an hour ahead of it is
        refused, whatever the others say, and the source's clock never passes it. None: a log of the past.

        idle: the source has nothing to read for now; a clock that was shown fewer than 16 times judges by the median
        of what is there, but does not take it as its reading. ended: nothing will ever follow; then it does.
        About 1 us a request, and 0.5 ms for tables that are full.
        """
        undecided = self._refuse_jumps(received_ms, everything=ended or idle)
        at_ms, offset, record = (self._waiting.column(name) for name in ("at_ms", "offset", "record"))
        judged = self._judged(record, offset, undecided, everything=ended or idle)
        shown_ms = at_ms if received_ms is None else np.minimum(at_ms, received_ms)
        clock = SourceClock(self.clock_state)
        clock_ms = clock.read(shown_ms[:judged])
        readings_ms = np.concatenate([clock_ms, SourceClock(clock.state).read(shown_ms[judged:])])
        by = self._judged_by(record, judged)
        judging_ms = self._judging_ms(at_ms, readings_ms, by)
        ahead = at_ms[:judged] > judging_ms + AHEAD_MS_MAX
        ahead &= ~self._follows_slowly(at_ms, np.flatnonzero(ahead), judged)
        upto = self._upto(offset, judged)
        date_what_lies_long_before(self.clock_state.last_ms, at_ms, clock_ms, readings_ms, by)
        rows = self._rows_of(np.flatnonzero(~ahead), clock_ms)
        refused = self._leave(upto, judged, np.flatnonzero(ahead), judging_ms)
        frame = Frame(
            source=self.source,
            after=self.after,
            upto=upto,
            clock_ms=clock.settled_ms() if ended else clock.now_ms,
            idle=idle,
            ended=ended,
            refused=refused,
            rows=rows,
        )
        self.after, self.clock_state = upto, clock.state
        self._renew_tables()
        return frame

    def refusals(self) -> list[Refused]:
        """What was refused in the frames flushed since the last call, by offset."""
        refusals, self._refusals = self._refusals, []
        return refusals

    def long_names(self) -> int:
        """How many requests that were read since the last call had a name that was too long, and was cut."""
        long_names, self._long_names = self._long_names, 0
        return long_names

    def no_requests(self) -> int:
        """How many records that were read since the last call hold no request: a failed call, another kind of entry."""
        no_requests, self._no_requests = self._no_requests, 0
        return no_requests

    def _refuse_jumps(self, received_ms: int | None, everything: bool) -> int:
        """Set aside what is ahead of the time of day, and runs ahead of the source; how many rows are in no doubt."""
        at_ms = self._waiting.column("at_ms")
        if received_ms is not None and len(at_ms) and int(at_ms.max()) > received_ms + AHEAD_MS_MAX:
            ahead = np.flatnonzero(at_ms > received_ms + AHEAD_MS_MAX)
            self._set_aside(ahead, f"expected at most 1 h ahead of the time of day, which is {received_ms}")
            at_ms = self._waiting.column("at_ms")
        record = self._waiting.column("record")
        jumps = out_of_time(at_ms, record, self._records, self.clock_state, self._limits.hold, everything)
        if len(jumps.refused):
            shown = int(jumps.clock_ms[0])
            self._set_aside(
                jumps.refused, f"expected no run of records ahead of the rest of the source, whose clock shows {shown}"
            )
        return jumps.undecided

    def _set_aside(self, rows: NDArray[np.int64], expected: str) -> None:
        """These rows wait with what could not be read: to the source's clock they were never there."""
        waiting = self._waiting
        for row in rows.tolist():
            raw, offset, got = waiting.raw[row], waiting.offset[row], waiting.at_ms[row]
            self._refuse(raw, offset, Refusal(Reject.IMPOSSIBLE_TIME, f"$.timestamp: {expected}, got {got}"))
        self._unreadable.sort(key=lambda refused: refused.offset)
        waiting.leave_out(rows)

    def _judged(self, record: NDArray[np.int64], offset: NDArray[np.int64], undecided: int, everything: bool) -> int:
        """How many of the buffered rows are judged by now. Requests of one record are never cut apart.

        undecided: the first row of which it is open whether it is ahead of its time; none is judged by it, or a later.
        """
        if everything:
            return len(record)
        by_rows = len(record) - WINDOW
        by_records = int(np.searchsorted(record, self._records - self._limits.hold, side="right"))
        judged = max(by_rows, by_records, 0)
        if undecided < len(record):
            judged = min(judged, int(np.searchsorted(self._judged_by(record, judged), undecided)))
        return judged if judged >= len(record) else int(np.searchsorted(offset, offset[judged], side="left"))

    def _judged_by(self, record: NDArray[np.int64], judged: int) -> NDArray[np.int64]:
        """The row at which each judged row is judged: the 16th readable one after it, or the last to wait for."""
        waited = np.searchsorted(record, record[:judged] + self._limits.hold, side="left") - 1
        return np.minimum(np.arange(judged) + WINDOW, waited)

    def _judging_ms(
        self, at_ms: NDArray[np.int64], readings_ms: NDArray[np.int64], by: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """By which clock each row is judged; where 16 were never shown by then, the lower median of what was."""
        judging_ms = readings_ms[by]
        for row in np.flatnonzero(judging_ms == NO_CLOCK_MS).tolist():
            judging_ms[row] = lower_median((*self.clock_state.last_ms, *at_ms[: by[row] + 1].tolist()))
        return judging_ms

    def _follows_slowly(self, at_ms: NDArray[np.int64], ahead: NDArray[np.intp], judged: int) -> NDArray[np.bool_]:
        """Which of the rows ahead only follow a slow source, by the records just before each."""
        slowly = np.zeros(judged, bool)
        times = np.concatenate([np.array(self.clock_state.last_ms, np.int64), at_ms])
        for row in ahead.tolist():
            slowly[row] = follows_slowly(times, len(self.clock_state.last_ms) + row, AHEAD_MS_MAX)
        return slowly

    def _upto(self, offset: NDArray[np.int64], judged: int) -> int:
        """The last offset before the first row that is not judged, of those that were read."""
        if judged == len(offset):
            return self._read_upto
        before = bisect_left(self._unreadable, int(offset[judged]), key=lambda refused: refused.offset)
        candidates = [self.after]
        candidates += [int(offset[judged - 1])] if judged else []
        candidates += [self._unreadable[before - 1].offset] if before else []
        return max(candidates)

    def _leave(self, upto: int, judged: int, ahead: NDArray[np.intp], judging_ms: NDArray[np.int64]) -> dict[str, int]:
        """Takes what the frame covers out of the buffers; what of it was refused, by reason."""
        waiting = self._waiting
        covered = bisect_right(self._unreadable, upto, key=lambda refused: refused.offset)
        refused, self._unreadable = self._unreadable[:covered], self._unreadable[covered:]
        self._unreadable_bytes = sum({one.offset: len(one.raw) for one in self._unreadable}.values())
        refused += [
            _impossible(waiting.offset[row], waiting.raw[row], waiting.at_ms[row], int(judging_ms[row]))
            for row in ahead.tolist()
        ]
        waiting.leave(judged)
        refused.sort(key=lambda one: one.offset)
        self._refusals += refused
        return dict(sorted(Counter(one.reason.value for one in refused).items()))

    def _rows_of(self, keep: NDArray[np.intp], clock_ms: NDArray[np.int64]) -> Rows:
        """The rows to keep, with tables that hold nothing else."""
        tables, values, waiting = self._tables, self._tables.value_sets.values_of, self._waiting

        def kept(name: str, dtype: type[np.generic] = np.int64) -> NDArray[Any]:
            return waiting.column(name)[keep].astype(dtype, copy=False)

        return compact_rows(
            Rows(
                accounts=tables.accounts.names,
                account_keys=np.frombuffer(bytes(tables.accounts.keys_of), "<u8").astype(np.uint64),
                account_shards=np.frombuffer(bytes(tables.accounts.shards_of), np.uint8),
                targets=tuple(tables.targets),
                values=values.pairs,
                value_keys=np.frombuffer(bytes(values.keys_of), "<u8").astype(np.uint64),
                capability_sets=tables.capability_sets.sets.sets(),
                value_sets=tables.value_sets.sets.sets(),
                account=kept("account", np.uint32),
                model=kept("model", np.uint32),
                capability_set=kept("capability_set", np.uint32),
                value_set=kept("value_set", np.uint32),
                at_ms=kept("at_ms"),
                clock_ms=clock_ms[keep],
                event=waiting.events()[keep],
                offset=kept("offset"),
                input_tokens=kept("input_tokens"),
                output_tokens=kept("output_tokens"),
            )
        )

    def _renew_tables(self) -> None:
        """Starts the tables anew once they are full, with what the buffered rows need."""
        if self.names <= self.names_max:
            return
        old, new = self._tables, Tables()
        accounts, targets, values = old.accounts.names, list(old.targets), old.value_sets.values_of.pairs

        def renumbered(account: int, model: int, capability_set: int, value_set: int) -> tuple[int, int, int, int]:
            capabilities = [targets[one] for one in old.capability_sets.sets.items_of(capability_set)]
            attributes = dict([values[one] for one in old.value_sets.sets.items_of(value_set)])
            return (
                new.accounts[accounts[account]],
                new.models[targets[model].removeprefix("model:")],
                new.capability_sets.number(tuple([one.removeprefix("capability:") for one in capabilities])),
                new.value_sets.number(attributes),
            )

        waiting = self._waiting
        waiting.renumber(map(renumbered, waiting.account, waiting.model, waiting.capability_set, waiting.value_set))
        self._tables = new


def _own(raw: bytes) -> list[Request]:
    return [decode(raw)]


def _impossible(offset: int, raw: bytes, at_ms: int, clock_ms: int) -> Refused:
    expected = f"expected at most 1 h ahead of its neighbours in the source, whose clock shows {clock_ms}"
    return Refused(offset, raw, Reject.IMPOSSIBLE_TIME, f"$.timestamp: {expected}, got {at_ms}")
