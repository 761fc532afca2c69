"""What does the operator of a random world have, and how do its accounts use it? Values of every thickness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.simulate.chance.catalogue import ARCHETYPES, CLIENT, DAY_MS, HOUR_MS, OLD_CLIENTS
from stream.simulate.chance.draws import Choices, Ints, some_of
from stream.simulate.chance.ranges import HonestDraw, OperatorDraw
from stream.simulate.customers.attributes import HOSTERS, give_templates, home_providers
from stream.simulate.customers.communities import Public, join
from stream.simulate.customers.fleet import FOREVER_MS
from stream.simulate.customers.population import give_models, give_tasks
from stream.simulate.customers.rhythm import DRAWN, OPERATOR, office_hours
from stream.simulate.customers.shifts import Rotation
from stream.simulate.events.operators import CLIENT_SETS, Crew, do_work, popularity
from stream.simulate.events.story import Story

SETS_MAX = 10  # of values that an account takes in turn
LEAST_SHARED = 3  # an operator has at least so many values of a kind


@dataclass(frozen=True, slots=True)
class Turns:
    """How an account changes what it uses: `sets` sets of values, one after another, each for a period."""

    sets: int
    period_ms: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, rotation: str, days: float) -> Turns:
        """never, days, day or hours, as in ranges.OperatorDraw."""
        if rotation == "hours":
            return cls(5, int(rng.integers(2, 9)) * HOUR_MS)
        period_ms = {"never": FOREVER_MS, "day": DAY_MS, "days": int(2.5 * DAY_MS)}[rotation]
        return cls(min(SETS_MAX, 1 + int(days * DAY_MS) // period_ms), period_ms)


@dataclass(frozen=True, slots=True)
class Outfit:
    """An operator's values, hours and waves. Indexes of values."""

    draw: OperatorDraw
    public: Public
    honest: HonestDraw
    payments: Ints
    networks: Ints
    templates: Ints
    clients: Ints
    exit_turns: Turns
    prompt_turns: Turns
    beat: int
    profile: int


