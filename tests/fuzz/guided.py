"""Which bytes take a reader where none has been? Fuzzing that follows coverage, over every reader of outside bytes.

`make fuzz-guided` installs atheris beside, runs this for SECONDS=, keeps what led somewhere new in
tests/fuzz/corpus.txt, and writes what it did into docs/reliability.md. The kept bytes are tried with every `make test`.
The first byte of an input says which reader has the rest, so one run shares its time among all of them.
"""

from __future__ import annotations

import argparse
import base64
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

HERE = Path(__file__).parent
KEPT = HERE / "corpus.txt"
PAGE = HERE.parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- fuzz: begin -->", "<!-- fuzz: end -->"
KEPT_MAX = 20  # of each reader
KEPT_BYTES_MAX = 400  # of each input
INPUT_BYTES_MAX = 4_096
INSTRUMENTED = ["stream", "detectors"]


def readers() -> dict[str, Callable[[bytes], object]]:
    """By name, each reader of bytes from outside, as the hypothesis tests have them; a refusal is a result."""
    from stream.contract.reading.refusal import Refusal
    from stream.mapping.named import NAMES, read_by
    from tests.fuzz.test_every_reader import READERS

    found: dict[str, Callable[[bytes], object]] = {
        name: guarded(reader.read, reader.refuses) for name, reader in READERS.items()
    }
    return found | {f"dialect {name}": guarded(read_by(name), Refusal) for name in NAMES}


def guarded(
    read: Callable[[bytes], object], refuses: type[Exception] | tuple[type[Exception], ...]
) -> Callable[[bytes], object]:
    """The reader, with its refusals as a result."""

    def reads_or_refuses(raw: bytes) -> object:
        try:
            return read(raw)
        except refuses as refused:
            return refused

    return reads_or_refuses


def seeds() -> dict[str, tuple[bytes, ...]]:
    """By reader, bytes that it reads, and what was kept of earlier runs."""
    from stream.mapping.named import NAMES
    from tests.contracts.test_every_source import sample
    from tests.fuzz.test_every_reader import READERS

    samples: dict[str, tuple[bytes, ...]] = {name: reader.samples for name, reader in READERS.items()}
    samples |= {f"dialect {name}": tuple(sample(name)[:4]) for name in NAMES}
    kept = corpus()
    return {name: (*known, *kept.get(name, ())) for name, known in samples.items()}


def corpus() -> dict[str, list[bytes]]:
    """By reader, what was kept."""
    found: dict[str, list[bytes]] = {}
    for line in KEPT.read_text().splitlines() if KEPT.exists() else ():
        name, _, text = line.partition("\t")
        found.setdefault(name, []).append(base64.b64decode(text))
    return found


def fuzz(folder: str, seconds: int) -> None:
    """Runs until the time is over or a reader raises, and ends the process: libFuzzer does not return."""
    import atheris  # type: ignore[import-not-found]

    with atheris.instrument_imports(include=INSTRUMENTED):
        every = readers()
    reads = list(every.values())

    def one(raw: bytes) -> None:
        if raw:
            reads[raw[0] % len(reads)](raw[1:])

    options = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", "-timeout=20", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], folder, *options, "-print_final_stats=1"], one)
    atheris.Fuzz()


def keep(folder: Path, names: list[str]) -> Counter[str]:
    """Write the smallest of what led somewhere new; how many inputs of each reader there are in all."""
    of: dict[str, list[bytes]] = {name: [] for name in names}
    for path in folder.iterdir():
        raw = path.read_bytes()
        if raw:
            of[names[raw[0] % len(names)]].append(raw[1:])
    lines = [
        f"{name}\t{base64.b64encode(raw).decode()}"
        for name in names
        for raw in sorted({one for one in of[name] if len(one) <= KEPT_BYTES_MAX}, key=lambda one: (len(one), one))[
            :KEPT_MAX
        ]
    ]
    KEPT.write_text("\n".join(lines) + "\n")
    return Counter({name: len(raws) for name, raws in of.items()})


def told(output: str, seconds: int, held: Mapping[str, int], found: Iterable[str]) -> list[str]:
    """What libFuzzer said of itself, in words."""
    executions = re.search(r"number_of_executed_units:\s*(\d+)", output)
    reached = re.findall(r"cov: (\d+)", output)
    said = list(found)
    return [
        f"`make fuzz-guided SECONDS={seconds}`, {len(held)} readers: "
        f"{int(executions[1]) if executions else 0:,} executions, {int(reached[-1]) if reached else 0:,} branches of "
        f"Swerve's own code reached (with the samples alone {int(reached[0]) if reached else 0:,}), "
        f"{sum(held.values()):,} inputs that led somewhere new.",
        "",
        f"Found: {'; '.join(said) if said else 'no exception but a refusal, nothing over 20 s or 2 GB'}.",
    ]


def run(seconds: int, write: bool) -> int:
    """The run in a process of its own; 1 where something was found."""
    names = list(readers())
    with tempfile.TemporaryDirectory() as told_in:
        folder = Path(told_in) / "corpus"
        folder.mkdir()
        for number, raws in enumerate(seeds().values()):
            for at, raw in enumerate(raws):
                (folder / f"seed-{number}-{at}").write_bytes(bytes([number]) + raw)
        environment = os.environ | {"FUZZ_FILE": str(Path(told_in) / "it")}
        command = [sys.executable, "-m", "tests.fuzz.guided", "--fuzz", str(folder), "--seconds", str(seconds)]
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, errors="replace")
        found = re.findall(r"^ === Uncaught Python exception: ===\n(.*)$|^SUMMARY: (.*)$", done.stderr, re.MULTILINE)
        lines = told(done.stderr, seconds, keep(folder, names), [one or other for one, other in found])
    if found or done.returncode:
        print(done.stderr[-6_000:], file=sys.stderr)
    print("\n".join(lines))
    if write:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text("\n".join([head + BEGIN, *lines, END]) + rest.partition(END)[2])
    return 1 if found or done.returncode else 0


def main() -> None:
    """`make fuzz-guided`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--write", action="store_true", help="put what was done into docs/reliability.md")
    parser.add_argument("--fuzz", metavar="FOLDER", help="what `run` starts")
    asked = parser.parse_args()
    if asked.fuzz:
        fuzz(asked.fuzz, asked.seconds)
    else:
        sys.exit(run(asked.seconds, asked.write))


if __name__ == "__main__":
    main()
