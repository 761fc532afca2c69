"""How long may a process take to end? Beyond it, it ends whatever waits, and says what it could not write.

Without a broker much waits for ever at the end: the commit of an offset, a coordinator, an idempotent producer, a
thread that died. Nothing is lost by leaving: state is a function of what was read, so the next start reads again what
is not stored, and counts it once (docs/exactly-once.md).
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping

from stream.spoken import harmless
from stream.stages import private_parts
from stream.telemetry import log

_log = log.get("swerve.stage")
Unwritten = Mapping[str, Callable[[], str]]  # by stage: what would be read again, in words; "" for nothing


class Deadline:
    """From `begin` on, so many seconds are left. A thread watches: the event loop may be what stands still.

    unwritten: see `Unwritten`. leave: ends the process with an exit code at once, whatever its threads do.
    """

    def __init__(self, seconds: float, unwritten: Unwritten, leave: Callable[[int], None] | None = None) -> None:
        self._seconds = seconds
        self._unwritten = unwritten
        self._leave = leave or private_parts.leave_at_once
        self._begun = threading.Lock()

    def begin(self, why: str, failure: str = "") -> None:
        """The process is to end now; why in a few words, and what failed. Only the first call counts."""
        if self._begun.acquire(blocking=False):
            watch = threading.Timer(self._seconds, self._end, [why, failure])
            watch.daemon = True
            watch.start()

    def _end(self, why: str, failure: str) -> None:
        told = self.told(why, failure)
        _log.error("left_without_the_broker", why=why, seconds=self._seconds, unwritten=self._left())
        print(f"swerve: {harmless(told)}", file=sys.stderr, flush=True)
        sys.stdout.flush()
        self._leave(1)

    def _left(self) -> str:
        return "; ".join(filter(None, (say() for _, say in sorted(self._unwritten.items()))))

    def told(self, why: str, failure: str = "") -> str:
        """What is said at the end of the time: first what failed, which nobody else says any more.

        >>> Deadline(30.0, {"detect": lambda: "detect frames[0] 7 to 9"}).told("SIGTERM")
        'not ended 30 s after SIGTERM, so it leaves. Not stored: detect frames[0] 7 to 9. The next start reads it again'
        """
        left = self._left()
        what = f"Not stored: {left}. The next start reads it again" if left else "All that was counted is stored"
        first = f"{failure}. Then " if failure else ""
        return f"{first}not ended {self._seconds:g} s after {why}, so it leaves. {what}"


def told_of(stage: str, ranges: Mapping[str, tuple[int, int]]) -> str:
    """What a stage has taken and not stored: by place, the offset that is stored and the one that is taken.

    >>> told_of("detect", {"frames[1]": (7, 9), "frames[0]": (4, 4)})
    'detect frames[1] from 7 up to 9'
    """
    parts = [
        f"{place} from {stored} up to {taken}" for place, (stored, taken) in sorted(ranges.items()) if taken > stored
    ]
    return f"{stage} {', '.join(parts)}" if parts else ""
