"""What do the stages cost as real processes on a real Kafka, client and all? CPU seconds for a backlog of requests.

`python -m benchmarks.sizing_kafka`: sends a simulated log to the broker, then lets one worker of ingest and one of
detect work it off, and reads each one's own `process_cpu_seconds_total`. Needs what the Kafka tests need.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the broker and the processes are those of the tests

from tests.service.broker import NoBrokerError, a_broker
from tests.service.processes import Stage, configuration, swerve
from tests.service.rig import kafka_for

PARTITIONS = 4
WAIT_S = 300.0


def spent(stage: Stage, records: int) -> float:
    """CPU seconds a record from its first to its last, without what starting up took."""
    begun_s = stage.metric("process_cpu_seconds_total")
    end = time.monotonic() + WAIT_S
    done = 0.0
    while time.monotonic() < end:
        now = stage.metric("swerve_records_accepted_total")
        if now >= 0.99 * records and now == done:
            return (stage.metric("process_cpu_seconds_total") - begun_s) / now
        done = now
        time.sleep(0.5)
    raise TimeoutError(f"{stage.stage} took {done:,.0f} of {records:,} records\n{stage.told()}")


def measure(bootstrap: str, folder: Path, accounts: int) -> dict[str, float]:
    """CPU seconds a record, by stage."""
    kafka = kafka_for(bootstrap, f"sizing{os.getpid()}", partitions=PARTITIONS, flush_ms=1_000, snapshot_ms=60_000)
    config = configuration(folder, kafka)
    swerve("topics", "create", "--partitions", str(PARTITIONS), "--config", str(config))
    log = folder / "log.ndjson"
    arguments = ("simulate", "--accounts", str(accounts), "--days", "6", "--config", str(config))
    swerve(*arguments, "--output", str(log))
    swerve(*arguments, "--kafka")
    records = log.read_bytes().count(b"\n")
    found = {}
    stages = []
    try:
        for name in ("ingest", "detect"):
            stage = Stage(name, config, folder)
            stages.append(stage)
            stage.address()
            found[name] = spent(stage, records)
            print(f"{name}: {1 / found[name]:,.0f} records a second and core, of {records:,}")
    finally:
        for stage in stages:
            stage.end()
    return found


def main() -> None:
    """Start a broker, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=2_000, help="of the simulated fleet (%(default)s)")
    accounts = parser.parse_args().accounts
    with tempfile.TemporaryDirectory() as folder:
        try:
            with a_broker() as bootstrap:
                measure(bootstrap, Path(folder), accounts)
        except NoBrokerError as error:
            sys.exit(f"sizing: {error}")


if __name__ == "__main__":
    main()
