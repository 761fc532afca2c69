"""Which records are in this array? Some loggers write their batches so: one line, `[{..},{..}]`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
from numpy.typing import NDArray

from stream.contract.reading.json_object import UNREADABLE

BATCH_BYTES_MAX = 16 << 20  # of what holds many records; in an array each is held to the limit of a record
_elements: Callable[[bytes], list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw]).decode
_SPACE = b" \t\r\n"
_TELEMETRY = b'{"resource'  # resourceSpans or resourceLogs


def is_batch(begun: bytes) -> bool:
    """Whether a line that begins so may hold many records: an array, or a message of OpenTelemetry's.

    >>> is_batch(b'[{"a": 1}'), is_batch(b'{"resourceSpans":[{'), is_batch(b'{"event_id": "e1"')
    (True, True, False)
    """
    return is_array(begun) or begun[:64].replace(b" ", b"").startswith(_TELEMETRY)


def is_array(raw: bytes) -> bool:
    """Whether it begins as an array does."""
    return raw[:1] in b"[ \t\r\n" and raw[:64].lstrip(_SPACE)[:1] == b"["


def records_of(raw: bytes) -> list[bytes]:
    r"""The elements of an array, unread; none where it is no array, an empty one, or broken outside of its elements.

    One that is broken inside is cut off from the others: it is refused, and they are not. O(length).

    >>> records_of(b' [{"a": 1}, {"b": "],"}]'), records_of(b"[NaN, {]"), records_of(b"[[1], 2 "), records_of(b"{}")
    ([b'{"a": 1}', b'{"b": "],"}'], [], [], [])
    >>> records_of(b'[{"a": NaN}, {"b": 1}]')
    [b'{"a": NaN}', b'{"b": 1}']
    """
    if not is_array(raw) or len(raw) > BATCH_BYTES_MAX:
        return []
    try:
        return [bytes(one) for one in _elements(raw)]
    except UNREADABLE:
        return _cut(raw.strip(_SPACE))


def _cut(raw: bytes) -> list[bytes]:
    """By commas between brackets, whatever is between the commas."""
    text = np.frombuffer(raw, np.uint8)
    inside, _ = texts_in(text)
    depth = depth_in(text, inside)
    if raw[-1:] != b"]" or depth[-1] != 0 or (depth[:-1] < 1).any():
        return []
    commas = np.flatnonzero((text == ord(",")) & ~inside & (depth == 1)).tolist()
    return [
        raw[begin + 1 : end].strip(_SPACE) for begin, end in zip([0, *commas], [*commas, len(raw) - 1], strict=True)
    ]


def texts_in(text: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which bytes of JSON are inside of a text, its first quote included and its last not; and which are escaped.

    Escaped is what stands behind an odd number of backslashes.
    """
    if not len(text):
        return np.zeros(0, bool), np.zeros(0, bool)
    at = np.arange(len(text), dtype=np.int32)
    last_other = np.maximum.accumulate(np.where(text == ord("\\"), np.int32(-1), at))
    escaped = np.zeros(len(text), bool)
    escaped[1:] = (at[:-1] - last_other[:-1]) % 2 == 1
    return np.logical_xor.accumulate((text == ord('"')) & ~escaped), escaped


def depth_in(text: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.int32]:
    """How many brackets are open after each byte; those inside of texts are none."""
    opens = ((text == ord("{")) | (text == ord("["))) & ~inside
    closes = ((text == ord("}")) | (text == ord("]"))) & ~inside
    return np.cumsum(opens.view(np.int8) - closes.view(np.int8), dtype=np.int32)
