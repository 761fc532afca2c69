"""What did the on-call engineer say about an alert: that it is theirs, that it be quiet until a time, or a note?"""

from __future__ import annotations

from typing import Any

import msgspec

from stream.contract.reading.fields import Fields
from stream.contract.verdict import ID_MAX, NOTE_MAX

ACK, SNOOZE, NOTE = "ack", "snooze", "note"
WORDS = (ACK, SNOOZE, NOTE)
NOTES_MAX = 20  # of one alert; a further one takes the place of the oldest


class Asked(msgspec.Struct, frozen=True):
    """One word about one alert; the last "ack", "snooze" and each of 20 notes count. Times are ms by the wall's clock.

    until_ms: the end of a snooze, before which it is quiet; one that is past ends it. None for other words. note: why,
    or the note itself. place: of a note among those of its alert, 0 to 19.
    """

    alert_id: str
    word: str
    by: str
    at_ms: int
    until_ms: int | None = None
    note: str = ""
    place: int = 0

    @property
    def key(self) -> str:
        """What a later word of the same kind, of notes in the same place, about the same alert replaces.

        >>> Asked("a1", "ack", "kim", 5).key
        'ack/a1'
        """
        return key_of(self.word, self.alert_id) if self.word != NOTE else note_key(self.alert_id, self.place)

    def record(self) -> dict[str, Any]:
        """As it stands on the topic."""
        told: dict[str, Any] = {"alert_id": self.alert_id, "word": self.word, "by": self.by, "at": self.at_ms}
        if self.until_ms is not None:
            told["until"] = self.until_ms
        if self.word == NOTE:
            told["place"] = self.place
        return told | {"note": self.note} if self.note else told


def key_of(word: str, alert_id: str) -> str:
    """The key of a word about an alert on the topic."""
    return f"{word}/{alert_id}"


def note_key(alert_id: str, place: int) -> str:
    """The key of one of an alert's notes.

    >>> note_key("a1", 3)
    'note/3/a1'
    """
    return key_of(f"{NOTE}/{place}", alert_id)


def decode_asked(raw: bytes) -> Asked:
    """The word that these bytes are; raises Refusal.

    >>> decode_asked(b'{"alert_id": "a", "word": "snooze", "by": "kim", "at": 1772362800000, "until": 1772362900000}')
    Asked(alert_id='a', word='snooze', by='kim', at_ms=1772362800000, until_ms=1772362900000, note='', place=0)
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
        fields.count("place") % NOTES_MAX if word == NOTE else 0,
    )
