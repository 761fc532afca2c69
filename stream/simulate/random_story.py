"""How does a scenario go in a random world? The same kinds of campaign; everything about them, and around, is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stream.simulate.chance.catalogue import ARCHETYPES, HOUR_MS, MODEL
from stream.simulate.chance.draws import Choices
from stream.simulate.chance.ranges import LifeDraw
from stream.simulate.chance.world import World
from stream.simulate.customers.communities import Public, collections, join
from stream.simulate.customers.population import mixes
from stream.simulate.customers.shifts import Shift
from stream.simulate.events import networks, owners, plots
from stream.simulate.events.shocks import SHOCKS
from stream.simulate.events.story import Story

FIRST_DAY = 4.1  # of a campaign: there are four days of history
LAST_DAYS = 2.2  # of a log belong to its campaign
RELEASES = (("atlas-4", "atlas-3"), ("brio-3", "brio-2"))
ONCE = ("tag_rename", "giant_migration", "announced_migration")  # what a log can have but once
SHIPS = 0.75  # part of the products and resellers that change something in these days


@dataclass(frozen=True, slots=True)
class Plot:
    """What a scenario is about, whatever the world. kinds: of its campaigns, `drawn` for one that the world draws."""

    kinds: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    networks_least: int = 0


def lay_out(story: Story, plot: Plot) -> None:
    """Everything that happens in the log."""
    world = story.world
    assert world is not None
    rng = story.chance("world")
    onset_ms = story.at(rng.uniform(FIRST_DAY, max(FIRST_DAY + 0.1, story.size.days - LAST_DAYS)))
    public = _share(story, world)
    _record(story, world, plot)
    kinds = tuple(world.operator.kind if kind == "drawn" else kind for kind in plot.kinds)
    _release(story, rng, world, onset_ms, kinds)
    _networks(story, world, plot)
    _owners(story, world)
    if kinds:
        plots.campaigns_of(story, world, public, kinds, onset_ms)
    _shocks(story, world, quiet=not kinds)
    _changers(story, world)


def _share(story: Story, world: World) -> Public:
    rng = story.chance("collections")
    public = collections(story.fleet, rng, world.honest, story.size.accounts)
    join(story.fleet, rng, public, story.honest.stream, world.honest.collectors)
    return public


def _record(story: Story, world: World, plot: Plot) -> None:
    """What the platform writes down. Whoever hides its prompts hides nothing else: something must tie accounts."""
    hidden = set(plot.hidden)
    if world.records.templates == "absent":
        hidden.add("template")
    elif world.records.missing != "none":
        hidden.add(world.records.missing)
    story.course.hidden = frozenset(hidden)
    draw = world.records
    story.course.gaps = {"template": draw.template_gap, "payment": draw.payment_gap, "network": draw.network_gap,
                         "client": draw.client_gap}  # fmt: skip


def _release(story: Story, rng: np.random.Generator, world: World, onset_ms: int, kinds: tuple[str, ...]) -> None:
    """A release just before a campaign that is after it; else in most logs one, on any day; in some a second."""
    days = story.size.days
    day = (onset_ms - story.start_ms) / 24 / HOUR_MS - world.operator.lead_h / 24
    if not any(kind in plots.AFTER_A_MODEL for kind in kinds):
        day = rng.uniform(2.5, days - 1)
    if kinds and kinds[0] not in plots.AFTER_A_MODEL and rng.random() < 0.25:
        return
    story.release(*RELEASES[0], day)
    if rng.random() < 0.3:
        story.release(*RELEASES[1], rng.uniform(day, max(day + 0.1, days)))


def _networks(story: Story, world: World, plot: Plot) -> None:
    """Honest networks of any kind, about the release where there is one."""
    rng = story.chance("networks")
    count = world.life.networks
    if not plot.kinds:
        count = max(plot.networks_least, int(rng.integers(count, 2 * count + 1)))
    for number in range(count):
        kind = str(rng.choice(list(NETWORKS)))
        NETWORKS[kind](story, story.chance("network", number), _when(story, rng), _model(story, rng),
                       world.life)  # fmt: skip


def _when(story: Story, rng: np.random.Generator) -> int:
    """Soon after a release, or on any day from the second on."""
    if story.truth.releases and rng.random() < 0.7:
        return int(story.truth.releases[0]["released_at"] + rng.uniform(1, 48) * HOUR_MS)
    return story.at(rng.uniform(2.0, story.size.days - 0.5))


def _model(story: Story, rng: np.random.Generator) -> int:
    return MODEL[story.truth.releases[0]["model"]] if story.truth.releases else int(rng.integers(2, 7))


def _pack(story: Story, rng: np.random.Generator, onset_ms: int, model: int, life: LifeDraw) -> None:
    networks.prompt_pack(story, rng, onset_ms, model if rng.random() < 0.5 else None)


def _course(story: Story, rng: np.random.Generator, onset_ms: int, model: int, life: LifeDraw) -> None:
    networks.university(story, rng, onset_ms, model if rng.random() < 0.4 else None)


def _vpn(story: Story, rng: np.random.Generator, onset_ms: int, model: int, life: LifeDraw) -> None:
    networks.vpn(story, rng, onset_ms=onset_ms if rng.random() < life.eager else None, model=model)


def _agency(story: Story, rng: np.random.Generator, onset_ms: int, model: int, life: LifeDraw) -> None:
    proxies = int(rng.integers(40, 111)) if rng.random() < life.proxied else 0
    networks.agency(story, rng, onset_ms, model, proxies=proxies)


def _product(story: Story, rng: np.random.Generator, onset_ms: int, model: int, life: LifeDraw) -> None:
    ships = onset_ms if rng.random() < SHIPS else None
    networks.product(story, rng, ships, model, nightly=rng.random() < life.nightly)


def _reseller(story: Story, rng: np.random.Generator, onset_ms: int, model: int, life: LifeDraw) -> None:
    networks.reseller(story, rng, onset_ms if rng.random() < SHIPS else None, model)


NETWORKS: dict[str, Callable[[Story, np.random.Generator, int, int, LifeDraw], None]] = {
    "agency": _agency, "product": _product, "reseller": _reseller, "prompt_pack": _pack, "university": _course,
    "vpn": _vpn,
}  # fmt: skip


def _owners(story: Story, world: World) -> None:
    """Holdings, balanced keys and new products; some move to the release, as campaigns do."""
    rng, life = story.chance("owners"), world.life
    model, from_ms = _model(story, rng), story.at(0.5)
    if story.truth.releases:
        from_ms = int(story.truth.releases[0]["released_at"])
    owners.holdings(story, rng, life, model, from_ms)
    owners.new_products(story, rng, life.products)
    for _ in range(life.balanced):
        moves = rng.random() < 0.4
        owners.balanced(story, rng, int(from_ms + rng.uniform(0.1, 40) * HOUR_MS) if moves else None, model)


def _shocks(story: Story, world: World, *, quiet: bool) -> None:
    rng = story.chance("shocks")
    mean = world.life.shocks * (1.4 if quiet else 1.0)
    for name, shock in SHOCKS.items():
        count = min(int(rng.poisson(mean)), 1 if name in ONCE else 3)
        for day in np.sort(rng.uniform(0.8, story.size.days - 0.3, count)):
            shock(story, float(day))


def _changers(story: Story, world: World) -> None:
    """Honest accounts that from one hour to the next ask for something else: a new product, a new job."""
    rng = story.chance("changers")
    chosen = np.flatnonzero(rng.random(len(story.honest.stream)) < world.fleet.changers)
    count = len(chosen)
    mix = mixes(rng, rng.integers(0, len(ARCHETYPES), count), 2.0)
    row, task = np.nonzero(mix >= 0.02)
    onset = story.start_ms + (rng.random(count) * (story.end_ms - story.start_ms)).astype(np.int64)
    story.course.shifts.append(
        Shift("task", story.honest.stream[chosen], onset, np.full(count, HOUR_MS // 2), rng.beta(3, 1.5, count),
              Choices.of(count, row, task, mix[row, task]))
    )  # fmt: skip
