"""What does an hour cost in which somebody sends new names without end? Memory and throughput, held against the same
hour without.

`make cardinality` counts and judges, in a process each, two hours of as many records: in the second, half of them are
of the kind that the row names. It may cost 1.5 times the memory, and half of the throughput.
"""

from __future__ import annotations

import json
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import orjson
import typer

from benchmarks.found.case import SOURCE
from detectors.parameters import HOUR_MS
from stream.commands.replay import keep_within
from stream.configuration.settings import Settings
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded

START_MS = 1_772_409_600_000
BATCH = 2_000
HONEST = 2_000  # accounts
MEMORY_MAX, THROUGHPUT_MIN = 1.5, 0.5
Record = dict[str, Any]


def _honest(number: int, chance: random.Random) -> Record:
    account = int(HONEST * chance.random() ** 2)
    return {
        "account_id": f"acct_{account}",
        "model": chance.choice(("atlas-3", "atlas-3-mini", "brio-2")),
        "capabilities": [chance.choice(("coding", "tool_use", "data_analysis"))],
        "attributes": {
            "org": f"org_{account // 3}",
            "payment": f"card_{account // 2}",
            "template": f"t_{account % 90}",
        },
    }


def _accounts(number: int, chance: random.Random) -> Record:
    one = _honest(number, chance)
    one["account_id"], one["attributes"]["org"] = f"flood_{number}", f"flood_{number}"
    return one


def _models(number: int, chance: random.Random) -> Record:
    return _honest(number, chance) | {"model": f"tune-{number}"}


def _capabilities(number: int, chance: random.Random) -> Record:
    return _honest(number, chance) | {"capabilities": [f"c{number}-{k}" for k in range(8)]}


def _values(number: int, chance: random.Random) -> Record:
    one = _honest(number, chance)
    one["attributes"] |= {name: f"{name}_{number}" for name in ("payment", "template", "ip_prefix", "client")}
    return one


def _long_names(number: int, chance: random.Random) -> Record:
    return _honest(number, chance) | {"account_id": f"{number}-" + "x" * 300_000 if number % 50 == 0 else f"l{number}"}


def _one_with_every_value(number: int, chance: random.Random) -> Record:
    return _values(number, chance) | {"account_id": "collector"}


def _one_value_on_all(number: int, chance: random.Random) -> Record:
    one = _accounts(number, chance)
    one["attributes"] |= {"payment": "the-one", "ip_prefix": "the-one"}
    return one


KINDS: Mapping[str, Callable[[int, random.Random], Record]] = {
    "none": _honest,
    "accounts and organisations": _accounts,
    "models": _models,
    "capabilities": _capabilities,
    "values": _values,
    "ids of 300 kB": _long_names,
    "one account with every value": _one_with_every_value,
    "one value on every account": _one_value_on_all,
}


def records(kind: str, count: int, hour: int) -> Iterator[bytes]:
    """Those of one hour, in order of time."""
    chance = random.Random(f"{kind}{hour}")
    for number in range(count):
        hostile = hour > 0 and number % 2
        one = (KINDS[kind] if hostile else _honest)(hour * count + number, chance)
        at_ms = START_MS + hour * HOUR_MS + number * HOUR_MS // count
        yield orjson.dumps({"event_id": f"e{hour}-{number}", "timestamp": at_ms, **one})


def measured(kind: str, count: int, memory_mb: int) -> dict[str, float]:
    """CPU seconds of the second hour, and the most that the process held, in MB."""
    parameters = Settings().parameters
    fleet = Fleet(parameters)
    embedded = Embedded(parameters, [SOURCE], fleet)
    keep_within(memory_mb, embedded, fleet)
    offset, spent_s = 0, 0.0
    for hour in (0, 1):
        hours = list(records(kind, count, hour))
        begun_s = time.process_time()
        for at in range(0, count, BATCH):
            part = hours[at : at + BATCH]
            embedded.read(SOURCE, part, range(offset, offset + len(part)))
            embedded.advance(SOURCE)
            offset += len(part)
        if hour:
            embedded.advance(SOURCE, ended=True)
            spent_s = time.process_time() - begun_s
    return {"cpu_s": spent_s, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024}


def main(
    count: Annotated[int, typer.Option("--records", help="Of an hour.")] = 200_000,
    memory_mb: Annotated[int, typer.Option(help="What the process is given, as [limits] memory_mb.")] = 1_500,
    kind: Annotated[str, typer.Option(help="Only this one, measured here and told as JSON.")] = "",
) -> None:
    """Print the table; exit 1 where a floor is missed."""
    if kind:
        typer.echo(json.dumps(measured(kind, count, memory_mb)))
        return
    found = {}
    for one in KINDS:
        command = [sys.executable, "-m", "benchmarks.cardinality", "--kind", one, "--records", str(count)]
        done = subprocess.run([*command, "--memory-mb", str(memory_mb)], check=True, capture_output=True, text=True)
        found[one] = json.loads(done.stdout)
    without, missed = found["none"], 0
    typer.echo(f"{count:,} records an hour, half of them new names; {memory_mb:,} MB given.\n")
    typer.echo("| an hour of new | records a CPU second | of those without | memory, MB | of that without |")
    typer.echo("| --- | --- | --- | --- | --- |")
    for one, figures in found.items():
        pace, memory = without["cpu_s"] / figures["cpu_s"], figures["mb"] / without["mb"]
        missed += pace < THROUGHPUT_MIN or memory > MEMORY_MAX
        typer.echo(f"| {one} | {count / figures['cpu_s']:,.0f} | {pace:.2f} | {figures['mb']:,.0f} | {memory:.2f} |")
    typer.echo(f"\nFloors: {THROUGHPUT_MIN} of the throughput, {MEMORY_MAX} times the memory; missed by {missed}.")
    sys.exit(missed > 0)


if __name__ == "__main__":
    typer.run(main)
