"""How do campaigns go? As reported: a pivot to a new model, a surge, slow and low, a hydra of throw-away accounts."""

from __future__ import annotations

import numpy as np

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODELS, TASKS
from stream.simulate.chance.draws import Floats, Ints
from stream.simulate.customers import population
from stream.simulate.customers.shifts import Shift, Swell, onto_one
from stream.simulate.events import operators, stolen
from stream.simulate.events.operators import Crew, Habits, Pools
from stream.simulate.events.shocks import work_mix
from stream.simulate.events.story import Story
from stream.simulate.events.truth import Campaign

MIXED_WORK = {"code": 3.0, "code_agent": 2.0, "tool": 1.5, "agent": 1.0, "chat": 1.5, "table": 1.0, "write": 1.0}
SURGE_WORK = {"code_fleet": 3.0, "orchestrate": 2.0, "code_agent": 2.5, "tool": 1.0}
AGENT_WORK = {"screen": 3.0, "agent": 2.0, "image": 1.0}
QUIET_WORK = {"chat": 3.0, "summarise": 2.0, "write": 2.0, "reason": 1.0}
REASON_WORK = {"reason": 3.0, "rewrite_policy": 3.0, "grade": 1.0}


def blended(work: dict[str, float], beside: dict[str, float], part: float) -> dict[str, float]:
    """One kind of work for a part of the requests, and another beside it.

    >>> blended({"code": 2.0}, {"chat": 1.0, "write": 1.0}, 0.5)
    {'code': 0.5, 'chat': 0.25, 'write': 0.25}
    """
    mix = {name: part * weight / sum(work.values()) for name, weight in work.items()}
    for name, weight in beside.items():
        mix[name] = mix.get(name, 0.0) + (1 - part) * weight / sum(beside.values())
    return mix


def targets_of(work: dict[str, float]) -> tuple[str, ...]:
    """The capabilities toward which a kind of work moves, strongest first; those below a fifth of it are no target."""
    weight: dict[str, float] = {}
    for task in TASKS:
        for tag in task.capabilities:
            weight[tag] = weight.get(tag, 0.0) + work.get(task.name, 0.0)
    strong = [tag for tag, part in weight.items() if part >= 0.2 * sum(work.values())]
    return tuple(f"capability:{tag}" for tag in sorted(strong, key=lambda tag: (-weight[tag], tag)))


def start(rng: np.random.Generator, count: int, onset_ms: int, spread_h: float) -> Ints:
    """The operator changes one batch of accounts after another."""
    return onset_ms + (rng.random(count) * spread_h * HOUR_MS).astype(np.int64)


def _ramp(rng: np.random.Generator, count: int, hours: float) -> Ints:
    return (hours * np.exp(0.3 * rng.standard_normal(count)) * HOUR_MS).astype(np.int64)


def _depths(rng: np.random.Generator, count: int, depth: float, steady: float) -> Floats:
    depth = min(depth, 0.95)
    return rng.beta(depth * steady, (1 - depth) * steady, count)


def move(
    story: Story, rng: np.random.Generator, streams: Ints, model: int, onset_ms: int, hours: float, depth: float,
    steady: float,
) -> None:  # fmt: skip
    """The streams' requests move to a model; about `hours` from the first to the last account's full depth."""
    count = len(streams)
    story.course.shifts.append(
        Shift("model", streams, start(rng, count, onset_ms, hours / 2), _ramp(rng, count, hours / 2),
              _depths(rng, count, depth, steady), onto_one(count, model))
    )  # fmt: skip


def take_up(
    story: Story, rng: np.random.Generator, streams: Ints, work: dict[str, float], onset_ms: int, hours: float,
    depth: float, steady: float,
) -> None:  # fmt: skip
    """The streams' requests become other work, to a depth that varies little from one to the next."""
    count = len(streams)
    story.course.shifts.append(
        Shift("task", streams, start(rng, count, onset_ms, hours / 2), _ramp(rng, count, hours / 2),
              _depths(rng, count, depth, steady), work_mix(count, work))
    )  # fmt: skip


