"""How does each kind of campaign go in a random world? As it does elsewhere, with an operator of that world's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODEL, MODELS
from stream.simulate.chance.draws import Ints
from stream.simulate.chance.ranges import OperatorDraw
from stream.simulate.chance.world import World
from stream.simulate.customers.communities import Public
from stream.simulate.customers.fleet import FOREVER_MS
from stream.simulate.customers.shifts import Swell
from stream.simulate.events import campaigns, outfit, stolen
from stream.simulate.events.campaigns import AGENT_WORK, MIXED_WORK, QUIET_WORK, REASON_WORK, SURGE_WORK, targets_of
from stream.simulate.events.operators import Crew, do_work
from stream.simulate.events.outfit import Outfit
from stream.simulate.events.story import Story

AFTER_A_MODEL = ("pivot", "low_prevalence", "few_pools")
VISION_WORK = {"image": 2.0, "screen": 2.0, "chart": 2.0, "table": 1.0, "extract": 1.0}
DATA_WORK = {"notebook": 3.0, "table": 2.0, "code": 1.5, "grade": 1.0}
TOOL_WORK = {"tool": 3.0, "agent": 2.0, "orchestrate": 1.5, "code_agent": 1.0}
WORKS = (SURGE_WORK, AGENT_WORK, REASON_WORK, VISION_WORK, DATA_WORK, TOOL_WORK)


@dataclass(frozen=True, slots=True)
class Plan:
    """One campaign before it is laid out. accounts: at a time; heads: over the log; per_day: requests of each."""

    name: str
    kind: str
    onset_ms: int
    accounts: int
    heads: int
    per_day: float
    draw: OperatorDraw


def campaigns_of(story: Story, world: World, public: Public, kinds: tuple[str, ...], onset_ms: int) -> None:
    """The campaigns of a log; several of one log are one operator's, on one outfit, one after the other."""
    plans = [_plan(story, world, kind, number, len(kinds), onset_ms) for number, kind in enumerate(kinds)]
    rng = story.chance("outfit")
    made = outfit.outfit(story, rng, plans[0].draw, public, sum(plan.heads for plan in plans))
    for number, plan in enumerate(plans):
        PLOTS[plan.kind](story, story.chance("campaign", number), made, plan)


def _plan(story: Story, world: World, kind: str, number: int, of: int, onset_ms: int) -> Plan:
    accounts, per_day = world.force(kind, of)
    draw, heads = world.operator, accounts
    if kind == "few_pools":
        draw = _few(draw, accounts, exits=20, prompts=6)
    elif kind == "stolen_keys":
        rng = story.chance("few")
        draw = _few(draw, accounts, exits=_about(rng, 4, 40), prompts=_about(rng, 4, 40))
    elif kind == "hydra":
        heads = int(accounts * (1 + (story.size.days - 0.5) / draw.alive_days))
    later_ms = int(number * (story.end_ms - onset_ms) / (of + 1))
    name = "campaign" if of == 1 else f"campaign-{number + 1}"
    return Plan(name, kind, onset_ms + later_ms, accounts, heads, per_day, draw)


def _about(rng: np.random.Generator, least: int, most: int) -> int:
    return round(float(np.exp(rng.uniform(np.log(least), np.log(most)))))


def _few(draw: OperatorDraw, accounts: int, exits: int, prompts: int) -> OperatorDraw:
    """The same operator with so few exits and prompts, which all of its accounts use."""
    on_exit, on_prompt = accounts * (draw.exits + 1) / 2 / exits, accounts * (draw.prompts + 1) / 2 / prompts
    return replace(draw, exits_cover=1.0, exit=on_exit, prompts_cover=1.0, prompt=on_prompt, private=draw.private / 3,
                   exit_rotation="never", prompt_rotation="never")  # fmt: skip


def _crew(story: Story, rng: np.random.Generator, made: Outfit, plan: Plan, work: dict[str, float]) -> Crew:
    account = outfit.recruit(story, rng, plan.draw, plan.accounts)
    from_ms: Ints | int = -FOREVER_MS
    if plan.draw.begins == "onset":
        from_ms = campaigns.start(rng, plan.accounts, plan.onset_ms, plan.draw.ramp_h / 2)
    crew = outfit.equip(story, rng, made, account, plan.per_day, work, kit_from_ms=from_ms)
    story.like_others(crew.resale)
    return crew


def _depth(draw: OperatorDraw) -> float:
    """How much of the kit moves, so that of all traffic it is the part that the world says."""
    return min(0.95, draw.moved / max(1 - draw.resold, 0.1))


def _pivot(story: Story, rng: np.random.Generator, made: Outfit, plan: Plan) -> None:
    model = MODEL[_latest(story, plan.onset_ms)]
    crew = _crew(story, rng, made, plan, MIXED_WORK)
    campaigns.move(story, rng, crew.kit, model, plan.onset_ms, plan.draw.ramp_h, _depth(plan.draw), plan.draw.steady)
    _afterwards(story, rng, crew.kit, plan)
    campaigns.planted(story, plan.name, plan.kind, plan.onset_ms, (f"model:{MODELS[model]}",), crew.account)


