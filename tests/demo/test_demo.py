"""`swerve demo`, as a newcomer types it: piped, on a terminal, and stopped half-way."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from tests.pace import PATIENCE_S

SWERVE = [sys.executable, "-m", "stream"]
SHORT = ["demo", "--scenario", "quiet", "--accounts", "200", "--days", "1", "--port", "0"]


def test_piped_it_prints_plain_lines_and_the_same_ending():
    done = subprocess.run([*SWERVE, *SHORT], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert re.fullmatch(r"swerve demo: .*; metrics at http://127\.0\.0\.1:\d+/metrics", lines[0])
    assert "Nothing was planted." in lines
    assert [line for line in lines if re.fullmatch(r"no false page; [\d,]+ records of 1 d in \d+ s", line)]
    assert len([line for line in lines if line.startswith("  swerve ")]) == 3
    assert "\x1b" not in done.stdout


def on_a_terminal(words: list[str], stop_at: bytes) -> tuple[int, str]:
    """Run in a pseudo-terminal; gives exit code and all that was drawn. Types Ctrl-C once these words are there."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS="100", LINES="40")
        os.execv(SWERVE[0], [*SWERVE, *words])
    drawn, began, typed = b"", time.monotonic(), False
    while time.monotonic() - began < PATIENCE_S:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                chunk = os.read(terminal, 65_536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            drawn += chunk
        if not typed and stop_at in drawn:
            typed = True
            os.write(terminal, b"\x03")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), drawn.decode(errors="replace")


def test_on_a_terminal_it_draws_live_ends_alike_and_serves_its_console_until_ctrl_c():
    code, drawn = on_a_terminal(SHORT, stop_at=b"(Ctrl-C ends it)")
    assert code == 0
    assert re.search(r"Console: http://127\.0\.0\.1:\d+  \(Ctrl-C ends it\)", drawn)
    assert "by capability" in drawn
    ending = drawn[drawn.rindex("Nothing was planted.") :]
    assert ending.count("  swerve ") == 3


def test_ctrl_c_ends_it_at_once_with_one_line():
    longer = [*SHORT[:4], "1000", "--days", "8", "--port", "0"]
    code, drawn = on_a_terminal(longer, stop_at=b"real pace")
    assert code == 130
    last = drawn[-200:]
    assert last.rstrip().endswith("swerve: stopped")
    assert "Traceback" not in drawn
    assert "\x1b[?25h" in last  # the cursor is back


def test_sigterm_ends_it_well_while_it_plays():
    words = [*SHORT[:4], "1000", "--days", "8", "--port", "0"]
    with subprocess.Popen([*SWERVE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "metrics at" in running.stdout.readline()
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert running.stderr.read() == ""
        assert "Next:" not in running.stdout.read(), "it was stopped, so nothing was compared"


def test_metrics_are_served_meanwhile_and_a_taken_port_is_moved_from():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = [*SHORT[:4], "600", "--days", "8", "--port", str(port)]
        with subprocess.Popen([*SWERVE, *words], stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            moved = running.stdout.readline()
            assert moved.startswith(f"port {port} is taken; serving at http://127.0.0.1:")
            address = moved.split()[-1]
            page = urllib.request.urlopen(f"{address}/metrics", timeout=PATIENCE_S).read().decode()
            running.send_signal(signal.SIGINT)
            assert running.wait(PATIENCE_S) == 130
    assert "# TYPE swerve_records_accepted" in page


@pytest.mark.slow
def test_it_finds_the_planted_campaign_and_says_so():
    words = ["demo", "--accounts", "400", "--days", "5", "--port", "0"]
    done = subprocess.run([*SWERVE, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 0
    assert re.search(r"critical firing +● 03-0\d \d\d:00 .* One operator likely", done.stdout)
    assert re.search(r"│ pivot +│ +300 │ 2026-03-0\d \d\d:\d\d UTC │ +\d+ h", done.stdout)
    assert "no false page" in done.stdout
