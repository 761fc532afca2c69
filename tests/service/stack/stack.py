"""The whole topology as plain processes: Kafka, every stage, Prometheus, Alertmanager, a simulated fleet as load."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream.configuration.sections import Kafka
from stream.kafka import broker
from tests.pace import PATIENCE_S
from tests.service.processes import SWERVE, Stage, configuration, swerve
from tests.service.rig import kafka_for
from tests.service.stack.monitors import Alertmanager, Monitor, Prometheus

WORKERS = {"ingest": 1, "detect": 2, "correlate": 2}  # of the correlates one stands by
SOURCES, PARTITIONS = 4, 4
MORE = """
[ticks]
idle_s = 5.0

[[sinks]]
kind = "alertmanager"
urls = ["{alertmanager}"]
severity_min = "info"
resend_s = 5.0

[[sinks]]
kind = "file"
path = "{alerts}"
"""


@dataclass(frozen=True)
class Load:
    """What the simulated fleet does. pace: times real time; its last record is of about the time when it is sent."""

    scenario: str = "pivot"
    accounts: int = 1_200
    days: float = 7.0
    pace: float = 3_000.0


@dataclass
class Stack:
    """Everything that runs. `folder` holds configuration, logs and the truth of the simulation."""

    folder: Path
    kafka: Kafka
    config: Path
    alertmanager: Alertmanager
    stages: list[Stage] = field(default_factory=list)
    prometheus: Prometheus | None = None
    load: subprocess.Popen[bytes] | None = None

    def start_stages(self) -> None:
        """Create the topics, start every worker, and wait until each is ready: a standby is, too."""
        swerve("topics", "create", "--partitions", str(SOURCES), "--config", str(self.config))
        for stage, workers in WORKERS.items():
            self.stages += [Stage(stage, self.config, self.folder) for _ in range(workers)]
        for one in self.stages:
            one.until_ready()

    def start_load(self, load: Load) -> None:
        """The simulated fleet begins to send; its truth is in truth.json."""
        arguments = [
            "simulate", "--scenario", load.scenario, "--accounts", str(load.accounts), "--days", str(load.days),
            "--start", f"-{int(load.days * 24 * 60)}m", "--kafka", "--dirty", "--pace", str(load.pace),
            "--truth", str(self.folder / "truth.json"),
            "--config", str(self.config),
        ]  # fmt: skip
        with (self.folder / "load.log").open("wb") as out:
            self.load = subprocess.Popen([*SWERVE, *arguments], stdout=out, stderr=out)

    def start_prometheus(self, program: str) -> None:
        """Scrape every worker, and send alerts about Swerve to Alertmanager."""
        targets = [stage.address().removeprefix("http://") for stage in self.stages]
        peers = [self.alertmanager.address.removeprefix("http://")]
        self.prometheus = Prometheus(program, self.folder, targets, peers)

    def active_correlates(self) -> float:
        """How many judge."""
        return sum(one.metric("swerve_correlate_active") for one in self.stages if one.stage == "correlate")

    def found(self) -> list[dict[str, Any]]:
        """Alerts of severity critical that Swerve told Alertmanager and that are active there."""
        return [
            one for one in self.alertmanager.alerts()
            if one["labels"].get("service") == "swerve" and one["labels"].get("alert_id")
            and one["labels"]["severity"] == "critical"
        ]  # fmt: skip

    def records(self) -> list[dict[str, Any]]:
        """Everything on the alerts topic."""

        async def read() -> list[dict[str, Any]]:
            topic = self.kafka.topics.alerts
            return [json.loads(one.value) async for one in broker.read_to_end(self.kafka, topic) if one.value]

        return asyncio.run(read())

    def caught(self) -> float:
        """Share of the planted campaign's accounts that some critical alert names."""
        campaigns = json.loads((self.folder / "truth.json").read_bytes())["campaigns"]
        planted = {account for one in campaigns for account in one["accounts"]}
        named = {account for one in self.records() if one["severity"] == "critical" for account in one["accounts"]}
        return len(planted & named) / len(planted)

    def told(self) -> str:
        """The ends of all logs, for the message of a failed test."""
        return "\n\n".join(one.told() for one in self.stages)

    def stop(self) -> list[int]:
        """The load first, then stages in the order of the records, then what watches them; exit codes of the stages."""
        if self.load is not None:
            self.load.kill()
            self.load.wait()
        codes = [one.end() for one in self.stages]
        for monitor in (self.prometheus, self.alertmanager):
            if monitor is not None:
                monitor.stop()
        return codes


def until(ask: Callable[[], bool], what: str, told: Callable[[], str], seconds: float = PATIENCE_S) -> None:
    """Wait until it is so, or fail and say what the processes said."""
    end = time.monotonic() + seconds
    while not ask():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}\n{told()}"
        time.sleep(0.5)


@contextlib.contextmanager
def a_stack(folder: Path, bootstrap: str, unique: str, prometheus: str, alertmanager: str) -> Iterator[Stack]:
    """All of it up, without load; stopped at the end whatever happened."""
    kafka = kafka_for(bootstrap, unique, partitions=PARTITIONS, flush_ms=500, snapshot_ms=3_000)
    receiver = Alertmanager(alertmanager, folder)
    more = MORE.format(alertmanager=receiver.address, alerts=folder / "alerts.ndjson")
    stack = Stack(folder, kafka, configuration(folder, kafka, more), receiver)
    try:
        stack.start_stages()
        stack.start_prometheus(prometheus)
        yield stack
    finally:
        stack.stop()


def addresses(stack: Stack) -> list[tuple[str, str]]:
    """What a person can open."""
    monitors: list[Monitor] = [one for one in (stack.prometheus, stack.alertmanager) if one is not None]
    return [(one.stage, one.address()) for one in stack.stages] + [(one.name, one.address) for one in monitors]
