"""What does a platform of a billion requests a day and ten million accounts need, and where does one judge end?

`python -m benchmarks.cost.scale_out --keep` measures what judging costs where accounts share values, in a simulated
fleet, and stores it; without `--keep` it prints the tables of docs/scale-out.md from what is stored there and in
sizing.json.
"""

from __future__ import annotations

import datetime
import json
import math
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import typer
import zstandard

from benchmarks.cost import sizing_record
from benchmarks.cost.sizing import records
from benchmarks.cost.sizing_guide import ACTIVE, SPARE, Guide
from detectors import fleet
from detectors.fleet import Judge
from detectors.ties import crowds, standing
from stream.commands.begin.backtest import Asked, run
from stream.configuration import settings
from stream.pipeline.announced import Catalogue
from stream.simulate.labelled import records as simulated

FILE = Path(__file__).parents[1] / "measured" / "judging.json"
REQUESTS_A_DAY, ACCOUNTS = 1_000_000_000, 10_000_000
PEAK = 3.0  # times the day's mean: what must be kept up with
TICK_S = 300.0  # a network tick that takes longer holds up the ticks of cohorts behind it
HOURS = 6  # that are judged in full, at the end of the log


def main(
    keep: Annotated[bool, typer.Option("--keep", help="Measure judging, and store it.")] = False,
    accounts: Annotated[int, typer.Option(min=200, help="Honest accounts of the fleet that is judged.")] = 4_000,
) -> None:
    """Print the tables, measured anew where asked for."""
    if keep:
        FILE.write_text(json.dumps(_measured(accounts), indent=2) + "\n")
    typer.echo(written(sizing_record.read(), json.loads(FILE.read_text())))


def _measured(accounts: int) -> dict[str, Any]:
    """CPU seconds of judging an hour for each active account, the mean of the last hours, when networks are tested."""
    judging = _Judging()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.ndjson.zst"
        with zstandard.open(path, "wb") as out:
            for _, _, line in simulated("quiet", 1, accounts=accounts, days=3 + HOURS / 24):
                out.write(line + b"\n")
        with judging:
            run(Asked([str(path)]), settings.load(), Catalogue())
    hours, whole = judging.hours[-HOURS:], sum(spent["judge"] for spent in judging.hours[-HOURS:])
    return {
        "command": f"python -m benchmarks.cost.scale_out --keep --accounts {accounts}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "judge_s": whole / sum(spent["active"] for spent in hours),
        "networks": sum(spent["networks"] for spent in hours) / whole,
        "communities": sum(spent["communities"] for spent in hours) / whole,
    }


class _Judging:
    """Takes the time of every hour's judgement in this process while it is entered. hours: CPU seconds of each by what
    was done, one part inside of another, and how many accounts were active."""

    def __init__(self) -> None:
        self.hours: list[Counter[str]] = []
        self._spent: Counter[str] = Counter()
        self._patched = ExitStack()

    def __enter__(self) -> None:
        for name, (owner, function) in _PARTS:
            plain = getattr(owner, function)
            self._patched.enter_context(patch.object(owner, function, self._timed(name, plain)))

    def __exit__(self, *_: object) -> None:
        self._patched.close()

    def _timed(self, name: str, plain: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            began = time.process_time()
            found = plain(*given, **named)
            self._spent[name] += time.process_time() - began
            if name == "judge":
                self.hours.append(self._spent + Counter(active=len(given[1])))
                self._spent = Counter()
            return found

        return timed


# What seeks networks and tests them, which no network of another asks for, and the one function of it that costs most.
_PARTS: Sequence[tuple[str, tuple[Any, str]]] = (
    ("judge", (Judge, "judge")),
    ("networks", (fleet, "parts_of")),
    ("networks", (fleet, "standing_parts")),
    ("networks", (fleet, "groups_of")),
    ("networks", (standing.Standings, "of")),
    ("communities", (standing, "communities")),
    ("communities", (crowds, "communities")),
)


def written(sizing: dict[str, Any], judging: dict[str, Any]) -> str:
    """Both tables, between the markers of docs/scale-out.md."""
    commands = ", ".join(f"`{sizing[one]['command']}`" for one in ("sizing", "sizing_kafka"))
    return "\n\n".join(
        (
            "<!-- scale-out: begin -->",
            f"From {commands} ({sizing['sizing']['date']}) and `{judging['command']}` ({judging['date']}). Cores are "
            f"planned with {SPARE:.0%} of what they can, for {PEAK:g} times the day's mean; {ACTIVE:.0%} of the "
            "accounts are active within a day.",
            _needs(sizing, judging),
            f"Of judging there, {judging['networks']:.0%} is spent on seeking networks and testing them, "
            f"{judging['communities']:.0%} on `communities` alone.",
            "Where one correlate ends, on one core that does nothing else:",
            _ends(sizing, judging),
            "<!-- scale-out: end -->",
        )
    )


def _needs(sizing: dict[str, Any], judging: dict[str, Any]) -> str:
    mean = REQUESTS_A_DAY / 86_400
    size, active = Guide(sizing).size(math.ceil(PEAK * mean), ACCOUNTS), ACTIVE * ACCOUNTS
    record_bytes = statistics.mean(len(line) for lines in records(1_000, 1) for line in lines)
    summaries = 24 * active * sizing["sizing"]["summary_bytes"]
    rows = [
        ("requests", f"{mean:,.0f}/s, {PEAK * mean:,.0f}/s at the peak"),
        ("requests topic", f"{REQUESTS_A_DAY * record_bytes / 1e9:,.0f} GB a day before compression"),
        ("ingest", f"{size.ingest_cores:.1f} cores"),
        ("frames topic", f"{REQUESTS_A_DAY * sizing['sizing']['frame_bytes'] / 1e9:,.0f} GB a day, "
                         f"{8 * size.frame_bytes_s / 1e6:,.0f} Mbit/s at the peak, out and in"),
        ("detect", f"{size.detect_cores:.1f} cores, {size.detect_bytes / 1e9:,.0f} GB: {size.detect_workers} workers, "
                   f"{size.partitions} partitions"),
        ("snapshots", f"{size.snapshot_bytes / 1e9:.1f} GB, restored in {size.restore_s / size.detect_workers:.0f} s "
                      "by all workers"),
        ("summaries topic", f"{summaries / 1e9:,.0f} GB a day"),
        ("correlate", f"{size.correlate_bytes / 1e9:.1f} GB; an hour judged in {size.tick_s:,.0f} s where they share "
                      f"little, in {active * judging['judge_s']:,.0f} s where as much as in a simulated fleet"),
    ]  # fmt: skip
    return _table(("what", "needs"), rows)


def _ends(sizing: dict[str, Any], judging: dict[str, Any]) -> str:
    rows = []
    for what, each_s in (
        ("accounts share little", sizing["sizing"]["judge_s"]),
        ("a simulated fleet", judging["judge_s"]),
    ):
        late, behind = TICK_S * SPARE / each_s, 3_600 * SPARE / each_s
        gb = (1e9 * Guide(sizing).correlate_gb + behind * sizing["sizing"]["judge_bytes"]) / 1e9
        rows.append((what, f"{1e6 * each_s:.0f} us", f"{late / 1e6:.1f} M", f"{behind / 1e6:.0f} M, {gb:.0f} GB"))
    head = ("fleet", "an active account and hour", "a tick is held up from", "it falls behind from")
    return _table(head, rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


if __name__ == "__main__":
    typer.run(main)
