"""How does a word said in the console reach whoever judges? Through its topic, like every other word."""

from __future__ import annotations

from collections.abc import Sequence

from stream.alerts.expected_shifts import Announced
from stream.alerts.verdicts import Said
from stream.contract.expected import Expected
from stream.contract.verdict import Verdict
from stream.correlate.knowledge import Knowledge
from stream.oncall.attention import Attentive
from stream.oncall.voice import as_json, expected_record, verdict_record


class TopicVoice:
    """Writes to the topics of expected shifts, verdicts and attention; what it tells was read back from them."""

    def __init__(self, knowledge: Knowledge, attention: Attentive) -> None:
        self.attention = attention
        self._knowledge = knowledge

    async def expect(self, shift: Expected) -> None:
        """Announce, or withdraw by an end before the begin. Raises SwerveError where the broker does not take it."""
        record = expected_record(shift) if shift.until_ms > shift.from_ms else None
        await self._knowledge.expected.put(shift.id, None if record is None else as_json(record))

    async def judge(self, verdict: Verdict) -> None:
        """The last word about an alert counts. Raises SwerveError where the broker does not take it."""
        await self._knowledge.verdicts.put(verdict.alert_id, as_json(verdict_record(verdict)))

    def expected(self) -> Sequence[Announced]:
        """What the topic and the configuration say now."""
        return self._knowledge.now().expected

    def verdicts(self) -> Sequence[Said]:
        """The last word about each alert."""
        return self._knowledge.now().verdicts
