"""What does it cost to read and decode? aiokafka and orjson.loads, nothing kept: the floor of every other row."""

from __future__ import annotations

import asyncio

import orjson
import place
from aiokafka import AIOKafkaConsumer


async def main() -> None:
    """Read all records, once."""
    consumer = AIOKafkaConsumer(
        place.REQUESTS,
        bootstrap_servers=place.BOOTSTRAP,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )
    await consumer.start()
    place.begin()
    seen = 0
    while seen < place.RECORDS:
        for records in (await consumer.getmany(timeout_ms=1_000)).values():
            for record in records:
                orjson.loads(record.value)
            seen += len(records)
    place.seen_all()
    await consumer.stop()


asyncio.run(main())
