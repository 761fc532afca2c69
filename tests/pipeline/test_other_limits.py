"""State written under other settings: where it can be read, it is; where it would be misread, it is refused."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path

import pytest

from detectors.counts.snapshot import UnreadableSnapshotError, from_bytes, to_bytes
from detectors.parameters import HOUR_MS, Parameters
from stream.pipeline.composition import Fleet, Shards
from stream.pipeline.frames import encode_summary
from tests.detectors.traffic import Request, day_of, frame_of

WIDE = Parameters()
NARROW = Parameters(targets_max=6)  # four names, and two columns for the rest
MODELS = 9
GOLDEN = Path(__file__).parents[1] / "golden" / "shards_v1.bin"


def traffic() -> list[Request]:
    """Long enough for the baseline, ending in the middle of an hour; late models come from the middle on."""
    requests = day_of(12, 30, rate=1.5, seed=3)
    return [
        dataclasses.replace(one, model=f"m{number % (3 if number < len(requests) // 3 else MODELS)}")
        for number, one in enumerate(requests)
    ]


REQUESTS = traffic()


def told(before: Parameters, after: Parameters, change_at: int, until: int = len(REQUESTS)) -> list[bytes]:
    """Every summary after one request, of shards that go on under other parameters from there."""
    shards, out = Shards(before, ["s"]), []
    for at in range(0, until, 25):
        if at == change_at:
            shards, out = Shards.restore(after, shards.snapshot()), []
        requests = REQUESTS[at : at + 25]
        shards.apply(frame_of(requests, after=at - 1, clock_ms=requests[0].at_ms))
        out += shards.summaries()
    shards.apply(frame_of([], after=until - 1, clock_ms=requests[-1].at_ms, ended=True))
    return [encode_summary(one) for one in (*out, *shards.summaries())]


def test_of_fewer_targets_than_before_the_strongest_keep_their_names_and_their_counts():
    """What a name was lost of counts for no target of its own, neither in the window nor in the baseline."""
    shards = Shards(WIDE, ["s"])
    shards.apply(frame_of(REQUESTS, clock_ms=REQUESTS[-1].at_ms))
    shards.summaries()
    weighed = by_target(shards)
    fewer = Shards.restore(NARROW, shards.snapshot())

    strongest = sorted(weighed, key=lambda name: -weighed[name])[:4]
    assert by_target(fewer) == {name: weighed[name] for name in strongest}


def by_target(shards: Shards) -> dict[str, int]:
    """Requests of the fast window by target."""
    width, names = shards.parameters.targets_max, shards.accounts.targets.names
    requests: Counter[str] = Counter()
    for code, count in zip(shards.accounts.fast.codes.tolist(), shards.accounts.fast.counts.tolist(), strict=True):
        requests[names[code % width][0]] += count
    return dict(requests)


@pytest.mark.parametrize("change_at", [25, 100])
def test_more_targets_than_before_change_nothing_of_what_was_counted(change_at):
    """As long as there was room for all of them, it is as if there had always been more."""
    until = len(REQUESTS) // 3

    assert change_at < until
    assert told(NARROW, WIDE, change_at, until) == told(WIDE, WIDE, change_at, until)


def test_names_that_are_lost_are_counted_as_a_bound_that_was_reached():
    shards = Shards(WIDE, ["s"])
    shards.apply(frame_of(REQUESTS))

    assert Shards.restore(WIDE, shards.snapshot()).accounts.known.targets_over == 0
    assert (
        Shards.restore(NARROW, shards.snapshot()).accounts.known.targets_over == len(shards.accounts.targets.names) - 4
    )


def test_a_snapshot_that_does_not_tell_its_width_was_written_under_the_default():
    """Of the version before: the golden one, and one of today without the word."""
    golden = {"000000": GOLDEN.read_bytes()}
    assert "width" not in from_bytes(golden["000000"])
    default = Shards.restore(WIDE, golden)
    other = Shards.restore(Parameters(targets_max=64), golden)

    assert (other.accounts.fast.codes // 64).tolist() == (default.accounts.fast.codes // WIDE.targets_max).tolist()
    assert (other.accounts.fast.codes % 64).tolist() == (default.accounts.fast.codes % WIDE.targets_max).tolist()
    assert other.accounts.fast.counts.tolist() == default.accounts.fast.counts.tolist()


def test_ticks_of_another_length_are_refused_with_what_to_do():
    shards, fleet = Shards(WIDE, ["s"]), Fleet(WIDE)
    minutes = Parameters(tick_ms=60_000)

    with pytest.raises(UnreadableSnapshotError, match=r"tick_ms = 300000, .* now they are 60000 .* Set them back"):
        Shards.restore(minutes, shards.snapshot())
    with pytest.raises(UnreadableSnapshotError, match=r"network_tick_ms = 3600000; now they are 300000 and 7200000"):
        Fleet(Parameters(network_tick_ms=2 * HOUR_MS)).restore(fleet.snapshot())


def test_a_snapshot_that_does_not_tell_its_ticks_is_read_as_before():
    shards = Shards(WIDE, ["s"])
    shards.apply(frame_of(REQUESTS[:10]))
    state = from_bytes(b"".join(shards.snapshot().values()))
    del state["tick_ms"], state["width"]

    assert Shards.restore(WIDE, {"000000": to_bytes(state)}).snapshot() == shards.snapshot()
