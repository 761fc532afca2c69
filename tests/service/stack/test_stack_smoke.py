"""`make stack` comes up with everything real, and one Ctrl-C stops all of it. The rest is check_stack.py's."""

from __future__ import annotations

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
        threading.Thread(target=self._read, daemon=True).start()

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
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def terminal(bootstrap, program) -> Iterator[Terminal]:
    program("prometheus", of="prometheus")
    program("prometheus-alertmanager", "alertmanager", of="alertmanager")
    one = Terminal(bootstrap)
    yield one
    if one.process.poll() is None:
        one.ctrl_c()


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
