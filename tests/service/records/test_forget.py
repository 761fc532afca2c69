"""Does `swerve forget` take an account out of what the stages keep, count all others on, and refuse while they run?"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from detectors.counts.rows import shard_of
from stream.contract.alert import decode
from stream.kafka import broker, topics
from stream.kafka.topics import state_topic
from stream.pipeline.frames import decode_summary
from stream.stages.heads import choose, is_of
from tests.pace import PATIENCE_S, Patience
from tests.pipeline.test_forget_account import holds, opened
from tests.service.comparison import counts_of, difference, first_copies
from tests.service.processes import SWERVE, Stage, configuration, swerve
from tests.service.recount import TICK_MS, recount
from tests.service.rig import everything, kafka_for, produce
from tests.service.stages.test_reshard import fed
from tests.service.traffic import SURGE, Traffic, simulated

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow]
STAGES = ("ingest", "detect", "correlate")
NOBODY = "acct_of_nobody"


async def latest(kafka, topic: str) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for record in await everything(kafka, topic):
        found.pop(record.key, None)
        if record.value is not None:
            found[record.key] = record.value
    return found


async def states(kafka) -> list:
    """What the stages would begin with, opened."""
    found = []
    for group, partitions in ((kafka.groups.detect, kafka.partitions), (kafka.groups.correlate, 1)):
        entries = await latest(kafka, state_topic(group))
        for partition in range(partitions):
            stored = choose(partition, {key: value for key, value in entries.items() if is_of(partition, key)})
            assert stored is not None
            whole = {n: piece for n, piece in stored.pieces.items() if n != "position"}
            found.append(opened(b"".join(whole[name] for name in sorted(whole))))
    return found


async def named(kafka) -> Counter[str]:
    """How many alerts name each account, by their last records."""
    records = await latest(kafka, kafka.topics.alerts)
    return Counter(account for value in records.values() for account in decode(value).accounts)


def drained(kafka, group: str, topic: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while asyncio.run(broker.committed(kafka, group, topic)) != asyncio.run(broker.ends(kafka, topic)):
        assert time.monotonic() < end, f"{group} has not stored all of {topic}"
        time.sleep(0.5)


def begin(config: Path, folder: Path) -> list[Stage]:
    stages = [Stage(name, config, folder) for name in STAGES]
    for one in stages:
        one.until_ready()
    return stages


def stop(kafka, stages: list[Stage], sent: list[list[bytes]]) -> None:
    """In their order, each when all before it is stored."""
    ingest, detect, correlate = stages
    patience = Patience()
    while not asyncio.run(fed(kafka, [len(part) for part in sent])):
        assert patience.lasts(ingest.metric("swerve_records_accepted_total")), ingest.told()
        time.sleep(0.5)
    assert ingest.end() == 0, ingest.told()
    drained(kafka, kafka.groups.detect, kafka.topics.frames)
    assert detect.end() == 0, detect.told()
    drained(kafka, kafka.groups.correlate, kafka.topics.summaries)
    assert correlate.end() == 0, correlate.told()


def send(kafka, parts: list[list[bytes]]) -> None:
    asyncio.run(produce(kafka, kafka.topics.requests, [(n, one) for n, part in enumerate(parts) for one in part]))


def expect(config: Path, account: str) -> None:
    subject = ("expect", f"account={account}", "--to", "*", "--until", "+7d", "--reason", "known", "--kafka")
    swerve(*subject, "--id", "known", "--config", str(config))


@pytest.fixture(scope="module")
def traffic(tmp_path_factory) -> Traffic:
    return simulated(tmp_path_factory.mktemp("log"), 2, SURGE)


def test_an_account_is_gone_and_all_others_count_on(bootstrap, unique, tmp_path, traffic):
    kafka = kafka_for(bootstrap, unique, flush_ms=200, snapshot_ms=2_000, session_timeout_ms=3_000)
    config = configuration(tmp_path, kafka)
    asyncio.run(topics.create(kafka, 2))
    most = [part[: int(0.93 * len(part))] for part in traffic.sources]
    stages = begin(config, tmp_path)
    send(kafka, most)
    patience = Patience()
    while not (told := asyncio.run(named(kafka))):
        assert patience.lasts(stages[-1].metric("swerve_summaries_total")), stages[-1].told()
        time.sleep(1.0)
    gone = max(told)

    refused = subprocess.run([*SWERVE, "forget", gone, "--config", str(config)], capture_output=True)
    assert refused.returncode == 1
    assert b"live members" in refused.stderr
    assert b"stop every detect and correlate" in refused.stderr

    stop(kafka, stages, most)
    told = asyncio.run(named(kafka))
    gone = max(told)
    assert all(holds(one, gone) for one in asyncio.run(states(kafka))[shard_of(gone) % 2 :: 2])

    said = swerve("forget", gone, "--config", str(config)).stdout
    assert f"detect: removed from the state of partition {shard_of(gone) % 2}" in said
    assert f"{told[gone]} alerts are written again without it" in said
    assert f"{kafka.topics.requests} (requests as they came)" in said
    assert [holds(one, gone) for one in asyncio.run(states(kafka))] == [[], [], []]
    left = asyncio.run(named(kafka))
    assert left == Counter({account: count for account, count in told.items() if account != gone})
    swerve("forget", NOBODY, "--config", str(config))

    stages = begin(config, tmp_path)
    rest = [[one for one in part[len(known) :] if gone.encode() not in one]
            for part, known in zip(traffic.sources, most, strict=True)]  # fmt: skip
    whole = [[*known, *more] for known, more in zip(most, rest, strict=True)]
    send(kafka, rest)
    stop(kafka, stages, whole)

    raws = [record.value for record in asyncio.run(everything(kafka, kafka.topics.summaries))]
    counted = counts_of(first_copies(raws, decode_summary), TICK_MS, traffic.end_ms)
    others = Counter({key: n for key, n in counted.items() if key[0] in ("tick", "day") and key[1] != gone})
    plain = recount(whole, traffic.end_ms)
    plain = Counter({key: n for key, n in plain.items() if key[1] != gone})
    assert difference(others, plain) == ""
    assert gone not in asyncio.run(named(kafka))
    assert [holds(one, gone) for one in asyncio.run(states(kafka))] == [[], [], []]
