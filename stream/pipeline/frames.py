"""The columns that cross from ingest to detect and on to correlate, and their bytes.

Layout, version 1: an envelope (magic, version, crc32, zstd) around msgpack of one array of fields. A column of
integers is stored as (smallest value, width in bytes, unsigned differences to it, little end first): times and offsets
of a frame lie close together, so most columns need one or two bytes an entry.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.counts.rows import Frame, Rows, Sets
from detectors.counts.summary import AccountColumns, CohortCounts, Summary
from stream.pipeline.envelope import UnreadableEnvelope, seal, unseal
from stream.pipeline.messages.agreeing import refuse_what_points_nowhere, refuse_what_points_nowhere_in

FRAME_MAGIC = 0xF5
SUMMARY_MAGIC = 0x5F
FRAME_VERSION = 1
SUMMARY_VERSION = 1


class _Integers(msgspec.Struct, array_like=True, frozen=True):
    """Integers of up to 64 bits; low is the smallest, differences are unsigned, `width` bytes each."""

    low: int
    width: int
    differences: bytes


class _Sets(msgspec.Struct, array_like=True, frozen=True):
    lengths: _Integers
    items: _Integers


class _Rows(msgspec.Struct, array_like=True, frozen=True):
    accounts: tuple[str, ...]
    account_keys: _Integers
    account_shards: _Integers
    targets: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    value_keys: _Integers
    capability_sets: _Sets
    value_sets: _Sets
    account: _Integers
    model: _Integers
    capability_set: _Integers
    value_set: _Integers
    at_ms: _Integers
    clock_ms: _Integers
    event: _Integers
    offset: _Integers
    input_tokens: _Integers
    output_tokens: _Integers


class _Frame(msgspec.Struct, array_like=True, frozen=True):
    source: str
    after: int
    upto: int
    clock_ms: int
    idle: bool
    ended: bool
    refused: dict[str, int]
    rows: _Rows


class _CohortCounts(msgspec.Struct, array_like=True, frozen=True):
    cohorts: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]
    requests: _Integers
    accounts: _Integers
    at: _Integers
    target: _Integers
    count: _Integers


class _AccountColumns(msgspec.Struct, array_like=True, frozen=True):
    ids: tuple[str, ...]
    keys: _Integers
    shards: _Integers
    names: tuple[str, ...]
    org: _Integers
    country: _Integers
    signup_week: _Integers
    first_seen_ms: _Integers
    targets: tuple[str, ...]
    n: _Integers
    fast: _Sets
    fast_count: _Integers
    nb: bytes  # float32, little end first
    slow: _Sets
    slow_count: bytes
    hours: _Integers
    bins: _Integers
    bins_width: int  # 5-minute ticks in a network tick
    values: tuple[tuple[str, str], ...]
    value_keys: _Integers
    carried: _Sets
    carried_count: _Integers


class _Summary(msgspec.Struct, array_like=True, frozen=True):
    tick: int
    shards: _Integers
    counters: dict[str, int]
    cohorts: _CohortCounts
    accounts: _AccountColumns | None


def encode_frame(frame: Frame) -> bytes:
    """The bytes of a frame, version 1. 5,000 rows: about 2 ms."""
    packed = _Frame(
        frame.source,
        frame.after,
        frame.upto,
        frame.clock_ms,
        frame.idle,
        frame.ended,
        frame.refused,
        _pack(frame.rows, _Rows),
    )
    return seal(msgspec.msgpack.encode(packed), FRAME_MAGIC, FRAME_VERSION)


def decode_frame(raw: bytes) -> Frame:
    """The frame that these bytes are. Raises UnreadableEnvelope for anything else. 5,000 rows: about 1 ms."""
    _, payload = unseal(raw, FRAME_MAGIC, (FRAME_VERSION,), "a frame")
    packed = _read(payload, _FRAME)
    with _agreeing("a frame"):
        rows = Rows(**_unpack(packed.rows, _ROW_DTYPES))
        refuse_what_points_nowhere(rows)
    return Frame(
        packed.source, packed.after, packed.upto, packed.clock_ms, packed.idle, packed.ended, packed.refused, rows
    )


def encode_summary(summary: Summary) -> bytes:
    """The bytes of a summary, version 1; the same summary has the same bytes. About 1 us per active account."""
    accounts = summary.accounts
    packed = _Summary(
        summary.tick,
        _integers(np.array(summary.shards, np.int64)),
        dict(sorted(summary.counters.items())),
        _pack(summary.cohorts, _CohortCounts),
        None if accounts is None else _pack(accounts, _AccountColumns, bins_width=accounts.bins.shape[1]),
    )
    return seal(msgspec.msgpack.encode(packed), SUMMARY_MAGIC, SUMMARY_VERSION)


def decode_summary(raw: bytes) -> Summary:
    """The summary that these bytes are. Raises UnreadableEnvelope for anything else."""
    _, payload = unseal(raw, SUMMARY_MAGIC, (SUMMARY_VERSION,), "a summary")
    packed = _read(payload, _SUMMARY)
    with _agreeing("a summary"):
        shards = tuple(_array(packed.shards, np.int64).tolist())
        cohorts = CohortCounts(**_unpack(packed.cohorts, _COHORT_DTYPES))
        summary = Summary(packed.tick, shards, packed.counters, cohorts, _account_columns(packed.accounts))
        refuse_what_points_nowhere_in(summary)
    return summary


def summary_content(raw: bytes) -> tuple[int, bytes]:
    """Version and content of a summary's bytes: equal for equal summaries, however they were compressed."""
    return unseal(raw, SUMMARY_MAGIC, (SUMMARY_VERSION,), "a summary")


