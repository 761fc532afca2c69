"""The job with Faust and river, written without a thought of speed: a windowed table, and a river mean for each share.

As its documentation does it: `app.Table(...).tumbling(...)` relative to a field, changed for each event, so that each
change goes to its changelog topic; at least once. The river means are in memory alone: a restart forgets them.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from datetime import timedelta
from typing import Any

import faust
import place
import share
from river import stats

STORE_S = 10  # after the last record, for what is kept to be sent: it commits every 2.8 s
app = faust.App(
    place.NAME,
    broker=f"kafka://{place.BOOTSTRAP}",
    store="memory://",
    topic_partitions=int(os.environ.get("PEER_PARTITIONS", "1")),
    topic_replication_factor=1,
    datadir=tempfile.mkdtemp(),
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
)


class Request(faust.Record, serializer="json"):
    """One request; what is not named here is left out."""

    timestamp: float
    account_id: str
    model: str
    capabilities: list[str]


class Normal:
    """What is normal for one account: a mean for each target, in memory."""

    def __init__(self) -> None:
        """Nothing was seen."""
        self.minutes = 0
        self.means: dict[str, stats.EWMean] = {}

    def change(self, counts: dict[str, int]) -> float:
        """The largest change of a share in a minute that is over; scored first, then learnt."""
        now = share.shares(counts)
        for target in now.keys() - self.means.keys():
            self.means[target] = stats.EWMean(fading_factor=share.FADING)
            if self.minutes:
                self.means[target].update(0.0)
        changes = [0.0]
        for target, mean in self.means.items():
            changes.append(abs(now.get(target, 0.0) - mean.get()) if self.minutes else 0.0)
            mean.update(now.get(target, 0.0))
        self.minutes += 1
        return max(changes)


requests = app.topic(place.REQUESTS, value_type=Request)
alerts = app.topic(place.ALERTS, value_serializer="json")
minutes = app.Table("minutes", default=share.nothing).tumbling(
    timedelta(milliseconds=share.MINUTE_MS), expires=timedelta(days=2)
)
counts = minutes.relative_to(lambda event: event.value.timestamp / 1_000)
normals: dict[str, Normal] = {}
last_minute: dict[str, int] = {}
seen = 0


@app.agent(requests)
async def count(stream: Any) -> None:
    """Count each request in its minute; score the account's minute before, as soon as another begins."""
    global seen
    async for request in stream:
        account, minute = request.account_id, int(request.timestamp // share.MINUTE_MS)
        before = last_minute.get(account)
        if before is not None and before < minute:
            await score(account, counts[account].delta((minute - before) * share.MINUTE_MS / 1_000))
        last_minute[account] = minute
        now = counts[account].current()
        asked = {"model": request.model, "capabilities": request.capabilities}
        counts[account] = share.add(now, asked)
        seen += 1
        if seen == place.RECORDS:
            place.seen_all()
            asyncio.get_running_loop().call_later(STORE_S, os.kill, os.getpid(), signal.SIGTERM)


async def score(account: str, minute: dict[str, int]) -> None:
    """Tell where the minute is far from what is normal."""
    normal = normals.setdefault(account, Normal())
    before, change = normal.minutes, normal.change(minute)
    if share.is_told(before, change):
        await alerts.send(key=account, value={"change": change})


place.begin()
