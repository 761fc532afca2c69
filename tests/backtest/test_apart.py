"""With `--workers 2` one process reads and counts, another judges: the same to the byte, and a clear end."""

from __future__ import annotations

import gzip
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from stream.commands.begin import apart
from stream.commands.begin.apart import counted_apart
from stream.configuration.settings import Settings
from stream.errors import SwerveError
from stream.sources.logs import Log
from tests.pace import PATIENCE_S

WRITTEN = ("alerts", "rejects", "counts", "accounts")


@pytest.fixture
def logs(tmp_path: Path, record) -> Path:
    """Two days of a small fleet, some lines of them broken."""
    (tmp_path / "logs").mkdir()
    for day in range(2):
        lines = []
        for number in range(day * 5_760, (day + 1) * 5_760):  # one every 30 s
            attributes = {"org": f"org_{number % 7 // 4}", "country": "DE"}
            lines.append(record(number, at_ms=1_772_409_600_000 + 30_000 * number, attributes=attributes))
        lines[100] = b"{"
        lines[3_000] = b'{"event_id": 1}'
        (tmp_path / "logs" / f"{day}.ndjson.gz").write_bytes(gzip.compress(b"\n".join(lines) + b"\n"))
    return tmp_path / "logs"


def replayed(typed, logs: Path, folder: Path, workers: int) -> SimpleNamespace:
    folder.mkdir()
    flags = [word for name in WRITTEN for word in (f"--{name}", folder / name)]
    code, out, err = typed("backtest", logs, "--workers", workers, "--report", folder / "report", *flags)
    line = out[: out.index(" info; ")]  # what follows is how long it took
    return SimpleNamespace(code=code, line=line, err=err, **{name: (folder / name).read_bytes() for name in WRITTEN})


def test_two_processes_write_what_one_writes_to_the_byte(typed, read, logs, tmp_path):
    one, two = (replayed(typed, logs, tmp_path / f"by{workers}", workers) for workers in (1, 2))
    assert two == one
    assert one.code == 0
    assert len(one.counts) > 0
    where = [(Path(row["source"]).name, row["line"]) for row in read(tmp_path / "by2" / "rejects")]
    assert where == [(f"{day}.ndjson.gz", line) for day in range(2) for line in (101, 3_001)]


def test_a_log_that_breaks_off_is_told_in_the_same_words(typed, logs, tmp_path):
    whole = (logs / "1.ndjson.gz").read_bytes()
    (logs / "1.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    one, two = (replayed(typed, logs, tmp_path / f"by{workers}", workers) for workers in (1, 2))
    assert one.code == 1
    assert "1.ndjson.gz" in one.err
    assert two == one


def test_a_pipe_is_refused_with_the_way_out(typed, monkeypatch):
    with open(os.devnull) as pipe:
        monkeypatch.setattr("sys.stdin", pipe)
        code, _, err = typed("backtest", "-", "--workers", "2")
    assert code == 2
    assert "--workers 2 reads files" in err
    assert len(err.splitlines()) == 1


def test_a_process_that_is_killed_is_a_clear_error(logs, monkeypatch):
    monkeypatch.setattr(apart, "BATCHES_MAX", 1)
    files = [Log(str(path)) for path in sorted(logs.iterdir())]
    with counted_apart(Settings(), files, rejects=False, counts=False) as parts:
        (process,) = multiprocessing.active_children()
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        with pytest.raises(SwerveError, match=r"ended before it was done \(killed by SIGKILL\)"):
            list(parts)
    assert multiprocessing.active_children() == []


def test_ctrl_c_ends_both_with_one_line(logs, tmp_path):
    command = [sys.executable, "-m", "stream", "backtest", str(logs), "--workers", "2", "--counts", str(tmp_path / "c")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as running:
        deadline = time.monotonic() + PATIENCE_S
        while not _children(running.pid):
            assert time.monotonic() < deadline
            assert running.poll() is None
            time.sleep(0.01)
        children = _children(running.pid)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, out, err) == (130, b"", b"swerve: stopped\n")
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []
