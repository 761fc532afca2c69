"""What of a record can be read though a part of it is no JSON, or too deep? Everything around that part.

A client writes parts of what a gateway logs: tools, their schemas, metadata. Where one of them is nested beyond any
limit, holds half a surrogate pair or a number that is none, the request is still counted: that part is read as null.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from stream.contract.reading.arrays import depth_in, texts_in

LEVELS_KEPT = 32  # of what is too deep; whatever a dialect reads lies within a dozen
_HALF = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")  # of a surrogate pair: the first is \ud8.. to \udb..
_HALF_BYTES = 6
_SECOND = b"cdefCDEF"
_NO_NUMBER = re.compile(rb"-?(?:NaN|Infinity)")
_IS_KEY = re.compile(rb"\s*:")
_NULL = b"null"
_NAMELESS = b'"\xef\xbf\xbd"'  # a key that cannot be read, but must be one


Spans = NDArray[np.int64]  # [spans, 2]: begin and end of each


def mended(raw: bytes) -> bytes:
    r"""The record with null in place of what is nested too deep, of texts with half a surrogate pair, and of NaN.

    The same bytes where there is none of it. O(length): 50 to 400 ms for a megabyte, and only for one that cannot be
    read as it is.

    >>> mended(b'{"a": [NaN, -Infinity, "NaN"], "b": "\\ud83d", "\\udc00": 1, "c": "\\ud83d\\ude00"}').decode()
    '{"a": [null, null, "NaN"], "b": null, "�": 1, "c": "\\ud83d\\ude00"}'
    >>> mended(b"[" * 40 + b"]" * 40) == b"[" * 32 + b"null" + b"]" * 32
    True
    """
    text = np.frombuffer(raw, np.uint8)
    inside, escaped = texts_in(text)
    quotes = np.flatnonzero((text == ord('"')) & ~escaped)
    bad = _half_pairs(raw, quotes, escaped)
    is_key = np.array([_IS_KEY.match(raw, end) is not None for end in bad[:, 1].tolist()], bool)
    nulls = np.concatenate([_too_deep(text, inside), bad[~is_key], _no_numbers(raw, inside)])
    return _with(text, nulls, bad[is_key]) if len(nulls) or is_key.any() else raw


def _too_deep(text: NDArray[np.uint8], inside: NDArray[np.bool_]) -> Spans:
    beyond = depth_in(text, inside) > LEVELS_KEPT
    edges: Spans = np.flatnonzero(np.diff(beyond, prepend=False, append=False)).reshape(-1, 2)
    # The bracket that closes it goes too. What never closes is no JSON, with its end cut off or not.
    edges[:, 1] = np.minimum(edges[:, 1] + 1, len(text))
    return edges


def _half_pairs(raw: bytes, quotes: NDArray[np.intp], escaped: NDArray[np.bool_]) -> Spans:
    """The texts with half a pair."""
    halves = [match.start() for match in _HALF.finditer(raw) if not escaped[match.start()]]
    firsts = {at for at in halves if raw[at + 3] not in _SECOND}
    seconds = set(halves) - firsts
    alone = {at for at in firsts if at + _HALF_BYTES not in seconds}
    alone |= {at for at in seconds if at - _HALF_BYTES not in firsts}
    number = np.unique(np.searchsorted(quotes, sorted(alone), side="right"))
    number = number[(number % 2 == 1) & (number < len(quotes))]  # the others are in no text, or in one that never ends
    return np.stack([quotes[number - 1], quotes[number] + 1], axis=1)


def _no_numbers(raw: bytes, inside: NDArray[np.bool_]) -> Spans:
    spans = np.array([match.span() for match in _NO_NUMBER.finditer(raw)], np.int64).reshape(-1, 2)
    return spans[~inside[spans[:, 0]]]


def _with(text: NDArray[np.uint8], nulls: Spans, nameless: Spans) -> bytes:
    """The bytes with null, or a key without a name, in place of the spans; one within another goes with it."""
    spans = np.concatenate([nulls, nameless])
    is_null = np.arange(len(spans)) < len(nulls)
    order = np.argsort(spans[:, 0], kind="stable")
    spans, is_null = spans[order], is_null[order]
    furthest = np.maximum.accumulate(spans[:, 1])
    outermost = np.concatenate([[True], spans[1:, 0] >= furthest[:-1]])
    spans, is_null = spans[outermost], is_null[outermost]
    change = np.zeros(len(text) + 1, np.int64)
    np.add.at(change, spans[:, 0], 1)
    np.add.at(change, spans[:, 1], -1)
    kept = np.cumsum(change[:-1]) == 0
    before = np.concatenate([[0], np.cumsum(kept)])[spans[:, 0]]  # where each replacement stands among what is kept
    instead = [(position, _NULL if null else _NAMELESS) for position, null in zip(before, is_null, strict=True)]
    position = np.repeat(before, [len(one) for _, one in instead])
    return np.insert(text[kept], position, np.frombuffer(b"".join(one for _, one in instead), np.uint8)).tobytes()
