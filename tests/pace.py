"""How long may something take, whatever the machine and however busy it is?

A price is told in yardsticks, fixed pieces of plain Python: a limit in seconds says how quick the machine is. Work and
yardstick are done in turn, by the time of this process on the processor, and the quickest of each count: what slows
both down changes nothing. What must come is waited for until nobody waits any longer who is not stuck.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

ROUNDS = 9
PATIENCE_S = 240.0  # a test may take longer (pyproject.toml), so that it is the condition that is told


def yardstick() -> int:
    """Text, tables and sorting, as most of what is measured: about 5 ms where this was written."""
    counts: dict[str, int] = {}
    for number in range(12_000):
        name = f"name-{number * 7919 % 4_001}"
        counts[name] = counts.get(name, 0) + number
    return len(sorted(counts.items(), key=lambda one: one[1]))


class Patience:
    """How long is something waited for that goes on by itself? Until it has stood still for PATIENCE_S.

    >>> patience = Patience()
    >>> [patience.lasts(seen) for seen in (0, 0, 4)]
    [True, True, True]
    """

    def __init__(self) -> None:
        self._last: object = None
        self._end_s = 0.0

    def lasts(self, seen: object) -> bool:
        """Whether there is reason to go on waiting, now that so much is seen."""
        now_s = time.monotonic()
        if seen != self._last:
            self._last, self._end_s = seen, now_s + PATIENCE_S
        return now_s < self._end_s


class Pace:
    """`for _ in range(ROUNDS): with pace.of(): work()`, and then `pace.cost`.

    >>> pace = Pace()
    >>> for _ in range(ROUNDS):
    ...     with pace.of():
    ...         counted = yardstick()
    >>> 0.5 < pace.cost < 2
    True
    """

    def __init__(self) -> None:
        self._work_s: list[float] = []
        self._yardstick_s: list[float] = []

    @contextlib.contextmanager
    def of(self) -> Iterator[None]:
        """One round."""
        begun_s = time.process_time()
        yardstick()
        between_s = time.process_time()
        yield
        self._yardstick_s.append(between_s - begun_s)
        self._work_s.append(time.process_time() - between_s)

    @property
    def cost(self) -> float:
        """Yardsticks that the quickest round of work took."""
        return min(self._work_s) / self.yardstick_s

    @property
    def yardstick_s(self) -> float:
        """The quickest yardstick."""
        return min(self._yardstick_s)
