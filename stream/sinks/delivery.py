"""From an alert to a sink, around any of them: deadline, back-off, a bounded backlog, nothing twice.

Each sink has a task, a backlog and a ledger of its own: one that is dead slows neither detection nor the others.
Delivery is at least once, and exactly once as far as the ledger is kept; receivers get the same idempotency key.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from stream.contract.alert import SEVERITIES, Alert, Severity
from stream.kafka.place import Place
from stream.sinks.ledger import Ledger
from stream.sinks.sink import Sink, SinkRefusedError, SinkUnreachableError
from stream.telemetry import log, metrics

BACKLOG_MAX = 1_000  # records of at most 0.3 MB: in practice 10 MB; the ledger and the alerts topic hold the rest
BACK_OFF_FIRST_S = 1.0
BACK_OFF_MAX_S = 60.0
RESOLVED_FOR_S = 300.0  # a receiver that was away must still learn of the end
LIVE_DELAY_S_MAX = 86_400.0  # beyond it the alert is a replay's, and says nothing about the time to an alert

Mark = tuple[int, int]  # partition and offset on the alerts topic


@dataclass(frozen=True, slots=True)
class Attention:
    """What the on-call engineer asked for: nothing new of what is acknowledged, nothing at all until a snooze ends."""

    acknowledged: bool = False
    snoozed_until_ms: int | None = None


@dataclass(slots=True, eq=False)
class _Waiting:
    alert: Alert
    mark: Mark | None
    tries: int = 0


@dataclass(slots=True)
class Delivery:
    """One sink and what waits for it. `offer` never blocks and never fails; `run` delivers until it is cancelled.

    keeps_all: every record matters (a log); otherwise a newer record of one alert replaces one that still waits.
    calls: it can reach a person, as neither a log nor an annotation does.
    deadline_s: for one attempt. attention: what was asked for one alert. keep: called with the ledger's bytes whenever
    it changed. always: repeated for ever by a sink that repeats. kept_places: of the places, what is stored
    elsewhere already. now_s, rng: given by tests.
    """

    sink: Sink
    severity_min: Severity = "info"
    keeps_all: bool = False
    calls: bool = True
    deadline_s: float = 15.0
    backlog_max: int = BACKLOG_MAX
    ledger: Ledger = field(default_factory=Ledger)
    attention: Callable[[str], Attention] = lambda alert_id: Attention()
    keep: Callable[[bytes], None] = lambda raw: None
    now_s: Callable[[], float] = time.time
    back_off_first_s: float = BACK_OFF_FIRST_S
    rng: random.Random = field(default_factory=random.Random)
    always: tuple[Alert, ...] = ()
    kept_places: dict[int, Place] = field(default_factory=dict)
    _waiting: dict[tuple[str, int], _Waiting] = field(default_factory=dict)
    _open_marks: dict[int, set[int]] = field(default_factory=dict)
    _seen_marks: dict[int, int] = field(default_factory=dict)
    _firing: dict[str, Alert] = field(default_factory=dict)
    _over: dict[str, tuple[Alert, float]] = field(default_factory=dict)
    _resent_s: float = 0.0
    _failures: int = 0
    _back_off_s: float = 0.0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._idle.set()

    @property
    def name(self) -> str:
        """The sink's name."""
        return self.sink.name

    @property
    def backlog(self) -> int:
        """Records that wait."""
        return len(self._waiting)

    def offer(self, alert: Alert, mark: Mark | None = None) -> None:
        """Take a record for delivery, unless it is below the sink's severity or was delivered. Call in the loop."""
        self._saw(mark)
        if SEVERITIES.index(alert.severity) < SEVERITIES.index(self.severity_min):
            self._settle(mark)
        elif self.ledger.has(alert):
            if alert.status == "firing" or alert.alert_id in self._firing:
                self._remember(alert)
            self._settle(mark)
        else:
            self._queue(alert, mark)

    def resume(self, firing: Iterable[Alert]) -> None:
        """After a start: what is firing and was told before, so that a sink which needs repeats goes on with them."""
        for alert in firing:
            self.offer(alert)

    def _queue(self, alert: Alert, mark: Mark | None) -> None:
        key = self._key(alert)
        before = self._waiting.get(key)
        if before is not None:
            self._settle(before.mark)
        elif len(self._waiting) >= self.backlog_max:
            self._drop_one()
        self._waiting[key] = _Waiting(alert, mark)
        self._idle.clear()
        self._metered()
        self._wake.set()

    def _key(self, alert: Alert) -> tuple[str, int]:
        return alert.alert_id, alert.updated_at if self.keeps_all else 0

    def _drop_one(self) -> None:
        """The backlog is full: the least severe goes, and of those the oldest; what is lost is counted and logged."""
        key = min(self._waiting, key=lambda one: SEVERITIES.index(self._waiting[one].alert.severity))
        lost = self._waiting.pop(key)
        self._settle(lost.mark)
        metrics.bound_reached("sink_backlog")
        metrics.sink_lost(self.name, lost.alert.severity, lost.alert.alert_id, "the backlog is full")

    async def run(self) -> None:
        """Deliver for ever. Nothing that a sink does ends it; only cancelling does."""
        while True:
            one = self._due()
            if one is not None:
                is_over = await self._attempt([one])
            elif self._repeat_in_s() <= 0:
                is_over = await self._repeat()
            else:
                await self._sleep_until_due()
                continue
            if not is_over:
                await asyncio.sleep(self._back_off_s)

    def _due(self) -> _Waiting | None:
        """The next record that may go now: a log's in order, else the least tried, and of those the loudest."""
        waiting = list(self._waiting.values())
        if not self.keeps_all:
            # A record that its receiver cannot digest must not hold up the page behind it.
            waiting.sort(key=lambda one: (one.tries, -SEVERITIES.index(one.alert.severity)))
        for one in waiting:
            if self._is_hushed(one.alert):
                self._done(one)
            elif not self._is_snoozed(one.alert):
                return one
        return None

    async def _repeat(self) -> bool:
        """Everything that fires, and what ended lately, once more."""
        now = self.now_s()
        self._over = {key: one for key, one in self._over.items() if one[1] > now}
        alerts = [*self.always, *self._firing.values(), *(alert for alert, _ in self._over.values())]
        is_over = not alerts or await self._attempt([_Waiting(alert, None) for alert in alerts], is_repeat=True)
        if is_over:
            self._resent_s = now
        return is_over

    def _is_hushed(self, alert: Alert) -> bool:
        return self.attention(alert.alert_id).acknowledged and not self.ledger.is_louder(alert)

    def _is_snoozed(self, alert: Alert) -> bool:
        until_ms = self.attention(alert.alert_id).snoozed_until_ms
        return until_ms is not None and alert.status == "firing" and self.now_s() * 1000 < until_ms

    def _repeat_in_s(self) -> float:
        every_s: float | None = getattr(self.sink, "resend_s", None)
        if every_s is None or not (self.always or self._firing or self._over):
            return float("inf")
        return self._resent_s + every_s - self.now_s()

    async def _sleep_until_due(self) -> None:
        # A second at most where something waits for the end of its snooze: the wall may jump.
        wait_s = min(self._repeat_in_s(), 1.0 if self._waiting else float("inf"))
        self._idle.set()
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if wait_s == float("inf") else max(0.0, wait_s)):
                await self._wake.wait()

    async def _attempt(self, batch: Sequence[_Waiting], is_repeat: bool = False) -> bool:
        """One try; whether to go on at once, because the sink took it or never will."""
        alert_id = batch[0].alert.alert_id if len(batch) == 1 else ""
        for one in batch:
            one.tries += 1
        try:
            async with asyncio.timeout(self.deadline_s):
                await self.sink.send([one.alert for one in batch])
        except (SinkUnreachableError, TimeoutError) as error:
            told = str(error) or f"no answer within {self.deadline_s:g} s"
            self._failed(told, alert_id, getattr(error, "retry_after_s", None))
            return False
        except SinkRefusedError as error:
            metrics.sink_failed(self.name, str(error), alert_id)
            self._refused(batch, str(error))
            return True
        except Exception as error:
            # A defect of one sink must neither end its task nor hold up what comes after this record.
            metrics.sink_failed(self.name, f"{type(error).__name__} in the sink itself", alert_id)
            self._refused(batch, "a defect of the sink")
            return True
        self._failures = 0
        if not is_repeat:
            self._sent(batch)
        return True

    def _failed(self, told: str, alert_id: str, retry_after_s: float | None) -> None:
        metrics.sink_failed(self.name, told, alert_id)
        self._metered()
        self._failures += 1
        # Half of it by chance: many Swerves that lost one receiver do not return to it in step.
        most_s = min(BACK_OFF_MAX_S, self.back_off_first_s * 2 ** min(self._failures - 1, 16))
        self._back_off_s = max(most_s * (0.5 + 0.5 * self.rng.random()), retry_after_s or 0.0)

    def _refused(self, batch: Sequence[_Waiting], reason: str) -> None:
        """It will not be taken: settled, so that the rest goes on; a repeat is tried again in its time."""
        for one in batch:
            if self._waiting.get(self._key(one.alert)) is one:
                metrics.sink_lost(self.name, one.alert.severity, one.alert.alert_id, reason)
                self._done(one)

    def _sent(self, batch: Sequence[_Waiting]) -> None:
        if not self._firing:
            self._resent_s = self.now_s()
        for one in batch:
            if not self.ledger.has(one.alert):
                self._remember(one.alert)
                self.ledger.add(one.alert)
                metrics.sink_sent(self.name, one.alert.alert_id, self._delay_s(one.alert))
                self._done(one)

    def _delay_s(self, alert: Alert) -> float | None:
        delay_s = self.now_s() - alert.updated_at / 1000
        return delay_s if 0 <= delay_s < LIVE_DELAY_S_MAX else None

    def _done(self, one: _Waiting) -> None:
        """This record needs nothing more; a newer one of its alert that came meanwhile stays."""
        key = self._key(one.alert)
        if self._waiting.get(key) is one:
            del self._waiting[key]
        self._settle(one.mark)
        try:
            self.keep(self.ledger.to_bytes())
        except OSError as error:
            # Delivering matters more than remembering it: after a restart this one may come twice.
            log.get("sinks").error("ledger_not_kept", sink=self.name, reason=str(error))
        self._metered()

    def _remember(self, alert: Alert) -> None:
        """What a sink that wants repeats must hear again."""
        if getattr(self.sink, "resend_s", None) is None:
            return
        if alert.status == "firing":
            self._firing[alert.alert_id] = alert
        else:
            self._firing.pop(alert.alert_id, None)
            self._over[alert.alert_id] = (alert, self.now_s() + RESOLVED_FOR_S)
        self._wake.set()

    def _saw(self, mark: Mark | None) -> None:
        if mark is not None:
            partition, offset = mark
            still_open = self._open_marks.setdefault(partition, set())
            still_open.add(offset)
            self._seen_marks[partition] = max(offset, self._seen_marks.get(partition, -1))

    def _settle(self, mark: Mark | None) -> None:
        if mark is None:
            return
        partition, offset = mark
        self._open_marks[partition].discard(offset)

    def read_to(self, partition: int, offset: int) -> None:
        """Everything of a partition of the alerts topic below this offset was seen, or needs nothing."""
        self._seen_marks[partition] = max(offset - 1, self._seen_marks.get(partition, -1))

    def places(self) -> dict[int, Place]:
        """By partition of the alerts topic: up to where everything is settled, and what before that still waits."""
        return {
            partition: Place(seen + 1, frozenset(self._open_marks.get(partition, ())))
            for partition, seen in self._seen_marks.items()
        }

    def _metered(self) -> None:
        metrics.sink_backlog(self.name, len(self._waiting), self._pages() if self.calls else None)

    def _pages(self) -> int:
        """Pages that nobody asked to hold back."""
        return sum(
            one.alert.severity == "critical" and one.alert.status == "firing" and not self._is_snoozed(one.alert)
            for one in self._waiting.values()
        )

    async def drained(self) -> None:
        """Returns when nothing is left that may go now."""
        await self._idle.wait()


class Deliveries:
    """All sinks. One call offers a record to each; none of them can hold up another."""

    def __init__(self, deliveries: Sequence[Delivery]) -> None:
        self.each = tuple(deliveries)
        self._tasks: list[asyncio.Task[None]] = []
        metrics.sinks_configured([one.name for one in deliveries], [one.name for one in deliveries if one.calls])

    def start(self) -> None:
        """Begin to deliver, in the running loop."""
        self._tasks = [asyncio.create_task(one.run(), name=f"sink {one.name}") for one in self.each]

    def offer(self, alert: Alert, mark: Mark | None = None) -> None:
        """Take a record for every sink. Never blocks."""
        for one in self.each:
            one.offer(alert, mark)

    def resume(self, firing: Iterable[Alert]) -> None:
        """After a start: the alerts that are firing."""
        for alert in firing:
            self.offer(alert)

    async def close(self, drain_s: float = 10.0) -> None:
        """Deliver what waits, for at most drain_s; then let go of every sink. What is left stays undelivered."""
        if self._tasks:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(drain_s):
                    await asyncio.gather(*(one.drained() for one in self.each))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(one.sink.close() for one in self.each), return_exceptions=True)
