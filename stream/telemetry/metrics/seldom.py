"""When is an occurrence told in the log that may come with every batch? At once, then at most once a minute."""

from __future__ import annotations

import time
from collections.abc import Callable


class Seldom:
    """Adds up what happened, and gives it when it is due to be told; now_s: monotonic seconds.

    >>> moments = iter([0.0, 1.0, 59.0, 61.0])
    >>> seldom = Seldom(now_s=lambda: next(moments))
    >>> [seldom.due(n) for n in (2, 3, 4, 5)]
    [2, 0, 0, 12]
    """

    def __init__(self, every_s: float = 60.0, now_s: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._now_s = now_s
        self._waiting = 0
        self._told_s: float | None = None

    def due(self, n: int) -> int:
        """n more happened: all that was not told yet where it is to be told now, else 0."""
        now_s = self._now_s()
        self._waiting += n
        if not self._waiting or (self._told_s is not None and now_s - self._told_s < self._every_s):
            return 0
        told, self._waiting, self._told_s = self._waiting, 0, now_s
        return told
