"""Are state and heads of earlier versions still read? These bytes are never written anew for a version that is out."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.counts.arrivals import ClockState
from detectors.counts.rows import NO_CLOCK_MS
from detectors.counts.snapshot import UnreadableSnapshotError
from stream.configuration.settings import Settings
from stream.correlate.engine import FleetEngine
from stream.correlate.knowledge import Known
from stream.detect.engine import ShardsEngine
from stream.errors import SwerveError
from stream.ingest.commits import clock_of
from stream.pipeline.chain import Applied
from stream.pipeline.composition import Shards
from stream.pipeline.frames import encode_summary
from stream.stages.heads import choose, digest, piece_key
from tests.detectors.traffic import Request, frame_of

GOLDEN = Path(__file__).parents[1] / "golden"
PARAMETERS = Settings().parameters
SOURCE = "swerve.requests[0]"


def stored(name: str) -> bytes:
    return (GOLDEN / name).read_bytes()


def test_the_state_of_shards_of_version_1_is_read():
    engine = ShardsEngine(PARAMETERS, [SOURCE], 0, 1, {"000000": stored("shards_v1.bin")})

    assert engine.shards.position(SOURCE) == 183
    assert engine.shards.clock_ms(SOURCE) == 1_772_368_050_000
    assert len(engine.shards.accounts) == 7


def test_a_head_of_version_1_is_read():
    piece = stored("shards_v1.bin")
    entries = {b"0/head/w": stored("head_v1.bin"), piece_key(0, digest(piece)): piece}

    found = choose(0, entries)

    assert found is not None
    assert (found.head.upto, found.head.resume, found.pieces) == (1, {SOURCE: 1}, {"000000": piece})


def test_a_head_of_version_2_is_read():
    piece = stored("shards_v1.bin")
    entries = {b"0/head/w-0": stored("head_v2.bin"), piece_key(0, digest(piece), "w-0"): piece}

    found = choose(0, entries)

    assert found is not None
    assert (found.head.upto, found.head.resume, found.pieces) == (1, {SOURCE: 1}, {"000000": piece})


def test_the_state_of_the_fleet_of_version_1_is_read_and_goes_on():
    engine = FleetEngine(
        PARAMETERS, lambda: Known({}, (), ()), 0, {"fleet/000000": stored("fleet_v1.bin"), "position": b"60"}
    )
    end_ms = engine.fleet.at_ms

    shards = Shards(PARAMETERS, ["s"])
    shards.apply(frame_of([Request("a1", end_ms + 1)], ended=True))
    (later,) = shards.summaries()

    assert (engine.position, end_ms) == (60, 1_764_018_000_000)
    assert engine.apply(60, encode_summary(later)).outcome is Applied.APPLIED
    assert engine.fleet.at_ms == end_ms + PARAMETERS.tick_ms


def test_the_metadata_of_a_commit_of_version_1_is_read():
    assert clock_of('{"v":1,"now_ms":5,"last_ms":[4,5]}') == ClockState(5, (4, 5))


@pytest.mark.parametrize("metadata", ["", None, "{", '{"v":2,"now_ms":5,"last_ms":[]}', '{"v":1}', "\ud800"[:0]])
def test_metadata_that_is_not_ours_begins_the_clock_anew(metadata):
    assert clock_of(metadata) is None
    assert ClockState().now_ms == NO_CLOCK_MS


def test_state_for_another_number_of_partitions_is_refused_with_what_to_do():
    with pytest.raises(
        SwerveError, match=r"written for partition 0 of 1: .* set \[kafka\] partitions = 1, .* `swerve reshard 8`"
    ):
        ShardsEngine(PARAMETERS, [SOURCE], 0, 8, {"000000": stored("shards_v1.bin")})


def test_damaged_state_is_refused():
    damaged = bytearray(stored("shards_v1.bin"))
    damaged[100] ^= 1

    with pytest.raises(UnreadableSnapshotError, match="damaged"):
        ShardsEngine(PARAMETERS, [SOURCE], 0, 1, {"000000": bytes(damaged)})
