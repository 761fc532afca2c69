"""Where do refused records go? To the dead-letter topic as they came, with the reason, and never more than a rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from stream.pipeline.encode import Refused

TRUNCATED = "swerve.truncated"  # what of the record is not in its letter, for its size; empty where all of it is
REASON = "swerve.reason"
# The names that Kafka Connect gives to the context of a refused record (KIP-298), which tools know.
DETAIL = "__connect.errors.exception.message"
TOPIC = "__connect.errors.topic"
PARTITION = "__connect.errors.partition"
OFFSET = "__connect.errors.offset"
OURS = (REASON, DETAIL, TOPIC, PARTITION, OFFSET)  # in this order, last of all; TRUNCATED stands before them
DETAIL_MAX = 1_000  # characters
Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of the dead-letter topic. came: the record's own headers; ours: why it was refused, and where it is.

    truncated: what of the record was cut or left out, in words; empty where it is whole.
    """

    key: bytes | None
    value: bytes | None
    came: Headers
    ours: Headers
    truncated: str = ""

    @property
    def headers(self) -> Headers:
        """All headers, in the order in which `swerve dlq` expects them."""
        return (*self.came, (TRUNCATED, self.truncated.encode()), *self.ours)


@dataclass(slots=True)
class Bucket:
    """A cap in records a second: what is left of it grows with time, up to ten seconds' worth.

    >>> bucket = Bucket(per_s=2.0, now_s=0.0)
    >>> [bucket.take(0.0) for _ in range(21)].count(True), bucket.take(0.5), bucket.take(0.5)
    (20, True, False)
    """

    per_s: float
    now_s: float
    left: float = field(init=False)

    def __post_init__(self) -> None:
        self.left = 10.0 * self.per_s

    def take(self, now_s: float) -> bool:
        """Whether one more is within the rate at this monotonic time."""
        self.left = min(10.0 * self.per_s, self.left + (now_s - self.now_s) * self.per_s)
        self.now_s = now_s
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


@dataclass(slots=True)
class Kept:
    """What a refused record of one partition came with, kept until its frame is sent: key, headers, and no value.

    Only records whose key or headers are there need an entry.
    """

    _by_offset: dict[int, tuple[bytes | None, Headers]] = field(default_factory=dict)

    def keep(self, records: Sequence[ConsumerRecord]) -> None:
        """Remember records that are read and may yet be refused."""
        for record in records:
            if record.key is not None or record.headers:
                self._by_offset[record.offset] = (record.key, tuple(record.headers))

    def forget(self, upto: int) -> None:
        """A frame up to this offset is sent. O(entries)."""
        if self._by_offset:
            self._by_offset = {offset: came for offset, came in self._by_offset.items() if offset > upto}

    def letter(self, topic: str, partition: int, refused: Refused) -> DeadLetter:
        """The record as it came, and why it was refused; a tombstone stays one."""
        key, headers = self._by_offset.get(refused.offset, (None, ()))
        ours = (
            (REASON, refused.reason.value.encode()),
            (DETAIL, refused.detail[:DETAIL_MAX].encode("utf-8", "replace")),
            (TOPIC, topic.encode()),
            (PARTITION, str(partition).encode()),
            (OFFSET, str(refused.offset).encode()),
        )
        truncated = f"value cut from {refused.size} bytes" if refused.size is not None else ""
        return DeadLetter(key, refused.raw or None, headers, ours, truncated)
