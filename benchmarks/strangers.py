"""How well are campaigns found in fleets that nobody tuned for? Fleets drawn at random, never those learnt on.

`make strangers` simulates and replays 24 fleets with a campaign and 12 quiet ones full of look-alikes, whose every
constant is drawn at random, on all cores, and prints one table: how many campaigns are paged, when, how completely and
how rightly, what is false, and whether the probabilities of named accounts are true. Results are kept in out/quality
until a source changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from benchmarks.found.case import Case, result, seeds, to_stderr, version
from benchmarks.found.reliability import bins, picture

BEGIN, END = "<!-- strangers: begin -->", "<!-- strangers: end -->"
NEVER = float("inf")
STOLEN_H = 24


def main(
    worlds: Annotated[str, typer.Option(envvar="WORLDS", help="Seeds of fleets with a campaign, FROM-TO.")] = "301-324",
    quiet: Annotated[str, typer.Option(envvar="QUIET", help="Seeds of quiet fleets, FROM-TO.")] = "401-412",
    drawn: Annotated[Path | None, typer.Option("--picture", help="Draw what was told of accounts, as SVG.")] = None,
) -> None:
    """Measure, and print the tables as Markdown between two markers."""
    version()  # before anybody edits what this process has loaded
    cases = [Case("random", seed) for seed in seeds(worlds)] + [Case("random_quiet", seed) for seed in seeds(quiet)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(replayed, cases))
    if drawn is not None:
        drawn.write_text(picture(bins(found)), encoding="utf-8")
    typer.echo("\n".join([BEGIN, *table(found, worlds, quiet), END]))


def replayed(case: Case) -> dict[str, Any]:
    """What came of a case, with its progress told to standard error."""
    told = to_stderr(f"{case.name}, seed {case.seed}")
    found = result(case, (), told)
    said = found["said"]
    pages = ", ".join(f"{one['kind']} {_hours(_late(one['delay_h']))}" for one in said["campaigns"]) or "no campaign"
    told(f"{found['seconds']} s; {pages}; {said['false_pages']} false pages, {said['false_warnings']} false warnings")
    return found


def table(found: Sequence[Mapping[str, Any]], worlds: str, quiet: str) -> list[str]:
    """The figures of all fleets, and a row for each campaign."""
    campaigns = [one for fleet in found for one in fleet["said"]["campaigns"]]
    calm = [fleet for fleet in found if not fleet["said"]["campaigns"]]
    days = sum(fleet["days"] for fleet in calm)
    rows = [
        ("campaigns paged", f"{sum(one['delay_h'] is not None for one in campaigns)} of {len(campaigns)}"),
        ("hours to the page, median (a campaign never paged counts as infinite)",
         _hours(_middle([_late(one["delay_h"]) for one in campaigns]))),
        ("of those paged, median and slowest", _spread([one["delay_h"] for one in campaigns if one["delay_h"]])),
        ("paged or a warning", f"{sum(_told_h(one) < NEVER for one in campaigns)} of {len(campaigns)}"),
        ("recall, median", _share([one["recall"] for one in campaigns])),
        ("of a campaign's accounts, those that share anything rare with another of it, median",
         _share([part for fleet in found for part in fleet["tied"]])),
        ("recall of hydras, median", _share([one["recall"] for one in campaigns if one["kind"] == "hydra"])),
        ("right among the named, median", _share([one["precision"] for one in campaigns if one["precision"]])),
        ("pages per campaign that is paged", _mean([one["pages"] for one in campaigns if one["pages"]])),
        (f"stolen keys paged or a warning within {STOLEN_H} h", _stolen(campaigns)),
        ("false pages, per 100 quiet days", f"{100 * sum(f['said']['false_pages'] for f in calm) / max(days, 1):.1f}"),
        ("false warnings, per 10 quiet days",
         f"{10 * sum(f['said']['false_warnings'] for f in calm) / max(days, 1):.1f}"),
        ("false pages in fleets with a campaign",
         str(sum(f["said"]["false_pages"] for f in found if f["said"]["campaigns"]))),
    ]  # fmt: skip
    return [
        f"Fleets drawn at random, none of them learnt on: seeds {worlds} with a campaign each, {quiet} quiet, "
        f"{days:.0f} quiet days full of look-alikes.", "", "| | |", "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in rows), "",
        *_reliability(found), "", *_each(found),
    ]  # fmt: skip


def _each(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """A row for each campaign. tied: part of its accounts that share anything rare with another of it at all."""
    lines = ["| seed | campaign | accounts | tied | page after | warning after | recall | right |", "|" + " --- |" * 8]
    for fleet in found:
        for one, tied in zip(fleet["said"]["campaigns"], fleet["tied"], strict=True):
            right = "" if one["precision"] is None else f"{one['precision']:.2f}"
            lines.append(
                f"| {fleet['seed']} | {one['kind']} | {one['accounts']} | {tied:.2f} | "
                f"{_hours(_late(one['delay_h']))} | {_hours(_late(one['warned_h']))} | {one['recall']:.2f} | {right} |"
            )
    return lines


def _reliability(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of the named accounts, by the probability that was told: how many there are, and how many are a campaign's."""
    lines = ["| probability told | named | said, mean | right |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {one.low:g} to {one.high:g} | {one.named} | {one.said:.2f} | {one.right:.2f} |" for one in bins(found)
    ]
    return lines


def _stolen(campaigns: Sequence[Mapping[str, Any]]) -> str:
    mine = [one for one in campaigns if one["kind"] == "stolen_keys"]
    return f"{sum(_told_h(one) <= STOLEN_H for one in mine)} of {len(mine)}"


def _told_h(one: Mapping[str, Any]) -> float:
    return min(_late(one["delay_h"]), _late(one["warned_h"]))


def _late(hours: float | None) -> float:
    return NEVER if hours is None else hours


def _hours(hours: float) -> str:
    return "never" if hours == NEVER else f"{hours:.1f}"


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2] if NEVER in values else median(values)


def _spread(values: Sequence[float]) -> str:
    return f"{median(values):.1f}, {max(values):.1f}" if values else "none"


def _share(values: Sequence[float]) -> str:
    return f"{median(values):.2f}" if values else "none"


def _mean(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.2f}" if values else "none"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    typer.run(main)
