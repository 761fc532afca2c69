"""How early, how completely and how rightly does Swerve find what is planted? A table, scenario by scenario.

`make quality` (SEEDS="1 2 3 4 5", SCENARIOS="pivot quiet") simulates and replays one log after the other, in one
process, and prints medians over the seeds, the worst beside them. Results are kept in out/quality until a source
changes, so that a run can be taken up again. Rivals see the same logs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated, Any

import typer

from benchmarks.found.case import Case, onsets, result, to_stderr, version
from benchmarks.found.rivalry import RivalFound, held, lines_of
from benchmarks.found.rivals import RIVALS
from stream.simulate.scenarios import SCENARIOS

BEGIN, END = "<!-- quality: begin -->", "<!-- quality: end -->"
REAL = ("pivot", "quiet")  # also on production rhythms
QUIET = "quiet"
NEVER = float("inf")
HEAD = ("scenario", "campaign", "page after onset", "after a tenth moved", "recall", "recall in 24 h", "precision",
        "pages", "false pages", "false warnings")  # fmt: skip
WATCH_HEAD = ("scenario", "watch list: precision at 100", "rows", "of honest networks and shocks")
RIVAL_HEAD = ("scenario", "campaign", "detector", "page after onset", "recall", "precision", "false pages")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a median and the worst of each column, ready to print."""

    cells: tuple[str, ...]


def main(
    seeds: Annotated[str, typer.Option(envvar="SEEDS", help="Which seeds.")] = "1 2 3 4 5",
    scenarios: Annotated[str, typer.Option(envvar="SCENARIOS", help="Which scenarios; all but at_scale.")] = "",
    rivals: Annotated[bool, typer.Option(help="Hold rivals against the same logs.")] = True,
    real: Annotated[bool, typer.Option(help="Also pivot and quiet on production rhythms.")] = True,
    scale: Annotated[float | None, typer.Option(help="Times the scenario's accounts.")] = None,
) -> None:
    """Measure, and print the tables as Markdown between two markers."""
    version()  # before anybody edits what this process has loaded
    asked = scenarios.split() or [name for name in SCENARIOS if name != "at_scale"]
    numbers = [int(seed) for seed in seeds.split()]
    kinds = [(name, False) for name in asked] + [(name, True) for name in asked if name in REAL and real]
    found: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    names = list(RIVALS) if rivals else []
    for kind in kinds:
        found[kind] = [_result(Case(kind[0], seed, kind[1], scale), names) for seed in numbers]
    lines = [BEGIN, _about(numbers), "", *_table(HEAD, [row for kind in kinds for row in _rows(found[kind])])]
    lines += ["", *_table(WATCH_HEAD, [_watch_row(found[kind]) for kind in kinds])]
    if rivals and any(name == QUIET for name, _ in kinds):
        lines += ["", *_table(RIVAL_HEAD, _rival_rows(found, numbers, scale))]
    typer.echo("\n".join([*lines, END]))


def _result(case: Case, rivals: Sequence[str]) -> dict[str, Any]:
    told = to_stderr(f"{case.name}, seed {case.seed}")
    found = result(case, rivals, told)
    said = found["said"]
    pages = ", ".join(f"{one['name']} {_hours(one['delay_h'])}" for one in said["campaigns"]) or "no campaign"
    told(f"{found['seconds']} s; {pages}; {said['false_pages']} false pages, {said['false_warnings']} false warnings")
    return found


def _about(seeds: Sequence[int]) -> str:
    many = f"Medians over seeds {', '.join(map(str, seeds))}, the worst in brackets" if len(seeds) > 1 else (
        f"Seed {seeds[0]}"
    )  # fmt: skip
    return f"{many}. Delays in hours from the campaign's onset."


def _rows(results: Sequence[dict[str, Any]]) -> list[Row]:
    """A line for each campaign of a scenario; one line where there is none."""
    said = [one["said"] for one in results]
    whole = (
        _spread([one["pages"] for one in said], worst=max),
        _spread([one["false_pages"] for one in said], worst=max),
        _spread([one["false_warnings"] for one in said], worst=max),
    )
    if not said[0]["campaigns"]:
        return [Row((results[0]["case"], "none", "", "", "", "", "", *whole))]
    rows = []
    for at, campaign in enumerate(said[0]["campaigns"]):
        each = [one["campaigns"][at] for one in said]
        rows.append(
            Row((
                results[0]["case"],
                campaign["name"],
                _spread([_late(one["delay_h"]) for one in each], worst=max, form=_hours),
                _spread([_late(one["after_tenth_h"]) for one in each], worst=max, form=_hours),
                *(_spread([one[name] or 0.0 for one in each], worst=min, form=_share)
                  for name in ("recall", "recall_day", "precision")),
                *whole,
            ))
        )  # fmt: skip
    return rows


def _watch_row(results: Sequence[dict[str, Any]]) -> Row:
    """What the watch list held at the end: who is in an alert is not on it, so it counts where no alert can be."""
    each = [one["watch"] for one in results]
    return Row((
        results[0]["case"],
        _spread([one["precision"] or 0.0 for one in each], worst=min, form=_share),
        _spread([one["rows"] for one in each], worst=min),
        _spread([one["moved"] or 0.0 for one in each], worst=max, form=_share),
    ))  # fmt: skip


def _rival_rows(
    found: dict[tuple[str, bool], list[dict[str, Any]]], seeds: Sequence[int], scale: float | None
) -> list[Row]:
    rows = []
    for (name, real), results in found.items():
        if name == QUIET:
            continue
        planted = [onsets(Case(name, seed, real, scale)) for seed in seeds]
        for campaign in list(planted[0]) or [None]:
            for rival in RIVALS:
                each = []
                for one, quiet, there in zip(results, found[QUIET, False], planted, strict=True):
                    onset_ms, accounts = there[campaign] if campaign is not None else (0, 0)
                    lines = lines_of(quiet["rivals"][rival])
                    each.append(held(one["rivals"][rival], lines, campaign, onset_ms, accounts))
                rows.append(_rival_row(results[0]["case"], campaign, rival, each))
    return rows


def _rival_row(case: str, campaign: str | None, rival: str, each: Sequence[RivalFound]) -> Row:
    false = _spread([one.false_pages for one in each], worst=max)
    if campaign is None:
        return Row((case, "none", rival, "", "", "", false))
    return Row((
        case, campaign, rival,
        _spread([_late(one.delay_h) for one in each], worst=max, form=_hours),
        _spread([one.recall for one in each], worst=min, form=_share),
        _spread([one.precision or 0.0 for one in each], worst=min, form=_share),
        false,
    ))  # fmt: skip


def _late(hours: float | None) -> float:
    return NEVER if hours is None else hours


def _hours(hours: float | None) -> str:
    return "never" if hours is None or hours == NEVER else f"{hours:.1f}"


def _share(share: float) -> str:
    return f"{share:.2f}"


def _spread(values: Sequence[float], *, worst: Any, form: Any = lambda value: f"{value:g}") -> str:
    """The median and, of several values, the worst in brackets."""
    middle = sorted(values)[len(values) // 2] if NEVER in values else median(values)
    return form(middle) if len(values) == 1 else f"{form(middle)} ({form(worst(values))})"


def _table(head: Sequence[str], rows: Sequence[Row]) -> list[str]:
    lines = [head, ["---"] * len(head), *(row.cells for row in rows)]
    return [f"| {' | '.join(cells)} |" for cells in lines]


if __name__ == "__main__":
    # One thread: two cores are often all there is, and a measurement must not depend on how many there are.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(typer.run(main))
