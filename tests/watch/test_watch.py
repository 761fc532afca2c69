"""`swerve watch`: told is what is new, once; what was in the log before only where it still matters."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from stream.commands.begin.watch import Watch
from stream.configuration.settings import Settings
from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.pipeline.announced import Catalogue
from stream.sources.growing import Growing
from tests.pace import PATIENCE_S

T0 = 1_772_409_600_000
SWERVE = [sys.executable, "-m", "stream"]


def line(number: int) -> bytes:
    """One request a second."""
    given = {"event_id": f"e{number}", "timestamp": T0 + 1000 * number, "account_id": "a", "model": "m"}
    return json.dumps(given).encode() + b"\n"


def alert(alert_id: str, **other: object) -> Alert:
    given: dict[str, object] = {
        "alert_id": alert_id, "status": "firing", "severity": "critical", "kind": "coordinated_shift",
        "subject": AlertSubject("cluster", "n"), "target": AlertTarget("model", "m"),
        "targets": (AlertTarget("model", "m"),), "started_at": T0, "detected_at": T0, "updated_at": T0,
        "accounts": (), "accounts_total": 0, "evidence": {"n": 1}, "summary": "s",
    }  # fmt: skip
    return Alert(**(given | other))


def over(alert_id: str) -> Alert:
    return alert(alert_id, status="resolved", resolved_at=T0 + 1, resolved_reason="ended", updated_at=T0 + 1)


@pytest.fixture
def watching(tmp_path: Path):
    """A watch over a log of 100 records with a file as its sink; and what the sink was told by now."""

    def begin(state: Path | None = None) -> Watch:
        log = tmp_path / "log"
        if not log.exists():
            log.write_bytes(b"".join(line(number) for number in range(100)))
        sink = {"kind": "file", "path": tmp_path / "alerts"}
        return Watch(Settings.model_validate({"sinks": [sink]}), Catalogue(), Growing(str(log)), state)

    return begin


async def delivered(watch: Watch, tmp_path: Path) -> list[tuple[str, str]]:
    watch.deliveries.start()
    await watch.deliveries.close(5.0)
    path = tmp_path / "alerts"
    rows = [json.loads(row) for row in path.read_bytes().splitlines()] if path.exists() else []
    return [(row["alert_id"], row["status"]) for row in rows]


async def test_what_the_log_held_before_is_told_only_where_it_still_fires(watching, tmp_path):
    watch = watching()
    watch.tell([alert("gone"), alert("still")])
    watch.tell([over("gone")])
    assert watch.why_not() == "reads what is in the log already: 0% of it"
    assert watch.step() == []
    watch.tell([])
    assert watch.why_not() is None
    watch.tell([alert("new")])
    assert await delivered(watch, tmp_path) == [("still", "firing"), ("new", "firing")]


async def test_a_restart_with_a_state_folder_tells_nothing_twice_but_what_ended_meanwhile(watching, tmp_path):
    first = watching(tmp_path)
    first.step()
    first.tell([])
    first.tell([alert("a"), alert("b")])
    assert await delivered(first, tmp_path) == [("a", "firing"), ("b", "firing")]
    (tmp_path / "alerts").unlink()
    second = watching(tmp_path)
    second.tell([alert("a"), alert("b"), over("b")])
    second.step()
    second.tell([])
    assert await delivered(second, tmp_path) == [("b", "resolved")]


def test_silence_lets_the_last_records_be_judged(watching):
    watch = watching()
    watch.idle_s = 0.0
    watch.step()
    counted_before = watch.embedded.shards.position("watched log")
    watch.step()
    assert counted_before is not None
    assert watch.embedded.shards.position("watched log") == 99 > counted_before


def test_standard_input_to_its_end_prints_a_closing_line_and_ends_well():
    done = subprocess.run(
        [*SWERVE, "watch", "-", "--port", "0"],
        input=b"".join(line(number) for number in range(50)) + b"{\n" + line(51).rstrip(b"\n"),
        capture_output=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr.splitlines()[-1] == b"52 records read, 1 not counted; 0 critical, 0 warning, 0 info"


def test_a_growing_file_is_followed_and_served_until_sigterm(tmp_path):
    log = tmp_path / "log"
    log.write_bytes(b"".join(line(number) for number in range(3000)))
    with subprocess.Popen(
        [*SWERVE, "watch", str(log), "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        address = address_of(running.stderr)
        until(lambda: got(f"{address}/readyz") == "ready\n")
        with open(log, "ab") as file:
            file.write(b"".join(line(number) for number in range(3000, 6000)))
        accepted = 'swerve_records_accepted_total{stage="ingest"} 6000'
        until(lambda: accepted in got(f"{address}/metrics"))
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert "6,000 records read, 0 not counted" in running.stderr.read()


def test_standard_input_that_says_nothing_does_not_keep_it_from_ending_at_sigterm():
    with subprocess.Popen(
        [*SWERVE, "watch", "-", "--port", "0"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr is not None
        address_of(running.stderr)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0


def address_of(lines) -> str:
    for text in lines:
        if '"serving"' in text:
            return str(json.loads(text)["address"])
    raise AssertionError("it never said where it serves")


def got(address: str) -> str:
    try:
        return urllib.request.urlopen(address, timeout=PATIENCE_S).read().decode()
    except OSError as error:
        return str(error)


def until(holds, seconds: float = PATIENCE_S) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
