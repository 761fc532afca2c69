"""Who has an alert, until when is it quiet, what was noted? Acknowledgements, snoozes, notes: one process, one file.

An acknowledged alert is not told as new again; what it rises to and its end still are. A snooze holds everything back
until its end, and then tells what still fires. Neither is seen by the detectors, nor changes a record of an alert.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec

from stream.contract.attention import ACK, NOTES_MAX, SNOOZE, Asked, key_of, note_key
from stream.errors import SwerveError
from stream.sinks.delivery import Attention
from stream.sinks.ledger import write

ENTRIES_MAX = 20_000  # words, about 100 bytes each: 2 MB; the oldest go first


@dataclass(frozen=True, slots=True)
class Entry:
    """What holds for one alert: who has it, and who asked for silence until when."""

    acknowledged: Asked | None = None
    snoozed: Asked | None = None

    def at(self, now_ms: int) -> Entry:
        """What holds at this time: a snooze that is over has ended by itself."""
        is_quiet = self.snoozed is not None and (self.snoozed.until_ms or 0) > now_ms
        return self if is_quiet or self.snoozed is None else Entry(self.acknowledged)

    @property
    def state(self) -> str:
        """Of an alert that is open, for a metric."""
        return "snoozed" if self.snoozed else "acknowledged" if self.acknowledged else "firing"

    def for_delivery(self) -> Attention:
        """What a sink must know of it."""
        return Attention(self.acknowledged is not None, None if self.snoozed is None else self.snoozed.until_ms)

    def record(self) -> dict[str, Any]:
        """For the API."""
        words = {"acknowledged": self.acknowledged, "snoozed": self.snoozed}
        return {name: None if word is None else word.record() for name, word in words.items()}


class Attentive(Protocol):
    """Where words about alerts are kept."""

    def entry(self, alert_id: str) -> Entry:
        """What was asked for one alert."""

    async def ask(self, asked: Asked) -> None:
        """Keep a word; it holds when this returns. Raises SwerveError where it cannot be kept."""

    def notes(self, alert_id: str) -> Sequence[Asked]:
        """What was noted about one alert, oldest first."""

    def of(self, alert_id: str) -> Attention:
        """For the delivery."""


def noted(word_at: Callable[[str], Asked | None], alert_id: str) -> list[Asked]:
    """The notes of an alert, oldest first. word_at: the word under a key."""
    found = (word_at(note_key(alert_id, place)) for place in range(NOTES_MAX))
    return sorted((one for one in found if one is not None), key=lambda one: (one.at_ms, one.place))


def place_of(notes: Sequence[Asked]) -> int:
    """Where a further note goes: a place that is free, else that of the oldest.

    >>> place_of([Asked("a1", "note", "kim", 5, place=0)]), place_of([])
    (1, 0)
    """
    taken = {one.place for one in notes}
    return next((place for place in range(NOTES_MAX) if place not in taken), notes[0].place if notes else 0)


class AttentionBook:
    """What was asked about every alert. path: where it is kept; None: as long as this process lives.

    >>> import asyncio
    >>> book = AttentionBook()
    >>> asyncio.run(book.ask(Asked("a1", "ack", "kim", 5)))
    >>> book.of("a1").acknowledged, book.of("a2").acknowledged
    (True, False)
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._words = {} if path is None else {one.key: one for one in _read(path)}

    def of(self, alert_id: str) -> Attention:
        """For the delivery."""
        return self.entry(alert_id).for_delivery()

    def entry(self, alert_id: str) -> Entry:
        """Who asked what, and when; for a page."""
        return Entry(self._words.get(key_of(ACK, alert_id)), self._words.get(key_of(SNOOZE, alert_id)))

    def notes(self, alert_id: str) -> Sequence[Asked]:
        """What was noted about one alert, oldest first."""
        return noted(self._words.get, alert_id)

    async def ask(self, asked: Asked) -> None:
        """Keep a word; it replaces the one of its kind about the same alert. Raises SwerveError."""
        self._words.pop(asked.key, None)
        self._words[asked.key] = asked
        while len(self._words) > ENTRIES_MAX:
            del self._words[next(iter(self._words))]
        if self._path is None:
            return
        try:
            write(self._path, msgspec.json.encode(list(self._words.values())))
        except OSError as error:
            raise SwerveError(f"{self._path}: {error.strerror or error}; it holds until this process ends") from None


def _read(path: Path) -> Iterable[Asked]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Asked])
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise SwerveError(f"{path}: {error}; delete it, and acknowledged alerts count as new") from None
