"""How does a refused record reach the dead-letter topic, whatever its size? What does not fit is cut, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from stream.ingest.deadletters import DeadLetter
from stream.telemetry import log

BROKER_BYTES_MAX = 1_048_588  # Kafka's own default of a topic's max.message.bytes
LEAST_BYTES = 8 * 1024  # to what a letter is cut where the broker takes less than its topic says
_BATCH_BYTES = 128  # around a message: 61 of the batch's header, and the lengths of its parts
_HEADER_BYTES = 10  # the two lengths of a header, at most
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
_log = log.get("swerve.ingest")


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of some letters. lost: the broker took not even what was left of them when they were cut."""

    whole: int = 0
    truncated: int = 0
    lost: int = 0


class LetterBox:
    """Sends letters to the dead-letter topic, each below the limit of a message there.

    The producer is its own: where the broker refuses a batch for its size, no frame is in that batch.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, bytes_max: int = BROKER_BYTES_MAX) -> None:
        self._producer = producer
        self._topic = topic
        self._bytes_max = bytes_max

    async def post(self, letters: Sequence[DeadLetter]) -> Posted:
        """Send, and wait until the broker has them. Raises KafkaError, for anything but their size."""
        fitting = [fitted(letter, self._bytes_max) for letter in letters]
        waiting = [await self._send(letter) for letter in fitting]
        truncated = lost = 0
        for letter, outcome in zip(fitting, await asyncio.gather(*waiting, return_exceptions=True), strict=True):
            if isinstance(outcome, _TOO_LARGE):
                # Its batch was: alone it may fit, and if not, the topic takes less than it did when we asked.
                outcome, letter = await self._once_more(letter)
            if isinstance(outcome, _TOO_LARGE):
                lost += 1
                _log.error("dead_letter_lost", **_said(letter))
            elif isinstance(outcome, BaseException):
                raise outcome
            else:
                truncated += bool(letter.truncated)
        return Posted(len(letters) - truncated - lost, truncated, lost)

    async def _once_more(self, letter: DeadLetter) -> tuple[BaseException | None, DeadLetter]:
        smaller = fitted(letter, LEAST_BYTES)
        for one in (letter, smaller):
            try:
                await (await self._send(one))
            except _TOO_LARGE as error:
                refused = error
            else:
                return None, one
        return refused, smaller

    async def _send(self, letter: DeadLetter) -> asyncio.Future[object]:
        sent: asyncio.Future[object] = await self._producer.send(
            self._topic, letter.value, key=letter.key, headers=list(letter.headers)
        )
        return sent


def _said(letter: DeadLetter) -> dict[str, str]:
    return {name.rpartition(".")[2]: value.decode("utf-8", "replace") for name, value in letter.ours}


def size_of(letter: DeadLetter) -> int:
    """Bytes that a letter takes as a message of its own, at most."""
    parts = [len(letter.key or b""), len(letter.value or b"")]
    parts += [len(name.encode()) + len(value or b"") + _HEADER_BYTES for name, value in letter.headers]
    return sum(parts) + _BATCH_BYTES


def fitted(letter: DeadLetter, bytes_max: int) -> DeadLetter:
    """The letter within so many bytes: its value is cut, and where that is not enough, headers and key are left out.

    Whatever was cut is said in the letter's `truncated`. Why it was refused, and where it is, always stays.

    >>> letter = DeadLetter(b"k", b"x" * 5_000, (("trace", b"7"),), ())
    >>> cut = fitted(letter, 1_000)
    >>> size_of(cut) <= 1_000, cut.key, cut.came, cut.truncated.startswith("value cut from 5000 bytes")
    (True, b'k', (('trace', b'7'),), True)
    >>> fitted(letter, 6_000) == letter
    True
    """
    if size_of(letter) <= bytes_max:
        return letter
    value = letter.value or b""
    # A value that was cut before is told by what it was then: that is how much of it came.
    told = letter.truncated or f"value cut from {len(value)} bytes"
    bare = replace(letter, value=None, truncated=told)
    room = bytes_max - size_of(bare)
    if room < 0:
        left_out = f"{len(letter.came)} headers and a key of {len(letter.key or b'')} bytes left out"
        bare = replace(bare, key=None, came=(), truncated=f"{left_out}; {told}")
        room = bytes_max - size_of(bare)
    return replace(bare, value=value[: max(room, 0)] or None)
