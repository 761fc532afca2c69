"""What a person types: files by their ending, labels, errors in one line, a reader who leaves."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
import zstandard

from stream.commands.begin import simulate
from stream.contract.reading.refusal import Refusal
from stream.contract.request import decode
from stream.simulate.labelled import records
from stream.simulate.scenarios import SCENARIOS
from stream.simulate.writing.write import Block

SMALL = ("--scenario", "quiet", "--accounts", "250", "--days", "1")


def swerve(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "stream", "simulate", *arguments], capture_output=True, check=False)


def test_a_plain_a_gz_and_a_zst_file_and_standard_output_hold_the_same_lines(tmp_path):
    files = {ending: tmp_path / f"log.ndjson{ending}" for ending in ("", ".gz", ".zst")}
    for path in files.values():
        assert swerve(*SMALL, "--output", str(path)).returncode == 0
    plain = files[""].read_bytes()

    assert plain.count(b"\n") > 3_000
    assert gzip.decompress(files[".gz"].read_bytes()) == plain
    assert zstandard.ZstdDecompressor().decompressobj().decompress(files[".zst"].read_bytes()) == plain
    assert swerve(*SMALL, "--output", "-").stdout == plain


def test_labels_are_written_beside_the_log(tmp_path):
    truth, releases, expected = (tmp_path / name for name in ("truth.json", "releases.json", "expected.json"))
    labels = ("--truth", str(truth), "--releases", str(releases), "--expected", str(expected))
    done = swerve("--scenario", "quiet", "--accounts", "250", *labels)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert json.loads(truth.read_bytes())["releases"] == json.loads(releases.read_bytes())
    assert [one["model"] for one in json.loads(releases.read_bytes())] == ["atlas-4"]
    assert json.loads(expected.read_bytes())[0]["id"] == "migration-1"


def test_a_log_begins_at_the_whole_hour_that_is_asked_for():
    made = swerve(*SMALL, "--start", "2026-11-16T09:40:00Z", "--output", "-")
    at = [decode(line).at_ms for line in made.stdout.splitlines()]
    begin_ms = 1_794_819_600_000  # 2026-11-16, 09:00 UTC

    assert begin_ms <= min(at) < begin_ms + 3_600_000
    assert max(at) < begin_ms + 24 * 3_600_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--start", "monday", "--output", "-"), b"--start: "),
        (("--scenario", "storm", "--output", "-"), b"there is no scenario 'storm'; there are quiet, "),
        (("--output", "/nowhere/log"), b"--output: cannot write /nowhere/log: No such file or directory; name a file"),
        (("--truth", "/nowhere/t"), b"--truth: cannot write /nowhere/t: No such file or directory; name a file"),
        (("--scenario", "pivot", "--days", "3", "--output", "-"), b"--days 3: a campaign of pivot begins on day 4."),
        ((), b"nothing to do: name --output FILE"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_exit_code_2(arguments, said):
    done = swerve("--accounts", "250", *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout == b""


def test_a_reader_that_has_enough_ends_it_without_a_word():
    process = subprocess.Popen(
        [sys.executable, "-m", "stream", "simulate", "--accounts", "300", "--output", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_a_full_disk_is_a_failure_in_one_line():
    done = swerve(*SMALL, "--output", "/dev/full")

    assert done.returncode == 1
    assert done.stderr.startswith(b"swerve: --output: writing /dev/full failed: No space left on device")
    assert done.stderr.count(b"\n") == 1


def test_the_list_names_every_scenario():
    listed = swerve("--list").stdout.decode()

    assert [line.split()[0] for line in listed.splitlines() if not line.startswith(" ")] == list(SCENARIOS)


def test_the_description_is_written_to_standard_output_and_counts():
    said = swerve("--scenario", "pivot", "--accounts", "400", "--describe").stdout.decode()

    assert said.startswith("pivot, seed 1: ")
    assert "campaign pivot: " in said


def test_a_dirty_log_has_repeats_late_and_broken_records_and_loses_none():
    clean = [line for _, _, line in records("quiet", 1, accounts=400, days=2)]
    dirty = [line for _, _, line in records("quiet", 1, accounts=400, days=2, dirty=True)]
    reasons: Counter[str] = Counter()
    readable: Counter[str] = Counter()
    at_ms = []
    for line in dirty:
        try:
            readable[decode(line).event_id] += 1
            at_ms.append(json.loads(line)["timestamp"])
        except Refusal as refusal:
            reasons[str(refusal.reason)] += 1

    assert {json.loads(line)["event_id"] for line in clean} <= set(readable)
    assert sum(count == 2 for count in readable.values()) > 0.001 * len(clean)
    assert len(reasons) >= 4
    assert sum(later < earlier - 60_000 for earlier, later in pairwise(at_ms)) > 20


def test_a_pace_gives_each_record_when_it_is_due(monkeypatch):
    now_s = [100.0]
    monkeypatch.setattr(simulate.time, "monotonic", lambda: now_s[0])
    monkeypatch.setattr(simulate.time, "sleep", lambda seconds: now_s.__setitem__(0, now_s[0] + seconds))
    log = iter([Block([0, 500, 4_000], [1, 2, 3], [b"a\n", b"b\n", b"c\n"]), Block([9_000], [1], [b"d\n"])])

    given = [(now_s[0] - 100, block.lines) for block in simulate._paced(log, 0, 2.0)]

    lines = {line: at for at, block in given for line in block}
    assert list(lines) == [b"a\n", b"b\n", b"c\n", b"d\n"]
    for line, due_s in ((b"a\n", 0.0), (b"b\n", 0.25), (b"c\n", 2.0), (b"d\n", 4.5)):
        assert due_s <= lines[line] <= due_s + 0.05


def test_memory_does_not_grow_with_the_length_of_the_log():
    """The peak over two days and over eight: what is held is an hour of traffic."""
    peaks = []
    for days in (2, 8):
        code = (
            "import resource; from stream.simulate.labelled import records\n"
            f"for _ in records('quiet', 1, accounts=2500, days={days}): pass\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        peaks.append(int(done.stdout))

    assert peaks[1] < 1.25 * peaks[0]