def _latest(story: Story, at_ms: int) -> str:
    out = [one for one in story.truth.releases if one["released_at"] <= at_ms]
    return str(max(out, key=lambda one: one["released_at"])["model"]) if out else "cirrus-1"


def _turns_to(work: dict[str, float] | None, before: dict[str, float]) -> Callable[..., None]:
    """A campaign that turns to some work; None: one of WORKS."""

    def plot(story: Story, rng: np.random.Generator, made: Outfit, plan: Plan) -> None:
        new = work or WORKS[int(rng.integers(len(WORKS)))]
        crew = _crew(story, rng, made, plan, before)
        _turn(story, rng, crew.kit, new, plan)
        story.like_others(crew.kit)
        campaigns.planted(story, plan.name, plan.kind, plan.onset_ms, targets_of(new), crew.account)

    return plot


def _turn(story: Story, rng: np.random.Generator, kit: Ints, work: dict[str, float], plan: Plan) -> None:
    draw = plan.draw
    campaigns.take_up(story, rng, kit, work, plan.onset_ms, draw.ramp_h, _depth(draw), draw.steady)
    _afterwards(story, rng, kit, plan)


def _afterwards(story: Story, rng: np.random.Generator, kit: Ints, plan: Plan) -> None:
    """It grows, and stands still at times that all of its accounts have in common."""
    draw = plan.draw
    grown_ms = plan.onset_ms + int(draw.ramp_h / 2 * HOUR_MS)
    story.course.swells.append(Swell(kit, grown_ms, story.end_ms, draw.swell))
    if draw.pauses == "long":
        campaigns.waves(story, rng, kit, plan.onset_ms)
    at_ms = story.start_ms
    while draw.pauses == "short" and at_ms < story.end_ms:
        at_ms += int(rng.uniform(3, 8) * HOUR_MS)
        until_ms = at_ms + int(rng.uniform(0.25, 0.75) * HOUR_MS)
        story.course.swells.append(Swell(kit, at_ms, until_ms, 0.04))
        at_ms = until_ms


def _hydra(story: Story, rng: np.random.Generator, made: Outfit, plan: Plan) -> None:
    draw = plan.draw
    from_ms = story.at(0.5) if draw.begins == "before" else plan.onset_ms - 6 * HOUR_MS
    born_ms, dead_ms = campaigns.generations(rng, plan.accounts, from_ms, story.end_ms, draw.alive_days)
    account = outfit.recruit(story, rng, draw, len(born_ms))
    age_ms = (rng.exponential(1.5, len(born_ms)) * DAY_MS).astype(np.int64)
    story.fleet.accounts.signup_ms[account] = born_ms - age_ms
    crew = outfit.equip(story, rng, made, account, plan.per_day, MIXED_WORK, start_ms=born_ms, end_ms=dead_ms)
    work = WORKS[int(rng.integers(len(WORKS)))]
    _turn(story, rng, crew.kit, work, plan)
    story.like_others(np.concatenate((crew.kit, crew.resale)))
    campaigns.planted(story, plan.name, plan.kind, plan.onset_ms, targets_of(work), account[dead_ms > plan.onset_ms])


def _stolen(story: Story, rng: np.random.Generator, made: Outfit, plan: Plan) -> None:
    position = stolen.victims(story, rng, plan.accounts)
    from_ms = campaigns.start(rng, len(position), plan.onset_ms, plan.draw.ramp_h)
    kit = stolen.keys(story, rng, position, plan.per_day, from_ms, profile=made.profile, offset_h=plan.draw.zone_h,
                      beat=made.beat, burst=1.5, mood=12.0, session=1.4, gap_s=40.0, project=0.25)  # fmt: skip
    outfit.use(story, rng, made, kit, kit[:0])
    work = WORKS[int(rng.integers(len(WORKS)))]
    part = 0.4 + 0.5 * plan.draw.moved  # the rest of what a thief sends is like anybody's
    do_work(story.fleet, rng, kit, campaigns.blended(work, MIXED_WORK, part), plan.draw.alike)
    targets = targets_of(work)
    if _latest(story, plan.onset_ms) != "cirrus-1" and rng.random() < 0.5:
        model = _latest(story, plan.onset_ms)
        story.fleet.offer("model", kit, MODEL[model], 8.0)
        targets = (f"model:{model}", *targets)
    campaigns.planted(story, plan.name, plan.kind, plan.onset_ms, targets, story.honest.account[position])


def _evasive(story: Story, rng: np.random.Generator, made: Outfit, plan: Plan) -> None:
    campaigns.evasive(story, rng, plan.onset_ms, accounts=plan.accounts, per_day=plan.per_day, name=plan.name)


PLOTS: dict[str, Callable[[Story, np.random.Generator, Outfit, Plan], None]] = {
    "pivot": _pivot, "low_prevalence": _pivot, "few_pools": _pivot, "surge": _turns_to(None, MIXED_WORK),
    "slow_and_low": _turns_to(REASON_WORK, QUIET_WORK), "hydra": _hydra, "stolen_keys": _stolen, "evasive": _evasive,
}  # fmt: skip
