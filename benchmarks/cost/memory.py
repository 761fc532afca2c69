"""What does one more tracked account cost in memory, all in? The slope of what a process holds, from few to many.

`python -m benchmarks.cost.memory 100000 1000000`: for each number a process of its own counts a day of one request an
hour and account, as detect does, and keeps the pieces of its snapshot as the changelog's table does; then what is
resident is read. The slope leaves out what every process holds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Annotated

import typer

from benchmarks.cost.sizing import records, resident_bytes
from detectors.parameters import Parameters
from stream.pipeline.composition import Shards
from stream.pipeline.encode import Encoder
from stream.pipeline.frames import decode_frame, encode_frame

HOURS = 26  # the fast window is full, and the baseline begun


def main(
    accounts: Annotated[list[int], typer.Argument(help="Two numbers of accounts, the smaller first.")],
    hours: Annotated[int, typer.Option(min=1)] = HOURS,
) -> None:
    """Print what is held by each number, by its parts, and the slope."""
    found = [measured(one, hours) for one in accounts]
    for one, parts in zip(accounts, found, strict=True):
        each = ", ".join(f"{name} {count / one:,.0f}" for name, count in parts.items())
        typer.echo(f"{one:,} accounts, bytes an account: {each}")
    if len(found) > 1:
        typer.echo(f"slope: {slope(accounts[0], accounts[-1], hours, found):,.0f} bytes an account")


def slope(few: int, many: int, hours: int = HOURS, found: list[dict[str, float]] | None = None) -> float:
    """Resident bytes for each account more."""
    low, *_, high = found or [measured(few, hours), measured(many, hours)]
    return (high["resident"] - low["resident"]) / (many - few)


def measured(accounts: int, hours: int = HOURS) -> dict[str, float]:
    """Bytes that a process of its own holds, whole and by parts. It is sent frames: who encodes them is another."""
    command = [sys.executable, "-c", "from benchmarks.cost.memory import tell; tell()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        encoder, offset = Encoder("bench"), 0
        for raws in records(accounts, hours):
            encoder.read(raws, range(offset, offset + len(raws)))
            offset += len(raws)
            frame = encode_frame(encoder.flush())
            process.stdin.write(len(frame).to_bytes(4, "big") + frame)
        process.stdin.close()
        found: dict[str, float] = json.loads(process.stdout.read())
    return found


def tell() -> None:
    """Count the frames that come, and print what this process holds: all of it, what its arithmetic says of the parts,
    and the pieces of a snapshot."""
    shards = Shards(Parameters(), ["bench"])
    while size := int.from_bytes(sys.stdin.buffer.read(4), "big"):
        shards.apply(decode_frame(sys.stdin.buffer.read(size)))
        shards.summaries()
    pieces = shards.snapshot()
    parts = {"resident": resident_bytes(), **shards.bytes_held(), "pieces": sum(map(len, pieces.values()))}
    print(json.dumps(parts))


if __name__ == "__main__":
    typer.run(main)
