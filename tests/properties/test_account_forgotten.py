"""An account that was forgotten: nothing holds it any more, and all others count as if it had never been there."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from detectors.counts.snapshot import from_bytes
from detectors.counts.summary import Summary
from detectors.parameters import Parameters
from stream.pipeline.chain import Applied
from stream.pipeline.composition import Shards
from stream.pipeline.frames import compact_rows, encode_summary
from tests.detectors.traffic import day_of, frame_of

PARAMETERS = Parameters()
GONE = "a3"
REQUESTS = [
    dataclasses.replace(one, attributes=(*one.attributes, ("country", f"c{n % 3}"), ("payment", f"of {one.account}")))
    for n, one in enumerate(day_of(24, 30, rate=1.2, seed=12))
]
CUTS = [*range(0, len(REQUESTS), 41), len(REQUESTS)]
FRAMES = [frame_of(REQUESTS[a:b], after=a - 1, clock_ms=REQUESTS[b - 1].at_ms) for a, b in pairwise(CUTS)]


def without(frame):
    """The same frame, in which the account asks nothing."""
    names = np.array(frame.rows.accounts)[frame.rows.account]
    return dataclasses.replace(frame, rows=compact_rows(frame.rows.where(names != GONE)))


def forgotten(shards: Shards, *accounts: str) -> Shards:
    """As `swerve forget` does it: through the bytes of snapshots."""
    was = Shards.restore(PARAMETERS, shards.snapshot())
    left = Shards.of_others([was], was.partition, was.partitions, without=accounts)
    return Shards.restore(PARAMETERS, left.snapshot())


def told(shards: Shards, frames) -> list[Summary]:
    out = []
    for frame in frames:
        assert shards.apply(frame) is Applied.APPLIED
        out += shards.summaries()
    return out


@pytest.mark.parametrize("at", [1, 7, len(FRAMES) // 2, len(FRAMES) - 2])
def test_from_then_on_all_is_told_as_if_it_had_never_asked_before(at):
    shards = Shards(PARAMETERS, ["s"])
    told(shards, FRAMES[:at])
    mine = told(forgotten(shards, GONE), FRAMES[at:])

    plain = Shards(PARAMETERS, ["s"])
    told(plain, map(without, FRAMES[:at]))
    theirs = told(plain, FRAMES[at:])

    assert any(GONE in one.accounts.ids for one in theirs if one.accounts is not None), "it comes back, as a new one"
    assert [encode_summary(one) for one in mine] == [encode_summary(one) for one in theirs]


def test_to_forget_whom_nobody_knows_changes_nothing():
    shards, plain = Shards(PARAMETERS, ["s"]), Shards(PARAMETERS, ["s"])
    told(shards, FRAMES[:10])
    told(plain, FRAMES[:10])

    mine = told(forgotten(shards, "nobody"), FRAMES[10:])

    assert [encode_summary(one) for one in mine] == [encode_summary(one) for one in told(plain, FRAMES[10:])]


def test_no_name_of_it_and_of_what_it_alone_carried_is_left_in_the_state():
    shards = Shards(PARAMETERS, ["s"])
    told(shards, FRAMES[:10])
    assert {GONE, f"of {GONE}"} <= set(texts(state_of(shards)))
    assert GONE not in set(texts(state_of(forgotten(shards, GONE))))
    assert f"of {GONE}" not in set(texts(state_of(forgotten(shards, GONE))))


def state_of(shards: Shards):
    pieces = shards.snapshot()
    return from_bytes(b"".join(pieces[name] for name in sorted(pieces)))


def texts(value):
    """Every text in a state."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from texts(key)
            yield from texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)
