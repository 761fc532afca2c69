"""Is a topic still the one that an offset is of? A broker gives each an id, and its successor of that name another.

The client library asks in words of before there were ids (KIP-516, Kafka 2.8): so one question more stands here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from stream.configuration.sections import Kafka
from stream.errors import SwerveError
from stream.kafka.broker import UnreachableError, connection

LOOK_EVERY_S = 10.0
UNKNOWN_TOPIC = 3  # error code of the protocol
UNKNOWN = ""  # in place of an id: the broker is older than they are, or was not asked
ID_BYTES = 16
NO_ID = bytes(ID_BYTES)


class _Id(AbstractType[bytes]):  # type: ignore[misc]
    """Sixteen bytes as they are."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(ID_BYTES)

    @classmethod
    def repr(cls, value: bytes) -> str:
        return value.hex()


class _Answer(Response):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", CompactArray(
            ("node_id", Int32), ("host", CompactString("utf-8")), ("port", Int32), ("rack", CompactString("utf-8")),
            ("tags", TaggedFields))),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        ("topics", CompactArray(
            ("error_code", Int16), ("topic", CompactString("utf-8")), ("topic_id", _Id), ("is_internal", Boolean),
            ("partitions", CompactArray(
                ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                ("replicas", CompactArray(Int32)), ("isr", CompactArray(Int32)), ("offline", CompactArray(Int32)),
                ("tags", TaggedFields))),
            ("authorized_operations", Int32), ("tags", TaggedFields))),
        ("authorized_operations", Int32),
        ("tags", TaggedFields),
    )  # fmt: skip


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 10
    RESPONSE_TYPE = _Answer
    FLEXIBLE_VERSION = True
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Id), ("topic", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Ids(Request[_Question]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: tuple[str, ...]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_Question]) -> _Question:
        return request_struct_class([(NO_ID, topic, {}) for topic in self._topics], False, False, False, {})


async def ids_of(kafka: Kafka, *topics: str) -> dict[str, str]:
    """The id of each topic that is there, in hexadecimal; UNKNOWN where the broker gives none.

    Raises UnreachableError.
    """
    client = AIOKafkaClient(**connection(kafka))
    try:
        await client.bootstrap()
        answer: Any = await client.send(client.get_random_node(), _Ids(topics))
    except NotImplementedError:
        return dict.fromkeys(topics, UNKNOWN)
    except (KafkaConnectionError, KafkaError) as error:
        raise UnreachableError(
            f"Kafka at {kafka.bootstrap_servers} does not say what topics it has: {error!r}"
        ) from None
    finally:
        await client.close()
    return {one[1]: UNKNOWN if one[0] else one[2].hex() for one in answer.topics if one[0] != UNKNOWN_TOPIC}


def is_another(was: str, now: str) -> bool:
    """Whether a topic is not the one that it was; where either id is not known, nobody can tell.

    >>> is_another("0a", "0b"), is_another("0a", "0a"), is_another("", "0b")
    (True, False, False)
    """
    return UNKNOWN not in (was, now) and was != now


class Watched:
    """Topics that a process reads on from where it is, and their ids as it began. `look` as often as you like."""

    def __init__(self, kafka: Kafka, *topics: str, now_s: Callable[[], float] = time.monotonic) -> None:
        """now_s: monotonic seconds."""
        self._kafka = kafka
        self._topics = topics
        self._ids: dict[str, str] = {}
        self._missed: set[str] = set()
        self._now_s = now_s
        self._looked_s = -LOOK_EVERY_S

    async def look(self) -> None:
        """Ask the broker, once in LOOK_EVERY_S; one that does not answer is asked again.

        Raises SwerveError where a topic was made anew, or was deleted: where it is missing twice, since a broker that
        starts does not know all of them at once.
        """
        if self._now_s() - self._looked_s < LOOK_EVERY_S:
            return
        self._looked_s = self._now_s()
        with contextlib.suppress(UnreachableError):
            self._compare(await ids_of(self._kafka, *self._topics))

    def _compare(self, now: Mapping[str, str]) -> None:
        for topic in self._topics:
            if is_another(self._ids.get(topic, UNKNOWN), now.get(topic, UNKNOWN)):
                raise SwerveError(
                    f"{topic} was deleted and made anew while it was read: start this worker again, it begins with the "
                    "new one"
                )
        missing = {topic for topic in self._ids if topic not in now}
        if missing & self._missed:
            raise SwerveError(f"{', '.join(sorted(missing & self._missed))} was deleted while it was read")
        self._missed = missing
        self._ids |= {topic: one for topic, one in now.items() if one != UNKNOWN}
