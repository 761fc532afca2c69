"""What becomes of a batch of records where all three parts live in one process, without Kafka?

Backtest, demo and watch feed it; it counts what it saw, so that nobody counts twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from detectors.counts.arrivals import WINDOW, ClockState, lower_median
from detectors.counts.rows import NO_CLOCK_MS, Frame
from detectors.counts.summary import Summary
from detectors.parameters import Parameters
from stream.contract.alert import Alert
from stream.contract.reading.arrays import records_of
from stream.contract.request import Request, decode
from stream.pipeline.chain import Applied
from stream.pipeline.composition import TICKS_AT_ONCE, Shards
from stream.pipeline.encode import Dialect, Encoder, Limits, Refused

NAMES_MAX = 131_072  # of all encoders together, some 90 MB; as many as one may have for itself, where they are many
FIRST_LINES = 64
FIRST_BYTES = 1 << 16
FIRST_MAX = 4_096  # lines that are looked at for the first times
Batch = tuple[Sequence[bytes], Sequence[int]]  # records, and their offsets


class Judge(Protocol):
    """What turns summaries into alert records: `pipeline.Fleet`."""

    def apply(self, summary: Summary) -> Sequence[Alert]:
        """Take one summary; gives the records that changed."""


@dataclass(slots=True)
class Seen:
    """What went through so far. Times are event time in ms, None before the first counted request.

    records: lines read. accepted: requests counted. not_counted: by reason, late and repeated ones included.
    no_requests: lines that hold none, as a failed call. first: the first lines, for a guess at what they are.
    late: requests that came too late to count, by source.
    """

    records: int = 0
    accepted: int = 0
    not_counted: Counter[str] = field(default_factory=Counter)
    no_requests: int = 0
    late: Counter[str] = field(default_factory=Counter)
    first: list[bytes] = field(default_factory=list)
    from_ms: int | None = None
    until_ms: int | None = None
    alerts: Counter[str] = field(default_factory=Counter)  # distinct alerts by the highest severity that they reached


class Embedded:
    """Encoders of all sources, the shards and the fleet, in one process.

    sources: names, all of which hold time back until they end. on_summary, on_alerts: told of every summary before
    it is judged, and of the records that came of it. dialect: how records are written, ours where it is None.
    """

    def __init__(
        self,
        parameters: Parameters,
        sources: Sequence[str],
        fleet: Judge,
        on_summary: Iterable[Callable[[Summary], None]] = (),
        on_alerts: Iterable[Callable[[Sequence[Alert]], None]] = (),
        dialect: Dialect | None = None,
        shards: Shards | None = None,
    ) -> None:
        self.parameters = parameters
        self.shards = Shards(parameters, sources) if shards is None else shards
        self.fleet = fleet
        self.seen = Seen()
        self._dialect = dialect
        self._encoders = {name: Encoder(name, dialect=dialect) for name in sources}
        self._on_summary = tuple(on_summary)
        self._on_alerts = tuple(on_alerts)
        self._late = self.shards.late
        self._worst: dict[str, str] = {}

    def clock_ms(self, source: str) -> int:
        """The clock of a source, NO_CLOCK_MS before it has one."""
        return self.shards.clock_ms(source)

    def begin(
        self, source: str, after: int = -1, clock: ClockState | None = None, begins_ms: int = NO_CLOCK_MS
    ) -> None:
        """A source sends what follows an offset, at which its clock stood like this.

        begins_ms: what its clock will say first (`begins_ms`), so that time goes on to there before it is read.
        """
        clock = ClockState() if clock is None else clock
        self._encoders[source] = Encoder(source, after=after, clock=clock, dialect=self._dialect)
        self.shards.begin(source, after, max(clock.now_ms, begins_ms))

    def hand_on(self, clock: ClockState, heir: str) -> None:
        """A source that nothing was read of yet goes on with this clock, where it has a reading."""
        if clock.now_ms != NO_CLOCK_MS:
            self.begin(heir, self.position(heir), clock)

    def let_go(self, source: str) -> None:
        """A source has ended: the names that it used are some 30 MB, and are not needed any more."""
        self._encoders[source] = Encoder(source, self.position(source), self.clock_state(source))

    def clock_state(self, source: str) -> ClockState:
        """All that the clock of a source remembers, at `position`."""
        return self._encoders[source].clock_state

    def position(self, source: str) -> int:
        """The offset up to which a source is counted."""
        return self._encoders[source].after

    def read(self, source: str, raws: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Take records of a source in, at rising offsets; `advance` judges them."""
        seen = self.seen
        seen.records += len(raws)
        if len(seen.first) < FIRST_LINES:
            seen.first += [raw[:FIRST_BYTES] for raw in raws[: FIRST_LINES - len(seen.first)]]
        self._encoders[source].read(raws, offsets)

    def advance(
        self, source: str, *, ended: bool = False, idle: bool = False, received_ms: int | None = None
    ) -> list[Alert]:
        """Count what a source's records say and close the ticks that may close; gives the alert records of these.

        received_ms: what time it is, where they come as they happen; None in a log of the past.
        """
        encoder = self._encoders[source]
        holding = sum(one.names > 0 for one in self._encoders.values())
        encoder.names_max = max(Limits().names, NAMES_MAX // max(holding, 1))
        frame = encoder.flush(ended=ended, idle=idle, received_ms=received_ms)
        applied = self.shards.apply(frame)
        if applied is Applied.GAP:
            raise AssertionError(f"{source}: the frame ({frame.after}, {frame.upto}] leaves a gap")
        self._count_frame(frame)
        self.seen.no_requests += self._encoders[source].no_requests()
        alerts: list[Alert] = []
        while summaries := self.shards.summaries(TICKS_AT_ONCE):
            for summary in summaries:
                alerts += self.judge(summary)
        return alerts

    def judge(self, summary: Summary) -> Sequence[Alert]:
        """Judge the next tick, which `advance` closed here or in another process; gives the records that changed."""
        seen = self.seen
        seen.accepted += summary.counters.get("accepted", 0)
        repeats = summary.counters.get("duplicate_event", 0)
        if repeats:
            seen.not_counted["duplicate_event"] += repeats
        for tell_summary in self._on_summary:
            tell_summary(summary)
        alerts = self.fleet.apply(summary)
        for alert in alerts:
            self._count_alert(alert)
        for tell_alerts in self._on_alerts:
            tell_alerts(alerts)
        return alerts

    def refusals(self, source: str) -> list[Refused]:
        """What of a source was refused since the last call."""
        return self._encoders[source].refusals()

    def long_names(self) -> int:
        """How many requests that were read since the last call had a name that was too long, and was cut."""
        return sum([encoder.long_names() for encoder in self._encoders.values()])

    def _count_frame(self, frame: Frame) -> None:
        seen = self.seen
        seen.not_counted.update(frame.refused)
        late, self._late = self.shards.late - self._late, self.shards.late
        if late:
            seen.not_counted["late_event"] += late
            seen.late[frame.source] += late
        if len(frame.rows):
            first, last = int(frame.rows.at_ms.min()), int(frame.rows.at_ms.max())
            seen.from_ms = first if seen.from_ms is None else min(first, seen.from_ms)
            seen.until_ms = last if seen.until_ms is None else max(last, seen.until_ms)

    def _count_alert(self, alert: Alert) -> None:
        order = ("info", "warning", "critical")
        before = self._worst.get(alert.alert_id)
        if before is not None and order.index(before) >= order.index(alert.severity):
            return
        if before is not None:
            self.seen.alerts[before] -= 1
        self._worst[alert.alert_id] = alert.severity
        self.seen.alerts[alert.severity] += 1


def in_order(embedded: Embedded, sources: Mapping[str, Iterator[Batch]], *, to_the_end: bool = True) -> Iterator[str]:
    """Read everything, always next from the source whose clock is behind; gives the source after each of its batches.

    A source whose beginning is known (`Embedded.begin`) is not touched before time has come there. The first of those
    goes on with the clock of one that ended before, as if they were one log that was cut. The end of all sources closes
    what is open; not so where it is not `to_the_end` of what happened, and something else goes on from there.
    """
    left, untouched = dict(sources), {name for name in sources if embedded.position(name) < 0}
    while left:
        source = behind(embedded, list(left))
        untouched.discard(source)
        batch = next(left[source], None)
        if batch is None:
            del left[source]
            heir = behind(embedded, sorted(untouched)) if untouched else source
            if heir != source:  # before its last records are judged, for they close no more than they did in one log
                embedded.hand_on(embedded.clock_state(source), heir)
            embedded.advance(source, ended=to_the_end, idle=not to_the_end)
            if heir != source:
                embedded.hand_on(embedded.clock_state(source), heir)
        else:
            embedded.read(source, *batch)
            embedded.advance(source)
        yield source
        if batch is None:
            embedded.let_go(source)


def behind(embedded: Embedded, sources: Sequence[str]) -> str:
    """Which of the sources to read next: the one whose clock is behind, the first named of equals.

    One without a clock comes first, since nothing is judged before all have one.
    """
    return min(sources, key=lambda name: (embedded.clock_ms(name) != NO_CLOCK_MS, embedded.clock_ms(name)))


def begins_ms(raws: Iterable[bytes], dialect: Dialect | None) -> int:
    """What the clock of a log with these first records will say first; NO_CLOCK_MS where none of them can be read."""
    times_ms: list[int] = []
    for raw in islice(raws, FIRST_MAX):
        for one in records_of(raw) or [raw]:
            times_ms += _times_ms(one, dialect)
        if len(times_ms) >= WINDOW:
            break
    return lower_median(times_ms[:WINDOW]) if times_ms else NO_CLOCK_MS


def _times_ms(raw: bytes, dialect: Dialect | None) -> list[int]:
    try:
        requests = [decode(raw)] if dialect is None else dialect(raw)
    except Exception:  # whatever is wrong with it is told when it is read
        return []
    return [one.at_ms for one in requests if isinstance(one, Request)]
