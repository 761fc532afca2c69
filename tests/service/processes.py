"""The stages as the operating system sees them: real processes of the `swerve` command, started, stopped and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from stream.configuration.sections import Kafka
from tests.pace import PATIENCE_S

SWERVE = (sys.executable, "-c", "from stream.cli import main; main()")


def configuration(folder: Path, kafka: Kafka, more: str = "") -> Path:
    """A configuration file with everything that differs from the defaults; `more` is TOML."""
    lines = ["[kafka]"]
    values = kafka.model_dump(exclude_unset=True, exclude={"topics", "groups"}, mode="json")
    lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    for section in ("topics", "groups"):
        lines.append(f"[kafka.{section}]")
        lines += [f'{key} = "{value}"' for key, value in getattr(kafka, section).model_dump().items()]
    path = folder / "swerve.toml"
    path.write_text("\n".join(lines) + "\n" + more)
    return path


def swerve(*arguments: str, **more) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; fails with what it said where it failed."""
    done = subprocess.run([*SWERVE, *arguments], capture_output=True, text=True, **more)
    assert done.returncode == 0, f"swerve {' '.join(arguments)}: exit {done.returncode}\n{done.stderr[-3000:]}"
    return done


class Stage:
    """One worker of one stage, with its log in a file."""

    number = 0
    started: ClassVar[list[Stage]] = []

    def __init__(
        self, stage: str, config: Path, folder: Path, program: Sequence[str] = SWERVE, **variables: str
    ) -> None:
        """program: in place of `swerve`. variables: of the environment, beside ours."""
        Stage.number += 1
        Stage.started.append(self)
        self.stage = stage
        self._begun_s = time.monotonic()
        self._ready_after_s = 0.0
        self.log = folder / f"{stage}-{Stage.number}.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*program, stage, "--config", str(config), "--port", "0"],
                stdout=out, stderr=out, env=os.environ | {"PYTHONUNBUFFERED": "1"} | variables,
            )  # fmt: skip

    def said(self, event: str) -> list[dict]:
        """Log lines of one event; one that is just being written is none yet."""
        *whole, _ = self.log.read_text(errors="replace").split("\n")
        return [json.loads(line) for line in whole if f'"{event}"' in line]

    def address(self) -> str:
        """Where it serves HTTP."""
        end = time.monotonic() + PATIENCE_S
        while not (lines := self.said("serving")):
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < end, self.told()
            time.sleep(0.05)
        return lines[0]["address"]

    def get(self, path: str) -> str:
        """One page of its HTTP server."""
        with urllib.request.urlopen(self.address() + path, timeout=PATIENCE_S) as answer:
            return answer.read().decode()

    def metric(self, name: str) -> float:
        """The sum of all series of one metric; 0 where there is none."""
        lines = [line for line in self.get("/metrics").splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.split("}")[-1].split("#")[0].split()[0 if "}" in line else 1]) for line in lines)

    def within(self, seconds: float) -> float:
        """So many seconds, or ten times what this worker took to get ready: of a busy machine no more can be asked."""
        return max(seconds, 10 * self._ready_after_s)

    def until_ready(self) -> None:
        """Until /readyz says so."""
        end = time.monotonic() + PATIENCE_S
        while True:
            assert self.process.poll() is None, self.told()
            try:
                self.get("/readyz")
            except OSError:
                assert time.monotonic() < end, self.told()
                time.sleep(0.1)
            else:
                self._ready_after_s = self._ready_after_s or time.monotonic() - self._begun_s
                return

    def told(self) -> str:
        """The end of its log, for the message of a failed test."""
        return f"{self.stage} {self.process.pid}: exit {self.process.poll()}\n{self.log.read_text()[-4000:]}"

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def pause(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self.process.send_signal(signal.SIGCONT)

    def end(self, seconds: float = PATIENCE_S) -> int:
        """SIGTERM; the exit code. Killed where it does not end in time."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode
