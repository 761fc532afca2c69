"""Does every refused record reach the dead-letter topic, cut where it must be, and never stop ingest by its size?"""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from hypothesis import given
from hypothesis import strategies as st

from stream.commands.through_kafka.dlq import refused_of
from stream.contract.reading.refusal import Reject
from stream.ingest.deadletters import DeadLetter, Kept
from stream.ingest.letterbox import LetterBox, Posted, fitted, size_of
from stream.pipeline.encode import Refused

headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=300) | st.none()), max_size=5).map(tuple)


def letter(value: bytes | None, key: bytes | None = None, came=(), offset: int = 812) -> DeadLetter:
    """As ingest makes it of a record that was refused."""
    kept = Kept({offset: (key, came)})
    return kept.letter("swerve.requests", 3, Refused(offset, value or b"", Reject.NOT_JSON, "$: expected an object"))


class Broker:
    """Takes messages up to a size, and says of others what a broker says."""

    def __init__(self, bytes_max: int, error: Exception | None = None) -> None:
        self.bytes_max = bytes_max
        self.error = error or MessageSizeTooLargeError()
        self.took: list[DeadLetter] = []

    async def send(self, topic, value, *, key, headers):
        one = SimpleNamespace(value=value, key=key, headers=tuple(headers), offset=len(self.took))
        sent: asyncio.Future = asyncio.get_running_loop().create_future()
        if size_of(one) > self.bytes_max:
            sent.set_exception(self.error)
        else:
            self.took.append(one)
            sent.set_result(None)
        return sent


@given(st.binary(max_size=3_000) | st.none(), st.binary(max_size=3_000) | st.none(), headers)
def test_a_letter_fits_and_still_says_why_and_where(value, key, came):
    whole = letter(value, key, came)
    cut = fitted(whole, 1_000)

    assert size_of(cut) <= 1_000
    assert cut.ours == whole.ours
    assert bool(cut.truncated) == (cut != whole) == (size_of(whole) > 1_000)
    assert (value or b"").startswith(cut.value or b"")


def test_what_fits_is_left_alone_and_a_tombstone_stays_one():
    assert fitted(letter(b"x" * 100), 1_000) == letter(b"x" * 100)
    assert fitted(letter(None), 1_000).value is None


async def test_a_record_as_large_as_the_topic_takes_is_cut_and_counted():
    broker = Broker(1_048_588)

    posted = await LetterBox(broker, "dlq", 1_048_588).post([letter(b"x" * 1_048_500), letter(b"{")])
    cut, whole = (refused_of(one) for one in broker.took)

    assert posted == Posted(whole=1, truncated=1)
    assert (cut.offset, cut.reason, cut.truncated) == (812, "not_json", "value cut from 1048500 bytes")
    assert 1_047_000 < len(cut.value) < 1_048_500
    assert (whole.value, whole.truncated) == (b"{", "")


async def test_a_topic_that_takes_less_than_it_said_gets_less():
    broker = Broker(100_000)

    posted = await LetterBox(broker, "dlq", 1_048_588).post([letter(b"x" * 500_000), letter(b"y" * 50_000)])

    assert posted == Posted(whole=1, truncated=1)
    assert [len(one.value) < 8_192 for one in broker.took] == [False, True]


async def test_what_is_taken_in_no_size_is_counted_as_lost_and_ends_nothing():
    assert await LetterBox(Broker(10), "dlq", 1_000).post([letter(b"{")] * 2) == Posted(lost=2)


async def test_any_other_error_of_the_broker_ends_the_delivery():
    with pytest.raises(KafkaTimeoutError):
        await LetterBox(Broker(10, KafkaTimeoutError()), "dlq", 1_000).post([letter(b"{")])


def test_a_letter_of_an_earlier_version_is_read_too():
    old = letter(b"{", came=(("trace", b"7"),))
    message = SimpleNamespace(key=None, value=b"{", headers=old.came + old.ours, offset=0)

    assert refused_of(message).truncated == ""
    assert refused_of(message).headers == (("trace", b"7"),)


def test_a_header_of_the_record_by_our_name_is_the_records():
    """A client that sends `swerve.truncated` itself does not keep its records from being replayed."""
    record = letter(b"{", came=(("swerve.truncated", b"all of it"),))
    message = SimpleNamespace(key=None, value=b"{", headers=record.headers, offset=0)

    assert refused_of(message).truncated == ""
    assert refused_of(message).headers == record.came
