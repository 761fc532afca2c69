"""What did the on-call engineer find out about an alert?"""

from __future__ import annotations

import msgspec

from stream.contract.reading.fields import Fields

VERDICTS = ("campaign", "harmless", "unsure")
ID_MAX = 256  # characters
NOTE_MAX = 4000


class Verdict(msgspec.Struct, frozen=True):
    """One word about one alert; the last one counts. at_ms: when it was said. by: who said it."""

    alert_id: str
    verdict: str
    by: str
    at_ms: int
    note: str = ""


def decode_verdict(raw: bytes) -> Verdict:
    """The verdict that these bytes are; raises Refusal.

    >>> decode_verdict(b'{"alert_id": "a", "verdict": "harmless", "by": "kim", "at": 1772362800000}').verdict
    'harmless'
    """
    fields = Fields(raw)
    return Verdict(
        fields.text("alert_id", ID_MAX),
        fields.choice("verdict", VERDICTS),
        fields.text("by", ID_MAX),
        fields.instant("at"),
        fields.note("note", NOTE_MAX),
    )