def planted(story: Story, name: str, kind: str, onset_ms: int, targets: tuple[str, ...], account: Ints) -> None:
    """Notes the campaign in the truth."""
    story.truth.campaigns.append(Campaign(name, kind, onset_ms, story.end_ms, targets, account))


def pivot(
    story: Story, rng: np.random.Generator, pool: Pools, model: int, onset_ms: int, *, accounts: int = 300,
    habits: Habits | None = None, depth: float = 0.46, name: str = "pivot",
) -> Crew:  # fmt: skip
    """Known traffic, nearly half of which moves to the new model within a day of its release."""
    habits = habits or Habits.drawn(rng)
    account = operators.recruit(story.fleet, rng, accounts, story.start_ms)
    crew = operators.equip(story.fleet, rng, pool, account, habits, MIXED_WORK)
    move(story, rng, crew.kit, model, onset_ms, rng.uniform(2.0, 24.0), depth / habits.kit, habits.steady)
    story.like_others(crew.resale)
    planted(story, name, "pivot", onset_ms, (f"model:{MODELS[model]}",), account)
    return crew


def surge(
    story: Story, rng: np.random.Generator, pool: Pools, onset_ms: int, *, accounts: int = 260,
    habits: Habits | None = None, depth: float = 0.36, work: dict[str, float] = SURGE_WORK, name: str = "surge",
) -> Crew:  # fmt: skip
    """Known traffic turns to a few capabilities, with no release, and grows by a third."""
    habits = habits or Habits.drawn(rng)
    account = operators.recruit(story.fleet, rng, accounts, story.start_ms)
    crew = operators.equip(story.fleet, rng, pool, account, habits, MIXED_WORK)
    hours = rng.uniform(4.0, 24.0)
    take_up(story, rng, crew.kit, work, onset_ms, hours, depth / habits.kit, habits.steady)
    story.course.swells.append(Swell(crew.kit, onset_ms + int(hours / 2 * HOUR_MS), story.end_ms, 1.3))
    story.like_others(np.concatenate((crew.kit, crew.resale)))
    planted(story, name, "surge", onset_ms, targets_of(work), account)
    return crew


def slow_and_low(
    story: Story, rng: np.random.Generator, pool: Pools, onset_ms: int, *, accounts: int = 100, per_day: float = 6.6,
    name: str = "slow_and_low",
) -> Crew:  # fmt: skip
    """Four requests of the kit a day and account, in waves, for reasoning and rewrites of what is sensitive."""
    habits = Habits.drawn(rng, per_day=per_day, kit=0.63, cards=(1, 1), exits=(3, 6), prompts=(3, 6), private=0.1)
    account = operators.recruit(story.fleet, rng, accounts, story.start_ms)
    crew = operators.equip(story.fleet, rng, pool, account, habits, QUIET_WORK)
    take_up(story, rng, crew.kit, REASON_WORK, onset_ms, rng.uniform(4.0, 12.0), 0.6, habits.steady)
    waves(story, rng, crew.kit, onset_ms)
    story.like_others(np.concatenate((crew.kit, crew.resale)))
    planted(story, name, "slow_and_low", onset_ms, targets_of(REASON_WORK), account)
    return crew


def waves(story: Story, rng: np.random.Generator, streams: Ints, from_ms: int) -> None:
    """Some hours of work, some of little, at no clock that a country keeps."""
    at_ms = from_ms
    while at_ms < story.end_ms:
        work_ms, rest_ms = (rng.uniform((4, 3), (9, 8)) * HOUR_MS).astype(np.int64)
        story.course.swells += [
            Swell(streams, at_ms, int(at_ms + work_ms), 1.6),
            Swell(streams, int(at_ms + work_ms), int(at_ms + work_ms + rest_ms), 0.25),
        ]
        at_ms = int(at_ms + work_ms + rest_ms)


