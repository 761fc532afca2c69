"""Does `swerve simulate --kafka` put into the topics what it would write to a file?"""

from __future__ import annotations

import asyncio

import orjson
import pytest

from stream.kafka import topics
from stream.simulate.labelled import blocks, records
from stream.simulate.scenarios import tell
from stream.simulate.writing.to_kafka import send
from stream.simulate.writing.write import Lines
from tests.service.rig import everything, kafka_for

pytestmark = pytest.mark.service("kafka")


async def test_the_requests_topic_holds_every_record_in_order_by_account_and_releases_are_announced(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 3)
    story = tell("quiet", 1, accounts=200, days=5)
    lines = Lines(story.fleet, story.course, 1)

    await asyncio.to_thread(send, kafka, story, lines.account_ids, blocks(story, lines))

    written = [line for _, _, line in records("quiet", 1, accounts=200, days=5)]
    there = await everything(kafka, kafka.topics.requests)
    assert sorted(record.value for record in there) == sorted(written)
    assert all(record.key.decode() == orjson.loads(record.value)["account_id"] for record in there)
    for partition in range(3):
        mine = [orjson.loads(record.value)["timestamp"] for record in there if record.partition == partition]
        assert mine == sorted(mine)
    releases = [orjson.loads(record.value) for record in await everything(kafka, kafka.topics.releases)]
    assert releases == story.truth.releases
    assert len(releases) == 1