def _account_columns(packed: _AccountColumns | None) -> AccountColumns | None:
    if packed is None:
        return None
    columns = _unpack(packed, _ACCOUNT_DTYPES)
    accounts, width = len(packed.ids), columns.pop("bins_width")
    columns["hours"] = columns["hours"].reshape(accounts, 24)
    columns["bins"] = columns["bins"].reshape(accounts, width)
    return AccountColumns(**columns)


@contextlib.contextmanager
def _agreeing(what: str) -> Iterator[None]:
    """Columns that do not agree raise what numpy does, by what is wrong with them: all of it is bytes not of ours."""
    try:
        yield
    except Exception as error:
        raise UnreadableEnvelope(f"{what} whose columns do not agree: {type(error).__name__}: {error}") from None


_FRAME = msgspec.msgpack.Decoder(_Frame)
_SUMMARY = msgspec.msgpack.Decoder(_Summary)

_ROW_DTYPES = {
    "account_keys": np.uint64, "account_shards": np.uint8, "value_keys": np.uint64,
    "account": np.uint32, "model": np.uint32, "capability_set": np.uint32, "value_set": np.uint32,
    "at_ms": np.int64, "clock_ms": np.int64, "event": np.uint64, "offset": np.int64,
    "input_tokens": np.int64, "output_tokens": np.int64,
}  # fmt: skip
_COHORT_DTYPES = dict.fromkeys(("requests", "accounts", "at", "target", "count"), np.int64)
_ACCOUNT_DTYPES = {
    "keys": np.uint64, "shards": np.uint8, "org": np.int32, "country": np.int32, "signup_week": np.int32,
    "first_seen_ms": np.int64, "n": np.int64, "fast_count": np.uint32, "nb": np.float32, "slow_count": np.float32,
    "hours": np.uint16, "bins": np.uint16, "value_keys": np.uint64, "carried_count": np.uint32,
}  # fmt: skip


def _read(payload: bytes, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise UnreadableEnvelope(f"sealed bytes with a payload of another layout: {error}") from None


def _pack(columns: Any, wire: type[msgspec.Struct], **more: Any) -> Any:
    """A dataclass of columns as its wire struct of the same field names; `more` are fields that only the wire has."""
    shared = [name for name in wire.__struct_fields__ if name not in more]
    return wire(**{name: _packed(getattr(columns, name)) for name in shared}, **more)


def _packed(value: Any) -> Any:
    if isinstance(value, Sets):
        return _Sets(_integers(np.diff(value.start)), _integers(value.items))
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind == "f":
        return value.astype("<f4").tobytes()
    return _integers(value.ravel())


def _unpack(packed: msgspec.Struct, dtypes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _unpacked(getattr(packed, name), dtypes.get(name)) for name in packed.__struct_fields__}


def _unpacked(value: Any, dtype: Any) -> Any:
    if isinstance(value, _Sets):
        lengths = _array(value.lengths, np.int64)
        return Sets(np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), _array(value.items, np.uint32))
    if dtype is None:
        return value
    return np.frombuffer(value, "<f4").astype(np.float32) if isinstance(value, bytes) else _array(value, dtype)


