"""What the client that we use would end over, or inflate without end: is it passed, and what lies behind it read?"""

from __future__ import annotations

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

import stream.kafka.broker  # noqa: F401  whoever reaches a broker goes this way
from stream.kafka import fetched
from stream.kafka.fetched import Records
from stream.kafka.inflated import GZIP, LZ4, SNAPPY, ZSTD, grows_beyond

NO_TEXT = b"\xff\xfeZZ"


def batch(first: int, names: list[str], compression: int = 0) -> bytes:
    """One batch with a record for each header's name; QZQZ stands for bytes that are no text."""
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 100_000)
    for number, name in enumerate(names):
        builder.append(number, first + number, b"k", b"value %d" % (first + number), [(name, b"1")])
    return bytes(builder.build()).replace(b"QZQZ", NO_TEXT)


def values(records) -> list[bytes]:
    found = []
    while records.has_next():
        found += [(record.value, record.headers[0][0]) for record in records.next_batch()]
    return found


def test_the_client_by_itself_never_comes_past_it():
    with pytest.raises(UnicodeDecodeError):
        values(MemoryRecords(batch(0, ["a", "QZQZ", "b"])))


def test_it_is_read_and_all_that_lies_before_and_behind_it():
    raw = batch(0, ["a", "b"]) + batch(2, ["c", "QZQZ", "QZQZ", "d"]) + batch(6, ["e"])
    assert values(Records(raw)) == [
        (b"value 0", "a"), (b"value 1", "b"), (b"value 2", "c"), (b"value 3", "\ufffd\ufffdZZ"),
        (b"value 4", "\ufffd\ufffdZZ"), (b"value 5", "d"), (b"value 6", "e"),
    ]  # fmt: skip


def test_what_else_is_asked_of_a_batch_is_as_before():
    records = Records(batch(0, ["a", "b"], GZIP))
    assert records.size_in_bytes() == len(batch(0, ["a", "b"], GZIP))
    one = records.next_batch()
    assert (one.base_offset, one.next_offset, one.is_control_batch, one.validate_crc()) == (0, 2, False, True)
    assert [record.offset for record in one] == [0, 1]


def test_every_consumer_of_a_process_reads_so():
    assert fetcher.MemoryRecords is Records


def large(codec: int, size: int) -> bytes:
    """One batch of two records that become so many bytes."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 4 * size)
    for number in range(2):
        builder.append(number, number, None, bytes(size // 2), [("a", b"1")])
    return bytes(builder.build())


@pytest.mark.parametrize("codec", [GZIP, SNAPPY, LZ4, ZSTD])
def test_a_batch_that_becomes_too_large_is_not_inflated_and_its_messages_are_too_large(codec, monkeypatch):
    raw = large(codec, 4 << 20) + batch(2, ["behind"])
    monkeypatch.setattr(fetched, "INFLATED_MAX", 2 << 20)
    records = Records(raw)
    bomb = list(records.next_batch())
    assert [(one.offset, len(one.value)) for one in bomb] == [(0, (1 << 20) + 1), (1, (1 << 20) + 1)]
    assert values(records) == [(b"value 2", "behind")]
    monkeypatch.setattr(fetched, "INFLATED_MAX", 64 << 20)
    assert [len(one.value) for one in Records(raw).next_batch()] == [2 << 20, 2 << 20]


@pytest.mark.parametrize("codec", [GZIP, LZ4, ZSTD])
@pytest.mark.parametrize(
    "packed", [b"", b"\x1f\x8b\x08", bytes(100), b"\x04\x22\x4d\x18\x60\x70\x00", b"\xff" * 100_000]
)
def test_what_no_codec_wrote_is_left_to_the_client_to_refuse(codec, packed):
    assert not grows_beyond(codec, packed, 1 << 40)
    assert not grows_beyond(codec, packed, 200_000 if codec == LZ4 else 10)
