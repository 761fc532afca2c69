"""What do the stages cost as real processes on a real Kafka, client and all? CPU and memory for a backlog of requests.

`python -m benchmarks.cost.sizing_kafka`: sends the records of `sizing` to the broker, then lets one worker of ingest,
one of detect and one of correlate work it off, and reads each one's own `process_cpu_seconds_total` and resident
memory. A second detect joins then: how long do partitions stand still? Needs what the Kafka tests need.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # the broker and the processes are those of the tests

from benchmarks.cost import sizing_record
from benchmarks.cost.sizing import records as synthetic
from tests.service.broker import NoBrokerError, a_broker
from tests.service.processes import Stage, configuration, swerve
from tests.service.rig import kafka_for, produce

PARTITIONS = 4
WAIT_S = 600.0
HOURS = 20
STAGES = ("ingest", "detect", "correlate")
CPU = "process_cpu_seconds_total"


def spent(stage: Stage, records: int) -> float:
    """CPU seconds a record from its first to its last, without what starting up took."""
    begun_s = stage.metric(CPU)
    if stage.stage == "correlate":
        until_judged(stage)
    else:
        until_taken(stage, records)
    return (stage.metric(CPU) - begun_s) / records


def until_taken(stage: Stage, records: int) -> None:
    """Until it has accepted them and takes no more. Raises TimeoutError where it does not."""
    end = time.monotonic() + WAIT_S
    done = 0.0
    while (now := stage.metric("swerve_records_accepted_total")) < 0.99 * records or now != done:
        if time.monotonic() > end:
            raise TimeoutError(f"{stage.stage} took {now:,.0f} of {records:,} records\n{stage.told()}")
        done = now
        time.sleep(0.5)


def until_judged(correlate: Stage) -> None:
    """Until it judges nothing any more. Raises TimeoutError where it does not end."""
    end = time.monotonic() + WAIT_S
    before = -1.0
    while (now := correlate.metric("swerve_ticks_closed_total")) != before or not now:
        if time.monotonic() > end:
            raise TimeoutError(f"correlate judged {now:,.0f} ticks\n{correlate.told()}")
        before = now
        time.sleep(3.0)


def worked_off(config: Path, folder: Path, records: int) -> dict[str, float]:
    """CPU seconds a record of each stage, each alone, in the order of a record's way."""
    found = {}
    for name in STAGES:
        stage = Stage(name, config, folder)
        try:
            stage.address()
            found[name] = spent(stage, records)
        finally:
            stage.end()
    return found


def joined_s(first: Stage, second: Stage) -> float:
    """Seconds from losing partitions to holding those that remain or are new, as each worker tells; the longer."""
    second.until_ready()
    end = time.monotonic() + WAIT_S
    while first.metric("swerve_partitions_assigned") == PARTITIONS:
        if time.monotonic() > end:
            raise TimeoutError(f"no partition moved\n{first.told()}")
        time.sleep(0.2)
    first.until_ready()
    return max(stage.said("rebalanced")[-1]["seconds"] for stage in (first, second))


def memory_mb(stage: Stage) -> float:
    """Resident, now."""
    return stage.metric("process_resident_memory_bytes") / 1e6


def measure(bootstrap: str, folder: Path, accounts: int) -> dict[str, float]:
    """CPU seconds a record and MB, by stage, and seconds of a rebalance."""
    kafka = kafka_for(bootstrap, f"sizing{os.getpid()}", partitions=PARTITIONS, flush_ms=1_000, snapshot_ms=60_000)
    config = configuration(folder, kafka)
    swerve("topics", "create", "--partitions", str(PARTITIONS), "--config", str(config))
    # Dense enough: in a thin log the closing of ticks, which no traffic makes dearer, would be most of the cost.
    lines = [line for batch in synthetic(accounts, HOURS) for line in batch]
    asyncio.run(produce(kafka, kafka.topics.requests, [(n % PARTITIONS, line) for n, line in enumerate(lines)]))
    records = len(lines)
    found: dict[str, float] = {"records": records, "accounts": accounts}
    stages: dict[str, Stage] = {}
    try:
        for name in STAGES:
            stages[name] = Stage(name, config, folder)
            stages[name].address()
            found[f"{name}_start_mb"] = memory_mb(stages[name])
            found[f"{name}_s"] = spent(stages[name], records)
            found[f"{name}_mb"] = memory_mb(stages[name])
        stages["second"] = Stage("detect", config, folder)
        found["rebalance_s"] = joined_s(stages["detect"], stages["second"])
    finally:
        for stage in stages.values():
            stage.end()
    return found


def main() -> None:
    """Start a broker, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=10_000, help="each sends about once an hour (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="for docs/operating.md; see `make sizing`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            with a_broker() as bootstrap:
                found = measure(bootstrap, Path(folder), given.accounts)
        except NoBrokerError as error:
            sys.exit(f"sizing: {error}")
    if given.keep:
        sizing_record.keep("sizing_kafka", f"python -m benchmarks.cost.sizing_kafka --accounts {given.accounts}", found)
    for name, figure in found.items():
        print(f"{name:20}{figure:.3g}")


if __name__ == "__main__":
    main()
