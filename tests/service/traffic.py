"""A simulated log with everything that real ones have: two releases, campaigns, repeats, late and malformed records."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.service.poison import SORTS
from tests.service.processes import swerve


@dataclass(frozen=True)
class Fleet:
    """What is simulated, up to a time: a scenario with so many honest accounts, as long as its story needs."""

    scenario: str
    accounts: int
    days: float
    until_ms: int
    seed: int = 1


HOUR_MS = 3_600_000
MARCH_2_MS = 1_772_409_600_000
MARCH_7_MS = 1_772_841_600_000
# Two campaigns of capabilities: by then one alert has fired and ended, and another has grown twice.
SURGE = Fleet("surge", 200, 6.0, MARCH_7_MS + 14 * HOUR_MS)
# Two releases and three campaigns: by then three alerts have fired, of releases and of capabilities; one has ended.
MIXED = Fleet("mixed", 200, 7.0, MARCH_7_MS + 31 * HOUR_MS)
# The same with more accounts, and some hours more: for drills of minutes.
MIXED_LONG = Fleet("mixed", 250, 9.0, MARCH_7_MS + 36 * HOUR_MS)
# A release and a campaign that is paged once, an hour before midnight; by then its page has been told again.
PAGED = Fleet("pivot", 600, 5.5, MARCH_7_MS + 4 * HOUR_MS, seed=3)


@dataclass(frozen=True)
class Traffic:
    """Records by source, in the order of each. end_ms: the end of what may be compared; records beyond close it."""

    sources: list[list[bytes]]
    releases: Path
    end_ms: int

    def write(self, folder: Path, names: Iterable[str]) -> list[Path]:
        """One file a source."""
        paths = []
        for name, records in zip(names, self.sources, strict=True):
            path = folder / name
            path.write_bytes(b"".join(record + b"\n" for record in records))
            paths.append(path)
        return paths


def spoiled(lines: list[bytes], draw: random.Random) -> list[bytes]:
    """0.3 % come twice, 0.5 % come two hours late, 0.05 % cannot be read, in the fifty sorts in turn."""
    records: list[bytes] = []
    again: list[tuple[int, bytes]] = []
    poison = itertools.cycle(SORTS.values())
    for index, line in enumerate(lines):
        records.append(line)
        if draw.random() < 0.003:
            again.append((index + draw.randrange(1, 40), line))
        while again and again[0][0] <= index:
            records.append(again.pop(0)[1])
        if index > 100 and draw.random() < 0.005:  # before, no clock is there to be late by
            late = json.loads(line)
            late |= {"event_id": late["event_id"] + "-late", "timestamp": late["timestamp"] - 7_200_000}
            records.append(json.dumps(late).encode())
        if draw.random() < 0.0005:
            records.append(next(poison))
    return records


def closing(start_ms: int, source: int) -> list[bytes]:
    """Records far enough past the end that every tick before it closes."""
    one = {"account_id": "closing", "model": "m"}
    return [
        json.dumps(one | {"event_id": f"closing-{source}-{n}", "timestamp": start_ms + n}).encode() for n in range(40)
    ]


def simulated(folder: Path, sources: int, fleet: Fleet) -> Traffic:
    """Records spread over the sources whatever their account is."""
    log, releases, truth = folder / "log.ndjson", folder / "releases.json", folder / "truth.json"
    swerve(
        "simulate", "--scenario", fleet.scenario, "--seed", str(fleet.seed),
        "--accounts", str(fleet.accounts), "--days", str(fleet.days),
        "--output", str(log), "--releases", str(releases), "--truth", str(truth),
    )  # fmt: skip
    draw = random.Random(7)
    lines: list[list[bytes]] = [[] for _ in range(sources)]
    last_ms = 0
    for line in log.read_bytes().splitlines():
        at_ms = json.loads(line)["timestamp"]
        if at_ms >= fleet.until_ms:
            break  # a log is in the order of time
        last_ms = max(last_ms, at_ms)
        lines[draw.randrange(sources)].append(line)
    end_ms = last_ms // HOUR_MS * HOUR_MS
    return Traffic(
        [spoiled(part, draw) + closing(end_ms + 3 * HOUR_MS, n) for n, part in enumerate(lines)], releases, end_ms
    )
