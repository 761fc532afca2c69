"""How does a word said in the console reach whoever judges? Through its topic, like every other word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stream import kafka as broker
from stream.console.voice import as_json, expected_record, verdict_record
from stream.contract.expected import Expected
from stream.contract.verdict import Verdict
from stream.correlate.expected_shifts import Announced
from stream.correlate.knowledge import Knowledge
from stream.correlate.verdicts import Said
from stream.oncall.attention import AttentionBook
from stream.settings import Settings


class TopicVoice:
    """Writes to the topics of expected shifts and verdicts; what it tells is what was read back from them.

    attention lives as long as the process: after a takeover an acknowledged alert counts as seen by nobody.
    """

    def __init__(self, settings: Settings, knowledge: Knowledge, attention: AttentionBook) -> None:
        self.attention = attention
        self._settings = settings
        self._knowledge = knowledge

    async def expect(self, shift: Expected) -> None:
        """Announce, or withdraw by an end before the begin. Raises SwerveError where the broker does not take it."""
        record = expected_record(shift) if shift.until_ms > shift.from_ms else None
        await self._write(self._settings.kafka.topics.expected, shift.id, record)

    async def judge(self, verdict: Verdict) -> None:
        """The last word about an alert counts. Raises SwerveError where the broker does not take it."""
        await self._write(self._settings.kafka.topics.verdicts, verdict.alert_id, verdict_record(verdict))

    def expected(self) -> Sequence[Announced]:
        """What the topic and the configuration say now."""
        return self._knowledge.now().expected

    def verdicts(self) -> Sequence[Said]:
        """The last word about each alert."""
        return self._knowledge.now().verdicts

    async def _write(self, topic: str, key: str, record: Mapping[str, Any] | None) -> None:
        value = None if record is None else as_json(record)
        async with broker.producer(self._settings.kafka) as producer:
            await producer.send_and_wait(topic, value, key=key.encode())
