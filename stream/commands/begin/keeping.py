"""What does a running watch keep, so that a restart goes on where it was? Its counts, and how far its log is read."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from detectors.counts.rows import NO_CLOCK_MS
from stream.commands.begin import history
from stream.commands.begin.history import Counted, History, LogRead
from stream.errors import UsageError
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded, Seen
from stream.receiver.inbox import Memory
from stream.sources.growing import Growing
from stream.sources.logs import Log

KEEP_EVERY_S = 60.0  # a crash costs what was read since, which is read again; a million accounts take three seconds


class Keeping:
    """The state of one watch in a folder, beside the past that it began with.

    known: that past. The records of alerts in the folder stay those of the past: what was told since is in the sinks.
    """

    def __init__(self, folder: Path, known: History | None) -> None:
        self._folder = folder
        self._logs = dict(known.logs) if known else {}
        self._counted = known.counted if known else Counted()
        self._records_bytes = known.records_bytes if known else 0
        self._kept_s = time.monotonic()

    def is_due(self) -> bool:
        """Whether a minute has passed since the state was kept."""
        return time.monotonic() - self._kept_s > KEEP_EVERY_S

    def keep(self, source: str, embedded: Embedded, fleet: Fleet, followed: Growing | Memory, counted: int) -> None:
        """Replace the state in one step. counted: lines of what is followed that are in it, of all its files.

        Where nothing has a clock yet, or lines of a file that was moved away are still to be judged, the state before
        stays. Raises SwerveError.
        """
        self._kept_s = time.monotonic()
        clock = embedded.clock_state(source)
        if clock.now_ms == NO_CLOCK_MS:
            return
        if isinstance(followed, Growing) and not followed.is_pipe:
            lines = counted - followed.lines_before
            if lines < 0 or not followed.is_the_named():
                return
            try:
                log = Log(followed.path)
            except UsageError:
                return  # moved away this moment
            head = len(log.head)
            self._logs[self._key(followed.path)] = LogRead(lines, clock, log.bytes_total, head, log.mark(head), False)
        kept = History(
            logs=self._logs,
            clock=clock,
            counted=_together(self._counted, embedded.seen),
            records_bytes=self._records_bytes,
            shards=embedded.shards.snapshot(),
            fleet=fleet.snapshot(),
        )
        history.keep(self._folder, kept)

    def _key(self, path: str) -> str:
        """The name by which the past knows this file already, if it does."""
        return next((name for name in self._logs if Path(name).resolve() == Path(path).resolve()), path)


def _together(before: Counted, seen: Seen) -> Counted:
    """What was read before this process, and by it.

    >>> _together(Counted(2, {"late_event": 1}, 5, 9), Seen(no_requests=1, from_ms=7, until_ms=12))
    Counted(no_requests=3, not_counted={'late_event': 1}, from_ms=5, until_ms=12)
    """
    times = [at for at in (before.from_ms, before.until_ms, seen.from_ms, seen.until_ms) if at is not None]
    refused = Counter(before.not_counted) + seen.not_counted
    return Counted(before.no_requests + seen.no_requests, dict(refused), min(times, default=None),
                   max(times, default=None))  # fmt: skip
