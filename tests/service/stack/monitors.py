"""Prometheus and Alertmanager as plain processes: started on free ports in a folder of their own, stopped and gone."""

from __future__ import annotations

import contextlib
import json
import math
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.pace import PATIENCE_S
from tests.ports import free_port

MONITORING = Path(__file__).parents[3] / "deploy" / "monitoring"


class NotUpError(Exception):
    """A process did not answer in time; the text is the end of its log."""


class Monitor:
    """One process with an HTTP API; `name` is for people."""

    def __init__(self, name: str, command: Sequence[str], port: int, folder: Path) -> None:
        self.name, self.port = name, port
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON of one page."""
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        with urllib.request.urlopen(f"{self.address}{path}{query}", timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL after ten seconds."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.address}/-/ready", timeout=2):
                return
            time.sleep(0.1)
        raise NotUpError(f"{self.name} did not get ready: {self.log.read_text(errors='replace')[-2000:]}")


class Prometheus(Monitor):
    """A Prometheus with our rules and alerts that scrapes `targets` (host:port) every `scrape_s` seconds."""

    def __init__(
        self, program: str, folder: Path, targets: Sequence[str], alertmanagers: Sequence[str] = (), scrape_s: int = 1
    ) -> None:
        port = free_port()
        config = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())
        config["global"] = {"scrape_interval": f"{scrape_s}s", "evaluation_interval": f"{scrape_s}s"}
        config["rule_files"] = [str(MONITORING / pattern) for pattern in config["rule_files"]]
        config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]}
        config["scrape_configs"] = [{"job_name": "swerve", "static_configs": [{"targets": list(targets)}]}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        command = [
            program, f"--config.file={folder / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage", "--log.level=warn",
        ]  # fmt: skip
        super().__init__("prometheus", command, port, folder)

    def query(self, promql: str) -> list[dict[str, Any]]:
        """Series of an instant query that have a number now. Raises HTTPError on a query that is wrong."""
        answer = self.get("/api/v1/query", query=promql)
        return [one for one in answer["data"]["result"] if not math.isnan(float(one["value"][1]))]

    def exemplars(self, promql: str) -> list[dict[str, str]]:
        """Labels of the exemplars of the last hour."""
        now = time.time()
        answer = self.get("/api/v1/query_exemplars", query=promql, start=str(now - 3600), end=str(now))
        return [one["labels"] for series in answer["data"] for one in series["exemplars"]]

    def firing(self) -> list[str]:
        """Names of our own alerts that fire."""
        rules = self.get("/api/v1/alerts")["data"]["alerts"]
        return sorted({one["labels"]["alertname"] for one in rules if one["state"] == "firing"})

    def targets_up(self) -> bool:
        """Whether every target was scraped without an error."""
        active = self.get("/api/v1/targets")["data"]["activeTargets"]
        return bool(active) and all(one["health"] == "up" for one in active)


class Alertmanager(Monitor):
    """An Alertmanager alone, with our routes; nobody is told."""

    def __init__(self, program: str, folder: Path) -> None:
        port = free_port()
        command = [
            program, f"--config.file={MONITORING / 'alertmanager.yaml'}", f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=warn",
        ]  # fmt: skip
        super().__init__("alertmanager", command, port, folder)

    def alerts(self) -> list[dict[str, Any]]:
        """What is active now."""
        return self.get("/api/v2/alerts")


@contextlib.contextmanager
def stopping(*monitors: Monitor) -> Iterator[None]:
    """Stop them at the end, the last first."""
    try:
        yield
    finally:
        for monitor in reversed(monitors):
            monitor.stop()
