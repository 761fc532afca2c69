"""What did one sink take already? A small book that survives restarts, so that nothing is sent twice."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from stream.contract.alert import SEVERITIES, Alert

ENTRIES_MAX = 50_000  # alerts, about 60 bytes each: 3 MB; over a century at a few tens a day, for years at hundreds
VERSION = 1


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """The last record of one alert that the sink took."""

    updated_at: int
    severity: str
    status: str


class _Book(msgspec.Struct):
    version: int
    sent: dict[str, Sent]


def _place(record: Alert | Sent) -> tuple[int, bool]:
    """A verdict may end an alert in the very tick of its last record: the end comes after what that tick told."""
    return record.updated_at, record.status == "resolved"


class Ledger:
    """Which records were taken."""

    def __init__(self) -> None:
        self._sent: dict[str, Sent] = {}

    def has(self, alert: Alert) -> bool:
        """Whether this record, or a later one of its alert, was taken."""
        sent = self._sent.get(alert.alert_id)
        return sent is not None and _place(alert) <= _place(sent)

    def last(self, alert_id: str) -> Sent | None:
        """What was last taken of an alert."""
        return self._sent.get(alert_id)

    def is_louder(self, alert: Alert) -> bool:
        """Whether a record tells more than an update: the first of its alert, a higher severity, or the end."""
        sent = self._sent.get(alert.alert_id)
        if sent is None or alert.status != sent.status:
            return True
        return SEVERITIES.index(alert.severity) > SEVERITIES.index(sent.severity)

    def add(self, alert: Alert) -> None:
        """The sink took this record."""
        self._sent.pop(alert.alert_id, None)
        self._sent[alert.alert_id] = Sent(alert.updated_at, alert.severity, alert.status)
        while len(self._sent) > ENTRIES_MAX:
            del self._sent[next(iter(self._sent))]

    def to_bytes(self) -> bytes:
        """JSON, for a file or a table; the entries in order of delivery."""
        return msgspec.json.encode(_Book(VERSION, self._sent))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Ledger:
        """What `to_bytes` gave. Raises ValueError where it is damaged or of another version."""
        try:
            book = msgspec.json.decode(raw, type=_Book)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"ledger of a sink: {error}") from None
        if book.version != VERSION:
            raise ValueError(f"ledger of a sink: expected version {VERSION}, got {book.version}")
        ledger = cls()
        ledger._sent = book.sent
        return ledger


def read(path: Path) -> Ledger:
    """The ledger in a file; an empty one where there is no file. Raises ValueError like `from_bytes`, and OSError."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return Ledger()
    return Ledger.from_bytes(raw)


def write(path: Path, raw: bytes) -> None:
    """Replace the file in one step: a crash leaves the old book or the new one, never a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(raw)
    os.replace(fresh, path)
