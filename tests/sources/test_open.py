"""Logs of every kind give the same records, and what cannot be read is told in one line."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import os
import random
import subprocess
import sys
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from stream.contract.reading.refusal import Refusal
from stream.contract.request import decode
from stream.errors import SwerveError, UsageError
from stream.mapping.named import read_by
from stream.mapping.presets import sample_of
from stream.sources.open import Input, open_input

AT = 1_772_362_800_000


def records(count: int) -> list[dict]:
    noise = random.Random(1)
    return [
        {
            "event_id": f"e{number}-{noise.getrandbits(64):x}",
            "timestamp": AT + number,
            "account_id": f"a{number % 7}",
            "model": "atlas-4",
            "capabilities": ["coding"] * (number % 3),
            "input_tokens": number,
            "output_tokens": 7,
            "attributes": {"org": "o1"} if number % 2 else {},
        }
        for number in range(count)
    ]


def lines(count: int) -> list[bytes]:
    return [json.dumps(record).encode() for record in records(count)]


def text(count: int) -> bytes:
    return b"".join(line + b"\n" for line in lines(count))


PACKERS = {
    "log.ndjson": lambda raw: raw,
    "log.ndjson.gz": gzip.compress,
    "log.ndjson.zst": zstandard.compress,
    "two members.gz": lambda raw: gzip.compress(raw[:1000]) + gzip.compress(raw[1000:]),
    "padded.gz": lambda raw: gzip.compress(raw) + b"\0" * 512,
    "two frames.zst": lambda raw: zstandard.compress(raw[:1000]) + zstandard.compress(raw[1000:]),
    "skippable.zst": lambda raw: b"\x50\x2a\x4d\x18\x03\x00\x00\x00abc" + zstandard.compress(raw),
    "compressed without saying so": zstandard.compress,
}


def read(source: Input) -> tuple[list[bytes], list[int]]:
    raws, numbers = [], []
    with source:
        for batch, batch_numbers in source.records():
            assert batch
            raws += batch
            numbers += batch_numbers
    return raws, numbers


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("count", [1, 20_000])
def test_every_kind_of_log_gives_the_same_lines_numbered_from_1(tmp_path, name, count):
    path = tmp_path / name
    path.write_bytes(PACKERS[name](text(count)))
    source = open_input(str(path))

    assert read(source) == (lines(count), list(range(1, count + 1)))
    assert source.bytes_read == source.bytes_total == path.stat().st_size


@pytest.mark.parametrize("name", ["empty.ndjson", "empty.gz", "empty.zst", "empty.parquet"])
def test_an_empty_file_has_no_records(tmp_path, name):
    path = tmp_path / name
    path.touch()

    assert read(open_input(str(path))) == ([], [])


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_compressed_file_of_nothing_has_no_records(tmp_path, pack):
    path = tmp_path / "log"
    path.write_bytes(pack(b""))

    assert read(open_input(str(path))) == ([], [])


def test_a_line_of_a_gigabyte_takes_little_memory_and_is_refused(tmp_path):
    path = tmp_path / "bomb.zst"
    with path.open("wb") as file, zstandard.ZstdCompressor(level=1).stream_writer(file) as packed:
        packed.write(lines(1)[0] + b"\n")
        for _ in range(64):
            packed.write(b"x" * (1 << 24))
        packed.write(b"\n" + lines(1)[0] + b"\n")
    peak = subprocess.run(
        [
            sys.executable,
            "-c",
            "import resource, sys\n"
            "from stream.sources.open import open_input\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "raws = [raw for batch, _ in open_input(sys.argv[1]).records() for raw in batch]\n"
            "print(*[len(raw) for raw in raws], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)",
            str(path),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert [int(length) for length in peak[:-1]] == [len(lines(1)[0]), (1 << 20) + 1, len(lines(1)[0])]
    assert int(peak[-1]) < 150_000  # KiB; the line has 1,048,576


class TestWhatCannotBeRead:
    def test_a_missing_file(self, tmp_path):
        with pytest.raises(UsageError, match=r"none\.ndjson: no such file$"):
            open_input(str(tmp_path / "none.ndjson"))

    def test_a_directory(self, tmp_path):
        with pytest.raises(UsageError, match="a directory; expected a log file, or - for standard input"):
            open_input(str(tmp_path))

    def test_a_file_without_permission(self, tmp_path, monkeypatch):
        def refuse(*_args):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
        with pytest.raises(UsageError, match="log: no permission to read it"):
            open_input("log")

    @pytest.mark.parametrize("name", ["log.gz", "log.zst", "log.parquet"])
    def test_a_file_that_is_not_what_its_name_promises(self, tmp_path, name):
        path = tmp_path / name
        path.write_bytes(text(3))
        with pytest.raises(UsageError, match=r"its name promises .*, its first bytes 7b 22 65 76 are none"):
            open_input(str(path))

    def test_a_disk_that_fails_is_a_failure_and_no_usage_error(self, tmp_path):
        path = tmp_path / "log"
        path.write_bytes(text(3))
        source = open_input(str(path))
        source._file = FailingFile()
        with pytest.raises(SwerveError, match="cannot be read: Input/output error, after line 0") as caught:
            read(source)
        assert caught.value.exit_code == 1


class FailingFile(io.BytesIO):
    def read1(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("name", ["log.gz", "log.zst"])
@pytest.mark.parametrize("share", [0.5, 0.999])
def test_of_a_truncated_file_all_that_is_readable_comes_first(tmp_path, name, share):
    path = tmp_path / name
    packed = PACKERS["log.ndjson.gz" if name == "log.gz" else "log.ndjson.zst"](text(20_000))
    path.write_bytes(packed[: int(len(packed) * share)])
    got = []
    with pytest.raises(SwerveError, match="truncated") as caught:
        got.extend(line for batch, _ in open_input(str(path)).records() for line in batch)

    assert got == lines(20_000)[: len(got)]
    assert len(got) > 20_000 * share * 0.5
    assert caught.value.exit_code == 1
    assert f"after line {len(got)};" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["log.gz", "log.zst"])
def test_of_a_damaged_file_all_that_is_readable_comes_first(tmp_path, name):
    path = tmp_path / name
    packed = bytearray(PACKERS["log.ndjson.gz" if name == "log.gz" else "log.ndjson.zst"](text(20_000)))
    middle = len(packed) // 2
    packed[middle : middle + 2_000] = bytes(2_000)
    path.write_bytes(packed)

    with pytest.raises(SwerveError, match=r"damaged (gzip|zstd) data, after line"):
        read(open_input(str(path)))


def test_a_pipe_is_read_as_it_comes_and_nobody_knows_its_length(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(text(100)),))
    writer.start()
    source = open_input(str(path))

    assert source.bytes_total is None
    assert read(source)[0] == lines(100)
    writer.join()


def test_standard_input_is_read_plain_or_compressed():
    for pack in (bytes, zstandard.compress):
        counted = subprocess.run(
            [
                sys.executable,
                "-c",
                "from stream.sources.open import open_input\n"
                "print(sum(len(batch) for batch, _ in open_input('-').records()))",
            ],
            input=pack(text(50)),
            capture_output=True,
            check=True,
        )
        assert counted.stdout == b"50\n"


class TestParquet:
    def write(self, path, rows: list[dict], **columns) -> Input:
        pq.write_table(pa.Table.from_pylist(rows, **columns), path, row_group_size=1000)
        return open_input(str(path))

    def test_gives_the_records_of_the_same_log_as_json(self, tmp_path):
        source = self.write(tmp_path / "log.parquet", records(10_000))
        raws, numbers = read(source)

        assert [decode(raw) for raw in raws] == [decode(line) for line in lines(10_000)]
        assert numbers == list(range(1, 10_001))
        assert source.bytes_read == source.bytes_total

    def test_may_hold_attributes_as_a_map_and_times_as_timestamps_of_any_unit(self, tmp_path):
        moment = datetime.datetime(2026, 3, 1, 12, 0, 0, 250_000)
        zoned = moment.replace(tzinfo=datetime.UTC)
        for unit, at in (("ms", moment), ("us", zoned), ("ns", moment)):
            schema = pa.schema(
                {
                    "event_id": pa.large_string(),
                    "timestamp": pa.timestamp(unit, None if at is moment else "Europe/Berlin"),
                    "account_id": pa.dictionary(pa.int32(), pa.string()),
                    "model": pa.string(),
                    "attributes": pa.map_(pa.string(), pa.string()),
                    "prompt": pa.string(),
                }
            )
            row = {
                "event_id": "e",
                "timestamp": at,
                "account_id": "a",
                "model": "m",
                "attributes": [("org", "o1"), ("ip", None)],
                "prompt": "never read",
            }
            raws, _ = read(self.write(tmp_path / f"{unit}.parquet", [row], schema=schema))

            assert decode(raws[0]).at_ms == 1_772_366_400_250
            assert decode(raws[0]).attributes == {"org": "o1"}
            assert b"never read" not in raws[0]

    def test_takes_a_null_as_a_field_that_is_not_there(self, tmp_path):
        row = records(1)[0] | {"input_tokens": None, "capabilities": None, "model": None}
        texts = dict.fromkeys(("event_id", "account_id", "model"), pa.string())
        numbers = dict.fromkeys(("timestamp", "input_tokens"), pa.int64())
        schema = pa.schema(texts | numbers | {"capabilities": pa.list_(pa.string())})
        raws, _ = read(self.write(tmp_path / "log.parquet", [row], schema=schema))

        with pytest.raises(Refusal, match=r"missing_field: \$\.model"):
            decode(raws[0])

    def test_refuses_what_json_cannot_say(self, tmp_path):
        raws, _ = read(self.write(tmp_path / "log.parquet", [records(2)[1] | {"model": b"atlas"}]))

        with pytest.raises(Refusal, match=r"wrong_type: \$\.model: expected a string, got an object"):
            decode(raws[0])

    def test_that_is_damaged_is_a_failure_in_one_line(self, tmp_path):
        path = tmp_path / "log.parquet"
        self.write(path, records(3_000)).close()
        path.write_bytes(path.read_bytes()[:-100])

        with pytest.raises(SwerveError, match="damaged Parquet, after line 0") as caught:
            read(open_input(str(path)))
        assert "\n" not in str(caught.value)

    def test_from_a_pipe_is_a_usage_error(self, tmp_path):
        path = tmp_path / "pipe"
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(b"PAR1 and more",))
        writer.start()
        with pytest.raises(UsageError, match="Parquet cannot be read from a pipe"):
            open_input(str(path))
        writer.join()


def test_rows_of_comma_separated_values_are_records_by_their_header(tmp_path):
    """A table of LiteLLM's as its database writes it: the same requests as from its JSON."""
    rows = [json.loads(line) for line in sample_of("litellm_spend")]
    with gzip.open(tmp_path / "spend.csv.gz", "wt", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    with open_input(str(tmp_path / "spend.csv.gz")) as opened:
        read = [one for raws, _ in opened.records() for raw in raws for one in read_by("litellm_spend")(raw)]

    assert read == [one for line in sample_of("litellm_spend") for one in read_by("litellm_spend")(line)]


def test_a_file_of_comma_separated_values_may_be_empty_or_have_a_header_alone(tmp_path):
    for text in ("", "id,model\n"):
        (tmp_path / "log.csv").write_text(text)
        with open_input(str(tmp_path / "log.csv")) as opened:
            assert list(opened.records()) == []
