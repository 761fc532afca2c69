"""Who has seen an alert, and until when is it to be quiet? Read from its topic, so that every worker knows it alike.

Whoever takes over has read the topic already: an alert that somebody has stays theirs, and a snooze goes on to its end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence

import orjson

from stream.configuration.settings import Settings
from stream.contract.attention import ACK, NOTES_MAX, SNOOZE, Asked, decode_asked, key_of, note_key
from stream.contract.reading.refusal import Refusal
from stream.kafka import broker
from stream.oncall.attention import Entry, noted
from stream.sinks.delivery import Attention


class TopicAttention:
    """The last word of each kind about each alert, and its notes; none of an alert that is forgotten."""

    def __init__(self, settings: Settings) -> None:
        self._kafka = settings.kafka
        self._words = broker.Catalogue(settings.kafka, settings.kafka.topics.attention)

    async def load(self) -> None:
        """Read what is there and was not read yet. Raises MissingTopicError, UnreachableError."""
        await self._words.load()

    async def follow(self) -> None:
        """Until cancelled, or the broker is gone."""
        await self._words.follow()

    def of(self, alert_id: str) -> Attention:
        """For the delivery."""
        return self.entry(alert_id).for_delivery()

    def entry(self, alert_id: str) -> Entry:
        """Who asked what, and when; for a page."""
        return Entry(self._word(key_of(ACK, alert_id)), self._word(key_of(SNOOZE, alert_id)))

    def notes(self, alert_id: str) -> Sequence[Asked]:
        """What was noted about one alert, oldest first."""
        return noted(self._word, alert_id)

    def _word(self, key: str) -> Asked | None:
        raw = self._words.get(key.encode())
        if raw is not None:
            # A record that breaks the contract says nothing: alerts go out as if nobody had asked.
            with contextlib.suppress(Refusal):
                return decode_asked(raw)
        return None

    async def ask(self, asked: Asked) -> None:
        """Write a word, and wait until it is read back. Raises SwerveError where the broker does not take it."""
        await self._words.put(asked.key, orjson.dumps(asked.record()))

    async def forget(self, alert_ids: Iterable[str]) -> None:
        """Delete what was asked about alerts that ended long ago. Raises SwerveError."""
        for alert_id in alert_ids:
            words = [key_of(ACK, alert_id), key_of(SNOOZE, alert_id)]
            for key in (*words, *(note_key(alert_id, place) for place in range(NOTES_MAX))):
                if self._words.get(key.encode()) is not None:
                    await self._words.put(key, None)
