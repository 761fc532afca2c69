"""Who has seen an alert, and until when is it to be quiet? Acknowledgements and snoozes, kept in one small file.

An acknowledged alert is not told as new again; what it rises to and its end still are. A snooze holds everything back
until its end, and then tells what still fires.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from stream.errors import SwerveError
from stream.sinks.delivery import Attention
from stream.sinks.ledger import write

ENTRIES_MAX = 10_000  # alerts, about 100 bytes each: 1 MB; the oldest go first


class Entry(msgspec.Struct, frozen=True):
    """What was asked about one alert. Times are epoch milliseconds on the wall."""

    by: str
    at_ms: int
    acknowledged: bool = False
    snoozed_until_ms: int | None = None


class AttentionBook:
    """What was asked about every alert. path: where it is kept; None: as long as this process lives.

    >>> book = AttentionBook()
    >>> book.acknowledge("a1", "kim", 5).acknowledged, book.of("a1").acknowledged, book.of("a2").acknowledged
    (True, True, False)
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._entries = {} if path is None else _read(path)

    def of(self, alert_id: str) -> Attention:
        """For the delivery."""
        entry = self._entries.get(alert_id)
        return Attention() if entry is None else Attention(entry.acknowledged, entry.snoozed_until_ms)

    def entry(self, alert_id: str) -> Entry | None:
        """Who asked what, and when; for a page."""
        return self._entries.get(alert_id)

    def acknowledge(self, alert_id: str, by: str, at_ms: int) -> Entry:
        """Somebody has it."""
        before = self._entries.get(alert_id)
        return self._put(alert_id, Entry(by, at_ms, True, before.snoozed_until_ms if before else None))

    def snooze(self, alert_id: str, by: str, at_ms: int, until_ms: int) -> Entry:
        """Quiet until then. An end in the past ends a snooze."""
        before = self._entries.get(alert_id)
        return self._put(alert_id, Entry(by, at_ms, before.acknowledged if before else False, until_ms))

    def _put(self, alert_id: str, entry: Entry) -> Entry:
        self._entries.pop(alert_id, None)
        self._entries[alert_id] = entry
        while len(self._entries) > ENTRIES_MAX:
            del self._entries[next(iter(self._entries))]
        if self._path is not None:
            write(self._path, msgspec.json.encode(self._entries))
        return entry


def _read(path: Path) -> dict[str, Entry]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Entry])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        raise SwerveError(f"{path}: {error}; delete it, and acknowledged alerts count as new") from None
