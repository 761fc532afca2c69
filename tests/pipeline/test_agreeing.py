"""A sealed frame or summary whose columns do not agree: set aside where it comes in, not a fault far behind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detectors.counts.rows import Sets
from stream.pipeline.envelope import UnreadableEnvelope
from stream.pipeline.frames import decode_frame, decode_summary, encode_frame, encode_summary
from tests.test_frames import frame_of, summary_of

FRAME, SUMMARY = frame_of(20), summary_of(4)

ROWS = {
    "an account that is not there": {"account": np.full(20, 99, np.uint32)},
    "a model that is not there": {"model": np.full(20, 99, np.uint32)},
    "a column too short": {"at_ms": FRAME.rows.at_ms[:7]},
    "accounts without keys": {"account_keys": FRAME.rows.account_keys[:1]},
    "a set of what is not there": {"value_sets": Sets.of([(99,)] * len(FRAME.rows.value_sets))},
}
COLUMNS = {
    "a country that is not there": {"country": np.full(4, 99, np.int32)},
    "too few sets": {"fast": Sets.of([(0,)])},
    "a column too short": {"n": SUMMARY.accounts.n[:2]},
}


@pytest.mark.parametrize("wrong", ROWS)
def test_a_frame(wrong):
    raw = encode_frame(replace(FRAME, rows=replace(FRAME.rows, **ROWS[wrong])))

    with pytest.raises(UnreadableEnvelope, match="a frame whose columns do not agree"):
        decode_frame(raw)


@pytest.mark.parametrize("wrong", COLUMNS)
def test_a_summary(wrong):
    raw = encode_summary(replace(SUMMARY, accounts=replace(SUMMARY.accounts, **COLUMNS[wrong])))

    with pytest.raises(UnreadableEnvelope, match="a summary whose columns do not agree"):
        decode_summary(raw)


def test_a_summary_of_shards_that_nobody_has():
    with pytest.raises(UnreadableEnvelope, match="expected shards from 0 to 255"):
        decode_summary(encode_summary(replace(SUMMARY, shards=(256,))))
