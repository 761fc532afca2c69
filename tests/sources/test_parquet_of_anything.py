"""Whatever the columns of a Parquet file hold, what cannot be read is refused row by row, and nothing escapes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream.contract.reading.refusal import Refusal
from stream.contract.request import decode
from stream.errors import SwerveError
from stream.sources.open import open_input
from stream.sources.table import COLUMNS

ROWS = 5
NOT_UTF8 = [b"acct_0", b"\xff\xfe", b"acct_2", b"acct_3", b"acct_4"]


def text_of(raws: list[bytes]) -> pa.Array:
    """A column of text that was never checked to be UTF-8, as other writers leave it."""
    return pa.Array.from_buffers(pa.string(), len(raws), pa.array(raws, pa.binary()).buffers())


def outcomes(folder: Path, columns: dict[str, pa.Array]) -> list[bool]:
    """Of each row whether it was read."""
    pq.write_table(pa.table(columns), folder / "log.parquet")
    out = []
    with open_input(str(folder / "log.parquet")) as source:
        for raw in [raw for raws, _ in source.records() for raw in raws]:
            try:
                decode(raw)
            except Refusal:
                out.append(False)
            else:
                out.append(True)
    return out


def good() -> dict[str, pa.Array]:
    return {
        "event_id": pa.array([f"e{row}" for row in range(ROWS)]),
        "timestamp": pa.array([1_772_362_800_000 + row for row in range(ROWS)]),
        "account_id": pa.array(["a"] * ROWS),
        "model": pa.array(["atlas-4"] * ROWS),
    }


@pytest.mark.parametrize(
    ("name", "column", "read"),
    [
        ("account_id", text_of(NOT_UTF8), [True, False, True, True, True]),
        (
            "attributes",
            pa.array([[(b"org", "o")], [], None, [(b"\xff", "o")], []], pa.map_(pa.binary(), pa.string())),
            [False, True, True, False, True],
        ),
        ("model", pa.array([2**60] * ROWS).cast(pa.timestamp("ms")), [False] * ROWS),
        ("timestamp", pa.array([1_772_362_800, 2**50, 0, -1, 1]).cast(pa.timestamp("s", "UTC")), [True] + 4 * [False]),
        ("input_tokens", pa.array([10**30] * ROWS, pa.decimal128(38, 0)), [False] * ROWS),
        ("output_tokens", pa.array([2**64 - 1] * ROWS, pa.uint64()), [False] * ROWS),
    ],
    ids=["text that is no UTF-8", "keys of bytes", "a time beyond Python", "years", "a decimal", "64 bits"],
)
def test_of_a_row_that_nobody_can_read_only_that_row_is_refused(tmp_path, name, column, read):
    assert outcomes(tmp_path, good() | {name: column}) == read


integers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=ROWS, max_size=ROWS)
short = st.lists(st.binary(max_size=4), min_size=ROWS, max_size=ROWS)
moments = st.sampled_from(
    [pa.timestamp("s"), pa.timestamp("ns"), pa.timestamp("ms", "Nowhere/Zone"), pa.date64(), pa.duration("us"),
     pa.time64("ns"), pa.uint64(), pa.float64()]
)  # fmt: skip
flat = st.one_of(
    integers.map(lambda values: pa.array(values, pa.int64())),
    st.builds(lambda values, kind: pa.array(values, pa.int64()).view(kind), integers, moments),
    short.map(lambda values: pa.array(values, pa.binary())),
    short.map(text_of),
    st.just(pa.nulls(ROWS)),
    st.just(pa.array([1.5, float("nan"), float("inf"), -0.0, None])),
)
columns = st.recursive(
    flat,
    lambda inner: st.one_of(
        inner.map(lambda one: pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), one)),
        inner.map(lambda one: pa.StructArray.from_arrays([one], ["x"])),
        inner.map(lambda one: pa.DictionaryArray.from_arrays(pa.array(range(ROWS), pa.int32()), one)),
        st.builds(
            lambda keys, one: pa.MapArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), keys, one),
            flat.filter(lambda keys: not keys.null_count),
            inner,
        ),
    ),
    max_leaves=3,
)


@given(st.dictionaries(st.sampled_from([*COLUMNS, "prompt"]), columns, min_size=1))
@settings(max_examples=300)
def test_columns_of_any_type_and_content_give_rows_or_a_file_that_cannot_be_read(tmp_path_factory, given_columns):
    """No other exception comes out of the file, nor out of the reader of its rows."""
    folder = tmp_path_factory.getbasetemp()
    try:
        outcomes(folder, good() | given_columns)
    except (pa.ArrowException, NotImplementedError):
        pass  # such a file cannot be written
    except SwerveError as error:
        assert "\n" not in str(error)  # noqa: PT017 - only where it cannot be read
