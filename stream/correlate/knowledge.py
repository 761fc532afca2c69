"""What do people know that the records do not say? Releases, expected shifts and verdicts, live from their topics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from stream.alerts.expected_shifts import Announced
from stream.configuration.settings import Settings
from stream.contract.expected import decode_expected
from stream.contract.reading.refusal import Refusal
from stream.contract.release import decode_release
from stream.contract.verdict import Verdict, decode_verdict
from stream.kafka import broker
from stream.pipeline.announced import Catalogue
from stream.telemetry import log

_log = log.get("swerve.correlate")
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Known:
    """Everything in force at one moment."""

    released_ms: Mapping[str, int]
    expected: Sequence[Announced]
    verdicts: Sequence[Verdict]


class Knowledge:
    """The three catalogues. `load` reads them to their ends, `follow` keeps them up to date, `now` is what holds.

    A record that breaks the contract is logged and holds nothing: one bad line must not stop the judging.
    """

    def __init__(self, settings: Settings) -> None:
        topics = settings.kafka.topics
        self._settings = settings
        self.releases = broker.Catalogue(settings.kafka, topics.releases)
        self.expected = broker.Catalogue(settings.kafka, topics.expected)
        self.verdicts = broker.Catalogue(settings.kafka, topics.verdicts)
        self._known: Known | None = None
        self._changed = (0, 0, 0)

    async def load(self) -> None:
        """Read what is there and was not read yet. Raises MissingTopicError, UnreachableError."""
        await asyncio.gather(self.releases.load(), self.expected.load(), self.verdicts.load())

    async def follow(self) -> None:
        """Until cancelled, or one fails."""
        await asyncio.gather(self.releases.follow(), self.expected.follow(), self.verdicts.follow())

    def now(self) -> Known:
        """What holds now; the very same object while nothing changed."""
        changed = (self.releases.changed, self.expected.changed, self.verdicts.changed)
        if self._known is None or changed != self._changed:
            self._known, self._changed = self._read(), changed
        return self._known

    def _read(self) -> Known:
        releases = _decoded(self.releases, decode_release)
        catalogue = Catalogue(
            sorted(releases, key=lambda release: (release.released_at_ms, release.model)),
            sorted(_decoded(self.expected, decode_expected), key=lambda expected: expected.id),
        )
        verdicts = _decoded(self.verdicts, decode_verdict)
        return Known(catalogue.released_ms, catalogue.announced(self._settings), verdicts)


def _decoded(catalogue: broker.Catalogue, decode: Callable[[bytes], Record]) -> list[Record]:
    read = []
    for value in catalogue.values():
        try:
            read.append(decode(value))
        except Refusal as refusal:
            _log.error("catalogue_record_refused", topic=catalogue.topic, reason=str(refusal))
    return read
