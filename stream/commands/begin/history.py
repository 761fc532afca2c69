"""What was counted and judged before now, kept in a folder: `swerve backfill` leaves it there, `swerve watch` goes on.

Two files: the state, replaced in one step, and every alert record of the past. The state says how far each log is in
it, and how long the file of records was: what a crash left behind is cut off, and read again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from detectors.counts.arrivals import ClockState
from detectors.counts.snapshot import UnreadableSnapshotError
from detectors.parameters import Parameters
from stream.contract import alert
from stream.contract.alert import Alert
from stream.contract.redacted import alert_without
from stream.errors import SwerveError, UsageError
from stream.pipeline.composition import Fleet, Shards
from stream.sinks.ledger import write
from stream.sources.logs import Log
from stream.sources.open import STANDARD_INPUT

VERSION = 1
STATE, RECORDS = "history.state", "history.alerts.ndjson"


class LogRead(msgspec.Struct, frozen=True, array_like=True):
    """How far one log is in the state.

    line: the last that is counted, -1 for none. clock: how its clock stood there. size: of the file, in bytes. head,
    mark: so many of its first bytes, and their digest, which tell it from another of the same name. is_whole: read to
    the end that it had.
    """

    line: int
    clock: ClockState
    size: int | None
    head: int
    mark: bytes
    is_whole: bool

    def is_of(self, log: Log) -> bool:
        """Whether it is the same file, perhaps longer by now."""
        return log.mark(self.head) == self.mark and (self.size or 0) <= (log.bytes_total or 0)


class Counted(msgspec.Struct, frozen=True, array_like=True):
    """What was read, over all runs; as in `Seen`."""

    no_requests: int = 0
    not_counted: dict[str, int] = {}
    from_ms: int | None = None
    until_ms: int | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """One whole state. clock: where that of what comes next begins. records_bytes: of the file of alert records."""

    v: int = VERSION
    logs: dict[str, LogRead]
    clock: ClockState
    counted: Counted
    records_bytes: int
    shards: dict[str, bytes]
    fleet: dict[str, bytes]

    def lines_of(self, path: str) -> int:
        """How many lines of a growing log are in it; 0 where none is, or the name stands for another file by now.

        One less than were read: the last may have been half a line. A whole one that comes again is a repeat.
        """
        known = next((one for name, one in self.logs.items() if Path(name).resolve() == Path(path).resolve()), None)
        if known is None or path == STANDARD_INPUT or not known.is_of(Log(path)):
            return 0
        return max(0, known.line - 1)

    def restored(self, parameters: Parameters, fleet: Fleet) -> Shards:
        """Bring a new fleet to where this stands, and give the shards. Raises SwerveError."""
        try:
            fleet.restore(self.fleet)
            return Shards.restore(parameters, self.shards)
        except UnreadableSnapshotError as error:
            raise SwerveError(f"{STATE}: {error}; or backfill anew into another folder") from None


def read(folder: Path) -> History | None:
    """The state of a folder; None where there is none. Raises SwerveError where it cannot be read."""
    try:
        raw = (folder / STATE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SwerveError(f"{folder / STATE}: {error.strerror or error}") from None
    try:
        found = msgspec.msgpack.decode(raw, type=History)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SwerveError(f"{folder / STATE}: damaged: {error}; delete it, and backfill anew") from None
    if found.v != VERSION:
        raise SwerveError(f"{folder / STATE}: of version {found.v}, expected {VERSION}: start the build that wrote it")
    return found


def keep(folder: Path, history: History) -> None:
    """Replace the state of a folder in one step. Raises SwerveError."""
    try:
        write(folder / STATE, msgspec.msgpack.encode(history))
    except OSError as error:
        raise SwerveError(f"{folder / STATE}: {error.strerror or error}; the state before is whole") from None


class Records:
    """Every alert record of the past, as NDJSON in the order emitted. A context manager.

    bytes_kept: what the state knows of; what lies behind it was written before a crash, and will be again.
    """

    def __init__(self, folder: Path, bytes_kept: int = 0) -> None:
        self.path = folder / RECORDS
        try:
            self.path.touch()
            self._file = open(self.path, "r+b")  # noqa: SIM115 - closed by __exit__
            size = os.fstat(self._file.fileno()).st_size
            if size < bytes_kept:
                raise SwerveError(
                    f"{self.path}: has {size:,} bytes, expected the {bytes_kept:,} that the state knows of: delete the "
                    "folder, and backfill anew"
                )
            self._file.truncate(bytes_kept)
            self._file.seek(bytes_kept)
        except OSError as error:
            raise SwerveError(f"{self.path}: {error.strerror or error}") from None

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def extend(self, alerts: Sequence[Alert]) -> None:
        """Write what changed in one tick."""
        self._file.writelines(alert.encode(one) + b"\n" for one in alerts)

    def settled(self) -> int:
        """Until all of it is on the disk; its bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()


def past_alerts(folder: Path) -> Iterator[Alert]:
    """The records of the past again."""
    with open(folder / RECORDS, "rb") as file:
        for line in file:
            yield alert.decode(line.rstrip(b"\n"))


def without_account(folder: Path, parameters: Parameters, account_id: str) -> list[str]:
    """Take one account out of a folder; says what was done. Raises SwerveError, UsageError where there is no state.

    Each record keeps its length, filled up with spaces, so that the two files fit together after a crash in between.
    """
    known = read(folder)
    if known is None:
        raise UsageError(f"--state {folder}: no {STATE} there")
    fleet = Fleet(parameters)
    shards = known.restored(parameters, fleet)
    was = account_id in shards.accounts.ids
    left = Shards.of_others([shards], shards.partition, shards.partitions, without=(account_id,)) if was else shards
    named = fleet.forget(account_id)
    changed = _records_without(folder, account_id)
    keep(folder, msgspec.structs.replace(known, shards=left.snapshot(), fleet=fleet.snapshot()))
    return [
        f"{STATE}: {'removed' if was else 'its counts do not hold it'}; {len(named)} alerts there named it",
        f"{RECORDS}: {changed} records are written again without it",
    ]


def _records_without(folder: Path, account_id: str) -> int:
    """Write the records of the past again without the account; how many are others now."""
    try:
        lines = (folder / RECORDS).read_bytes().splitlines()
        fresh, changed = [], 0
        for line in lines:
            was = alert.decode(line)
            left = alert_without(was, account_id)
            fresh.append(line if left == was else alert.encode(left).ljust(len(line)))
            changed += left != was
        write(folder / RECORDS, b"".join(line + b"\n" for line in fresh))
    except OSError as error:
        raise SwerveError(f"{folder / RECORDS}: {error.strerror or error}; nothing is changed") from None
    return changed
