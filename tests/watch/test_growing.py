"""New lines arrive once each, whatever happens to the file that they are written to."""

from __future__ import annotations

import os
import sys

import pytest

from stream.errors import UsageError
from stream.sources.growing import Growing


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nthr")
    return path


def append(path, data: bytes) -> None:
    with open(path, "ab") as file:
        file.write(data)


def test_what_is_there_comes_first_and_a_line_only_when_it_is_whole(log):
    growing = Growing(str(log))
    assert growing.part_before == 0.0
    assert growing.take(0) == [b"one", b"two"]
    assert growing.part_before is None
    assert growing.take(0) == []
    append(log, b"ee\nfour\n")
    assert growing.take(0) == [b"three", b"four"]


def test_a_log_that_is_moved_away_is_read_to_its_end_before_the_new_one(log, tmp_path):
    growing = Growing(str(log))
    growing.take(0)
    log.rename(tmp_path / "log.1")
    assert growing.take(0) == []
    append(tmp_path / "log.1", b"ee\nlast of the old")
    log.write_bytes(b"first of the new\n")
    assert [line for _ in range(3) for line in growing.take(0) or []] == [
        b"three", b"last of the old", b"first of the new",
    ]  # fmt: skip


def test_a_log_that_is_cut_short_is_read_from_its_beginning(log):
    growing = Growing(str(log))
    growing.take(0)
    log.write_bytes(b"new\n")
    assert [line for _ in range(2) for line in growing.take(0) or []] == [b"thr", b"new"]


def test_a_log_whose_name_is_gone_for_a_moment_is_waited_for(log, tmp_path, monkeypatch):
    """Between the look at the name and the opening of what stands there."""
    growing = Growing(str(log))
    growing.take(0)
    log.unlink()
    monkeypatch.setattr(growing, "_was_replaced", lambda: True)
    assert growing.take(0) == []
    log.write_bytes(b"new\n")
    assert [line for _ in range(2) for line in growing.take(0) or []] == [b"thr", b"new"]


def test_a_named_pipe_is_read_as_standard_input_is(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDWR), "wb", buffering=0) as writer:
        growing = Growing(str(tmp_path / "pipe"))
        assert growing.take(0) == []
        writer.write(b"one\ntwo\nth")
        assert growing.take(1) == [b"one", b"two"]
    assert (growing.take(1), growing.rest()) == (None, [b"th"])


def test_a_pipe_gives_lines_as_they_come_and_then_its_end(monkeypatch):
    read, write = os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(read, "r"))
    growing = Growing("-")
    assert growing.part_before is None
    assert growing.take(0) == []
    os.write(write, b"one\ntw")
    assert growing.take(1) == [b"one"]
    os.close(write)
    assert growing.take(1) is None
    assert growing.rest() == [b"tw"]


@pytest.mark.parametrize(
    ("first", "kind"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"\x1f\x8b", "gzip"), (b"PAR1", "Parquet")]
)
def test_a_file_that_does_not_grow_line_by_line_is_refused_with_what_to_do(tmp_path, first, kind):
    (tmp_path / "log").write_bytes(first + b"....")
    with pytest.raises(UsageError, match=f"{kind} does not grow line by line; replay it with swerve backtest"):
        Growing(str(tmp_path / "log"))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory; expected a growing log"):
        Growing(str(tmp_path / "none"))