def _integers(values: NDArray[np.integer]) -> _Integers:
    if not len(values):
        return _Integers(0, 1, b"")
    low, high = int(values.min()), int(values.max())
    width = next(width for width in (1, 2, 4, 8) if high - low < 1 << (8 * width))
    # Wraps round where 64 bits are needed, as does the addition that undoes it.
    differences = values.astype(np.uint64) - np.uint64(low % (1 << 64))
    return _Integers(low, width, differences.astype(f"<u{width}").tobytes())


def _array(packed: _Integers, dtype: type[np.generic]) -> NDArray[Any]:
    differences = np.frombuffer(packed.differences, f"<u{packed.width}")
    return (differences.astype(np.uint64) + np.uint64(packed.low % (1 << 64))).astype(dtype)


def split_frame(frame: Frame, partitions: int) -> list[Frame]:
    """The frame as one per partition of shards: rows whose shard % partitions is the partition's number.

    Each covers the same (after, upto] and carries the same clock; what was refused is counted in the first alone.
    O(rows + partitions * entries of the tables).
    """
    if partitions == 1:
        return [frame]
    partition = frame.rows.account_shards.astype(np.int64)[frame.rows.account] % partitions
    return [
        Frame(
            frame.source,
            frame.after,
            frame.upto,
            frame.clock_ms,
            frame.idle,
            frame.ended,
            frame.refused if number == 0 else {},
            compact_rows(frame.rows.where(partition == number)),
        )
        for number in range(partitions)
    ]


def compact_rows(rows: Rows) -> Rows:
    """The same rows, with tables that hold nothing but what the rows use. O(rows + entries of the tables)."""
    accounts, account = _used(rows.account, len(rows.accounts))
    capability_sets, capability_set = _used(rows.capability_set, len(rows.capability_sets))
    value_sets, value_set = _used(rows.value_set, len(rows.value_sets))
    tagged, carried = _subset(rows.capability_sets, capability_sets), _subset(rows.value_sets, value_sets)
    targets, target = _used(np.concatenate([rows.model, tagged.items]), len(rows.targets))
    values, value = _used(carried.items, len(rows.values))
    return Rows(
        accounts=_chosen(rows.accounts, accounts),
        account_keys=rows.account_keys[accounts],
        account_shards=rows.account_shards[accounts],
        targets=_chosen(rows.targets, targets),
        values=_chosen(rows.values, values),
        value_keys=rows.value_keys[values],
        capability_sets=Sets(tagged.start, target[len(rows) :]),
        value_sets=Sets(carried.start, value),
        account=account,
        model=target[: len(rows)],
        capability_set=capability_set,
        value_set=value_set,
        at_ms=rows.at_ms,
        clock_ms=rows.clock_ms,
        event=rows.event,
        offset=rows.offset,
        input_tokens=rows.input_tokens,
        output_tokens=rows.output_tokens,
    )


def _used(numbers: NDArray[np.integer], size: int) -> tuple[NDArray[np.intp], NDArray[np.uint32]]:
    """The numbers below `size` that occur, rising, and every entry as an index into them."""
    occurs = np.zeros(size, np.bool_)
    occurs[numbers] = True
    return np.flatnonzero(occurs), (np.cumsum(occurs, dtype=np.uint32) - np.uint32(1))[numbers]


def _subset(sets: Sets, numbers: NDArray[np.intp]) -> Sets:
    """The sets with these numbers, in this order."""
    position, items = sets.take(numbers)
    length = np.bincount(position, minlength=len(numbers))
    return Sets(np.concatenate([np.zeros(1, np.int64), np.cumsum(length)]), items)


def _chosen(names: Sequence[Any], numbers: NDArray[np.intp]) -> tuple[Any, ...]:
    return tuple([names[number] for number in numbers.tolist()])
