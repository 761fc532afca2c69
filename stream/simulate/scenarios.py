"""Which logs can be simulated? Each scenario by name: its size, and what happens in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from stream.errors import UsageError
from stream.simulate import campaigns, operators
from stream.simulate.catalogue import HOUR_MS, MODEL
from stream.simulate.story import Size, Story

Events = Callable[[Story], None]


@dataclass(frozen=True, slots=True)
class Scenario:
    """about: one line for a person; size: of the log unless told otherwise; lay_out: makes things happen in it."""

    about: str
    size: Size
    lay_out: Events


def quiet(story: Story) -> None:
    """A release and every honest shock, no campaign."""
    story.release("atlas-4", "atlas-3", 4.4)


def pivot(story: Story) -> None:
    """A release, and an operator who moves to it an hour later."""
    released_ms = story.release("atlas-4", "atlas-3", 4.4)
    rng = story.chance("pivot")
    pool = operators.pools(story.fleet, rng, payments=40, networks=130, templates=60, beat=story.beat())
    operators.leak(story.fleet, rng, pool, story.honest)
    campaigns.pivot(story, rng, "pivot", pool, MODEL["atlas-4"], released_ms + int(rng.uniform(0.7, 1.5) * HOUR_MS))


SCENARIOS: dict[str, Scenario] = {
    "quiet": Scenario("every honest shock and a release, no campaign", Size(9_000, 8), quiet),
    "pivot": Scenario(
        "300 accounts move nearly half of their traffic to a model released an hour before", Size(9_000, 8), pivot
    ),
}


def tell(name: str, seed: int, *, accounts: int | None = None, days: float | None = None, real: bool = False,
         scale: float | None = None) -> Story:  # fmt: skip
    """Lays out a scenario. accounts, days, scale: instead of its own; real: everybody follows production clients.

    Raises UsageError for a name that is not in SCENARIOS and a size that cannot be.
    """
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UsageError(f"--scenario: there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    size = scenario.size
    size = replace(size, accounts=accounts or size.accounts, days=days or size.days, scale=scale or size.scale)
    story = Story.begin(name, seed, size, real=real)
    scenario.lay_out(story)
    return story
