"""What did the on-call engineer ask for about an alert: that it is theirs, or that it be quiet until a time?"""

from __future__ import annotations

from typing import Any

import msgspec

from stream.contract.reading.fields import Fields
from stream.contract.verdict import ID_MAX, NOTE_MAX

ACK, SNOOZE = "ack", "snooze"
WORDS = (ACK, SNOOZE)


class Asked(msgspec.Struct, frozen=True):
    """One word about one alert; the last "ack" and the last "snooze" count. Times are epoch ms by the wall's clock.

    until_ms: the end of a snooze, before which it is quiet; one that is past ends it. None for "ack". note: why.
    """

    alert_id: str
    word: str
    by: str
    at_ms: int
    until_ms: int | None = None
    note: str = ""

    @property
    def key(self) -> str:
        """What a later word of the same kind about the same alert replaces.

        >>> Asked("a1", "ack", "kim", 5).key
        'ack/a1'
        """
        return key_of(self.word, self.alert_id)

    def record(self) -> dict[str, Any]:
        """As it stands on the topic."""
        told: dict[str, Any] = {"alert_id": self.alert_id, "word": self.word, "by": self.by, "at": self.at_ms}
        if self.until_ms is not None:
            told["until"] = self.until_ms
        return told | {"note": self.note} if self.note else told


def key_of(word: str, alert_id: str) -> str:
    """The key of a word about an alert on the topic."""
    return f"{word}/{alert_id}"


def decode_asked(raw: bytes) -> Asked:
    """The word that these bytes are; raises Refusal.

    >>> decode_asked(b'{"alert_id": "a", "word": "snooze", "by": "kim", "at": 1772362800000, "until": 1772362900000}')
    Asked(alert_id='a', word='snooze', by='kim', at_ms=1772362800000, until_ms=1772362900000, note='')
    """
    fields = Fields(raw)
    word = fields.choice("word", WORDS)
    return Asked(
        fields.text("alert_id", ID_MAX),
        word,
        fields.text("by", ID_MAX),
        fields.instant("at"),
        fields.instant("until") if word == SNOOZE else None,
        fields.note("note", NOTE_MAX),
    )
