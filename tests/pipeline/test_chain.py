"""Does a frame continue its source, and what if its source began anew, or a part of it is deleted?"""

from __future__ import annotations

import pytest

from detectors.parameters import Parameters
from stream.errors import SwerveError
from stream.pipeline.chain import ANEW_MIN, Applied
from stream.pipeline.composition import Shards
from tests.detectors.traffic import START_MS, Request, frame_of

MINUTE_MS = 60_000


def requests(count: int, from_ms: int) -> list[Request]:
    return [Request(f"acct-{n % 7}", from_ms + 10 * n) for n in range(count)]


@pytest.fixture
def counted() -> Shards:
    """A thousand requests of one source, a hundred a frame; its clock stands at the last."""
    shards = Shards(Parameters(), ["s"])
    for part in range(10):
        frame = frame_of(requests(100, START_MS + part * 1_000), part * 100 - 1, START_MS + part * 1_000 + 990)
        assert shards.apply(frame) is Applied.APPLIED
    return shards


def test_a_frame_that_comes_again_is_a_repeat_however_often(counted):
    for _ in range(5):
        for part in range(10):
            again = frame_of(requests(100, START_MS + part * 1_000), part * 100 - 1, START_MS + part * 1_000 + 990)
            assert counted.apply(again) is Applied.REPEAT


def test_a_source_whose_offsets_begin_anew_with_later_requests_is_refused_with_what_to_do(counted):
    later_ms = START_MS + 60 * MINUTE_MS
    few = ANEW_MIN // 2
    assert counted.apply(frame_of(requests(few, later_ms), -1, later_ms)) is Applied.REPEAT

    with pytest.raises(SwerveError, match=r"s is counted up to offset 999; now its offsets begin anew, at 0 or before"):
        counted.apply(frame_of(requests(few, later_ms + MINUTE_MS), few - 1, later_ms + MINUTE_MS))


def test_what_is_read_again_with_another_clock_is_no_new_source(counted):
    """Somebody set the group back, and its clock began anew: half of any sixteen records are before the true clock."""
    for part in range(9):
        again = frame_of(requests(100, START_MS + part * 1_000), part * 100 - 1, START_MS + 60 * MINUTE_MS)
        assert counted.apply(again) is Applied.REPEAT


def test_what_is_deleted_is_passed_over_once_it_is_given_up_and_told_in_numbers(counted):
    beyond = frame_of(requests(100, START_MS + 12_000), 1_199, START_MS + 12_990)
    assert counted.apply(beyond) is Applied.GAP
    counted.give_up("s")

    assert counted.apply(beyond) is Applied.APPLIED
    assert counted.lost("s") == 200
    assert counted.position("s") == 1_299
    assert counted.apply(frame_of(requests(9, START_MS + 20_000), 1_400, START_MS + 20_000)) is Applied.GAP


def test_what_came_after_all_is_counted_and_nothing_passed_over(counted):
    counted.give_up("s")
    assert counted.apply(frame_of(requests(100, START_MS + 10_000), 999, START_MS + 10_990)) is Applied.APPLIED
    assert counted.lost("s") == 0
    assert counted.apply(frame_of(requests(9, START_MS + 20_000), 1_400, START_MS + 20_000)) is Applied.GAP
