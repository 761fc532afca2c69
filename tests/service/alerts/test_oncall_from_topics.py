"""Do the commands of who is on call find in the topics what a running Swerve put there?"""

from __future__ import annotations

import json

import msgspec
import pytest

from stream.contract.alert import encode
from stream.kafka import topics
from stream.sinks.webhook import EXAMPLE
from tests.service.processes import configuration, swerve
from tests.service.rig import kafka_for, produce

pytestmark = pytest.mark.service("kafka")


@pytest.fixture
async def config(bootstrap, unique, tmp_path):
    """Three alerts, of which two were judged: one is a campaign's, and one was taken for one first."""
    kafka = kafka_for(bootstrap, unique)
    await topics.create(kafka, 1)
    alerts = [msgspec.structs.replace(EXAMPLE, alert_id=name) for name in ("a1", "a2", "a3")]
    await produce(kafka, kafka.topics.alerts, [(0, encode(one)) for one in alerts], key=b"one")
    said = [("a1", "campaign"), ("a2", "campaign"), ("a2", "harmless")]
    await produce(
        kafka,
        kafka.topics.verdicts,
        [
            (0, json.dumps({"alert_id": a, "verdict": v, "by": "kim", "at": 1_770_300_000_000 + n}).encode())
            for n, (a, v) in enumerate(said)
        ],
        key=b"one",
    )
    return configuration(tmp_path, kafka)


async def test_verdicts_are_counted_from_their_topics(config):
    told = swerve("verdicts", "report", "--kafka", "--config", str(config)).stdout

    table, _, taught = told.partition("\n\n")
    assert table.split()[-7:] == [EXAMPLE.kind, "2026-02", "3", "2", "1", "1", "50%"]
    assert taught.startswith("No verdict is about a network")


async def test_an_alert_is_explained_from_its_topic_by_the_begin_of_its_id(config):
    told = swerve("explain", "a3", "--kafka", "--config", str(config)).stdout

    assert EXAMPLE.summary in told
