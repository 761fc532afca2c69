"""Which network is this, and since when? Through drift of members, splits, silence and restarts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.ties.tracks import MEMORY_TICKS, PAST_Z_MAX, Tracks

HOUR = 490_000
FIRST, SECOND = list(range(100)), list(range(1_000, 1_060))


def follow(tracks, hour, *parts, z=0.0):
    """One tick: match, and take in what was seen."""
    found = tracks.match(hour, parts)
    for track, part in zip(found, parts, strict=True):
        track.seen(hour, part, {"model:m": z})
    return found


def test_a_network_keeps_its_track_while_its_members_change_slowly():
    tracks = Tracks()
    first = follow(tracks, HOUR, FIRST)[0].id
    for hour in range(1, 200):
        # One in a hundred changes an hour: after a hundred hours nobody of the first day is left.
        (track,) = follow(tracks, HOUR + hour, list(range(hour, hour + 100)))
        assert track.id == first


def test_parts_are_matched_one_to_one_in_whatever_order_they_come():
    tracks = Tracks()
    a, b = (track.id for track in follow(tracks, HOUR, FIRST, SECOND))
    assert [track.id for track in follow(tracks, HOUR + 1, SECOND, FIRST)] == [b, a]
    assert a != b


def test_two_halves_of_a_network_have_one_track_between_them_and_one_child():
    tracks = Tracks()
    for hour in range(60):
        (whole,) = follow(tracks, HOUR + hour, FIRST, z=2.5)
    halves = follow(tracks, HOUR + 60, FIRST[:55], FIRST[55:])
    assert [track.id == whole.id for track in halves].count(True) == 1
    # A split never resets the clock: the child has its parent's past.
    assert [track.past(HOUR + 60, "model:m") for track in halves] == [2.5, 2.5]


def test_what_shares_little_with_every_track_is_new_and_has_no_past():
    tracks = Tracks()
    for hour in range(60):
        (old,) = follow(tracks, HOUR + hour, FIRST, z=3.0)
    (new,) = follow(tracks, HOUR + 60, SECOND)
    assert new.id != old.id
    assert new.past(HOUR + 60, "model:m") == 0.0


def test_a_network_that_was_away_for_longer_than_the_memory_is_new():
    for away, same in ((MEMORY_TICKS, True), (MEMORY_TICKS + 1, False)):
        tracks = Tracks()
        (before,) = follow(tracks, HOUR, FIRST)
        (after,) = follow(tracks, HOUR + away, FIRST)
        assert (after.id == before.id) is same


def test_the_past_is_the_median_of_one_to_five_days_ago_and_never_of_today():
    tracks = Tracks()
    for hour in range(150):
        (track,) = follow(tracks, HOUR + hour, FIRST, z=9.0 if hour >= 130 else 1.5)
    assert track.past(HOUR + 149, "model:m") == 1.5
    assert track.past(HOUR + 149, "model:other") == 0.0


def test_a_past_that_was_always_high_is_taken_off_up_to_a_limit():
    tracks = Tracks()
    for hour in range(100):
        (track,) = follow(tracks, HOUR + hour, FIRST, z=25.0)
    assert track.past(HOUR + 100, "model:m") == PAST_Z_MAX


def test_under_alarm_the_past_is_frozen_so_that_an_attack_is_not_learnt():
    tracks = Tracks()
    for hour in range(60):
        (track,) = follow(tracks, HOUR + hour, FIRST, z=1.0)
    track.freeze(HOUR + 60, "model:m")
    for hour in range(60, 200):
        (track,) = follow(tracks, HOUR + hour, FIRST, z=8.0)
        track.freeze(HOUR + hour, "model:m")
    assert track.past(HOUR + 200, "model:m") == 1.0


@settings(max_examples=25)
@given(st.integers(0, 1 << 30))
def test_restored_tracks_go_on_as_if_nothing_had_happened(seed):
    rng = np.random.default_rng(seed)
    whole, moved = Tracks(), Tracks()
    for hour in range(12):
        parts = [sorted(rng.choice(60, 20, replace=False).tolist()) for _ in range(int(rng.integers(0, 4)))]
        if hour == 6:
            state = from_bytes(to_bytes(moved.state()))
            moved = Tracks()
            moved.restore(state)
        ours, theirs = follow(whole, HOUR + hour, *parts, z=1.0), follow(moved, HOUR + hour, *parts, z=1.0)
        assert [(t.id, t.weights) for t in ours] == [(t.id, t.weights) for t in theirs]


def test_what_the_hand_said_of_a_network_is_remembered_by_its_child_and_after_a_restart():
    tracks = Tracks()
    (whole,) = follow(tracks, HOUR, FIRST)
    whole.hand[""] = (HOUR, 1.5)
    again = Tracks()
    again.restore(from_bytes(to_bytes(tracks.state())))
    assert again.tracks[0].hand == {"": (HOUR, 1.5)}
    children = follow(again, HOUR + 1, FIRST[:55], FIRST[55:])
    assert [track.hand for track in children] == [{"": (HOUR, 1.5)}] * 2
    children[0].hand[""] = (HOUR + 1, 2.0)
    assert children[1].hand == {"": (HOUR, 1.5)}


def test_tracks_of_an_earlier_version_which_counted_ticks_are_read_and_know_of_no_hand():
    tracks = Tracks()
    follow(tracks, HOUR, FIRST)
    state = from_bytes(to_bytes(tracks.state()))
    state["tracks"][0][-1] = {"model:m": 3}
    again = Tracks()
    again.restore(state)
    assert again.tracks[0].hand == {}
    assert again.tracks[0].weights == tracks.tracks[0].weights
