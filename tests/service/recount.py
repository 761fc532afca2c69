"""A plain recount of a log, to hold Swerve's counts against. It imports nothing of Swerve, and knows no frames."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable

HOUR_MS = 3_600_000
TICK_MS = 300_000


def requests_of(sources: Iterable[list[bytes]]) -> Iterable[dict]:
    """Every request that must be counted: readable, not late, and each event once. The log marks what is not."""
    seen = set()
    for records in sources:
        for record in records:
            try:
                request = json.loads(record)
                event, at_ms = request["event_id"], request["timestamp"]
                skipped = event.endswith("-late") or event.startswith("bad-")
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
            if event and not skipped and event not in seen and "account_id" in request and isinstance(at_ms, int):
                seen.add(event)
                yield request


def recount(sources: Iterable[list[bytes]], end_ms: int) -> Counter[tuple[str, ...]]:
    """("tick", account, "", tick) and ("day", account, target, last tick of the hour), as `comparison.counts_of`."""
    counted: Counter[tuple[str, ...]] = Counter()
    by_hour: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for request in requests_of(sources):
        account, at_ms = request["account_id"], request["timestamp"]
        if at_ms >= end_ms:
            continue
        counted["tick", account, "", str(at_ms // TICK_MS)] += 1
        for target in {f"model:{request['model']}", *(f"capability:{c}" for c in request.get("capabilities", ()))}:
            by_hour[at_ms // HOUR_MS][account, target] += 1
    for end in range(min(by_hour), end_ms // HOUR_MS):
        day: Counter[tuple[str, str]] = Counter()
        for hour in range(end - 23, end + 1):
            day += by_hour.get(hour, Counter())
        last_tick = (end + 1) * (HOUR_MS // TICK_MS) - 1
        for (account, target), count in day.items():
            counted["day", account, target, str(last_tick)] = count
    return counted
