"""Is what the state is said to hold what it holds? Against tracemalloc, for short names and for long ones."""

from __future__ import annotations

import tracemalloc

import pytest

from detectors.counts.held import bytes_held, interned_bytes, text_bytes, values_bytes
from detectors.counts.interned import Interned
from detectors.parameters import HOUR_MS, Parameters
from stream.pipeline.composition import Shards
from tests.detectors.traffic import START_MS, Request, frame_of

COUNT = 60_000


def traced(make):
    tracemalloc.start()
    made = make()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made, held


@pytest.mark.parametrize("length", [8, 200])
def test_names_with_numbers(length):
    def make():
        names = Interned()
        for i in range(COUNT):
            names.of(("org", f"{i:0{length}}"))
        names.sorted()
        return names

    names, held = traced(make)
    assert 0.75 < interned_bytes(names) / held < 1.25


@pytest.mark.parametrize("length", [8, 200])
def test_names_of_values(length):
    names, held = traced(lambda: {i * 0x9E37_79B9_7F4A: ("payment", f"{i:0{length}}") for i in range(COUNT)})
    assert 0.75 < values_bytes(names) / held < 1.25


def test_ids_of_accounts():
    ids, held = traced(lambda: [f"account-{i:030}" for i in range(COUNT)])
    assert 0.75 < (text_bytes(ids) + 8 * COUNT) / held < 1.25


def test_a_state_of_accounts_that_each_have_an_organisation_and_values_of_their_own():
    """The reckoning that docs/operating.md makes for it."""
    accounts, hours = 20_000, 2

    def frames():
        for hour in range(hours):
            requests = [
                Request(f"acct_{n:06}", START_MS + hour * HOUR_MS + n * (HOUR_MS // accounts),
                        attributes=(("org", f"org_{n:06}"), ("payment", f"pay_{n:028}"), ("template", f"t_{n:030}")))
                for n in range(accounts)
            ]  # fmt: skip
            yield frame_of(requests, hour * accounts - 1, requests[-1].at_ms)

    def make():
        shards = Shards(Parameters(), ["s"])
        for frame in frames():
            shards.apply(frame)
            shards.summaries()
        return shards

    shards, held = traced(make)
    said = bytes_held(shards.accounts, shards.ticks)
    assert 0.7 < sum(said.values()) / held < 1.3, (said, held)
    assert 900 < sum(said.values()) / accounts < 2_000, said
