"""Does the guard notice what became slower, and only that?"""

from __future__ import annotations

import json

import orjson
import pytest

from benchmarks import guard
from stream.pipeline.encode import Encoder


def test_a_ratio_that_fell_by_a_quarter_is_told_and_one_that_fell_less_is_not():
    stored = {"read": 0.2, "count": 0.8, "judge": 0.1}

    told = guard.fallen(stored, {"read": 0.148, "count": 0.61, "judge": 0.3, "not_stored_yet": 0.0})

    assert [str(one) for one in told] == [
        "read: 0.148, 26% below the 0.200 that is stored; a quarter is allowed"
    ]  # fmt: skip


def test_a_ratio_that_is_measured_no_longer_is_told():
    (one,) = guard.fallen({"gone": 0.5}, {})

    assert str(one) == "gone: expected a ratio near 0.500, none was measured; store anew with --keep"


def test_what_is_stored_is_what_is_measured_and_a_slower_step_is_noticed(monkeypatch: pytest.MonkeyPatch):
    stored = json.loads(guard.FILE.read_text())
    read = Encoder.read

    def slowly(self: Encoder, raws: list[bytes], offsets: range) -> None:
        for raw in raws * 10:
            orjson.loads(raw)
        read(self, raws, offsets)

    monkeypatch.setattr(Encoder, "read", slowly)
    measured = guard.ratios(rounds=1)

    assert measured.keys() == stored.keys()
    assert "read" in [one.name for one in guard.fallen(stored, measured)]
