"""Folders, patterns and many kinds of files are one history in order of time; what could not be read is told."""

from __future__ import annotations

import gzip
import io
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from stream.sources import logs

T0 = 1_772_409_600_000
MINUTE = 60_000
HOUR = 60 * MINUTE


def parquet(lines: list[bytes]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(line) for line in lines]), out)
    return out.getvalue()


def members(lines: list[bytes]) -> bytes:
    half = len(lines) // 2
    return b"".join(gzip.compress(b"\n".join(part) + b"\n") for part in (lines[:half], lines[half:]))


def comma_separated(lines: list[bytes]) -> bytes:
    rows = [json.loads(line) for line in lines]
    names = ("event_id", "timestamp", "account_id", "model")
    return "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows)]).encode()


KINDS = {
    "a.ndjson": lambda lines: b"\n".join(lines),
    "b.ndjson.gz": members,
    "deeper/c.jsonl.zst": lambda lines: zstandard.compress(b"\n".join(lines)),
    "d.parquet": parquet,
    "e.log": lambda lines: b"[" + b",".join(lines) + b"]\n",
}


@pytest.fixture
def hours(record):
    """Sixty records of each of some hours."""

    def of(hour: int) -> list[bytes]:
        return [record(60 * hour + one, at_ms=T0 + hour * HOUR + one * MINUTE) for one in range(60)]

    return of


@pytest.fixture
def folder(tmp_path: Path, hours) -> Path:
    """Hours in files of all kinds, whose names say nothing of their order."""
    for hour, (name, packed) in zip((3, 0, 4, 1, 2), KINDS.items(), strict=True):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(packed(hours(hour)))
    (tmp_path / "logs" / "_SUCCESS").touch()
    (tmp_path / "logs" / ".hidden.ndjson").write_bytes(b"{")
    return tmp_path / "logs"


def counts(typed, read, tmp_path: Path, *words: object) -> tuple[str, list[dict]]:
    code, out, err = typed("backtest", *words, "--counts", tmp_path / "counts")
    assert (code, err) == (0, "")
    return out, read(tmp_path / "counts")


def test_a_folder_of_all_kinds_counts_as_one_sorted_log(typed, read, hours, folder, tmp_path):
    out, found = counts(typed, read, tmp_path, folder)
    (tmp_path / "whole").write_bytes(b"\n".join(line for hour in range(5) for line in hours(hour)))

    assert out.startswith("241 records read, 300 requests in them, 0 not counted")  # the array is one, and holds sixty
    assert found == counts(typed, read, tmp_path, tmp_path / "whole")[1]


def test_a_pattern_names_what_it_matches_and_each_file_counts_once(typed, read, folder, tmp_path):
    out, _ = counts(typed, read, tmp_path, f"{folder}/**/*.zst", f"{folder}/a.*", folder / "a.ndjson")
    assert out.startswith("120 records read, 0 not counted")


def test_a_table_of_commas_is_read_with_a_mapping(typed, read, hours, tmp_path):
    (tmp_path / "log.csv").write_bytes(comma_separated(hours(0)))
    fields = "".join(f'{name} = "{name}"\n' for name in ("event_id", "account_id", "model"))
    (tmp_path / "ours.toml").write_text(f'[map]\n{fields}timestamp = {{ from = "timestamp", epoch = "ms" }}\n')
    out, _ = counts(typed, read, tmp_path, tmp_path / "log.csv", "--map", tmp_path / "ours.toml")
    assert out.startswith("60 records read, 0 not counted")


def test_of_files_one_after_the_other_only_one_is_open(typed, read, hours, tmp_path, monkeypatch):
    """A thousand days must not need a thousand open files, nor what a thousand decompressors hold."""
    for hour in range(8):
        (tmp_path / f"{hour}.ndjson").write_bytes(b"\n".join(hours(hour)))
    open_now, most = set(), []
    real = logs.Log.batches

    def watched(log, after=0):
        open_now.add(log.path)
        most.append(len(open_now))
        yield from real(log, after)
        open_now.discard(log.path)

    monkeypatch.setattr(logs.Log, "batches", watched)
    out, _ = counts(typed, read, tmp_path, tmp_path)
    assert out.startswith("480 records read, 0 not counted")
    assert max(most) <= 2


def test_a_log_goes_on_with_the_clock_of_the_one_before(typed, read, hours, record, tmp_path):
    """A request that is late in one stream is late where the stream was cut before it."""
    late = record(9_000, at_ms=T0 + 30 * MINUTE)
    (tmp_path / "0.ndjson").write_bytes(b"\n".join(hours(0)))
    (tmp_path / "1.ndjson").write_bytes(b"\n".join([late, *hours(1)]))
    out, _ = counts(typed, read, tmp_path, tmp_path)
    assert out.startswith("121 records read, 1 not counted")


@pytest.fixture
def troubled(tmp_path: Path, hours) -> Path:
    """Thirty files, of which one is truncated, one out of order, one unreadable."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for hour in range(30):
        (folder / f"{hour:02}.ndjson").write_bytes(b"\n".join(hours(hour)) + b"\n")
    packed = zstandard.compress(b"\n".join([line + b" " * 1000 for line in hours(7)]))
    (folder / "07.ndjson").unlink()
    (folder / "07.ndjson.zst").write_bytes(packed[:-20])
    (folder / "11.ndjson").write_bytes(b"\n".join(reversed(hours(11))))
    (folder / "19.ndjson").rename(folder / "19.ndjson.gz")
    return folder


def test_thirty_files_with_a_truncated_a_reversed_and_an_unreadable_one(typed, read, troubled, tmp_path):
    code, out, err = typed("backtest", troubled, "--report", tmp_path / "page")
    said = err.splitlines()

    assert code == 1
    assert " records read, " in out
    assert (tmp_path / "page").exists(), "what could be read is judged and written"
    assert said[0].startswith(f"swerve: {troubled}/11.ndjson: out of order: ")
    assert "lie more than 900 s behind those before them, and count as late_event; sort it" in said[0]
    assert said[1].startswith(f"swerve: {troubled}/07.ndjson.zst: truncated: the zstd data ends too early, after line ")
    assert said[2] == (
        f"swerve: {troubled}/19.ndjson.gz: its name promises gzip, its first bytes 7b 22 65 76 are none; nothing of it "
        "was read"
    )
    assert said[3].startswith("swerve: 28 of 30 logs were read whole, ")
    assert len(said) == 4


def test_one_that_is_named_and_cannot_be_read_is_told_before_anything_is_read(typed, troubled):
    code, out, err = typed("backtest", troubled / "00.ndjson", troubled / "19.ndjson.gz")
    assert (code, out) == (2, "")
    assert "its name promises gzip" in err


def test_a_folder_that_holds_the_output_of_before_is_not_written_over(typed, folder):
    (folder / "alerts.ndjson").write_text("older")
    code, _, err = typed("backtest", folder, "--alerts", folder / "alerts.ndjson")
    assert code == 2
    assert "is also an INPUT" in err
    assert os.path.getsize(folder / "alerts.ndjson") == 5
