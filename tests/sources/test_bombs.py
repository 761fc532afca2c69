"""Small files that grow a thousand times: read in bounded memory, or refused in one line."""

from __future__ import annotations

import gzip
import resource
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stream.errors import SwerveError
from stream.sources import table
from stream.sources.open import open_input

MIB = 1 << 20


def test_compressed_newlines_are_refused_where_nothing_else_comes(tmp_path):
    path = tmp_path / "log.ndjson.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' + b"\n" * 60 * MIB, 1))
    lines, read = 0, []
    with open_input(str(path)) as log, pytest.raises(SwerveError, match="empty lines in a row, after line"):  # noqa: PT012
        for raws, _ in log.records():
            lines += len(raws)
            read += filter(None, raws)

    assert read == [b'{"a": 1}'], "what came before it"
    assert lines < MIB // 10  # each costs some microseconds to refuse


def test_some_empty_lines_are_borne(tmp_path):
    path = tmp_path / "log.ndjson.gz"
    path.write_bytes(gzip.compress(b'{"a": 1}\n' + b"\n" * 60_000 + b'{"a": 2}\n'))
    with open_input(str(path)) as log:
        records = [raw for raws, _ in log.records() for raw in raws if raw]

    assert records == [b'{"a": 1}', b'{"a": 2}']


READ = """
import resource, sys
from stream.sources.open import open_input
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open_input(sys.argv[1]) as log:
    counted = sum(len(raws) for raws, _ in log.records())
print(counted, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="needs the memory of a process")
@pytest.mark.parametrize("rows", [1_024])
def test_a_parquet_file_of_one_long_text_in_every_row_takes_bounded_memory(tmp_path, rows):
    """Some kilobytes on disk, and a gigabyte as records."""
    path = tmp_path / "log.parquet"
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * MIB]))
    pq.write_table(pa.table({"event_id": pa.array(map(str, range(rows))), "model": text}), path, compression="zstd")
    told = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True).stdout
    counted, grown_mib = map(int, told.split())

    assert path.stat().st_size < 100_000
    assert counted == rows
    assert grown_mib < 400


def test_a_column_that_would_unpack_to_too_much_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "log.parquet"
    texts = pa.array([f"{number:09}" * 100 for number in range(1_000)])
    pq.write_table(pa.table({"event_id": texts}), path, compression="zstd", use_dictionary=False)
    monkeypatch.setattr(table, "_CHUNK_BYTES_MAX", 100_000)

    with (
        open_input(str(path)) as log,
        pytest.raises(SwerveError, match=r"event_id has .* bytes in row group 0, expected at most 100,000"),
    ):
        list(log.records())