def outfit(story: Story, rng: np.random.Generator, draw: OperatorDraw, public: Public, accounts: int) -> Outfit:
    """Pools of such sizes that as many of the accounts are on each value as the world says."""
    assert story.world is not None
    fleet = story.fleet
    exit_turns = Turns.drawn(rng, draw.exit_rotation, story.size.days)
    prompt_turns = Turns.drawn(rng, draw.prompt_rotation, story.size.days)
    exits = _enough(accounts * draw.exits_cover * _mean(draw.exits) * exit_turns.sets / draw.exit, draw.exits)
    prompts = _enough(
        accounts * draw.prompts_cover * _mean(draw.prompts) * prompt_turns.sets / draw.prompt, draw.prompts
    )
    asn = np.where(rng.random(exits) < 0.6, rng.choice(HOSTERS, exits), home_providers(rng, exits))
    known = round(draw.popular * prompts)
    own = fleet.new_values("template", prompts - known)
    frameworks = rng.choice(story.honest.world.framework_templates, known // 3)
    fleet.rhythms.append(office_hours(draw.hours, draw.weekend))
    made = Outfit(
        draw=draw, public=public, honest=story.world.honest,
        payments=fleet.new_values("payment", max(1, round(accounts * draw.paid / draw.card))),
        networks=fleet.new_networks(asn),
        templates=np.concatenate((own, public.some(rng, known - known // 3), frameworks)),
        clients=np.array([CLIENT[name] for name in CLIENT_SETS[int(rng.integers(len(CLIENT_SETS)))]]),
        exit_turns=exit_turns, prompt_turns=prompt_turns,
        beat=fleet.new_beat(depth=draw.wave, pause=rng.uniform(0.0, 0.06)),
        profile=DRAWN + len(fleet.rhythms) - 1,
    )  # fmt: skip
    _lend(story, rng, made, own)
    return made


def _mean(most: int) -> float:
    return (max(1, most // 2) + most) / 2


def _enough(count: float, each: int) -> int:
    return max(LEAST_SHARED, each, round(count))


def _lend(story: Story, rng: np.random.Generator, made: Outfit, own: Ints) -> None:
    """Honest accounts on the operator's values: customers of its proxies and wallets, prompts that got out."""
    draw, streams = made.draw, story.honest.stream
    busy = np.minimum(story.fleet.streams.per_day[streams], 6.0 * story.light)
    for name, values, mean, weight in (
        ("network", made.networks, draw.honest_exits, 0.5), ("template", own, draw.honest_prompts, 0.6),
        ("payment", made.payments, draw.honest_cards, 1.0),
    ):  # fmt: skip
        most = 0.03 * len(streams)
        carriers = rng.poisson(np.minimum(mean * rng.gamma(1.5, 1 / 1.5, len(values)), most))
        borrower = rng.choice(streams, int(carriers.sum()), p=busy / busy.sum())
        story.fleet.offer(
            name, borrower, np.repeat(values, carriers), weight * np.exp(rng.standard_normal(len(borrower)))
        )


def recruit(story: Story, rng: np.random.Generator, draw: OperatorDraw, count: int) -> Ints:
    """Accounts that are there before the log begins, in organisations of one up to org_most."""
    size = rng.integers(1, draw.org_most + 1, count)
    org = story.fleet.new_orgs(count)[np.repeat(np.arange(count), size)[:count]]
    country = popularity(rng)
    age_days = rng.exponential(draw.age_days, count).clip(0.5, 700)
    return story.fleet.add_accounts(
        count, org=org, country=rng.choice(len(country), count, p=country),
        signup_ms=story.start_ms - (age_days * DAY_MS).astype(np.int64),
    )  # fmt: skip


def equip(
    story: Story, rng: np.random.Generator, made: Outfit, account: Ints, per_day: float, work: dict[str, float], *,
    kit_from_ms: Ints | int = -FOREVER_MS, start_ms: Ints | int = -FOREVER_MS, end_ms: Ints | int = FOREVER_MS,
) -> Crew:  # fmt: skip
    """Puts accounts to work: a kit on shared values, and resold traffic that looks like honest customers'."""
    draw, count = made.draw, len(account)
    volume = np.exp(draw.load_spread * rng.standard_normal(count) - draw.load_spread**2 / 2) * per_day
    mean, weight = min(1 - draw.resold, 0.97), rng.uniform(4.0, 10.0)
    part = rng.beta(mean * weight, (1 - mean) * weight, count)
    kit = story.fleet.add_streams(
        count, account=account, per_day=volume * part, profile=made.profile, offset_h=draw.zone_h, beat=made.beat,
        burst=1.5, mood=12.0, session=1.4, gap_s=40.0, project=0.25, start_ms=np.maximum(start_ms, kit_from_ms),
        end_ms=end_ms,
    )  # fmt: skip
    resale = story.fleet.add_streams(
        count, account=account, per_day=volume * (1 - part), profile=OPERATOR, offset_h=rng.integers(-8, 10, count),
        burst=0.5, mood=2.0, session=3.0, gap_s=50.0, project=0.4, start_ms=start_ms, end_ms=end_ms,
    )  # fmt: skip
    _pay(story, rng, made, account, kit, resale)
    use(story, rng, made, kit, resale)
    do_work(story.fleet, rng, kit, work, draw.alike)
    _resell(story, rng, made, resale)
    return Crew(account, kit, resale)


def _pay(story: Story, rng: np.random.Generator, made: Outfit, account: Ints, kit: Ints, resale: Ints) -> None:
    """An organisation pays by one or two methods of the pool, by its own, or by none."""
    fleet, draw = story.fleet, made.draw
    orgs, org = np.unique(fleet.accounts.org[account], return_inverse=True)
    count = len(orgs)
    pooled = rng.random(count) < draw.paid
    none = ~pooled & (rng.random(count) < draw.unpaid)
    card = np.where(pooled, rng.choice(made.payments, count), fleet.new_values("payment", count))
    second = np.where(pooled & (rng.random(count) < 0.2), rng.choice(made.payments, count), card)
    pays = ~none[org]
    for stream in (kit[pays], resale[pays]):
        fleet.offer("payment", stream, card[org[pays]], 1.0)
        fleet.offer("payment", stream, second[org[pays]], 0.4)


def use(story: Story, rng: np.random.Generator, made: Outfit, kit: Ints, resale: Ints) -> None:
    """Exits for all that an account sends, prompts for the kit; who is not covered has values of its own."""
    draw, count = made.draw, len(kit)
    own = _own_networks(story, rng, count)
    covered = np.flatnonzero(rng.random(count) < draw.exits_cover)
    choices = _sets(rng, made.networks, len(covered), draw.exits, made.exit_turns)
    both = (kit, resale) if len(resale) else (kit,)
    for stream in both:
        story.fleet.offer("network", stream, own, 1.0)
        story.course.rotations.append(
            Rotation("network", stream[covered], made.exit_turns.period_ms, made.exit_turns.sets, choices,
                     1 - draw.private)
        )  # fmt: skip
    prompting = np.flatnonzero(rng.random(count) < draw.prompts_cover)
    story.fleet.offer("template", kit, story.fleet.new_values("template", count), 1.0)
    story.course.rotations.append(
        Rotation("template", kit[prompting], made.prompt_turns.period_ms, made.prompt_turns.sets,
                 _sets(rng, made.templates, len(prompting), draw.prompts, made.prompt_turns), 1 - draw.private)
    )  # fmt: skip
    owner = np.repeat(kit, len(made.clients))
    story.fleet.offer("client", owner, np.tile(made.clients, count), np.exp(0.7 * rng.standard_normal(len(owner))))


def _own_networks(story: Story, rng: np.random.Generator, count: int) -> Ints:
    """Lines of the accounts' own: half of them are where honest accounts are, on phones, in clouds, behind tunnels."""
    fresh = story.fleet.new_networks(home_providers(rng, count))
    offered = np.concatenate([item.ravel() for _, item, _ in story.fleet.parts["network"]])
    return np.where(rng.random(count) < 0.5, fresh, rng.choice(offered, count))


def _sets(rng: np.random.Generator, values: Ints, owners: int, most: int, turns: Turns) -> Choices:
    """For each owner `turns.sets` sets of up to `most` of the values, some more used than others."""
    each = rng.integers(max(1, most // 2), most + 1, owners * turns.sets)
    owner, item = some_of(rng, values, each)
    return Choices.of(owners * turns.sets, owner, item, np.exp(0.5 * rng.standard_normal(len(owner))))


def _resell(story: Story, rng: np.random.Generator, made: Outfit, resale: Ints) -> None:
    """What its customers send: every kind of work, own prompts, frameworks' and collections', whatever client."""
    count = len(resale)
    give_tasks(story.fleet, rng, resale, rng.integers(0, len(ARCHETYPES), count))
    give_models(story.fleet, rng, resale)
    give_templates(story.fleet, rng, story.honest.world, resale)
    join(story.fleet, rng, made.public, resale, min(1.0, 1.5 * made.honest.collectors))
    story.fleet.offer("client", resale, rng.choice(made.clients, count))
    story.fleet.offer("client", resale, rng.integers(0, OLD_CLIENTS, count))
