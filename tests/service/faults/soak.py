"""Hours of steady traffic through every stage: does anything grow that should not, and does anything fall behind?

`python -m tests.service.faults.soak --hours 1 --pace 20` is `make soak`; a short form runs with the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from stream.configuration.sections import Kafka
from stream.kafka import broker, topics
from tests.pace import PATIENCE_S
from tests.service.broker import a_broker
from tests.service.faults.drill import STAGES, Load
from tests.service.processes import Stage, configuration
from tests.service.rig import kafka_for
from tests.service.traffic import MARCH_2_MS, Fleet, Traffic, simulated

SOURCES = 2
WARM_UP = 0.5  # of the run: caches fill, and Python's allocator takes what it needs
SAMPLES = 60
COUNTED = {
    "memory, MB": "process_resident_memory_bytes",
    "held, MB": "swerve_state_held_bytes",
    "descriptors": "process_open_fds",
    "tasks": "swerve_tasks",
    "lag, messages": "swerve_lag_messages",
}


@dataclass
class Course:
    """What was seen of one stage: at_s since the load began, and each figure of `COUNTED` at that time."""

    at_s: list[float] = field(default_factory=list)
    seen: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COUNTED})

    def take(self, stage: Stage, at_s: float) -> None:
        """One sample."""
        self.at_s.append(at_s)
        for name, metric in COUNTED.items():
            self.seen[name].append(stage.metric(metric) / (1e6 if name.endswith("MB") else 1))

    def warm(self, name: str) -> np.ndarray:
        """What was seen after the warm-up."""
        at = np.array(self.at_s)
        return np.array(self.seen[name])[at >= WARM_UP * at[-1]]

    def slope(self, figures: Sequence[float]) -> float:
        """By how much figures of after the warm-up rise in an hour of the run."""
        at = np.array(self.at_s)
        return float(np.polyfit(at[at >= WARM_UP * at[-1]] / 3600, figures, 1)[0])

    def beside_the_state(self) -> float:
        """MB an hour by which memory grows that is not what the state says it holds: that grows with the fleet."""
        return self.slope(self.warm("memory, MB") - self.warm("held, MB"))


def soak(
    bootstrap: str, unique: str, folder: Path, seconds: float, pace: float, say: Callable[[str], None]
) -> dict[str, Course]:
    """By stage what was seen while so many seconds of load went through, at so many times real time."""
    kafka = kafka_for(bootstrap, unique, snapshot_ms=10_000, flush_ms=500)
    until_ms = MARCH_2_MS + int(1000 * seconds * pace)
    traffic = simulated(folder, SOURCES, Fleet("quiet", 300, max(1.0, seconds * pace / 86_400), until_ms))
    config = configuration(folder, kafka)
    asyncio.run(topics.create(kafka, SOURCES))
    stages = [Stage(name, config, folder) for name in STAGES]
    courses = {name: Course() for name in STAGES}
    try:
        for stage in stages:
            stage.until_ready()
        load = Load(kafka, traffic, seconds)
        load.allowed = float("inf")
        load.start()
        begun = time.monotonic()
        while load.is_alive():
            time.sleep(seconds / SAMPLES)
            for stage in stages:
                courses[stage.stage].take(stage, time.monotonic() - begun)
        assert load.failure is None, load.failure
        say(f"{load.sent:,} records in {time.monotonic() - begun:.0f} s")
        say(table(courses))
        drained(kafka, stages, traffic)
    finally:
        for stage in stages:
            assert stage.end() == 0, stage.told()
    return courses


def drained(kafka: Kafka, stages: Sequence[Stage], traffic: Traffic) -> None:
    """Until nobody has anything left to read: nothing of the load was held back."""
    sent = sum(map(len, traffic.sources))
    end = time.monotonic() + PATIENCE_S
    while sum(stage.metric("swerve_lag_messages") for stage in stages):
        assert time.monotonic() < end, "\n".join(stage.told() for stage in stages)
        time.sleep(0.5)
    read = asyncio.run(broker.ends(kafka, kafka.topics.requests))
    assert sum(read.values()) == sent, (read, sent)


def table(courses: dict[str, Course]) -> str:
    """What was seen, as Markdown."""
    lines = ["| stage | " + " | ".join(f"{name}: least, most" for name in COUNTED) + " | MB an hour beside the state |"]
    lines.append("| --- " * (len(COUNTED) + 2) + "|")
    for stage, course in courses.items():
        spans = [f"{course.warm(name).min():,.0f}, {course.warm(name).max():,.0f}" for name in COUNTED]
        lines.append(f"| {stage} | {' | '.join(spans)} | {course.beside_the_state():+.1f} |")
    return "\n".join(lines)


def main() -> None:
    """`make soak`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0, help="of load")
    parser.add_argument("--pace", type=float, default=20.0, help="times real time")
    asked = parser.parse_args()
    with a_broker() as bootstrap, tempfile.TemporaryDirectory() as folder:
        print(f"After the first half, of {asked.hours:g} h at {asked.pace:g} times real time:")
        soak(bootstrap, f"soak{int(time.time())}", Path(folder), 3600 * asked.hours, asked.pace, print)


if __name__ == "__main__":
    main()
