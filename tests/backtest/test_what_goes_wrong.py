"""What cannot be read or written is one line and the right exit code; what was written before is whole."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
import zstandard

from tests.pace import PATIENCE_S


@pytest.fixture
def log(record, tmp_path):
    path = tmp_path / "log.ndjson"
    path.write_bytes(b"\n".join(record(number) for number in range(200)) + b"\n{\n")
    return path


def told_once(said: tuple[int, str, str], code: int) -> str:
    """The one line on standard error of a run that failed with this code."""
    got, out, err = said
    assert (got, out) == (code, "")
    assert err.startswith("swerve: ")
    assert err.count("\n") == 1
    return err


def test_an_input_that_is_not_there_cannot_be_used(typed, tmp_path):
    assert "none.ndjson: no such file" in told_once(typed("backtest", tmp_path / "none.ndjson"), 2)


def test_a_folder_without_a_log_cannot_be_used(typed, tmp_path):
    assert f"{tmp_path}: no log in it; expected files that end in .ndjson" in told_once(typed("backtest", tmp_path), 2)


def test_no_input_at_all_cannot_be_used(typed):
    assert "Missing argument 'INPUT...'" in told_once(typed("backtest"), 2)


def test_a_truncated_log_fails_after_what_could_be_read(typed, read, log, tmp_path):
    packed = zstandard.ZstdCompressor().compress(log.read_bytes() * 300)
    cut = tmp_path / "cut.ndjson.zst"
    cut.write_bytes(packed[: len(packed) - 5])
    code, out, told = typed("backtest", cut, "--rejects", tmp_path / "rejects")
    assert code == 1
    assert " records read, " in out
    assert told.startswith(f"swerve: {cut}: truncated: the zstd data ends too early, after line")
    assert told.count("\n") == 1
    assert {row["reason"] for row in read(tmp_path / "rejects")} <= {"not_json"}


@pytest.mark.parametrize("flag", ["--rejects", "--counts", "--report"])
def test_a_full_disk_is_told_with_the_option_and_the_file(typed, log, flag):
    told = told_once(typed("backtest", log, flag, "/dev/full"), 1)
    assert told.startswith(f"swerve: {flag} /dev/full: No space left on device")


@pytest.mark.parametrize("flag", ["--alerts", "--rejects", "--counts"])
def test_an_output_that_cannot_be_opened_is_told_before_anything_is_read(typed, log, tmp_path, flag):
    told = told_once(typed("backtest", log, flag, tmp_path / "no" / "where"), 2)
    assert f"{flag} {tmp_path}/no/where: cannot be written: No such file or directory" in told


@pytest.mark.parametrize("flag", ["--accounts", "--report"])
def test_an_output_of_the_end_that_cannot_be_opened_is_told_before_anything_is_read(typed, log, tmp_path, flag):
    assert f"{flag} {tmp_path}/no/where" in told_once(typed("backtest", log, flag, tmp_path / "no" / "where"), 2)


def test_a_log_is_never_written_over(typed, log):
    before = log.read_bytes()
    assert "is also an INPUT" in told_once(typed("backtest", log, "--alerts", log), 2)
    assert log.read_bytes() == before


def test_a_log_is_never_written_over_by_another_of_its_names(typed, log, tmp_path):
    (tmp_path / "hard").hardlink_to(log)

    assert "is also an INPUT" in told_once(typed("backtest", log, "--alerts", tmp_path / "hard"), 2)


def test_two_outputs_need_two_files(typed, log, tmp_path):
    one = tmp_path / "one"
    assert "each needs a file of its own" in told_once(typed("backtest", log, "--alerts", one, "--rejects", one), 2)


def test_one_log_given_twice_is_refused(typed, log):
    assert "is given twice" in told_once(typed("backtest", log, log), 2)


@pytest.mark.parametrize(
    ("text", "told"),
    [("[", "expected a JSON array of releases"), ('[{"model": "a"}]', "entry 0: $.released_at: expected")],
)
def test_a_catalogue_that_cannot_be_read_is_told(typed, log, tmp_path, text, told):
    (tmp_path / "releases.json").write_text(text)
    assert told in told_once(typed("backtest", log, "--releases", tmp_path / "releases.json"), 2)


def test_a_report_that_fails_leaves_the_older_one(typed, log, tmp_path, monkeypatch):
    report = tmp_path / "report.html"
    report.write_text("older")
    monkeypatch.setattr("pathlib.Path.write_bytes", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left")))
    assert "--report" in told_once(typed("backtest", log, "--report", report), 1)
    assert report.read_text() == "older"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_results_on_standard_output_are_not_mixed_with_the_closing_line(typed, log):
    code, out, err = typed("backtest", log, "--rejects", "-")
    assert code == 0
    assert [json.loads(line)["reason"] for line in out.splitlines()] == ["not_json"]
    assert err.startswith("201 records read")


def test_a_reader_that_leaves_early_is_not_an_error_worth_a_trace(log):
    """`swerve backtest LOG --counts - | head -1`."""
    script = f"{sys.executable} -m stream backtest {log} --counts - | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_dialect_that_nobody_knows_is_told_before_an_output_is_begun(typed, log, tmp_path):
    (tmp_path / "alerts").write_text("older")
    told = told_once(typed("backtest", log, "--dialect", "latin", "--alerts", tmp_path / "alerts"), 2)
    assert "expected one of swerve, azure_openai, bedrock" in told
    assert (tmp_path / "alerts").read_text() == "older"


def test_ctrl_c_stops_a_replay_with_one_line(record, tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "stream", "backtest", "-", "--rejects", str(tmp_path / "rejects")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdin is not None
        # More than one chunk, so that the first lines are judged while the pipe stays open.
        running.stdin.write(b"{\n" + b"\n".join(record(number) for number in range(12_000)))
        running.stdin.flush()
        deadline = time.monotonic() + PATIENCE_S
        while not (tmp_path / "rejects").exists() or not (tmp_path / "rejects").stat().st_size:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, out, err) == (130, b"", b"swerve: stopped\n")
