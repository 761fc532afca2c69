"""Lines are the same however the stream comes in chunks, and none is longer than a record may be."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from stream.contract.reading.arrays import BATCH_BYTES_MAX
from stream.contract.reading.json_object import RECORD_BYTES_MAX
from stream.sources.lines import Lines


def lines_of(chunks: list[bytes], **options) -> list[bytes]:
    lines = Lines(**options)
    return [line for chunk in chunks for line in lines.feed(chunk)] + lines.end()


@given(st.lists(st.binary(max_size=12).map(lambda raw: raw.replace(b"x", b"\n")), max_size=10))
def test_they_do_not_depend_on_the_chunks(chunks):
    whole = b"".join(chunks).removeprefix(b"\xef\xbb\xbf")
    expected = whole.split(b"\n")

    assert lines_of(chunks) == (expected if expected[-1] else expected[:-1])


def test_an_empty_line_is_a_line_and_the_end_of_the_file_is_none():
    assert lines_of([b"a\n\nb\n"]) == [b"a", b"", b"b"]


def test_a_carriage_return_stays_since_json_allows_it():
    assert lines_of([b"{}\r\n{}\r\n"]) == [b"{}\r", b"{}\r"]


def test_a_byte_order_mark_is_taken_off_the_first_line_and_no_other():
    assert lines_of([b"\xef", b"\xbb\xbf{}\n\xef\xbb\xbf{}\n"]) == [b"{}", b"\xef\xbb\xbf{}"]
    assert lines_of([b"\xef\xbb\xbf{}"]) == [b"{}"]


def test_a_line_that_is_too_long_is_cut_to_one_byte_more_than_allowed():
    assert lines_of([b"abcdefgh\nxy\nabc", b"def\nz"], line_bytes_max=3) == [b"abcd", b"xy", b"abcd", b"z"]


def test_a_line_that_is_an_array_may_be_as_long_as_a_batch():
    batch = b' [{"a": 1}' + b', {"a": 1}' * 300_000 + b"]"

    assert lines_of([batch[:1_000], batch[1_000:] + b"\nnext"]) == [batch, b"next"]


def test_an_array_without_an_end_takes_no_more_than_a_batch_and_no_time():
    lines = Lines()
    began = time.process_time()
    for _ in range(2_000):
        assert lines.feed(b"[" * (1 << 20)) == []
    assert len(lines._begun) == BATCH_BYTES_MAX + 1

    assert [len(line) for line in lines.feed(b"[\nnext\n")] == [BATCH_BYTES_MAX + 1, 4]
    assert time.process_time() - began < 8.0


def test_a_line_without_an_end_takes_no_more_memory_than_one_record():
    lines = Lines()
    for _ in range(64):
        assert lines.feed(b"x" * (1 << 20)) == []
        assert len(lines._begun) <= RECORD_BYTES_MAX + 1

    assert [len(line) for line in lines.feed(b"\nnext\n")] == [RECORD_BYTES_MAX + 1, 4]
