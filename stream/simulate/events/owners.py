"""Which honest accounts have one owner, and move as one? Holdings, companies that balance their own keys, new products.

Nothing here is harvested by a stranger: what is common belongs to whoever pays. Only random worlds have them.
"""

from __future__ import annotations

import numpy as np

from stream.simulate.chance.catalogue import HOUR_MS, OLD_CLIENTS, TASK, TASKS
from stream.simulate.chance.draws import Choices, Ints, shares, some_of
from stream.simulate.chance.ranges import LifeDraw
from stream.simulate.customers.attributes import home_providers
from stream.simulate.customers.population import give_models
from stream.simulate.customers.rhythm import SERVICE
from stream.simulate.customers.shifts import Shift
from stream.simulate.events.networks import known, members, switch
from stream.simulate.events.shocks import happened
from stream.simulate.events.story import Story
from stream.simulate.events.truth import Network

HOLDING = (6, 40)  # accounts
KEYS = (4, 60)  # of a company that balances them
PRODUCT_ORG_LEAST = 8  # accounts; fewer are seen as accounts that changed by themselves


def _one_work(rng: np.random.Generator, count: int) -> Choices:
    """The same two or three tasks for all."""
    tasks = rng.choice(len(TASKS), int(rng.integers(2, 4)), replace=False)
    part = rng.gamma(2.0, 1.0, len(tasks)) + 0.1
    return Choices.of(count, np.repeat(np.arange(count), len(tasks)), np.tile(tasks, count), np.tile(part, count))


def holdings(story: Story, rng: np.random.Generator, draw: LifeDraw, model: int, from_ms: int) -> None:
    """Firms of one owner, on one payment, some in one office; a part of them moves, or ships something, on one day.

    from_ms: no holding moves to the model before it.
    """
    for _ in range(int(rng.poisson(draw.holdings * story.size.accounts / 1000))):
        position = members(story, rng, int(np.exp(rng.uniform(*np.log(HOLDING)))), least=0.5)
        streams = story.honest.stream[position]
        card = int(story.fleet.new_values("payment", 1)[0])
        story.fleet.offer("payment", streams, card, 20.0)
        if rng.random() < 0.5:
            office = int(story.fleet.new_networks(home_providers(rng, 1))[0])
            story.fleet.offer("network", streams, office, rng.gamma(1.0, 1.0, len(streams)))
        if rng.random() < draw.holdings_move:
            _decide(story, rng, position, model, from_ms)


def _decide(story: Story, rng: np.random.Generator, position: Ints, model: int, from_ms: int) -> None:
    """What the owner decides, all of its accounts do within hours: another model, or other work."""
    streams, count = story.honest.stream[position], len(position)
    moves_model = rng.random() < 0.5
    first_ms = from_ms if moves_model else story.at(0.5)
    at_ms = int(rng.uniform(min(first_ms, story.end_ms - HOUR_MS), story.end_ms))
    start = at_ms + (rng.random(count) * 4 * HOUR_MS).astype(np.int64)
    depth = np.full(count, rng.uniform(0.4, 1.0))
    if moves_model:
        switch(story, streams, start, float(rng.integers(1, 12)), depth, model)
    else:
        ramp = np.full(count, HOUR_MS)
        story.course.shifts.append(Shift("task", streams, start, ramp, depth, _one_work(rng, count)))
    known(story, "holding", position, at_ms)


def balanced(story: Story, rng: np.random.Generator, onset_ms: int | None, model: int) -> None:
    """A company that spreads the load of its product evenly over its own keys, round the clock."""
    fleet, count = story.fleet, int(np.exp(rng.uniform(*np.log(KEYS))))
    account = fleet.add_accounts(count, org=int(fleet.new_orgs(1)[0]), country=0, signup_ms=story.at(-90))
    streams = fleet.add_streams(
        count, account=account, per_day=rng.uniform(6.0, 40.0) * max(story.light, 0.2), profile=SERVICE, burst=8.0,
        mood=20.0, session=1.2, gap_s=5.0, project=0.0, beat=fleet.new_beat(depth=0.15, pause=0.0),
    )  # fmt: skip
    fleet.offer("payment", streams, int(fleet.new_values("payment", 1)[0]))
    fleet.offer("client", streams, int(rng.integers(0, OLD_CLIENTS)))
    owner, exit_ = some_of(rng, rng.choice(story.honest.world.cloud, 3), rng.integers(1, 4, count))
    fleet.offer("network", streams[owner], exit_)
    for prompt in fleet.new_values("template", 9):
        fleet.offer("template", streams, int(prompt), rng.random() + 0.1)
    mix = shares(rng, np.full((1, len(TASKS)), 0.15))[0]
    for task in TASK.values():
        fleet.offer("task", streams, task, mix[task])
    give_models(fleet, rng, streams)
    if onset_ms is not None:
        switch(story, streams, np.full(count, onset_ms), 0.5, np.full(count, 0.95), model)
    number = sum(network.kind == "balanced" for network in story.truth.networks) + 1
    story.truth.networks.append(Network(f"balanced-{number}", "balanced", account, onset_ms))


def new_products(story: Story, rng: np.random.Generator, part: float) -> None:
    """A part of the larger organisations launches something: within two hours its accounts ask for other work."""
    org = story.fleet.accounts.org[story.honest.account]
    size = np.bincount(org)
    large = np.flatnonzero((size >= PRODUCT_ORG_LEAST) & (size <= len(org) // 40))
    for one in large[rng.random(len(large)) < part]:
        streams = story.honest.stream[org == one]
        count, at_ms = len(streams), story.at(rng.uniform(0.3, story.size.days - 0.2))
        start = at_ms + (rng.random(count) * 2 * HOUR_MS).astype(np.int64)
        depth = np.full(count, rng.uniform(0.3, 0.9))
        ramp = np.full(count, HOUR_MS // 2)
        story.course.shifts.append(Shift("task", streams, start, ramp, depth, _one_work(rng, count)))
        happened(story, "new_product", at_ms, streams)
