"""Logs in a bucket, read from a real S3 server on this machine through Arrow's own client."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from stream.commands.begin import history
from stream.errors import UsageError
from stream.sources.buckets import _s3, found_under, why
from stream.sources.logs import logs_of
from stream.sources.open import open_input
from tests.pace import PATIENCE_S

T0 = 1_772_409_600_000
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1"}


def line(number: int) -> bytes:
    given = {"event_id": f"e{number}", "timestamp": T0 + 1000 * number, "account_id": f"a{number % 5}", "model": "m"}
    return json.dumps(given).encode() + b"\n"


def lines(first: int, end: int) -> bytes:
    return b"".join(line(number) for number in range(first, end))


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory) -> Iterator[str]:
    """An S3 server in a process of its own."""
    out = tmp_path_factory.mktemp("s3") / "log"
    with open(out, "wb") as log, subprocess.Popen(
        [sys.executable, "-c", "from moto.server import main; main(['-H', '127.0.0.1', '-p', '0'])"],
        stdout=log, stderr=log, env=os.environ | KEYS | {"PYTHONUNBUFFERED": "1"},
    ) as running:  # fmt: skip
        try:
            yield _address(out)
        finally:
            running.terminate()


def _address(out: Path) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        whole = out.read_text().rpartition("\n")[0]
        found = [word for word in whole.split() if word.startswith("http://127.0.0.1:")]
        if found:
            urllib.request.urlopen(found[0], timeout=PATIENCE_S).read()
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"the S3 server did not start: {out.read_text()}")


@pytest.fixture
def bucket(endpoint: str, monkeypatch) -> pyarrow.fs.FileSystem:
    """A bucket `logs` with three days of logs, and a note that is none."""
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": endpoint}).items():
        monkeypatch.setenv(name, value)
    _s3.cache_clear()
    files = pyarrow.fs.S3FileSystem(
        endpoint_override=endpoint, region=KEYS["AWS_DEFAULT_REGION"], allow_bucket_creation=True
    )
    files.create_dir("logs")
    for key, content in {
        "days/b/1.ndjson": lines(0, 100),
        "days/2.ndjson.gz": gzip.compress(lines(100, 150)) + gzip.compress(lines(150, 200)),
        "days/README.txt": b"none",
    }.items():
        put(files, key, content)
    table = pa.Table.from_pylist([json.loads(one) for one in lines(200, 300).splitlines()])
    with files.open_output_stream("logs/days/a.parquet") as out:
        pq.write_table(table, out)
    return files


def put(files: pyarrow.fs.FileSystem, key: str, content: bytes) -> None:
    with files.open_output_stream(f"logs/{key}", compression=None) as out:  # else Arrow packs what is called .gz
        out.write(content)


def test_a_folder_of_a_bucket_is_replayed_in_order_of_time(bucket, typed):
    code, out, err = typed("backtest", "s3://logs/days/")
    assert (code, err) == (0, "")
    assert out.startswith("300 records read, 0 not counted")


@pytest.mark.parametrize(("word", "count"), [
    ("s3://logs/days/*.gz", 1), ("s3://logs/days/*.ndjson*", 2), ("s3://logs/days/2.ndjson.gz", 1), ("s3://logs", 3),
])  # fmt: skip
def test_an_object_a_pattern_and_a_whole_bucket_can_be_named(bucket, word, count):
    assert len(logs_of([word])) == count


def test_an_object_is_read_as_a_file_is(bucket):
    with open_input("s3://logs/days/2.ndjson.gz") as opened:
        raws = [raw for batch, _ in opened.records() for raw in batch]
    assert raws == lines(100, 200).splitlines()
    assert opened.bytes_read == opened.bytes_total


def test_a_backfill_from_a_bucket_reads_what_came_since_and_nothing_twice(bucket, typed, tmp_path):
    assert typed("backfill", "s3://logs/days/", "--state", tmp_path)[0] == 0
    put(bucket, "days/4.ndjson", lines(300, 350))
    code, out, err = typed("backfill", "s3://logs/days/", "--state", tmp_path)
    known = history.read(tmp_path)
    bucket.delete_file("logs/days/4.ndjson")

    assert (code, err) == (0, "")
    assert out.startswith("350 records, ")
    assert known is not None
    assert {name: one.line for name, one in known.logs.items()} == {
        "s3://logs/days/b/1.ndjson": 100, "s3://logs/days/2.ndjson.gz": 100, "s3://logs/days/a.parquet": 100,
        "s3://logs/days/4.ndjson": 50,
    }  # fmt: skip


def test_a_truncated_object_is_told_as_a_file_is(bucket, typed):
    put(bucket, "cut/1.ndjson.gz", gzip.compress(lines(0, 5_000))[:-200])
    put(bucket, "cut/2.ndjson", lines(5_000, 5_100))
    code, _, err = typed("backtest", "s3://logs/cut/")
    assert code == 1
    assert "s3://logs/cut/1.ndjson.gz: truncated: the gzip data ends too early" in err
    assert err.splitlines()[-1] == "swerve: 1 of 2 logs were read whole, 1 in part, 0 not at all"


def test_of_thirty_objects_one_truncated_one_unreadable_one_disordered_are_told_and_the_others_counted(bucket, typed):
    def hour(number: int) -> list[bytes]:
        return [line(3_600 * number + 6 * one) for one in range(600)]

    for number in range(30):
        put(bucket, f"month/{number * 7 % 30:02}.ndjson.gz", gzip.compress(b"".join(hour(number))))
    truncated, unreadable, disordered = (f"month/{number * 7 % 30:02}.ndjson.gz" for number in (4, 11, 17))
    put(bucket, truncated, gzip.compress(b"".join(hour(4)))[:-2_000])
    put(bucket, unreadable, b"no gzip at all")
    put(bucket, disordered, gzip.compress(b"".join(hour(17)[300:] + hour(17)[:300])))
    code, out, err = typed("backtest", "s3://logs/month/")
    bucket.delete_dir("logs/month")
    said = re.findall(r"([\d,]+) (?:records read|not counted)", out)
    read, not_counted = (int(number.replace(",", "")) for number in said)

    assert code == 1
    assert f"s3://logs/{truncated}: truncated: the gzip data ends too early" in err
    assert f"s3://logs/{unreadable}: " in err
    assert f"s3://logs/{disordered}: out of order: 300 of 600 records (50%)" in err
    assert err.splitlines()[-1] == "swerve: 28 of 30 logs were read whole, 1 in part, 1 not at all"
    assert 28 * 600 < read < 29 * 600
    assert not_counted == 300


@pytest.mark.parametrize(("url", "told"), [
    ("s3://nowhere/days/", "no such bucket as nowhere"),
    ("s3://nowhere/a.ndjson", "no such bucket as nowhere"),
    ("s3://logs/none.ndjson", "no such key in logs, neither an object nor a folder"),
    ("s3:///a", "names no bucket; expected one as in s3://bucket/folder/"),
])  # fmt: skip
def test_what_is_not_there_is_told_in_one_line(bucket, typed, url, told):
    assert typed("backtest", url) == (2, "", f"swerve: {url}: {told}\n")


def test_a_server_that_is_not_there_is_told_by_its_address(monkeypatch, typed):
    for name, value in (KEYS | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).items():
        monkeypatch.setenv(name, value)
    _s3.cache_clear()
    code, _, err = typed("backtest", "s3://logs/days/")
    assert code == 2
    assert "s3://logs/days/: nobody answers at http://127.0.0.1:1: Failed to connect" in err
    assert err.count("\n") == 1


def test_no_access_names_the_credentials_that_are_looked_for():
    denied = OSError("When listing objects: AWS Error ACCESS_DENIED during ListObjectsV2 operation: Access Denied")
    assert why(denied, "s3://logs/a") == (
        "no access to logs; are there credentials, and may they read it? Expected AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, a profile, or a role"
    )
    assert "GOOGLE_APPLICATION_CREDENTIALS" in why(OSError("Could not create credentials"), "gs://logs/a")


def test_a_url_that_cannot_be_taken_apart_is_told():
    with pytest.raises(UsageError, match="abfss://logs/a: "):
        found_under("abfss://logs/a")
