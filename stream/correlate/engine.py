"""The state of the whole fleet, as the shell drives it: summaries in, alert records out."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import numpy as np

from detectors.counts.rows import SHARDS
from detectors.counts.summary import Summary
from detectors.parameters import HOUR_MS, Parameters
from stream.contract import alert
from stream.contract.alert import Alert
from stream.correlate.book import GONE
from stream.correlate.copies import Copies
from stream.correlate.knowledge import Known
from stream.pipeline.chain import Applied, Chain
from stream.pipeline.composition import Fleet
from stream.pipeline.frames import decode_summary, summary_content
from stream.stages.shell import Output, Step, decoded
from stream.telemetry import metrics
from stream.telemetry.per_tick import MeasuredFleet

STAGE: Final = "correlate"
SOURCE = "summaries"
FLEET, POSITION = "fleet/", "position"
FUTURE_MS_MAX = 2 * HOUR_MS  # a record may be an hour ahead, and so may the clock of its source be


class FleetEngine:
    """The fleet, begun empty or restored.

    Summaries are a chain by their offsets: nothing but Kafka's own counting, since their topic knows neither
    transactions nor compaction.
    """

    def __init__(
        self,
        parameters: Parameters,
        now: Callable[[], Known],
        first: int,
        pieces: Mapping[str, bytes],
        missing_s: float = 600.0,
        now_s: Callable[[], float] = time.monotonic,
        state_of: Callable[[str], str] = lambda alert_id: "firing",
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """now: what people know. first: the earliest offset that the topic still has.

        missing_s: how long, on the wall, a shard may say nothing while others wait for it. state_of: see MeasuredFleet.
        wall_s: the time of day.
        """
        self._now = now
        self._wall_s = wall_s
        self._missing_s = missing_s
        self._now_s = now_s
        self._heard_s = np.full(SHARDS, now_s())
        self._waits_since_s: float | None = None
        self.fleet = Fleet(parameters)
        self._taken = Chain(first - 1)
        self._begins_anew = False
        self._copies = Copies()
        if POSITION in pieces:
            self.fleet.restore({name: piece for name, piece in pieces.items() if name.startswith(FLEET)})
            self._taken = Chain(msgspec.json.decode(pieces[POSITION], type=int) - 1)
            self._taken.give_up()  # summaries before the first one that the topic has were deleted
            self._place(first - 1, first - 1)
        self._measured = MeasuredFleet(self.fleet, lambda at_ms: time.time() - at_ms / 1000, state_of)

    def apply(self, offset: int, value: bytes) -> Step:
        """Judge what this summary makes whole.

        What is no summary, or a damaged one, is set aside and told; if it was one, its tick is partial, which is told
        too. Raises SwerveError for one of another version: the right build reads it.
        """
        applied = self._place(offset - 1, offset)
        if applied is not Applied.APPLIED:
            return Step(applied, SOURCE)
        summary = decoded(decode_summary, value, STAGE, f"{SOURCE}[0]@{offset}")
        if summary is None or self._is_of_the_future(summary, offset):
            self._taken.position = offset
            return Step(Applied.REPEAT, SOURCE)
        self._tell_what_is_between(summary)
        known = self._now()
        self.fleet.judge.released_ms = known.released_ms
        self.fleet.expected, self.fleet.verdicts = known.expected, known.verdicts
        repeats = self.fleet.join.repeats
        self._measured.begin()
        judged_ms = self.fleet.at_ms
        changed = self.fleet.apply(summary)
        self._tell_what_is_taken_back(offset)
        self._heard_s[list(summary.shards)] = self._now_s()
        if self._waits_since_s is None or self.fleet.at_ms > judged_ms:
            self._waits_since_s = self._now_s() if self.fleet.join.is_waiting else None
        changed += self._without_the_silent()
        self._taken.position = offset
        self._tell(summary, value, "repeat" if self.fleet.join.repeats > repeats else "first")
        records = [Output(alert.encode(one), one.alert_id.encode()) for one in changed]
        tombstones = [Output(GONE, alert_id.encode()) for alert_id in self.fleet.life.forgotten()]
        return Step(Applied.APPLIED, SOURCE, (*records, *tombstones))

    @property
    def position(self) -> int:
        """The next offset of the summaries to take."""
        assert self._taken.position is not None  # it begins where the topic does
        return self._taken.position + 1

    def begin_anew(self) -> None:
        """Summaries that nobody read are gone with their topic: the next is judged, and how many ticks lie between."""
        self._taken.position, self._begins_anew = -1, True

    def give_up(self, source: str) -> None:
        """What is missing is deleted: the next summary is judged, wherever it lies."""
        self._taken.give_up()

    def _place(self, after: int, upto: int) -> Applied:
        """Whether these offsets go on from where it stands. Of those that were deleted the ticks are missing."""
        lost = self._taken.lost
        applied = self._taken.continues(after, upto)
        gone = self._taken.lost - lost
        if gone:
            metrics.deleted_unread(STAGE, f"{SOURCE}[0]", gone)
        return applied

    def _is_of_the_future(self, summary: Summary, offset: int) -> bool:
        """No clock of ours runs so far ahead of the day: believed, it would end the ticks of its shards for days."""
        ahead_ms = (summary.tick + 1) * self.fleet.parameters.tick_ms - int(1000 * self._wall_s())
        if ahead_ms <= FUTURE_MS_MAX:
            return False
        metrics.message_set_aside(STAGE, f"{SOURCE}[0]@{offset}", f"it is dated {ahead_ms // 1000} s ahead of the day")
        return True

    def _tell_what_is_taken_back(self, offset: int) -> None:
        for tick, without in self.fleet.join.taken_back:
            why = (
                f"it said tick {tick}, and the next of its shards is of long before; {without} ticks went without them"
            )
            metrics.message_set_aside(STAGE, f"{SOURCE}[0] before @{offset}", why)
        self.fleet.join.taken_back.clear()

    def _tell_what_is_between(self, summary: Summary) -> None:
        """Of a topic that was made anew: a summary for each tick that nobody will tell of, at least."""
        first = self.fleet.at_ms // self.fleet.parameters.tick_ms
        if self._begins_anew and first and summary.tick > first:
            metrics.deleted_unread(STAGE, f"{SOURCE}[0]", summary.tick - first)
        self._begins_anew = False

    def _tell(self, summary: Summary, value: bytes, seen: str) -> None:
        """A copy with another content was discarded as every repeat is; but it must not be, so somebody hears of it."""
        version, content = summary_content(value)
        shards = summary.shards
        differs = self._copies.differs((summary.tick, shards[0], len(shards), version), content)
        if seen == "first":
            metrics.records_accepted(STAGE, summary.counters.get("accepted", 0))
        metrics.summary_seen("conflict" if differs else seen, summary.tick, f"{shards[0]} and {len(shards) - 1} more")

    def _without_the_silent(self) -> list[Alert]:
        """A shard that is silent for too long must not silence the fleet: partial ticks, each counted.

        Too long is counted from when a tick began to wait: after a pause of the whole fleet somebody speaks first.
        """
        now_s = self._now_s()
        silent = now_s - self._heard_s > self._missing_s
        if self._waits_since_s is None or now_s - self._waits_since_s <= self._missing_s or not silent.any():
            return []
        changed, ends_ms = self.fleet.go_on_without(silent)
        for end_ms in ends_ms:
            metrics.partial_tick(int(silent.sum()), end_ms)
        return changed

    def snapshot(self) -> dict[str, bytes]:
        """The fleet and the position, in pieces."""
        pieces = {FLEET + name: piece for name, piece in self.fleet.snapshot().items()}
        return pieces | {POSITION: msgspec.json.encode(self.position)}
