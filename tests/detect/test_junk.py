"""What becomes of a message on an internal topic that nobody can read? It is set aside, told with its place, passed."""

from __future__ import annotations

import pytest
import structlog

from stream.configuration.settings import Settings
from stream.detect.engine import ShardsEngine
from stream.errors import SwerveError
from stream.pipeline.chain import Applied
from stream.pipeline.envelope import seal
from stream.pipeline.frames import FRAME_MAGIC, SUMMARY_MAGIC, encode_frame
from stream.stages.shell import Step
from stream.telemetry import metrics
from tests.correlate.test_fleet_engine import an_engine, summaries
from tests.detect.test_shell import a_shell
from tests.detectors.traffic import Request, frame_of

JUNK = [b"", b"{}", b"hello", seal(b"\x93\x01\x02", FRAME_MAGIC, 1), seal(b"\x93\x01\x02", SUMMARY_MAGIC, 1)]


def damaged(value: bytes) -> bytes:
    return value[:-1] + bytes((value[-1] ^ 1,))


def test_detect_sets_junk_between_frames_aside_and_counts_all_requests():
    engine = ShardsEngine(Settings().parameters, ["s"], 0, 1, {})
    first, second = (encode_frame(frame_of([Request("a")], after)) for after in (-1, 0))
    before = metrics.value("swerve_messages_set_aside_total", stage="detect")
    with structlog.testing.capture_logs() as told:
        outcomes = [engine.apply(n, one).outcome for n, one in enumerate([first, *JUNK, damaged(second), second])]

    assert outcomes == [Applied.APPLIED, *[Applied.REPEAT] * 6, Applied.APPLIED]
    assert metrics.value("swerve_messages_set_aside_total", stage="detect") - before == 6
    places = [one["where"] for one in told if one["event"] == "message_set_aside"]
    assert places == [f"frames[0]@{n}" for n in range(1, 7)]


def test_after_a_damaged_frame_the_next_of_its_source_is_a_gap():
    """Nothing is counted on over requests that are missing."""
    engine = ShardsEngine(Settings().parameters, ["s"], 0, 1, {})
    frames = [encode_frame(frame_of([Request("a")], after)) for after in (-1, 0, 1)]
    engine.apply(0, frames[0])

    assert engine.apply(1, damaged(frames[1])).outcome is Applied.REPEAT
    assert engine.apply(2, frames[2]).outcome is Applied.GAP


def test_correlate_sets_junk_between_summaries_aside_and_goes_on():
    engine = an_engine()
    value, following = summaries(1)[0][:2]

    assert engine.apply(0, value).outcome is Applied.APPLIED
    assert [engine.apply(1 + n, one).outcome for n, one in enumerate(JUNK)] == [Applied.REPEAT] * len(JUNK)
    assert engine.apply(1 + len(JUNK), following).outcome is Applied.APPLIED


def test_what_another_version_wrote_is_not_set_aside_and_the_error_says_where():
    shards = ShardsEngine(Settings().parameters, ["s"], 3, 8, {})
    with pytest.raises(SwerveError, match=r"frames\[3\]@812: a frame has version 9, .* upgrade this reader first"):
        shards.apply(812, seal(b"", FRAME_MAGIC, 9))
    with pytest.raises(SwerveError, match=r"summaries\[0\]@0: a summary has version 9"):
        an_engine().apply(0, seal(b"", SUMMARY_MAGIC, 9))


async def test_the_shell_goes_past_a_message_of_no_source():
    shell, _, log = a_shell()
    held = await shell._open(0)
    held.engine.apply = lambda offset, value: Step(Applied.REPEAT, "")
    shell._held[0] = held
    await shell.take(0, 0, b"junk")

    assert (held.upto, held.resume, log.sought) == (1, {}, [])
