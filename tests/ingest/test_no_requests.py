"""Does ingest count the records that hold no request? Else a mapping that fits nothing looks like an empty topic."""

from __future__ import annotations

import asyncio

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord

from stream.configuration.settings import Settings
from stream.ingest.letterbox import LetterBox
from stream.ingest.source import Source
from stream.ingest.worker import Worker
from stream.mapping import presets
from stream.stages.stage import Running
from stream.telemetry import metrics

TP = TopicPartition("swerve.requests", 0)


class ReadUp:
    """A topic of which everything was read."""

    def highwater(self, partition):
        return None

    async def commit(self, offsets):
        pass


class Quick:
    """A broker that acknowledges at once."""

    async def send(self, topic, value, **more):
        acknowledged = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged


def counted() -> float:
    return metrics.value("swerve_records_no_request_total") or 0.0


async def test_records_that_hold_no_request_are_counted_once():
    settings = Settings().speaking("envoy")
    worker = Worker(settings, Running(), ReadUp(), Quick(), LetterBox(Quick(), "dlq"))
    source = worker._sources[TP] = Source(TP, 0, 0, None, 0.0, settings.reader())
    values = list(presets.sample_of("envoy"))
    source.read([ConsumerRecord(TP.topic, 0, n, 0, 0, None, one, None, 0, 0, ()) for n, one in enumerate(values)], 0.0)
    before = counted()

    await worker.deliver()
    told = counted() - before
    await worker.deliver()

    assert (len(values), told, counted() - before) == (6, 4.0, 4.0)
