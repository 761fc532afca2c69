"""The job with Quix Streams: a tumbling window that is told when it closes, and a stateful function behind it.

As its documentation does it: `tumbling_window(...).reduce(...).final()`, `apply(..., stateful=True)`, `to_topic`. State
is in RocksDB with a changelog topic for each store, which it makes by itself; at least once.
"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from typing import Any

import place
import share
from quixstreams import Application, State

IDLE_S = 10.0  # without a record it ends: longer than it takes to commit


def occurred_ms(value: Any, headers: Any, timestamp: float, timestamp_type: Any) -> int:
    """Event time, in place of when the broker had it."""
    return value["timestamp"]


def score(window: dict[str, Any], state: State) -> dict[str, Any] | None:
    """What is told of a minute that is over; None where nothing is."""
    before = state.get("normal")
    normal, change = share.compare(before, window["value"])
    state.set("normal", normal)
    if before is None or not share.is_told(before["minutes"], change):
        return None
    return {"start": window["start"], "change": change}


def main() -> None:
    """Run until all records are seen and stored."""
    with tempfile.TemporaryDirectory() as folder:
        app = Application(
            broker_address=place.BOOTSTRAP,
            consumer_group=place.NAME,
            auto_offset_reset="earliest",
            state_dir=folder,
            loglevel="WARNING",
        )
        requests = app.topic(place.REQUESTS, value_deserializer="json", timestamp_extractor=occurred_ms)
        alerts = app.topic(place.ALERTS, value_serializer="json")
        frame = app.dataframe(requests)
        windows = frame.tumbling_window(timedelta(milliseconds=share.MINUTE_MS)).reduce(
            reducer=share.add, initializer=lambda record: share.add(share.nothing(), record)
        )
        told = windows.final().apply(score, stateful=True)
        told.filter(lambda alert: alert is not None).to_topic(alerts)
        place.begin()
        app.run(timeout=IDLE_S, collect=False)
        place.seen_all()


main()
