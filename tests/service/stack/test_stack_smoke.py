"""`make stack` comes up with everything real, and one Ctrl-C stops all of it. The rest is check_stack.py's."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.pace import PATIENCE_S
from tests.service.stack import __main__ as stack

pytestmark = [
    pytest.mark.service("kafka"), pytest.mark.service("prometheus"), pytest.mark.service("alertmanager"),
    pytest.mark.slow,
]  # fmt: skip
ADDRESS = re.compile(r"^  (\w+) +(http://[\d.:]+)$")


class Terminal:
    """`make stack` as a person starts it: in a group of its own, its output read line by line."""

    def __init__(self, bootstrap: str) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.service.stack", "--accounts", "300"],
            cwd=Path(__file__).parents[3], env=os.environ | {"KAFKA_BOOTSTRAP": bootstrap, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        self.reading = threading.Thread(target=self._read, daemon=True)
        self.reading.start()

    def _read(self) -> None:
        self.lines.extend(line.rstrip("\n") for line in self.process.stdout)

    def until(self, ask: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        end = time.monotonic() + seconds
        while not ask():
            assert time.monotonic() < end, "\n".join(self.lines)
            assert self.process.poll() is None, "\n".join(self.lines)
            time.sleep(0.2)

    @property
    def addresses(self) -> list[tuple[str, str]]:
        return [match.groups() for match in map(ADDRESS.match, self.lines) if match]

    def ctrl_c(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        code = self.process.wait(PATIENCE_S)
        self.reading.join(PATIENCE_S)  # its last line may be read a moment after its end
        return code

    def kill(self) -> None:
        """Ctrl-C until it has ended: what a failed test leaves running would slow down all that follow."""
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None and time.monotonic() < end:
            os.killpg(self.process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2.0)


@pytest.fixture
def terminal(bootstrap, program) -> Iterator[Terminal]:
    program("prometheus", of="prometheus")
    program("prometheus-alertmanager", "alertmanager", of="alertmanager")
    one = Terminal(bootstrap)
    yield one
    one.kill()


def listens(address: str) -> bool:
    parts = urlsplit(address)
    with socket.socket() as probe:
        return probe.connect_ex((parts.hostname, parts.port)) == 0


def scraped(prometheus: str) -> bool:
    with urllib.request.urlopen(
        f"{prometheus}/api/v1/query?query=sum(swerve_records_accepted_total)", timeout=PATIENCE_S
    ) as got:
        result = json.load(got)["data"]["result"]
    return bool(result) and float(result[0]["value"][1]) > 0


def test_make_stack_brings_everything_up_counts_requests_and_stops_at_one_ctrl_c(terminal: Terminal):
    terminal.until(lambda: any(line.startswith("up; ") for line in terminal.lines))
    names = [name for name, _ in terminal.addresses]
    assert {"ingest", "detect", "correlate", "prometheus", "alertmanager"} <= set(names)
    assert names.count("correlate") == 2

    terminal.until(lambda: scraped(dict(terminal.addresses)["prometheus"]))
    code = terminal.ctrl_c()

    assert code == 0, "\n".join(terminal.lines)
    assert terminal.lines[-1] == "stopped"
    assert [address for _, address in terminal.addresses if listens(address)] == []


def test_a_second_ctrl_c_ends_a_stack_that_does_not_stop(monkeypatch):
    sleeps = "import signal, time; signal.signal(2, signal.SIG_IGN); print(flush=True); time.sleep(900)"
    waited: list[float | None] = []

    class Stuck(subprocess.Popen):
        def __init__(self, *_: object, **more: object) -> None:
            super().__init__([sys.executable, "-c", sleeps], stdout=subprocess.PIPE, **more)
            self.stdout.readline()  # from here on it ignores Ctrl-C

        def wait(self, timeout: float | None = None) -> int:
            waited.append(timeout)
            if len(waited) < 3:
                raise KeyboardInterrupt
            return super().wait(timeout)

    monkeypatch.setattr(stack.subprocess, "Popen", Stuck)
    monkeypatch.setattr(stack.signal, "signal", lambda *_: None)  # what this process does at SIGTERM stays
    assert stack.shielded([]) == -signal.SIGKILL
