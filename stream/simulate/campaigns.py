"""How do campaigns go? As reported: a pivot to a new model, a surge, slow and low, a hydra of throw-away accounts."""

from __future__ import annotations

import numpy as np

from stream.simulate import operators
from stream.simulate.catalogue import HOUR_MS, MODELS, TASK
from stream.simulate.draws import Choices, Floats, Ints
from stream.simulate.fleet import FOREVER_MS
from stream.simulate.operators import Crew, Habits, Pools
from stream.simulate.shifts import Shift, onto_one
from stream.simulate.story import Story
from stream.simulate.truth import Campaign

CODING_WORK = {"code": 3.0, "code_agent": 2.0, "tool": 1.5, "agent": 1.0, "chat": 1.0, "table": 0.5}


def start(rng: np.random.Generator, count: int, onset_ms: int, spread_h: float) -> Ints:
    """When each account begins: the operator changes one batch of accounts after another."""
    return onset_ms + (rng.random(count) * spread_h * HOUR_MS).astype(np.int64)


def ramp(rng: np.random.Generator, count: int, hours: float) -> Ints:
    """How long each account takes from nothing to its depth."""
    return (hours * np.exp(0.3 * rng.standard_normal(count)) * HOUR_MS).astype(np.int64)


def pivot(
    story: Story, rng: np.random.Generator, name: str, pool: Pools, model: int, onset_ms: int, *,
    accounts: int = 300, habits: Habits | None = None, depth: float = 0.46,
) -> Crew:  # fmt: skip
    """Known traffic, nearly half of which moves to the new model within a day of its release."""
    account = operators.recruit(story.fleet, rng, accounts)
    habits = habits or Habits(sd_ln=rng.uniform(0.46, 0.8))
    crew = operators.equip(story.fleet, rng, pool, account, habits, CODING_WORK)
    hours = rng.uniform(2.0, 24.0)
    move(story, rng, crew, model, onset_ms, hours, depth / habits.kit)
    story.truth.campaigns.append(Campaign(name, "pivot", onset_ms, story.end_ms, (f"model:{MODELS[model]}",), account))
    return crew


def move(
    story: Story, rng: np.random.Generator, crew: Crew, model: int, onset_ms: int, hours: float, depth: float
) -> None:
    """The kit's requests move to a model; `hours` from the first to the last account's full depth, about."""
    count = len(crew.kit)
    each: Floats = rng.beta(min(depth, 0.97) * 30, (1 - min(depth, 0.97)) * 30, count)
    story.course.shifts.append(
        Shift("model", crew.kit, start(rng, count, onset_ms, hours / 2), ramp(rng, count, hours / 2), each,
              onto_one(count, model))
    )  # fmt: skip


def take_up(
    story: Story, rng: np.random.Generator, streams: Ints, work: dict[str, float], onset_ms: int, hours: float,
    depth: float, until_ms: int = FOREVER_MS,
) -> None:  # fmt: skip
    """The streams' requests become other tasks, to a depth that varies little from one to the next."""
    count = len(streams)
    each: Floats = rng.beta(depth * 30, (1 - depth) * 30, count)
    tasks = np.array([TASK[name] for name in work])
    onto = Choices.of(count, np.repeat(np.arange(count), len(tasks)), np.tile(tasks, count),
                      np.tile(np.array(list(work.values())), count))  # fmt: skip
    story.course.shifts.append(
        Shift("task", streams, start(rng, count, onset_ms, hours / 2), ramp(rng, count, hours / 2), each, onto,
              until_ms=until_ms)
    )  # fmt: skip
