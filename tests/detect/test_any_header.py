"""A message with a header whose name is no text: is it read, and what lies behind it, by the client that we use?"""

from __future__ import annotations

import pytest
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

import stream.kafka.broker  # noqa: F401  whoever reaches a broker goes this way
from stream.kafka.headers import Records

NO_TEXT = b"\xff\xfeZZ"
GZIP = 1


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
