"""Which spans tell of one request? A client's and the server's, whatever messages they come in: it counts once.

Of those in one message the outermost counts. From message to message the last 131,072 spans are remembered, each with
the one it lies in: of two that lie in one another the first to come counts, however many lie between them, as long as
those came before the second. What is remembered dies with the process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from itertools import islice

from stream.contract.reading.refusal import Refusal
from stream.contract.request import Request
from stream.sources.dialects.otlp import AROUND_MAX, Unfolded

SPANS_KEPT = 1 << 17  # 20 MB; of three spans a request, the last 40 seconds of a thousand requests a second
Told = tuple[Unfolded, Request | Refusal]


class _State(IntEnum):
    PASSED = 0
    HOLDS = 1  # a span within it was counted
    COUNTED = 2


class Spans:
    """What is remembered of one stream of messages. Not for use by two threads."""

    def __init__(self, kept: int = SPANS_KEPT) -> None:
        self._kept = kept
        self._around: dict[int, int] = {}  # span -> the one that it lies in
        self._state: dict[int, _State] = {}

    def once(self, held: Sequence[Unfolded], told: Sequence[Told]) -> list[Told]:
        """Of what the records of a message became, that which counts. held: all of its records. 2 us a span.

        A refused one is kept only where no other span told of the same request. A message that comes again gives what
        it gave before.
        """
        for one in held:
            self._remember(one)
        valid = [one for one, became in told if isinstance(became, Request)]
        counted = {one.where for one in _outermost(valid) if self._counts(one)}
        kept = [
            (one, became)
            for one, became in told
            if one.where in counted or (isinstance(became, Refusal) and self._is_first(one))
        ]
        self._forget()
        return kept

    def _remember(self, one: Unfolded) -> None:
        parent = one.record.get("parentSpanId")
        if one.span is None:
            return
        span = hash(one.span)
        self._state.setdefault(span, _State.PASSED)
        if isinstance(parent, str) and parent:
            self._around[span] = hash((one.span[0], parent))
            if self._state[span] is not _State.PASSED:  # what lies in it came before it, or it comes again
                self._mark_around(span)

    def _is_first(self, one: Unfolded) -> bool:
        """Whether no other span of the same request was counted."""
        if one.span is None:
            return True
        span = hash(one.span)
        if self._state.get(span, _State.PASSED) is not _State.PASSED:
            return self._state[span] is _State.COUNTED
        return all(self._state.get(outer) is not _State.COUNTED for outer in self._outwards(span))

    def _counts(self, one: Unfolded) -> bool:
        is_first = self._is_first(one)
        if is_first and one.span is not None:
            self._state[hash(one.span)] = _State.COUNTED
            self._mark_around(hash(one.span))
        return is_first

    def _mark_around(self, span: int) -> None:
        for outer in self._outwards(span):
            if self._state.get(outer) is not _State.COUNTED:
                self._state[outer] = _State.HOLDS

    def _outwards(self, span: int) -> Iterator[int]:
        for _ in range(AROUND_MAX):
            outer = self._around.get(span)
            if outer is None:
                return
            yield outer
            span = outer

    def _forget(self) -> None:
        """Those that came first."""
        for kept in (self._state, self._around):
            for span in list(islice(kept, max(len(kept) - self._kept, 0))):
                del kept[span]


def _outermost(asked: Sequence[Unfolded]) -> list[Unfolded]:
    """Those of some records of a message that lie in none of the others."""
    spans = {one.span for one in asked if one.span is not None}
    return [one for one in asked if not spans.intersection(one.around)]
