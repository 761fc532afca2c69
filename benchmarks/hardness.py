"""Are random worlds as hard as they are meant to be? What ties a campaign in thin worlds, measured over many seeds.

`python -m benchmarks.hardness` simulates the pivot in twenty thin worlds, prints what was drawn into a table, and ends
with 1 where a median over the worlds is out of its bounds. The bounds are what a fleet by other hands showed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Annotated

import typer

from stream.simulate.chance.world import draw
from stream.simulate.events.story import Story
from stream.simulate.scenarios import tell
from stream.simulate.writing.describe import Description, describe


@dataclass(frozen=True, slots=True)
class Bound:
    """Where the median over the worlds has to be. why: what was seen elsewhere."""

    least: float
    most: float
    why: str


BOUNDS = {
    "payment": Bound(3, 6, "campaign accounts on a payment that they share: 4"),
    "payment honest": Bound(0, 1, "honest accounts on it: none"),
    "exit": Bound(2, 3, "campaign accounts on an exit that they share: 2"),
    "exit honest": Bound(0.5, 5, "honest accounts on it: 1 to 4"),
    "prompt": Bound(3, 6, "campaign accounts on a prompt that they share: 4.5"),
    "prompt honest": Bound(6, 14, "honest accounts on it: 10"),
    "honest requests": Bound(6, 10, "requests of the median honest account in the log: 8"),
    "touched": Bound(2_000, 20_000, "honest accounts that use a prompt which campaign accounts share: thousands"),
    "seconds": Bound(0, 40, "processor time to make a fleet"),
    "records": Bound(200_000, 600_000, "requests in the log"),
}


def thin(first: int, count: int) -> Iterator[int]:
    """Seeds of thin worlds whose platform records all that ties accounts."""
    seed = first
    while count:
        world = draw(seed)
        if world.regime == "thin" and world.records.missing not in ("payment", "ip_prefix") and (
            world.records.templates == "recorded"
        ):  # fmt: skip
            yield seed
            count -= 1
        seed += 1


def measured(seed: int, scenario: str = "pivot") -> dict[str, float]:
    """One world in numbers, named as in BOUNDS."""
    began = time.process_time()
    story = tell(scenario, seed, world=seed)
    found = describe(story)
    return _numbers(found) | {"seconds": time.process_time() - began, "accounts": len(_campaign(story))}


def _campaign(story: Story) -> set[int]:
    return {int(account) for campaign in story.truth.campaigns for account in campaign.accounts}


def _numbers(found: Description) -> dict[str, float]:
    numbers: dict[str, float] = {"honest requests": found.honest_median, "records": found.requests}
    for one in found.shared:
        numbers |= {one.kind: one.ours, f"{one.kind} honest": one.honest}
        if one.kind == "prompt":
            numbers["touched"] = one.touched
    return numbers


def outside(rows: Sequence[dict[str, float]]) -> list[str]:
    """What is not as hard as it should be, a sentence each."""
    wrong = []
    for name, bound in BOUNDS.items():
        middle = median(row[name] for row in rows)
        if not bound.least <= middle <= bound.most:
            wrong.append(f"{name}: {middle:g} is not from {bound.least:g} to {bound.most:g} ({bound.why})")
    return wrong


def main(
    seeds: Annotated[int, typer.Option(min=1, help="How many thin worlds.")] = 20,
    first: Annotated[int, typer.Option(min=0, help="The first seed that is tried.")] = 1,
) -> None:
    """Measure, print a table, and say what is out of its bounds."""
    rows = {seed: measured(seed) for seed in thin(first, seeds)}
    typer.echo("| world | " + " | ".join(BOUNDS) + " |\n| --- |" + " --- |" * len(BOUNDS))
    for seed, row in rows.items():
        typer.echo(f"| {seed} | " + " | ".join(f"{row[name]:,.4g}" for name in BOUNDS) + " |")
    typer.echo(
        "| median | " + " | ".join(f"{median(row[name] for row in rows.values()):,.4g}" for name in BOUNDS) + " |"
    )
    wrong = outside(list(rows.values()))
    for line in wrong:
        typer.echo(line, err=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    typer.run(main)
