"""Can what was refused be looked at, and sent again exactly once?"""

from __future__ import annotations

import pytest

from stream.commands.through_kafka import dlq
from stream.ingest.deadletters import DETAIL, OFFSET, PARTITION, REASON, TOPIC
from stream.kafka import topics
from tests.service.processes import configuration, swerve
from tests.service.rig import everything, kafka_for, produce

pytestmark = pytest.mark.service("kafka")


def letter(kafka, offset: int, reason: bytes) -> list[tuple[str, bytes]]:
    """As ingest writes them; what the record came with has been refused once before, somewhere else."""
    ours = [(REASON, reason), (DETAIL, b""), (TOPIC, kafka.topics.requests.encode()), (PARTITION, b"1")]
    return [("trace", b"7"), (TOPIC, b"elsewhere"), *ours, (OFFSET, str(offset).encode())]


async def refused_twice_and_once(kafka) -> None:
    """Offset 5 was refused by two workers, one after the other; offset 9 by one."""
    await topics.create(kafka, 2)
    for offset, reason, value in ((5, b"not_json", b"{"), (5, b"not_json", b"{"), (9, b"bad_timestamp", b"[]")):
        await produce(kafka, kafka.topics.dlq, [(0, value)], key=b"k", headers=letter(kafka, offset, reason))


async def test_replay_sends_each_record_once_as_it_came(bootstrap, unique):
    kafka = kafka_for(bootstrap, unique)
    await refused_twice_and_once(kafka)

    first, second = await dlq.replay_all(kafka, None), await dlq.replay_all(kafka, None)
    sent = await everything(kafka, kafka.topics.requests)

    assert (first, second) == ((2, []), (0, []))
    assert [(one.partition, one.key, one.value, one.headers) for one in sent] == [
        (1, b"k", b"{", (("trace", b"7"), (TOPIC, b"elsewhere"))),
        (1, b"k", b"[]", (("trace", b"7"), (TOPIC, b"elsewhere"))),
    ]


async def test_show_counts_each_record_once(bootstrap, unique, tmp_path):
    kafka = kafka_for(bootstrap, unique)
    await refused_twice_and_once(kafka)

    said = swerve("dlq", "show", "--config", str(configuration(tmp_path, kafka))).stdout

    assert "1  not_json" in said
    assert f"{kafka.topics.requests}[1]@9  bad_timestamp" in said
    assert said.splitlines()[-1] == f"2 records in {kafka.topics.dlq}"