def hydra(
    story: Story, rng: np.random.Generator, pool: Pools, onset_ms: int, *, alive: int = 800, life_days: float = 1.9,
    from_day: float = 0.8, name: str = "hydra",
) -> Crew:  # fmt: skip
    """Accounts that are banned after two days and replaced at once; half of their traffic is resold.

    The truth names those that lived to see the onset; the others resold and had known work.
    """
    from_ms = story.at(from_day)
    born_ms, dead_ms = generations(rng, alive, from_ms, story.end_ms, life_days)
    habits = Habits.drawn(rng, per_day=20.0, kit=0.5, cards=(1, 1), exits=(3, 8), prompts=(3, 6))
    account = operators.recruit(story.fleet, rng, len(born_ms), story.start_ms)
    story.fleet.accounts.signup_ms[account] = born_ms - (rng.exponential(1.5, len(born_ms)) * DAY_MS).astype(np.int64)
    crew = operators.equip(story.fleet, rng, pool, account, habits, MIXED_WORK, start_ms=born_ms, end_ms=dead_ms)
    take_up(story, rng, crew.kit, AGENT_WORK, onset_ms, rng.uniform(6.0, 24.0), 0.72, habits.steady)
    story.like_others(np.concatenate((crew.kit, crew.resale)))
    planted(story, name, "hydra", onset_ms, targets_of(AGENT_WORK), account[dead_ms > onset_ms])
    return crew


def generations(rng: np.random.Generator, alive: int, from_ms: int, end_ms: int, life_days: float) -> tuple[Ints, Ints]:
    """(birth, ban) of each account: in every one of `alive` places one follows the other within the hour."""
    born, dead = [], []
    now = from_ms + (rng.random(alive) * 0.4 * DAY_MS).astype(np.int64)
    while len(now):
        ban = now + (rng.gamma(2.0, life_days / 2.0, len(now)) * DAY_MS).astype(np.int64) + HOUR_MS
        born.append(now)
        dead.append(ban)
        now = (ban + (rng.random(len(ban)) * HOUR_MS).astype(np.int64))[ban < end_ms - HOUR_MS]
    return np.concatenate(born), np.concatenate(dead)


def stolen_keys(
    story: Story, rng: np.random.Generator, pool: Pools, onset_ms: int, *, accounts: int = 150, per_day: float = 9.0,
) -> None:  # fmt: skip
    """One operator on the keys of unrelated customers; each key from its hour on, all through one set of exits."""
    position = stolen.victims(story, rng, accounts)
    kit = stolen.keys(story, rng, position, per_day, start(rng, len(position), onset_ms, rng.uniform(2.0, 12.0)),
                      profile=pool.profile, offset_h=pool.offset_h, beat=pool.beat, burst=1.5, mood=12.0, session=1.4,
                      gap_s=40.0, project=0.25)  # fmt: skip
    operators.put_on(story.fleet, rng, pool, kit, exits=(2, 5), prompts=(3, 6))
    operators.do_work(story.fleet, rng, kit, blended(SURGE_WORK, MIXED_WORK, 0.6), alike=4.0)
    planted(story, "stolen_keys", "stolen_keys", onset_ms, targets_of(SURGE_WORK), story.honest.account[position])


def evasive(
    story: Story, rng: np.random.Generator, onset_ms: int, *, accounts: int = 250, per_day: float = 24.0,
    name: str = "evasive",
) -> None:  # fmt: skip
    """Shares nothing, adopts as everybody does; each account for itself grows, and narrows to one kind of work."""
    born = story.start_ms - (rng.exponential(60, accounts).clip(2, 400) * DAY_MS).astype(np.int64)
    account, streams = population.newcomers(story.fleet, rng, story.honest, accounts, born, per_day=per_day)
    take_up(story, rng, streams, SURGE_WORK, onset_ms, 30.0, 0.42, 2.5)
    story.course.swells.append(Swell(streams, onset_ms + 12 * HOUR_MS, story.end_ms, 1.9))
    story.like_others(streams)
    planted(story, name, "evasive", onset_ms, targets_of(SURGE_WORK), account)
