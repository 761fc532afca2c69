"""Which alert records are written already? What a new owner of the fleet must not write again."""

from __future__ import annotations

from stream.configuration.sections import Kafka
from stream.contract import alert
from stream.correlate.recorded import alert_in
from stream.kafka import broker
from stream.kafka.transactions import Transactions
from stream.stages.shell import Output
from stream.telemetry import metrics

GONE = b""  # in place of a record: the alert ended long ago, and its records may be deleted


class Book:
    """The alerts topic, written by one owner at a time, each record once.

    Records of one alert come in the order of `updated_at`, and a compacted topic keeps the last one: so a record is
    new exactly where it is later than the last of its alert.
    """

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._writer = Transactions(
            kafka, kafka.topics.alerts, f"{kafka.groups.correlate}-alerts", kafka.groups.correlate
        )
        self._last: dict[str, int] = {}

    async def open(self) -> None:
        """Take over: earlier owners are fenced, then everything that they committed is read."""
        await self._writer.open()
        self._last.clear()
        async for record in broker.read_to_end(self._kafka, self._kafka.topics.alerts):
            if record.value is not None:
                one = alert_in(record)
                if one is not None:
                    self._last[one.alert_id] = one.updated_at
            elif record.key is not None:
                self._last.pop(record.key.decode("utf-8", "replace"), None)

    async def write(self, outputs: tuple[Output, ...]) -> None:
        """Write those that are new, in one transaction. Raises FencedError where another owner took over."""
        records = [(output, alert.decode(output.value)) for output in outputs if output.value != GONE]
        fresh = [(output, one) for output, one in records if one.updated_at > self._last.get(one.alert_id, -1)]
        ids = [output.key.decode() for output in outputs if output.value == GONE and output.key is not None]
        gone = [alert_id for alert_id in dict.fromkeys(ids) if alert_id in self._last]
        if not fresh and not gone:
            return
        tombstones = [(alert_id.encode(), None) for alert_id in gone]
        await self._writer.write([*((output.key, output.value) for output, _ in fresh), *tombstones])
        for alert_id in gone:
            del self._last[alert_id]
        for _, one in fresh:
            self._last[one.alert_id] = one.updated_at
            metrics.alert_changed(one)

    async def close(self) -> None:
        """Let go."""
        await self._writer.close()
