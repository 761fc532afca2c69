"""From the alerts topic to the sinks: only what is committed there is told, and each sink knows how far it came.

A sink's place in the topic is a bookmark that the broker keeps. Whoever takes over reads the topic once: records
before the bookmark were delivered, but for those that it says still wait, and what of them still fires must be kept
alive; the others are new.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from stream.configuration.settings import Settings
from stream.contract.alert import Alert
from stream.correlate.recorded import alert_in
from stream.kafka import broker
from stream.kafka.bookmark import Bookmark
from stream.kafka.place import Place
from stream.kafka.writers import Writers
from stream.oncall.silence import daily
from stream.oncall.silence.in_force import Silence
from stream.sinks.catalogue import deliveries
from stream.sinks.delivery import Attention, Deliveries, Delivery, Mark
from stream.telemetry import metrics
from stream.telemetry.canary import watch_over

KEEP_EVERY_S = 0.5  # a crash in between sends again what was sent since, with the same idempotency keys


async def deliver(
    settings: Settings,
    attention: Callable[[str], Attention] | None = None,
    muted: Callable[[], Sequence[Silence]] = tuple,
) -> None:
    """Deliver until cancelled, and tell daily what is muted. Raises SwerveError where topic or broker is not there."""
    sinks = deliveries(settings, attention)
    async with contextlib.AsyncExitStack() as stack:
        marks = [await stack.enter_async_context(_bookmark(settings, one)) for one in sinks.each]
        positions = await _catch_up(settings, sinks, [await mark.read() for mark in marks])
        sinks.start()
        keeping = asyncio.create_task(_keep(sinks, marks))
        canary = asyncio.create_task(watch_over(settings.parameters, sinks.offer))
        summary = asyncio.create_task(daily.watch_over(muted, sinks.offer))
        writers = Writers(partial(metrics.other_deployment, "correlate", settings.kafka.topics.alerts))
        try:
            async for record in broker.tail(settings.kafka, settings.kafka.topics.alerts, positions):
                writers.heard(record.headers, record.timestamp)
                alert = None if record.value is None else alert_in(record)
                if alert is not None:
                    sinks.offer(alert, (record.partition, record.offset))
                if keeping.done():
                    keeping.result()
        finally:
            keeping.cancel()
            canary.cancel()
            summary.cancel()
            await asyncio.gather(keeping, canary, summary, return_exceptions=True)
            await sinks.close()
            await _keep_once(sinks, marks)


def _bookmark(settings: Settings, delivery: Delivery) -> Bookmark:
    kafka = settings.kafka
    return Bookmark(kafka, f"{kafka.groups.correlate}-sink-{delivery.name}", kafka.topics.alerts)


async def _catch_up(settings: Settings, sinks: Deliveries, kept: list[dict[int, Place] | None]) -> dict[int, int]:
    """Take in what the topic holds now; gives the offsets to read on from."""
    positions: dict[int, int] = {}
    latest: dict[str, tuple[Alert, Mark]] = {}
    async for record in broker.read_to_end(settings.kafka, settings.kafka.topics.alerts):
        mark = (record.partition, record.offset)
        positions[record.partition] = record.offset + 1
        alert = None if record.value is None else alert_in(record)
        if alert is None:
            continue
        latest[alert.alert_id] = (alert, mark)
        for delivery, places in zip(sinks.each, kept, strict=True):
            if places is not None:
                _take(delivery, alert, mark, is_old=places.get(record.partition, Place(0)).has(record.offset))
    for delivery, places in zip(sinks.each, kept, strict=True):
        if places is None:
            _begin(delivery, latest, positions)
    return positions


def _take(delivery: Delivery, alert: Alert, mark: Mark, is_old: bool) -> None:
    if is_old:
        delivery.ledger.add(alert)
    delivery.offer(alert, mark)


def _begin(delivery: Delivery, latest: Mapping[str, tuple[Alert, Mark]], positions: Mapping[int, int]) -> None:
    """A sink that is new learns of what fires now, and nothing of what is over."""
    for alert, mark in latest.values():
        _take(delivery, alert, mark, is_old=alert.status == "resolved")
    for partition, offset in positions.items():
        delivery.read_to(partition, offset)


async def _keep(sinks: Deliveries, marks: list[Bookmark]) -> None:
    while True:
        await _keep_once(sinks, marks)
        await asyncio.sleep(KEEP_EVERY_S)


async def _keep_once(sinks: Deliveries, marks: list[Bookmark]) -> None:
    for delivery, mark in zip(sinks.each, marks, strict=True):
        places = delivery.places()
        if places and places != delivery.kept_places:
            await mark.keep(places)
            delivery.kept_places = places
