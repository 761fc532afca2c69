"""Which topics does Swerve need, and do those that are there keep what they are given?

A difference that would lose data is a fault: the stages refuse to start on it. Any other is told and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream.configuration.sections import Kafka
from stream.errors import SwerveError
from stream.kafka import broker
from stream.kafka.broker import Found

REFUSED_RECORDS = "refused records"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FRAME_BYTES_MAX = 4 * 1024 * 1024  # one request of 1 MiB, which cannot be cut, and room for the envelope
SUMMARY_BYTES_MAX = 16 * 1024 * 1024
LETTER_BYTES_MAX = 2 * 1024 * 1024  # a record of 1 MiB with its key and headers, and why it was refused


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it should be. partitions: None where any number will do."""

    name: str
    partitions: int | None
    settings: Mapping[str, str]
    purpose: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What a topic is, what it should be, and what follows from that. loses: data is, or will be, gone."""

    topic: str
    key: str
    expected: str
    got: str
    why: str
    loses: bool

    def __str__(self) -> str:
        word = "FAULT" if self.loses else "advice"
        return f"{word}: {self.topic}: {self.key} is {self.got}, expected {self.expected}: {self.why}"


def state_topic(group: str) -> str:
    """The changelog in which the stage of this consumer group keeps its state.

    >>> state_topic("swerve-detect")
    'swerve-detect-state-changelog'
    """
    return f"{group}-state-changelog"


def wanted(kafka: Kafka) -> list[Topic]:
    """All topics, in the order of a record's walk."""
    names, groups = kafka.topics, kafka.groups
    compact = {"cleanup.policy": "compact"}
    state = compact | {"segment.ms": "600000", "min.cleanable.dirty.ratio": "0.1"}
    # The time in a record is event time: as Kafka's own timestamp it would make the broker delete a replay at once.
    passing = {"cleanup.policy": "delete", "message.timestamp.type": "LogAppendTime"}
    return [
        Topic(names.requests, None, {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS)}, "requests"),
        Topic(
            names.dlq,
            1,
            passing | {"retention.ms": str(14 * DAY_MS), "max.message.bytes": str(LETTER_BYTES_MAX)},
            REFUSED_RECORDS,
        ),
        Topic(names.releases, 1, compact, "releases"),
        Topic(names.expected, 1, compact, "expected shifts"),
        Topic(names.verdicts, 1, compact, "verdicts"),
        Topic(names.attention, 1, compact, "who has an alert, and until when it is quiet"),
        Topic(
            names.frames,
            kafka.partitions,
            passing | {"retention.ms": str(2 * DAY_MS), "max.message.bytes": str(FRAME_BYTES_MAX)},
            "ingest to detect",
        ),
        Topic(state_topic(groups.detect), kafka.partitions, state, "state of detect"),
        Topic(
            names.summaries,
            1,
            passing | {"retention.ms": str(7 * DAY_MS), "max.message.bytes": str(SUMMARY_BYTES_MAX)},
            "detect to correlate",
        ),
        Topic(state_topic(groups.correlate), 1, state, "state of correlate"),
        Topic(names.alerts, 1, compact, "alerts"),
    ]


def differences(topic: Topic, found: Found, replication_factor: int) -> list[Difference]:
    """What is not as it should be, and why it matters."""
    told: list[Difference] = []

    def tell(key: str, expected: str, got: str, why: str, *, loses: bool) -> None:
        told.append(Difference(topic.name, key, expected, got, why, loses))

    if topic.partitions is not None and found.partitions != topic.partitions:
        why = (
            "accounts live where they were counted; set [kafka] partitions to what is there, "
            f"or move the state with `swerve reshard {topic.partitions}`"
        )
        tell("partitions", str(topic.partitions), str(found.partitions), why, loses=True)
    if found.replicas < replication_factor:
        why = "fewer copies than configured outlive the loss of a broker"
        tell("replication factor", str(replication_factor), str(found.replicas), why, loses=False)
    policy = found.settings.get("cleanup.policy", "")
    if "compact" in policy and topic.settings["cleanup.policy"] == "delete":
        tell("cleanup.policy", "delete", policy, "compaction drops records that share a key", loses=True)
    if "delete" in policy and topic.settings["cleanup.policy"] == "compact":
        tell("cleanup.policy", "compact", policy, "state and alerts older than the retention vanish", loses=True)
    stamp = topic.settings.get("message.timestamp.type")
    if stamp and found.settings.get("message.timestamp.type") != stamp:
        got = found.settings.get("message.timestamp.type", "unknown")
        tell("message.timestamp.type", stamp, got, "a replay of old records would be deleted at once", loses=True)
    told += _too_small(topic, found)
    if found.replicas >= 3 and int(found.settings.get("min.insync.replicas", "1")) < 2:
        why = "with one copy in sync an acknowledged record can be lost with its broker"
        tell("min.insync.replicas", "2", found.settings.get("min.insync.replicas", "1"), why, loses=False)
    return told


def _too_small(topic: Topic, found: Found) -> list[Difference]:
    """Limits below ours: of time kept, and of a message's size."""
    told = []
    for key, why, loses in (
        ("retention.ms", "a stage that stands still for longer loses what it had not read", False),
        ("max.message.bytes", "large messages would be refused, and the stage that writes them would stop", True),
    ):
        wanted_least, got = topic.settings.get(key), found.settings.get(key)
        if wanted_least is None or got is None or int(got) == -1:
            continue
        if key == "max.message.bytes" and topic.purpose == REFUSED_RECORDS:
            why, loses = "refused records that are larger are cut to it, and cannot be replayed", False
        if int(got) < int(wanted_least):
            told.append(Difference(topic.name, key, f"at least {wanted_least}", got, why, loses))
    return told


async def create(kafka: Kafka, requests_partitions: int) -> list[str]:
    """Create what is missing; gives the names that were created. What exists is left as it is."""
    topics = wanted(kafka)
    there = await broker.topics_found(kafka, [topic.name for topic in topics])
    extra = {"min.insync.replicas": "2"} if kafka.replication_factor >= 3 else {}
    missing = {
        topic.name: Found(
            topic.partitions or requests_partitions, kafka.replication_factor, dict(topic.settings) | extra
        )
        for topic in topics
        if topic.name not in there
    }
    await broker.create_topics(kafka, missing)
    return list(missing)


async def check(kafka: Kafka) -> tuple[list[str], list[Difference]]:
    """(topics that are missing, everything that is not as it should be)."""
    topics = wanted(kafka)
    found = await broker.topics_found(kafka, [topic.name for topic in topics])
    missing = [topic.name for topic in topics if topic.name not in found]
    told = [
        one
        for topic in topics
        if topic.name in found
        for one in differences(topic, found[topic.name], kafka.replication_factor)
    ]
    return missing, told


async def refuse_what_loses(kafka: Kafka, *names: str) -> None:
    """Before a stage starts: raise SwerveError where a topic that it needs is missing, or would lose data."""
    missing, told = await check(kafka)
    gone = [name for name in missing if name in names]
    if gone:
        raise broker.MissingTopicError(
            f"no topic {', '.join(gone)} on {kafka.bootstrap_servers}: create it with `swerve topics create`"
        )
    faults = [str(one) for one in told if one.loses and one.topic in names]
    if faults:
        raise SwerveError("; ".join(faults))
