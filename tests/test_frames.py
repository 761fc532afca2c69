"""Frames and summaries as bytes: what goes in comes out, of this version and of every earlier one."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.rows import NO_CLOCK_MS, Frame, Rows, Sets, key_of, shard_of
from detectors.counts.summary import AccountColumns, CohortCounts, Summary
from stream.pipeline import envelope
from stream.pipeline.envelope import UnreadableEnvelope, seal, unseal
from stream.pipeline.frames import (
    FRAME_MAGIC,
    SUMMARY_MAGIC,
    compact_rows,
    decode_frame,
    decode_summary,
    encode_frame,
    encode_summary,
    split_frame,
)
from tests.pace import ROUNDS, Pace

GOLDEN = Path(__file__).parent / "golden"
AT = 1_772_362_800_000


def spread(count: int, below: int, salt: int) -> np.ndarray:
    """Integers that look random and are the same with every version of NumPy."""
    mixed = (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(salt)
    return (mixed % np.uint64(below)).astype(np.int64)


def rows_of(count: int, accounts: int = 7) -> Rows:
    """Rows in which every column is different, with extreme values."""
    names = tuple(f"acct_{i}é" for i in range(accounts))
    values = (("org", "o1"), ("ip", ""), ("org", "o2"))
    return Rows(
        accounts=names,
        account_keys=np.array([key_of(name) for name in names], np.uint64),
        account_shards=np.array([shard_of(name) for name in names], np.uint8),
        targets=("model:m", "capability:c", "capability:d"),
        values=values,
        value_keys=np.array([key_of("\0".join(pair)) for pair in values], np.uint64),
        capability_sets=Sets.of([(), (1,), (2, 1)]),
        value_sets=Sets.of([(0, 1), (2,), ()]),
        account=spread(count, accounts, 11).astype(np.uint32),
        model=np.zeros(count, np.uint32),
        capability_set=spread(count, 3, 17).astype(np.uint32),
        value_set=spread(count, 3, 23).astype(np.uint32),
        at_ms=AT + spread(count, 10**6, 29),
        clock_ms=np.where(np.arange(count) < 5, NO_CLOCK_MS, AT),
        event=np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15),
        offset=10 + np.arange(count, dtype=np.int64) * 3,
        input_tokens=np.where(np.arange(count) == 1, 2**63 - 1, 5),
        output_tokens=spread(count, 10**5, 31),
    )


def frame_of(count: int) -> Frame:
    return Frame("requests[3]", 9, 10 + count * 3, AT, False, True, {"not_json": 3}, rows_of(count))


def summary_of(accounts: int = 3) -> Summary:
    cohorts = CohortCounts(
        cohorts=(("", ""), ("org", "o1")),
        targets=("capability:c", "model:m"),
        requests=np.array([70_000, 2], np.int64),
        accounts=np.array([7, 1], np.int64),
        at=np.array([0, 0, 1], np.int64),
        target=np.array([0, 1, 1], np.int64),
        count=np.array([5, 2**40, 2], np.int64),
    )
    names = tuple(f"acct_{i}" for i in range(accounts))
    columns = AccountColumns(
        ids=names,
        keys=np.array([key_of(name) for name in names], np.uint64),
        shards=np.array([shard_of(name) for name in names], np.uint8),
        names=("o1", "DE"),
        org=np.full(accounts, 0, np.int32),
        country=np.full(accounts, 1, np.int32),
        signup_week=np.full(accounts, -1, np.int32),
        first_seen_ms=AT + np.arange(accounts, dtype=np.int64),
        targets=("model:m", "model:n"),
        n=np.arange(accounts, dtype=np.int64) + 1,
        fast=Sets.of([(0, 1) if i % 2 else (1,) for i in range(accounts)]),
        fast_count=np.arange(sum(2 if i % 2 else 1 for i in range(accounts)), dtype=np.uint32),
        nb=np.linspace(0.1, 1e6, accounts, dtype=np.float32),
        slow=Sets.of([(0,) for _ in range(accounts)]),
        slow_count=np.linspace(0, 0.3, accounts, dtype=np.float32),
        hours=(np.arange(accounts * 24) % 60_000).astype(np.uint16).reshape(accounts, 24),
        bins=np.full((accounts, 12), 65_535, np.uint16),
        values=(("payment", "p1"),),
        value_keys=np.array([key_of("payment\0p1")], np.uint64),
        carried=Sets.of([(0,) if i % 2 else () for i in range(accounts)]),
        carried_count=np.ones(accounts // 2, np.uint32),
    )
    return Summary(5_907_876, (0, 3, 255), {"late_event": 1, "accepted": 2}, cohorts, columns)


def assert_same(left: object, right: object, where: str = "") -> None:
    """Field by field, arrays with their type and shape."""
    assert type(left) is type(right), where
    if isinstance(left, np.ndarray):
        assert (left.dtype, left.shape) == (right.dtype, right.shape), where
        np.testing.assert_array_equal(left, right, err_msg=where)
    elif dataclasses.is_dataclass(left):
        for field in dataclasses.fields(left):
            assert_same(getattr(left, field.name), getattr(right, field.name), f"{where}.{field.name}")
    else:
        assert left == right, where


@pytest.mark.parametrize("count", [0, 1, 2, 300])
def test_a_frame_comes_out_as_it_went_in(count):
    frame = frame_of(count)

    assert_same(decode_frame(encode_frame(frame)), frame)


def test_a_frame_without_tables_comes_out_as_it_went_in():
    frame = dataclasses.replace(frame_of(0), rows=compact_rows(rows_of(0)), refused={}, clock_ms=NO_CLOCK_MS, idle=True)

    assert_same(decode_frame(encode_frame(frame)), frame)
    assert len(encode_frame(frame)) < 250


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_any_column_of_integers_comes_out_as_it_went_in(numbers):
    count = len(numbers)
    rows = dataclasses.replace(rows_of(count), at_ms=np.array(numbers, np.int64))

    assert decode_frame(encode_frame(dataclasses.replace(frame_of(0), rows=rows))).rows.at_ms.tolist() == numbers


@pytest.mark.parametrize("accounts", [0, 1, 50])
def test_a_summary_comes_out_as_it_went_in(accounts):
    summary = summary_of(accounts)

    assert_same(decode_summary(encode_summary(summary)), summary)


def test_a_summary_between_two_network_ticks_has_no_accounts():
    summary = dataclasses.replace(summary_of(), accounts=None)

    assert decode_summary(encode_summary(summary)).accounts is None


def test_the_same_summary_has_the_same_bytes_whatever_the_order_of_its_counters():
    summary = summary_of()
    turned = dataclasses.replace(summary, counters=dict(reversed(summary.counters.items())))

    assert encode_summary(summary) == encode_summary(turned)


class TestBytesThatAreNoFrame:
    def test_are_told_by_their_magic_byte(self):
        with pytest.raises(UnreadableEnvelope, match="not a frame: expected magic byte 0xf5, got 5f"):
            decode_frame(encode_summary(summary_of()))
        with pytest.raises(UnreadableEnvelope, match="not a summary: expected magic byte 0x5f, got nothing"):
            decode_summary(b"")

    def test_of_a_later_version_name_both_versions(self):
        later = bytearray(encode_frame(frame_of(3)))
        later[1] = 2
        with pytest.raises(UnreadableEnvelope, match="a frame has version 2, and this build reads version 1: upgrade"):
            decode_frame(bytes(later))

    def test_of_an_earlier_version_name_both_versions(self):
        with pytest.raises(
            UnreadableEnvelope, match="a frame has version 0, and this build reads version 1: it is too"
        ):
            decode_frame(seal(b"", FRAME_MAGIC, 0))

    def test_are_damaged_where_any_byte_changed(self):
        good = encode_frame(frame_of(3))
        for place in range(len(good)):
            bad = bytearray(good)
            bad[place] ^= 0x10
            with pytest.raises(UnreadableEnvelope):
                decode_frame(bytes(bad))

    def test_are_damaged_where_they_are_cut(self):
        good = encode_frame(frame_of(3))
        for length in range(len(good)):
            with pytest.raises(UnreadableEnvelope):
                decode_frame(good[:length])

    def test_with_a_payload_of_another_layout_are_refused(self):
        with pytest.raises(UnreadableEnvelope, match="payload of another layout"):
            decode_frame(seal(b"\x93\x01\x02\x03", FRAME_MAGIC, 1))

    def test_that_unpack_to_more_than_the_bound_are_refused_before_that(self, monkeypatch):
        monkeypatch.setattr(envelope, "PAYLOAD_BYTES_MAX", 1000)
        with pytest.raises(UnreadableEnvelope, match="a frame is too large: expected at most 1000 bytes, got 1001"):
            decode_frame(seal(bytes(1001), FRAME_MAGIC, 1))


@pytest.mark.parametrize("partitions", [1, 2, 12, 256])
def test_a_split_gives_every_row_to_the_partition_of_its_shard(partitions):
    frame = frame_of(200)
    parts = split_frame(frame, partitions)

    assert [(part.after, part.upto, part.clock_ms) for part in parts] == [(9, 610, AT)] * partitions
    for number, part in enumerate(parts):
        assert set((part.rows.account_shards.astype(int) % partitions).tolist()) <= {number}
    assert sorted(name for part in parts for name in named(part.rows)) == sorted(named(frame.rows))


def test_a_split_counts_what_was_refused_once():
    assert [part.refused for part in split_frame(frame_of(20), 3)] == [{"not_json": 3}, {}, {}]


def test_the_parts_of_a_split_have_tables_of_their_own_only():
    for part in split_frame(frame_of(200), 4):
        rows = part.rows
        assert len(rows.accounts) == len(np.unique(rows.account))
        assert len(rows.capability_sets) == len(np.unique(rows.capability_set))
        assert set(rows.targets) == {name for row in named(rows) for name in (row[2], *row[3])}
        assert set(rows.values) == {pair for row in named(rows) for pair in row[4]}


def named(rows: Rows) -> list[tuple]:
    """Rows by their names."""
    return [
        (
            int(rows.offset[i]),
            rows.accounts[rows.account[i]],
            rows.targets[rows.model[i]],
            tuple(rows.targets[one] for one in rows.capability_sets[rows.capability_set[i]]),
            tuple(rows.values[one] for one in rows.value_sets[rows.value_set[i]]),
            int(rows.account_keys[rows.account[i]]),
            int(rows.event[i]),
        )
        for i in range(len(rows))
    ]


@given(st.integers(0, 60), st.lists(st.booleans(), min_size=60, max_size=60))
@settings(max_examples=50)
def test_compact_rows_say_the_same(count, keep):
    rows = rows_of(count).where(np.array(keep[:count], np.bool_))

    assert named(compact_rows(rows)) == named(rows)


class TestGoldenBytes:
    """Bytes that version 1 wrote must be read for ever, and the layout of version 1 must not change.

    After a change of the layout: raise the version, keep reading the old one, and write the new file by running with
    SWERVE_WRITE_GOLDEN=1. Never replace an old file.
    """

    CASES = (
        ("frame_v1.bin", frame_of, encode_frame, decode_frame),
        ("summary_v1.bin", summary_of, encode_summary, decode_summary),
    )

    @pytest.mark.parametrize(("name", "make", "encode", "decode"), CASES)
    def test_are_read_as_they_were_meant(self, name, make, encode, decode):
        if os.environ.get("SWERVE_WRITE_GOLDEN") and not (GOLDEN / name).exists():
            (GOLDEN / name).write_bytes(encode(make(20)))

        assert_same(decode((GOLDEN / name).read_bytes()), make(20))

    @pytest.mark.parametrize(("name", "make", "encode", "decode"), CASES)
    def test_are_what_this_version_writes(self, name, make, encode, decode):
        """Compared unpacked: another release of zstd may pack them otherwise."""
        magic = FRAME_MAGIC if "frame" in name else SUMMARY_MAGIC
        golden = unseal((GOLDEN / name).read_bytes(), magic, (1,), name)

        assert unseal(encode(make(20)), magic, (1,), name) == golden


def test_a_frame_of_5000_rows_costs_a_few_milliseconds():
    """1.1 ms where this was written: a third of a yardstick."""
    frame, pace = frame_of(5000), Pace()
    for _ in range(ROUNDS):
        with pace.of():
            decode_frame(encode_frame(frame))

    assert pace.cost < 2
