"""State as bytes: what goes in comes out; what is damaged or of another version is refused in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from detectors.counts.snapshot import MAGIC, UnreadableSnapshotError, from_bytes, to_bytes

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
DTYPES = st.sampled_from(
    [np.uint8, np.uint16, np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64, np.bool_]
)


@given(PLAIN)
def test_plain_values_come_back_as_they_went(value):
    assert from_bytes(to_bytes(value)) == value


@given(DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=1, max_dims=2, min_side=0))))
def test_arrays_come_back_with_their_type_and_shape_and_can_be_written_to(array):
    back = from_bytes(to_bytes({"a": array}))["a"]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == np.ascontiguousarray(array).tobytes()
    assert back.flags.writeable


def test_the_same_state_gives_the_same_bytes():
    state = {"n": np.arange(1_000), "names": ["a", "b"]}
    assert to_bytes(state) == to_bytes({"n": np.arange(1_000), "names": ["a", "b"]})


@pytest.mark.parametrize("at", [12, 40, -1])
def test_a_single_wrong_bit_is_noticed(at):
    data = bytearray(to_bytes({"n": np.arange(100)}))
    data[at] ^= 1
    with pytest.raises(UnreadableSnapshotError, match=f"{len(data)} bytes is damaged"):
        from_bytes(bytes(data))


def test_a_cut_snapshot_is_noticed():
    with pytest.raises(UnreadableSnapshotError, match="damaged"):
        from_bytes(to_bytes({"n": np.arange(100)})[:-5])


def test_bytes_that_are_no_snapshot_are_refused_and_told():
    with pytest.raises(UnreadableSnapshotError, match="begins with b'SWST', got b'PK"):
        from_bytes(b"PK\x03\x04 something else")


def test_a_snapshot_of_a_later_version_says_which_program_reads_it():
    data = to_bytes({})
    later = MAGIC + (99).to_bytes(2, "little") + data[6:]
    with pytest.raises(UnreadableSnapshotError, match="got 99; start the version that wrote it"):
        from_bytes(later)


def test_what_a_snapshot_cannot_hold_is_refused_by_its_type():
    with pytest.raises(TypeError, match="a snapshot cannot hold a complex"):
        to_bytes({"x": 1j})
