"""Acknowledged and snoozed, and still so after a restart."""

from __future__ import annotations

import json

import pytest

from stream.contract.attention import ACK, SNOOZE, Asked, decode_asked
from stream.contract.reading.refusal import Refusal
from stream.errors import SwerveError
from stream.oncall import attention
from stream.oncall.attention import AttentionBook, Entry
from stream.sinks.delivery import Attention

AT = 1_772_362_800_000


def ack(alert_id: str, by: str = "kim") -> Asked:
    return Asked(alert_id, ACK, by, AT)


def snooze(alert_id: str, until_ms: int = AT + 60) -> Asked:
    return Asked(alert_id, SNOOZE, "lee", AT, until_ms)


async def test_what_was_asked_is_kept_over_a_restart(tmp_path):
    path = tmp_path / "state" / "attention.json"
    book = AttentionBook(path)
    for one in (ack("a1"), snooze("a1"), snooze("a2")):
        await book.ask(one)
    again = AttentionBook(path)
    assert again.of("a1") == Attention(True, AT + 60)
    assert again.of("a2") == Attention(False, AT + 60)
    assert again.entry("a1") == Entry(ack("a1"), snooze("a1"))
    assert again.of("unknown") == Attention()


async def test_a_snooze_ends_by_itself_and_the_acknowledgement_stays():
    book = AttentionBook()
    await book.ask(ack("a1"))
    await book.ask(snooze("a1"))
    entry = book.entry("a1")
    assert (entry.at(AT + 59).state, entry.at(AT + 60).state) == ("snoozed", "acknowledged")
    await book.ask(snooze("a1", until_ms=AT))
    assert book.entry("a1").at(AT + 1).snoozed is None


async def test_the_book_has_a_bound_and_the_oldest_go_first(monkeypatch):
    monkeypatch.setattr(attention, "ENTRIES_MAX", 2)
    book = AttentionBook()
    for number in range(3):
        await book.ask(ack(f"a{number}"))
    assert [book.of(f"a{number}").acknowledged for number in range(3)] == [False, True, True]


def test_a_damaged_book_says_what_to_do(tmp_path):
    (tmp_path / "attention.json").write_text("{")
    with pytest.raises(SwerveError, match="delete it"):
        AttentionBook(tmp_path / "attention.json")


async def test_a_book_that_cannot_be_kept_says_so(tmp_path):
    (tmp_path / "attention.json").mkdir()
    book = AttentionBook()
    book._path = tmp_path / "attention.json"
    with pytest.raises(SwerveError, match="it holds until this process ends"):
        await book.ask(ack("a1"))
    assert book.of("a1").acknowledged


@pytest.mark.parametrize("asked", [ack("a1"), snooze("a1")])
def test_a_word_reads_as_it_was_written(asked):
    assert decode_asked(json.dumps(asked.record()).encode()) == asked


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"word": "shout"}, "out_of_range"),
        ({"until": None}, "wrong_type"),
        ({"alert_id": ""}, "out_of_range"),
        ({"at": "soon"}, "bad_timestamp"),
    ],
)
def test_a_word_that_breaks_its_form_is_refused(change, reason):
    with pytest.raises(Refusal) as caught:
        decode_asked(json.dumps(snooze("a1").record() | change).encode())
    assert caught.value.reason.value == reason
