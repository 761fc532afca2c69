"""Who reads and counts, where judging has a process of its own? `backtest --workers 2`.

Reading and counting ask nothing of the judgement, so they run ahead of it, in a process that tells what each tick came
to. Both together do what one process does, in its order: the same alerts, refusals and counts to the byte.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import Full, Queue
from typing import Any

from detectors.counts.summary import Summary
from stream.commands import replay as reading
from stream.commands.begin.recount import recounting
from stream.configuration.settings import Settings
from stream.contract.alert import Alert
from stream.errors import SwerveError, UsageError
from stream.pipeline.embedded import Embedded, Seen
from stream.pipeline.encode import Refused
from stream.sources.logs import Log, LogDone

AHEAD = 4  # parts that wait to be judged: one may hold the columns of an hour, 400 bytes an account
BATCHES_MAX = 64  # of which nothing closed a tick, until they are told all the same: a person watches how far it is
ENDS_WITHIN_S = 10.0

Row = dict[str, Any]


@dataclass(slots=True)
class Part:
    """What came of some batches. seen: so far, without alerts. logs: how far each is read that was touched.

    rejects, counts: rows of these files, where they are wanted. without_room: requests so far of accounts for which
    there was no memory. is_last: nothing follows.
    """

    seen: Seen
    summaries: list[Summary] = field(default_factory=list)
    rejects: list[Row] = field(default_factory=list)
    counts: list[Row] = field(default_factory=list)
    logs: dict[str, LogDone] = field(default_factory=dict)
    without_room: int = 0
    is_last: bool = False


def reject_rows(source: str, refused: Sequence[Refused]) -> list[Row]:
    """Rows of --rejects."""
    return [{"line": one.offset, "source": source, "reason": one.reason.value, "detail": one.detail} for one in refused]


@contextmanager
def counted_apart(configured: Settings, logs: Sequence[Log], rejects: bool, counts: bool) -> Iterator[Iterator[Part]]:
    """Read and count these logs in a process of its own; gives what it tells, in order, up to the last part.

    rejects, counts: whether the rows of these are wanted. The process ends with the block, however that ends. Raises
    UsageError for what can be read only once; what the process raised; SwerveError where it ended before it was done.
    """
    for log in logs:
        if log.is_read_once:
            raise UsageError(f"--workers 2 reads files: {log.path} comes from a pipe; leave --workers out for it")
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(
        target=_count, args=(there, configured, [(log.path, log.is_found) for log in logs], rejects, counts),
        name="swerve-counts", daemon=True,
    )  # fmt: skip
    process.start()
    there.close()  # so that its end is ours alone to see
    given_up = threading.Event()
    try:
        yield _told(process, here, given_up)
    finally:
        given_up.set()
        process.terminate()
        process.join(ENDS_WITHIN_S)
        if process.is_alive():
            process.kill()
        here.close()


def _told(process: BaseProcess, connection: Connection, given_up: threading.Event) -> Iterator[Part]:
    """The parts as they come; a thread takes them in while others are judged."""
    parts: Queue[Part | Exception | None] = Queue(AHEAD)
    threading.Thread(target=_take_in, args=(connection, parts, given_up), daemon=True).start()
    while True:
        part = parts.get()
        if part is None:
            process.join(ENDS_WITHIN_S)
            raise SwerveError(
                f"the process that reads and counts ended before it was done ({_how(process.exitcode)}), so what is "
                "written is not whole; run again, with --workers 1 where memory was short"
            )
        if isinstance(part, Exception):
            raise part
        yield part
        if part.is_last:
            return


def _take_in(connection: Connection, parts: Queue[Part | Exception | None], given_up: threading.Event) -> None:
    part: Part | Exception | None = None
    while not given_up.is_set():
        try:
            part = connection.recv()
        except (EOFError, OSError):  # it died, or we are done with it
            part = None
        while not given_up.is_set():
            try:
                parts.put(part, timeout=0.5)
                break
            except Full:
                continue
        if part is None or (isinstance(part, Part) and part.is_last):
            return


def _how(code: int | None) -> str:
    if code is None:
        return "it does not say how"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _count(
    connection: Connection, configured: Settings, paths: Sequence[tuple[str, bool]], rejects: bool, counts: bool
) -> None:
    """The whole life of the process. Ctrl-C reaches both; it is the other who ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for part in _parts(configured, [Log(path, is_found) for path, is_found in paths], rejects, counts):
            connection.send(part)
    except (SwerveError, UsageError) as error:
        connection.send(error)
    except BrokenPipeError:  # nobody judges any more
        return


class _Kept:
    """Judges nothing: keeps the summaries for whoever does."""

    def __init__(self) -> None:
        self.summaries: list[Summary] = []

    def apply(self, summary: Summary) -> Sequence[Alert]:
        """Keep one."""
        self.summaries.append(summary)
        return ()


def _parts(configured: Settings, logs: Sequence[Log], rejects: bool, counts: bool) -> Iterator[Part]:
    kept, by_path = _Kept(), {log.path: log for log in logs}
    reader = configured.reader()
    embedded = Embedded(configured.parameters, [], kept, dialect=reader)
    reading.keep_within(configured.limits.memory_mb, embedded)
    part, batches = Part(embedded.seen), 0
    if counts:
        recounting(embedded.shards, lambda rows: part.counts.extend(rows))
    for source in reading.through(embedded, logs, reader):
        refused = embedded.refusals(source)
        if rejects:
            part.rejects += reject_rows(source, refused)
        part.logs[source] = by_path[source].done
        batches += 1
        if batches >= BATCHES_MAX or any(one.accounts is not None for one in kept.summaries):
            yield _filled(part, kept, embedded)
            part, batches = Part(embedded.seen), 0
    part.is_last = True
    part.logs |= {log.path: log.done for log in logs}
    yield _filled(part, kept, embedded)


def _filled(part: Part, kept: _Kept, embedded: Embedded) -> Part:
    part.summaries, kept.summaries = kept.summaries, []
    part.without_room = embedded.shards.without_room
    return part
