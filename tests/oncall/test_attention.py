"""Acknowledged and snoozed, and still so after a restart."""

from __future__ import annotations

import pytest

from stream.errors import SwerveError
from stream.oncall.attention import ENTRIES_MAX, AttentionBook
from stream.sinks.delivery import Attention


def test_what_was_asked_is_kept_over_a_restart(tmp_path):
    path = tmp_path / "state" / "attention.json"
    book = AttentionBook(path)
    book.acknowledge("a1", "kim", 5)
    book.snooze("a1", "lee", 6, 60)
    book.snooze("a2", "lee", 7, 70)
    again = AttentionBook(path)
    assert again.of("a1") == Attention(True, 60)
    assert again.of("a2") == Attention(False, 70)
    assert again.entry("a1").by == "lee"
    assert again.of("unknown") == Attention()


def test_the_book_has_a_bound_and_the_oldest_go_first():
    book = AttentionBook()
    for number in range(ENTRIES_MAX + 1):
        book.acknowledge(f"a{number}", "kim", number)
    assert not book.of("a0").acknowledged
    assert book.of("a1").acknowledged


def test_a_damaged_book_says_what_to_do(tmp_path):
    (tmp_path / "attention.json").write_text("{")
    with pytest.raises(SwerveError, match="delete it"):
        AttentionBook(tmp_path / "attention.json")
