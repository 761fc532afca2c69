"""The job with Bytewax: `fold_window` by event time, and `stateful_map` behind it. Run by `python -m bytewax.run`.

As its documentation does it: the clock from the record, windows aligned to the epoch, recovery by SQLite files that
`python -m bytewax.recovery` made (`-r`, a snapshot every ten seconds): no changelog. It reads to the end and leaves.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import bytewax.operators as op
import orjson
import place
import share
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, fold_window

BROKERS = [place.BOOTSTRAP]
MINUTE = timedelta(milliseconds=share.MINUTE_MS)


def occurred(record: dict[str, Any]) -> datetime:
    """Event time."""
    return datetime.fromtimestamp(record["timestamp"] / 1_000, UTC)


def both(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    """The counts of two windows that became one: never of tumbling ones."""
    return {target: one.get(target, 0) + other.get(target, 0) for target in one.keys() | other.keys()}


def score(before: dict[str, Any] | None, window: tuple[int, dict[str, int]]) -> tuple[dict[str, Any], bytes | None]:
    """(what is normal from now on, what is told of a minute that is over)."""
    number, counts = window
    normal, change = share.compare(before, counts)
    if before is None or not share.is_told(before["minutes"], change):
        return normal, None
    return normal, orjson.dumps({"start": number * share.MINUTE_MS, "change": change})


flow = Dataflow("peer")
read = kop.input("requests", flow, brokers=BROKERS, topics=[place.REQUESTS], tail=False)
records = op.map("decode", read.oks, lambda message: orjson.loads(message.value))
keyed = op.key_on("account", records, lambda record: record["account_id"])
clock = EventClock(ts_getter=occurred, wait_for_system_duration=timedelta(0))
windower = TumblingWindower(length=MINUTE, align_to=datetime(1970, 1, 1, tzinfo=UTC))
minutes = fold_window("minutes", keyed, clock, windower, share.nothing, share.add, both)
scored = op.stateful_map("score", minutes.down, score)
told = op.filter_value("told", scored, lambda alert: alert is not None)
out = op.map("encode", told, lambda pair: KafkaSinkMessage(key=pair[0].encode(), value=pair[1]))
kop.output("alerts", out, brokers=BROKERS, topic=place.ALERTS)
place.begin()
