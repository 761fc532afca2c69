"""What do the shards and the judged fleet show of themselves after each tick? The same with and without Kafka."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from detectors.comparison.findings import Finding
from detectors.counts.held import values_bytes
from detectors.counts.summary import CohortCounts
from detectors.fleet import Judge
from detectors.judgement.hand import lines_of
from stream.alerts.expected_shifts import count_by_scope
from stream.alerts.verdicts import last_verdicts
from stream.contract.alert import Alert
from stream.pipeline.composition import Fleet, Judged, Shards
from stream.telemetry import metrics

MONTH_MS: Final = 30 * 86_400_000
FORECAST_AFTER_H: Final = 2  # river's model takes its first level and trend from two values
COUNTED_BOUNDS: Final = ("models", "organisations", "accounts", "values")


class MeasuredShards:
    """What the shards of one partition hold; `part` tells them from others in the same process."""

    def __init__(self, part: str = "all") -> None:
        self._part = part
        self._evicted = 0
        self._reused = 0
        self._over = dict.fromkeys(COUNTED_BOUNDS, 0)

    def after(self, shards: Shards) -> None:
        """Show it; call when a tick closed. O(frames in open ticks)."""
        accounts = shards.accounts
        metrics.accounts_tracked(len(accounts), accounts.most, part=self._part)
        metrics.names_held(accounts.known.held(), part=self._part)
        metrics.state_held(shards.bytes_held(), part=self._part)
        if accounts.evicted > self._evicted:
            metrics.accounts_evicted(accounts.evicted - self._evicted)
        self._evicted = accounts.evicted
        metrics.event_ids_reused(shards.reused - self._reused)
        self._reused = shards.reused
        known = accounts.known
        hit = (known.targets_over, known.cohorts_over, shards.without_room, shards.ticks.values_over)
        for bound, over in zip(COUNTED_BOUNDS, hit, strict=True):
            if over > self._over[bound]:
                metrics.bound_reached(bound, over - self._over[bound])
            self._over[bound] = over


class MeasuredFleet:
    """Shows every tick that the fleet judges: call `begin` before each summary is applied.

    late_s: what there is between a tick's end, in ms of event time, and now. state_of: of an alert that is open, as
    people treat it: "firing", "acknowledged" or "snoozed". What a restored fleet remembers is counted from the start.
    """

    def __init__(
        self, fleet: Fleet, late_s: Callable[[int], float], state_of: Callable[[str], str] = lambda alert_id: "firing"
    ) -> None:
        self._fleet = fleet
        self._late_s = late_s
        self._state_of = state_of
        self._began_s = time.perf_counter()
        self._adoption = Adoption()
        self._dimensions: set[str] = set()
        self._hit: Counter[str] = Counter()
        told = fleet.life.alerts()
        self._open = {one.alert_id: str(one.severity) for one in told if one.status == "firing"}
        self._paged_ms = {one.alert_id: one.detected_at for one in told if one.severity == "critical"}
        fleet.on_tick = self._judged

    def begin(self) -> None:
        """Judging begins now."""
        self._began_s = time.perf_counter()

    def _judged(self, judged: Judged) -> None:
        now_s = time.perf_counter()
        kind = "network" if judged.is_network else "cohort"
        metrics.tick_closed(kind, judged.at_ms, now_s - self._began_s, self._late_s(judged.at_ms))
        self._began_s = now_s
        counts = fleet_counts(summary.cohorts for summary in judged.summaries)
        metrics.fleet_shares(counts["model"], counts["capability"])
        metrics.releases(self._fleet.judge.released_ms)
        self._adoption.learn(judged.at_ms, counts["model"], self._fleet.judge.released_ms)
        self._tell_cohorts()
        if judged.is_network:
            self._tell_groups(judged.findings)
            metrics.state_held(held_by(self._fleet.judge), part="fleet")
            self._tell_budget(judged.at_ms)
        self._tell_alerts(judged.changed)
        metrics.expected_active(count_by_scope(self._fleet.expected, judged.at_ms))

    def _tell_cohorts(self) -> None:
        """The strongest shift of each dimension; of one that is too quiet to be heard, none."""
        strongest = self._fleet.judge.declared.strongest
        self._dimensions |= strongest.keys()
        for dimension in sorted(self._dimensions):
            metrics.strongest_shift(dimension, strongest.get(dimension, 0.0))
        judge = self._fleet.judge
        hits = (
            ("cohorts", judge.declared.not_followed),
            ("memberships", judge.carriers.dropped),
            ("accounts", judge.room.left_out),
            ("targets", judge.room.unnamed),
        )
        for bound, hit in hits:
            if hit > self._hit[bound]:
                metrics.bound_reached(bound, hit - self._hit[bound])
            self._hit[bound] = hit

    def _tell_groups(self, findings: Sequence[Finding]) -> None:
        groups = self._fleet.judge.last_groups
        metrics.groups(len(groups), Counter(finding.level.name.lower() for finding in findings))
        metrics.strongest_shift("network", max((float(group.z.max(initial=0.0)) for group in groups), default=0.0))

    def _tell_budget(self, at_ms: int) -> None:
        self._paged_ms = {name: ms for name, ms in self._paged_ms.items() if ms > at_ms - MONTH_MS}
        last = last_verdicts(self._fleet.verdicts)
        spent = sum(name in last and last[name].verdict == "harmless" for name in self._paged_ms)
        metrics.false_page_budget(self._fleet.parameters.false_pages_per_month, spent)
        page, ticket = lines_of(self._fleet.parameters)
        metrics.alert_lines(critical=page, warning=ticket)

    def _tell_alerts(self, changed: Iterable[Alert]) -> None:
        for alert in changed:
            if alert.status == "resolved":
                self._open.pop(alert.alert_id, None)
                continue
            self._open[alert.alert_id] = str(alert.severity)
            if alert.severity == "critical":
                self._paged_ms.setdefault(alert.alert_id, alert.updated_at)
        metrics.alerts_open(Counter((self._state_of(name), severity) for name, severity in self._open.items()))


def held_by(judge: Judge) -> dict[str, int]:
    """Bytes of what the judge remembers of accounts: which values they carried, and the hours of its windows."""
    carriers, recent = judge.carriers, judge.recent
    of_accounts = (carriers.value, carriers.account, carriers.hour, carriers.began, carriers.count)
    counts = [recent.fast, recent.slow, *(one for _, one in recent.hours)]
    windows: list[Any] = [column for one in counts for column in (one.key, one.target, one.count)]
    windows += [column for _, *columns in judge.activity.hours for column in columns]
    return {
        "memberships": sum(column.nbytes for column in of_accounts),
        "carried_values": values_bytes(carriers.names),
        "windows": sum(column.nbytes for column in windows),
    }


def fleet_counts(parts: Iterable[CohortCounts]) -> dict[str, Counter[str]]:
    """Requests of a tick by model and by capability, summed over the partitions. O(targets)."""
    counts: dict[str, Counter[str]] = {"model": Counter(), "capability": Counter()}
    for part in parts:
        for kind, requests in part.of_fleet().items():
            counts[kind].update(requests)
    return counts


class Adoption:
    """The share of each release by hour, and the one that its course so far forecasts: Holt's linear trend (river).

    Source: Holt 1957; level and trend weigh the last hour by 0.3 and 0.1. A forecast needs two hours. For people:
    what judges is the population's own movement, not this.
    """

    def __init__(self) -> None:
        self._course: dict[str, Any] = {}  # of river's HoltWinters
        self._seen_h: Counter[str] = Counter()
        self._hour: int | None = None
        self._counts: Counter[str] = Counter()

    def learn(self, at_ms: int, models: Mapping[str, int], released_ms: Mapping[str, int]) -> None:
        """Add the requests by model of the tick that ended at at_ms; at each new hour the shares are shown."""
        hour = at_ms // 3_600_000
        if self._hour is not None and hour != self._hour:
            self._show(at_ms, released_ms)
            self._counts.clear()
        self._hour = hour
        self._counts.update(models)

    def _show(self, at_ms: int, released_ms: Mapping[str, int]) -> None:
        total = sum(self._counts.values())
        out = sorted(name for name, ms in released_ms.items() if ms <= at_ms) if total else []
        for name in out:
            share = self._counts[name] / total
            course = self._course.setdefault(name, _holt())
            metrics.adoption(name, share, self._forecast(name))
            course.learn_one(share)
            self._seen_h[name] += 1

    def _forecast(self, name: str) -> float | None:
        if self._seen_h[name] < FORECAST_AFTER_H:
            return None
        ahead: float = self._course[name].forecast(1)[0]
        return min(1.0, max(0.0, ahead))


def _holt() -> Any:
    from river.time_series import HoltWinters  # heavy, and only the worker that judges needs it

    return HoltWinters(alpha=0.3, beta=0.1)  # type: ignore[no-untyped-call]
