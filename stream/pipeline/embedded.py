"""What becomes of a batch of records where all three parts live in one process, without Kafka?

Backtest, demo and watch feed it; it counts what it saw, so that nobody counts twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from detectors.counts.rows import NO_CLOCK_MS, Frame
from detectors.counts.summary import Summary
from detectors.parameters import Parameters
from stream.contract.alert import Alert
from stream.pipeline.composition import TICKS_AT_ONCE, Applied, Shards
from stream.pipeline.encode import Dialect, Encoder, Refused

FIRST_LINES = 64
FIRST_BYTES = 1 << 16
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
    """

    records: int = 0
    accepted: int = 0
    not_counted: Counter[str] = field(default_factory=Counter)
    no_requests: int = 0
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
    ) -> None:
        self.parameters = parameters
        self.shards = Shards(parameters, sources)
        self.fleet = fleet
        self.seen = Seen()
        self._encoders = {name: Encoder(name, dialect=dialect) for name in sources}
        self._on_summary = tuple(on_summary)
        self._on_alerts = tuple(on_alerts)
        self._late = 0
        self._worst: dict[str, str] = {}

    def clock_ms(self, source: str) -> int:
        """The clock of a source, NO_CLOCK_MS before it has one."""
        return self.shards.clock_ms(source)

    def read(self, source: str, raws: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Take records of a source in, at rising offsets; `advance` judges them."""
        seen = self.seen
        seen.records += len(raws)
        if len(seen.first) < FIRST_LINES:
            seen.first += [raw[:FIRST_BYTES] for raw in raws[: FIRST_LINES - len(seen.first)]]
        self._encoders[source].read(raws, offsets)

    def advance(self, source: str, *, ended: bool = False, idle: bool = False) -> list[Alert]:
        """Count what a source's records say and close the ticks that may close; gives the alert records of these."""
        frame = self._encoders[source].flush(ended=ended, idle=idle)
        applied = self.shards.apply(frame)
        if applied is Applied.GAP:
            raise AssertionError(f"{source}: the frame ({frame.after}, {frame.upto}] leaves a gap")
        self._count_frame(frame)
        self.seen.no_requests += self._encoders[source].no_requests()
        alerts: list[Alert] = []
        while summaries := self.shards.summaries(TICKS_AT_ONCE):
            for summary in summaries:
                alerts += self._judge(summary)
        return alerts

    def refusals(self, source: str) -> list[Refused]:
        """What of a source was refused since the last call."""
        return self._encoders[source].refusals()

    def long_names(self) -> int:
        """How many requests that were read since the last call had a name that was too long, and was cut."""
        return sum([encoder.long_names() for encoder in self._encoders.values()])

    def _judge(self, summary: Summary) -> Sequence[Alert]:
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

    def _count_frame(self, frame: Frame) -> None:
        seen = self.seen
        seen.not_counted.update(frame.refused)
        late, self._late = self.shards.late - self._late, self.shards.late
        if late:
            seen.not_counted["late_event"] += late
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


def in_order(embedded: Embedded, sources: Mapping[str, Iterator[Batch]]) -> Iterator[str]:
    """Read everything, always next from the source whose clock is behind; gives the source after each of its batches.

    The end of all sources closes what is open.
    """
    left = dict(sources)
    while left:
        source = behind(embedded, list(left))
        batch = next(left[source], None)
        if batch is None:
            del left[source]
        else:
            embedded.read(source, *batch)
        embedded.advance(source, ended=batch is None)
        yield source


def behind(embedded: Embedded, sources: Sequence[str]) -> str:
    """Which of the sources to read next: the one whose clock is behind, the first named of equals.

    One without a clock comes first, since nothing is judged before all have one.
    """
    return min(sources, key=lambda name: (embedded.clock_ms(name) != NO_CLOCK_MS, embedded.clock_ms(name)))
