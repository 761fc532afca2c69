"""Which logs can be simulated? Each scenario by name: its size, and what happens in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stream.errors import UsageError
from stream.simulate import random_story
from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODEL, START_MS
from stream.simulate.chance.world import World, draw
from stream.simulate.events import campaigns, networks, operators
from stream.simulate.events.operators import Habits, Pools
from stream.simulate.events.shocks import SHOCKS
from stream.simulate.events.story import Size, Story
from stream.simulate.random_story import Plot

ATLAS, BRIO = MODEL["atlas-4"], MODEL["brio-3"]
RELEASE_DAY = 4.4  # Friday morning: four days of history


@dataclass(frozen=True, slots=True)
class Scenario:
    """about: one line for a person; size: of the log unless told otherwise; lay_out: makes things happen in it.
    plot: the same in a random world; drawn: it has no other world than a random one."""

    about: str
    size: Size
    lay_out: Callable[[Story], None]
    plot: Plot
    drawn: bool = False


def _shocks(story: Story, **days: float) -> None:
    """Honest shocks by name, each some hours about the day given."""
    for name, day in days.items():
        SHOCKS[name](story, day + story.chance("shock", name).uniform(-0.15, 0.15))


def _soon(rng: np.random.Generator, released_ms: int) -> int:
    """About an hour after a release."""
    return released_ms + int(rng.uniform(0.7, 1.5) * HOUR_MS)


def _pool(story: Story, rng: np.random.Generator, accounts: int, habits: Habits, carriers: float = 25.0) -> Pools:
    """Pools of such a size that about `carriers` accounts have each prompt, two thirds as many each exit."""

    def size(each: tuple[int, int], by: float) -> int:
        return max(6, round(accounts * sum(each) / 2 / by))

    pool = operators.pools(story.fleet, rng, size(habits.cards, 11.0), size(habits.exits, carriers / 1.5),
                           size(habits.prompts, carriers))  # fmt: skip
    operators.leak(story.fleet, rng, pool, story.honest)
    return pool


def quiet(story: Story) -> None:
    """A release and every honest shock, no campaign."""
    story.release("atlas-4", "atlas-3", RELEASE_DAY)
    _shocks(story, retries=1.4, holiday=2.0, outage=2.6, tag_rename=3.4, viral_feature=3.8, viral_thinking=5.2,
            benchmark=4.6, org_migration=4.9, hackathon=5.4, framework_version=4.7, tutorial=5.8, giant_migration=6.3,
            announced_migration=6.7)  # fmt: skip


def pivot(story: Story) -> None:
    """A release, and an operator who moves to it an hour later."""
    released_ms, rng = story.release("atlas-4", "atlas-3", RELEASE_DAY), story.chance("pivot")
    pool = _pool(story, rng, 300, Habits())
    campaigns.pivot(story, rng, pool, ATLAS, _soon(rng, released_ms))
    _shocks(story, outage=2.6, viral_feature=3.9, benchmark=4.5, org_migration=5.1, giant_migration=5.9, retries=6.4)


def few_pools(story: Story) -> None:
    """The pivot of an operator with six prompts and forty exits, which all of its accounts pass through."""
    released_ms, rng = story.release("atlas-4", "atlas-3", RELEASE_DAY), story.chance("few pools")
    pool = operators.pools(story.fleet, rng, payments=12, networks=40, templates=6)
    operators.leak(story.fleet, rng, pool, story.honest)
    habits = Habits.drawn(rng, per_day=22.0, cards=(1, 1), exits=(25, 40), prompts=(6, 6))
    campaigns.pivot(story, rng, pool, ATLAS, _soon(rng, released_ms), accounts=260, habits=habits)
    _shocks(story, outage=2.6, viral_feature=3.9, benchmark=4.5, org_migration=5.1, giant_migration=5.9, retries=6.4)


def surge(story: Story) -> None:
    """Coding, orchestration, tool use; a prompt pack and an agency at the same time, a hackathon after."""
    rng = story.chance("surge")
    onset_ms = story.at(4.3 + rng.uniform(0, 0.5))
    networks.prompt_pack(story, story.chance("pack"), onset_ms - int(rng.uniform(0, 40) * HOUR_MS), None)
    networks.agency(story, story.chance("agency"), onset_ms + int(rng.uniform(-20, 20) * HOUR_MS), MODEL["brio-2"])
    campaigns.surge(story, rng, _pool(story, rng, 260, Habits()), onset_ms)
    _shocks(story, outage=2.3, tag_rename=3.2, viral_feature=4.2, hackathon=6.2, org_migration=5.3)


def slow_and_low(story: Story) -> None:
    """A hundred accounts with four requests a day each."""
    rng = story.chance("slow")
    habits = Habits(cards=(1, 1), exits=(3, 6), prompts=(3, 6))
    pool = _pool(story, rng, 100, habits, carriers=20.0)
    campaigns.slow_and_low(story, rng, pool, story.at(4.3 + rng.uniform(0, 0.5)))
    _shocks(story, outage=2.3, viral_thinking=3.9, tutorial=4.8, org_migration=5.3, retries=6.1)


def hydra(story: Story) -> None:
    """Throw-away accounts in turn; a release happens, and is not what they are after."""
    rng = story.chance("hydra")
    pool = _pool(story, rng, 2_000, Habits(cards=(1, 1), exits=(3, 8), prompts=(3, 6)), carriers=40.0)
    campaigns.hydra(story, rng, pool, story.at(4.2 + rng.uniform(0, 0.4)))
    story.release("atlas-4", "atlas-3", 5.6)
    _shocks(story, outage=2.3, viral_feature=4.1, org_migration=5.1, tutorial=5.9)


def mixed(story: Story) -> None:
    """Two releases, three campaigns on one set of pools, three honest networks."""
    first_ms = story.release("atlas-4", "atlas-3", 4.2)
    second_ms = story.release("brio-3", "brio-2", 6.9)
    rng = story.chance("mixed")
    networks.agency(story, story.chance("agency"), first_ms + 5 * HOUR_MS, ATLAS)
    networks.product(story, story.chance("product"), second_ms + 9 * HOUR_MS, BRIO)
    networks.prompt_pack(story, story.chance("pack"), story.at(4.9), None)
    pool = _pool(story, rng, 560, Habits(), carriers=34.0)
    campaigns.pivot(story, rng, pool, ATLAS, _soon(rng, first_ms), accounts=240, name="pivot-atlas")
    campaigns.surge(story, rng, pool, story.at(5.5 + rng.uniform(0, 0.3)), accounts=170, work=campaigns.AGENT_WORK,
                    name="surge-agents")  # fmt: skip
    campaigns.pivot(story, rng, pool, BRIO, _soon(rng, second_ms), accounts=150, name="pivot-brio")
    _shocks(story, outage=2.6, viral_feature=6.1, benchmark=4.4, org_migration=7.4)


def evasive(story: Story) -> None:
    """A campaign that shares nothing and adopts as everybody does."""
    story.release("atlas-4", "atlas-3", RELEASE_DAY)
    rng = story.chance("evasive")
    campaigns.evasive(story, rng, story.at(4.6 + rng.uniform(0, 0.4)))
    _shocks(story, outage=2.6, viral_feature=3.9, org_migration=5.2)


def no_templates_pivot(story: Story) -> None:
    """The pivot on a platform without a prompt-side hash."""
    story.course.hidden = frozenset({"template"})
    pivot(story)


def no_templates_surge(story: Story) -> None:
    """The surge on a platform without a prompt-side hash."""
    story.course.hidden = frozenset({"template"})
    surge(story)


def low_prevalence(story: Story) -> None:
    """Below one request in a hundred; an agency, a product and a pack move at the same release."""
    released_ms, rng = story.release("atlas-4", "atlas-3", RELEASE_DAY), story.chance("low")
    networks.agency(story, story.chance("agency"), released_ms + 2 * HOUR_MS, ATLAS)
    networks.product(story, story.chance("product"), released_ms + 6 * HOUR_MS, ATLAS)
    networks.prompt_pack(story, story.chance("pack"), released_ms - 12 * HOUR_MS, ATLAS)
    habits = Habits.drawn(rng, per_day=12.0)
    pool = _pool(story, rng, 200, habits)
    campaigns.pivot(story, rng, pool, ATLAS, _soon(rng, released_ms), accounts=200, habits=habits)
    _shocks(story, outage=2.6, viral_feature=3.9, org_migration=5.2, giant_migration=6.0)


def honest_networks(story: Story) -> None:
    """Eleven honest networks that look like campaigns, a release, and none."""
    released_ms = story.release("atlas-4", "atlas-3", RELEASE_DAY)
    pick = story.chance("eleven")
    for number in range(2):
        networks.agency(story, story.chance("agency", number), released_ms + int(pick.uniform(1, 40) * HOUR_MS), ATLAS)
        networks.university(story, story.chance("course", number), story.at(pick.uniform(4.2, 6.3)),
                            ATLAS if number else None)  # fmt: skip
        networks.prompt_pack(story, story.chance("pack", number), story.at(pick.uniform(3.4, 5.4)),
                             ATLAS if number else None)  # fmt: skip
        networks.reseller(story, story.chance("reseller", number), released_ms + 3 * HOUR_MS if number else None, ATLAS)
    networks.product(story, story.chance("product", 0), released_ms + int(pick.uniform(3, 20) * HOUR_MS), ATLAS)
    networks.product(story, story.chance("product", 1), None, ATLAS)
    networks.vpn(story, story.chance("vpn"))
    _shocks(story, outage=2.6, viral_feature=4.0, hackathon=5.5, org_migration=5.2, tag_rename=6.6)


def stolen_keys(story: Story) -> None:
    """Leaked keys of customers who know nothing of each other, and whose own traffic goes on."""
    story.release("atlas-4", "atlas-3", 3.1)
    rng = story.chance("stolen")
    pool = operators.pools(story.fleet, rng, payments=1, networks=25, templates=18)
    operators.leak(story.fleet, rng, pool, story.honest)
    campaigns.stolen_keys(story, rng, pool, story.at(4.3 + rng.uniform(0, 0.5)))
    _shocks(story, outage=2.3, viral_feature=4.0, tutorial=4.9, org_migration=5.3, retries=6.1)


def at_scale(story: Story) -> None:
    """The report at its own size: 24,000 accounts and 16 million exchanges in three campaigns over 30 days."""
    part = story.size.scale
    released_ms, rng = story.release("atlas-4", "atlas-3", 6.4), story.chance("scale")
    networks.agency(story, story.chance("agency"), released_ms + 4 * HOUR_MS, ATLAS)
    networks.product(story, story.chance("product"), released_ms + 8 * HOUR_MS, ATLAS)
    networks.university(story, story.chance("course"), story.at(12.3), None)
    moved, turned, whispered = round(13_000 * part), round(10_000 * part), max(100, round(1_000 * part))
    habits = Habits.drawn(rng, per_day=24.0)
    campaigns.pivot(story, rng, _pool(story, rng, moved, habits), ATLAS, _soon(rng, released_ms), accounts=moved,
                    habits=habits)  # fmt: skip
    campaigns.surge(story, rng, _pool(story, rng, turned, habits), story.at(10.3), accounts=turned,
                    habits=Habits.drawn(rng, per_day=20.0))  # fmt: skip
    few = Habits(cards=(1, 1), exits=(3, 6), prompts=(3, 6))
    campaigns.slow_and_low(story, rng, _pool(story, rng, whispered, few, carriers=20.0), story.at(15.6),
                           accounts=whispered)  # fmt: skip
    _shocks(story, outage=9.6, viral_feature=5.0, giant_migration=14.0, tag_rename=18.0, hackathon=20.4)


NO_TEMPLATES = frozenset({"template"})
FEW, MANY = Size(9_000, 8), Size(60_000, 8, mean_per_day=5.0)
SCENARIOS: dict[str, Scenario] = {
    "quiet": Scenario("every honest shock and a release, no campaign", FEW, quiet, Plot()),
    "honest_networks": Scenario("eleven honest networks that look like campaigns, no campaign", FEW, honest_networks,
                                Plot(networks_least=6)),
    "pivot": Scenario("300 accounts move nearly half of their traffic to a model released an hour ago", FEW, pivot,
                      Plot(("pivot",))),
    "few_pools": Scenario("260 accounts on six prompts and forty exits that all of them use", FEW, few_pools,
                          Plot(("few_pools",))),
    "surge": Scenario("260 accounts turn to coding and orchestration, among a pack and an agency", FEW, surge,
                      Plot(("surge",))),
    "slow_and_low": Scenario("100 accounts, four requests a day each, in waves, for reasoning", FEW, slow_and_low,
                             Plot(("slow_and_low",))),
    "hydra": Scenario("3,000 throw-away accounts, 800 at a time, half of it resold", Size(11_000, 8), hydra,
                      Plot(("hydra",))),
    "mixed": Scenario("two releases, three campaigns on shared pools, three honest networks", Size(10_000, 9), mixed,
                      Plot(("pivot", "surge", "pivot"))),
    "low_prevalence": Scenario("60,000 accounts, a pivot below 1 % of the requests", MANY, low_prevalence,
                               Plot(("low_prevalence",))),
    "no_templates_pivot": Scenario("the pivot on a platform that records no template", FEW, no_templates_pivot,
                                   Plot(("pivot",), NO_TEMPLATES)),
    "no_templates_surge": Scenario("the surge on a platform that records no template", FEW, no_templates_surge,
                                   Plot(("surge",), NO_TEMPLATES)),
    "evasive": Scenario("250 accounts that share nothing and adopt as everybody does", FEW, evasive,
                        Plot(("evasive",))),
    "stolen_keys": Scenario("keys of 150 unrelated customers, used by one operator through few exits and prompts",
                            FEW, stolen_keys, Plot(("stolen_keys",))),
    "at_scale": Scenario("24,000 of 250,000 accounts in three campaigns, 30 days; times --scale",
                         Size(250_000, 30, mean_per_day=29.0), at_scale, Plot(("pivot", "surge", "slow_and_low"))),
    "random": Scenario("a campaign of any kind in a world of which everything is drawn, by --world or the seed",
                       FEW, quiet, Plot(("drawn",)), drawn=True),
    "random_quiet": Scenario("such a world without a campaign, with shocks and networks as many as are drawn",
                             FEW, quiet, Plot(networks_least=2), drawn=True),
}  # fmt: skip


def tell(name: str, seed: int, *, accounts: int | None = None, days: float | None = None, real: bool = False,
         scale: float | None = None, start_ms: int = START_MS, world: int | World | None = None) -> Story:  # fmt: skip
    """Lays out a scenario. accounts, days, scale: instead of its own; real: everybody follows production clients.
    start_ms: the first hour of the log. world: a random world to tell it in, or its seed.

    Raises UsageError for a name that is not in SCENARIOS, and a log that ends before a campaign begins.
    """
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise UsageError(f"--scenario: there is no scenario {name!r}; there are {', '.join(SCENARIOS)}")
    if scenario.drawn or world is not None:
        found = world if isinstance(world, World) else draw(seed if world is None else world)
        found = found.resized(accounts, days, scale)
        size = Size(found.fleet.accounts, found.fleet.days, scale or 1.0)
        story = Story.begin(name, seed, size, real=real, start_ms=start_ms, world=found)
        random_story.lay_out(story, scenario.plot)
        return _told(story, days)
    size = scenario.size
    scaled = int(size.accounts * (scale or 1.0))
    size = replace(size, accounts=accounts or scaled, days=days or size.days, scale=scale or size.scale)
    story = Story.begin(name, seed, size, real=real, start_ms=start_ms)
    scenario.lay_out(story)
    return _told(story, days)


def _told(story: Story, days: float | None) -> Story:
    _refuse_too_short(story, days)
    story.take_up_releases()
    story.truth.forget_after(story.end_ms)
    return story


def _refuse_too_short(story: Story, days: float | None) -> None:
    onset_ms = max((campaign.onset_ms for campaign in story.truth.campaigns), default=story.start_ms)
    if onset_ms >= story.end_ms:
        begins = (onset_ms - story.start_ms) / DAY_MS
        raise UsageError(f"--days {days:g}: a campaign of {story.name} begins on day {begins:.1f}; ask for more days")
