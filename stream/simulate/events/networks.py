"""Which honest networks look like campaigns? Agencies, products, courses, prompt packs, tunnels, resellers.

Their members are honest accounts of the fleet: uneven in volume, at their own hours, with private traffic besides. A
network takes over a part of each member's traffic, which from then on carries what the network has in common.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from stream.simulate.chance.catalogue import CLIENT, DAY_MS, HOUR_MS, OFFSET_H, OLD_CLIENTS, TASK, TASKS
from stream.simulate.chance.draws import Choices, Floats, Ints, shares, some_of, zipf
from stream.simulate.customers.attributes import HOSTERS, home_providers
from stream.simulate.customers.fleet import Streams
from stream.simulate.customers.population import give_models, offer_mix
from stream.simulate.customers.rhythm import OFFICE, SERVICE
from stream.simulate.customers.shifts import Rotation, Shift, onto_one
from stream.simulate.events.shocks import work_mix
from stream.simulate.events.story import Story
from stream.simulate.events.truth import Network

PACK_WORK = {"orchestrate": 2.0, "code_fleet": 1.0, "agent": 2.0, "tool": 1.0}


def members(
    story: Story, rng: np.random.Generator, count: int, least: float = 2.0, most: float = 150.0,
    near_h: int | None = None,
) -> Ints:  # fmt: skip
    """Positions of honest accounts, mostly alone in their organisation, whose requests a day are in bounds.

    near_h: only of countries within two hours of this offset from UTC.
    """
    honest, least, most = story.honest, least * story.light, most * max(story.light, 0.3)
    org = story.fleet.accounts.org[honest.account]
    per_day = story.fleet.streams.per_day[honest.stream]
    fits = (np.bincount(org)[org] <= 4) & (per_day >= least) & (per_day <= most) & (honest.service == 0)
    if near_h is not None:
        fits &= np.abs(OFFSET_H[story.fleet.accounts.country[honest.account]] - near_h) <= 2
    return np.sort(rng.choice(np.flatnonzero(fits), min(count, int(fits.sum())), replace=False))


def _many(story: Story, rng: np.random.Generator, least: int, most: int) -> int:
    """A number of members."""
    return max(10, int(int(rng.integers(least, most)) * story.crowd))


def kit(story: Story, rng: np.random.Generator, position: Ints, alpha: float, beta: float, **columns: object) -> Ints:
    """A second stream for each member, which takes a Beta(alpha, beta) part of its traffic. Gives the streams."""
    streams, own = story.fleet.streams, story.honest.stream[position]
    part = rng.beta(alpha, beta, len(own))
    like_own = {column.name: getattr(streams, column.name)[own] for column in fields(Streams)}
    made = story.fleet.add_streams(len(own), **(like_own | {"per_day": streams.per_day[own] * part} | columns))
    story.fleet.streams.per_day[own] *= 1 - part
    return made


def prompts(
    story: Story, rng: np.random.Generator, streams: Ints, count: int, power: float, each: tuple[int, int]
) -> None:
    """A kit of `count` prompts, some far more used than others; members use a few of them, and their own variants."""
    pool = story.fleet.new_values("template", count)
    owner, item = some_of(rng, np.arange(count), rng.integers(each[0], each[1] + 1, len(streams)))
    weight = zipf(count, power)[item] * np.exp(1.1 * rng.standard_normal(len(owner)))
    story.fleet.offer("template", streams[owner], pool[item], weight)
    total = np.bincount(owner, weight, len(streams)) * rng.gamma(0.6, 0.6, len(streams))
    story.fleet.offer("template", streams, story.fleet.new_values("template", len(streams)), total + 1e-9)


def like_own(story: Story, rng: np.random.Generator, streams: Ints, *names: str) -> None:
    """The streams draw these from values of the members' own."""
    count = len(streams)
    fleet = story.fleet
    if "payment" in names:
        fleet.offer("payment", streams, fleet.new_values("payment", count))
    if "network" in names:
        fleet.offer("network", streams, fleet.new_networks(home_providers(rng, count)), rng.gamma(1.0, 0.5, count))
    if "client" in names:
        fleet.offer("client", streams, rng.integers(0, OLD_CLIENTS, count))


def work(story: Story, rng: np.random.Generator, streams: Ints, mix: dict[str, float], alike: float) -> None:
    """Each member does the network's work in its own proportions; alike: Dirichlet weight, large is alike."""
    weight = np.full(len(TASKS), 0.01)
    for name, part in mix.items():
        weight[TASK[name]] += part
    alpha = np.broadcast_to(alike * weight / weight.sum(), (len(streams), len(TASKS)))
    offer_mix(story.fleet, "task", streams, shares(rng, alpha))


def switch(story: Story, streams: Ints, onset_ms: Ints, ramp_h: float, depth: Floats, model: int) -> None:
    """Streams move to a model, each at its time."""
    ramp_ms = np.full(len(streams), int(ramp_h * HOUR_MS))
    story.course.shifts.append(Shift("model", streams, onset_ms, ramp_ms, depth, onto_one(len(streams), model)))


def known(story: Story, kind: str, position: Ints, onset_ms: int | None) -> None:
    """Notes the network in the truth."""
    number = sum(network.kind == kind for network in story.truth.networks) + 1
    story.truth.networks.append(Network(f"{kind}-{number}", kind, story.honest.account[position], onset_ms))


def agency(story: Story, rng: np.random.Generator, onset_ms: int, model: int, proxies: int = 0) -> None:
    """Its clients on one payment, its prompt kit and offices; it moves client after client within five days.

    proxies: so many exits, through which its staff works in turn, as firms do that look at search engines.
    """
    position = members(story, rng, _many(story, rng, 60, 130))
    streams = kit(story, rng, position, 2.0, 1.5, profile=OFFICE, offset_h=int(rng.integers(-6, 9)))
    fleet, count = story.fleet, len(streams)
    prompts(story, rng, streams, int(rng.integers(14, 28)), 0.8, (2, 6))
    for card in fleet.new_values("payment", 2):
        fleet.offer("payment", streams, int(card), rng.random(count) + 0.01)
    for office in fleet.new_networks(home_providers(rng, 3)):
        fleet.offer("network", streams, int(office), rng.gamma(0.8, 1.0, count))
    like_own(story, rng, streams, "network")
    if proxies:
        _rotate(story, rng, streams, proxies)
    fleet.offer("client", streams, CLIENT["gateway/2.7"])
    work(story, rng, streams, {"write": 3, "image": 2, "summarise": 2, "table": 1, "code": 0.7}, alike=8.0)
    give_models(fleet, rng, streams)
    start = onset_ms + (rng.random(count) * 5 * story.pace * DAY_MS).astype(np.int64)
    switch(story, streams, start, 1.0, rng.beta(8, 1, count) * (rng.random(count) < 0.9), model)
    known(story, "agency", position, onset_ms)


def _rotate(story: Story, rng: np.random.Generator, streams: Ints, proxies: int) -> None:
    exits = story.fleet.new_networks(np.where(rng.random(proxies) < 0.3, rng.choice(HOSTERS, proxies),
                                              home_providers(rng, proxies)))  # fmt: skip
    sets = 6
    owner, item = some_of(rng, exits, rng.integers(1, 4, len(streams) * sets))
    onto = Choices.of(len(streams) * sets, owner, item, np.ones(len(owner)))
    story.course.rotations.append(Rotation("network", streams, 2 * HOUR_MS, sets, onto, rng.uniform(0.3, 0.7)))


def product(story: Story, rng: np.random.Generator, onset_ms: int | None, model: int, *, nightly: bool = False) -> None:
    """Customers bring their own keys: one client, the product's prompts; a new default overnight for who updates.

    nightly: it is an automation, whose jobs run round the clock within quotas that are much the same for all.
    """
    position = members(story, rng, _many(story, rng, 180, 380))
    streams = kit(story, rng, position, 1.2, 1.2)
    fleet, count = story.fleet, len(streams)
    if nightly:
        fleet.streams.profile[streams] = SERVICE
        fleet.streams.per_day[streams] = 8.0 * story.light * np.exp(0.6 * rng.standard_normal(count))
    prompts(story, rng, streams, int(rng.integers(8, 16)), 1.0, (3, 7))
    fleet.offer("client", streams, CLIENT["flowdesk/23"])
    like_own(story, rng, streams, "payment", "network")
    for exit_ in rng.choice(story.honest.world.cloud, 4, replace=False):
        fleet.offer("network", streams, int(exit_), rng.gamma(0.5, 0.3, count))
    work(story, rng, streams, {"tool": 3, "agent": 2, "extract": 2, "write": 1, "chat": 1},
         alike=rng.uniform(6.0, 16.0))  # fmt: skip
    default = int(rng.integers(0, 7))
    fleet.offer("model", streams, default, 5.0)
    give_models(fleet, rng, streams)
    if onset_ms is not None:
        start = onset_ms + (rng.exponential(4.0, count) * HOUR_MS).astype(np.int64)
        switch(story, streams, start, 0.5, rng.beta(12, 1, count) * (rng.random(count) < 0.72), model)
    known(story, "product", position, onset_ms)


def university(story: Story, rng: np.random.Generator, onset_ms: int, model: int | None) -> None:
    """A programme on one payment and a campus' prefixes; at the onset a module begins, in class hours."""
    fleet, home_h = story.fleet, int(rng.choice([-6, 0, 1]))
    position = members(story, rng, _many(story, rng, 120, 260), least=1.0, most=40.0, near_h=home_h)
    streams = kit(story, rng, position, 2.0, 2.0, profile=OFFICE, offset_h=home_h,
                  beat=fleet.new_beat(depth=0.5, pause=0.15))  # fmt: skip
    count = len(streams)
    fleet.streams.per_day[streams] = 9.0 * story.light * np.exp(0.5 * rng.standard_normal(count))
    prompts(story, rng, streams, 14, 0.6, (3, 7))
    fleet.offer("payment", streams, int(fleet.new_values("payment", 1)[0]))
    campus = fleet.new_networks(np.repeat(home_providers(rng, 1), 7))
    owner, item = some_of(rng, campus, rng.integers(1, 4, count))
    fleet.offer("network", streams[owner], item, rng.gamma(1.0, 1.0, len(owner)))
    like_own(story, rng, streams, "network", "client")
    work(story, rng, streams, {"write": 3, "chat": 2, "summarise": 2, "reason": 1}, alike=6.0)
    give_models(fleet, rng, streams)
    start = onset_ms + (rng.gamma(1.5, 9.0 * story.pace, count) * HOUR_MS).astype(np.int64)
    module = work_mix(count, {"notebook": 3, "code_agent": 2, "tool": 1})
    story.course.shifts.append(
        Shift("task", streams, start, np.full(count, HOUR_MS), rng.beta(2.0, 1.2, count), module)
    )
    if model is not None:
        switch(story, streams, start, 0.5, rng.beta(3, 1, count) * (rng.random(count) < 0.8), model)
    known(story, "university", position, onset_ms)


def prompt_pack(story: Story, rng: np.random.Generator, onset_ms: int, model: int | None) -> None:
    """A public pack of prompts that spreads through hundreds of accounts in a week; some also take its model."""
    position = members(story, rng, _many(story, rng, 280, 480))
    wait = np.clip(2.6 + 0.8 * rng.logistic(size=len(position)), 0, 8) * story.pace
    start = onset_ms + (wait * DAY_MS).astype(np.int64)
    own = story.honest.stream[position]
    count = len(own)
    pool = story.fleet.new_values("template", int(rng.integers(10, 18)))
    owner, item = some_of(rng, pool, rng.integers(1, 6, count))
    onto = Choices.of(count, owner, item, np.exp(1.1 * rng.standard_normal(len(owner))))
    depth, ramp = rng.beta(1.2, 1.6, count), np.full(count, 2 * HOUR_MS)
    story.course.shifts += [
        Shift("template", own, start, ramp, depth, onto),
        Shift("task", own, start, ramp, depth, work_mix(count, PACK_WORK)),
    ]
    if model is not None:
        switch(story, own, start, 4.0, depth * (rng.random(count) < 0.5), model)
    known(story, "prompt_pack", position, onset_ms)


def vpn(story: Story, rng: np.random.Generator, *, onset_ms: int | None = None, model: int = 0) -> None:
    """A tunnel's exits, through which hundreds of strangers send a part of their requests; nothing moves together.

    onset_ms: from then on its customers, who share some tips, are among the first on the model.
    """
    position = members(story, rng, _many(story, rng, 220, 420))
    exits = story.fleet.new_networks(np.repeat(rng.choice(HOSTERS, 1), 9))
    owner, item = some_of(rng, exits, rng.integers(1, 4, len(position)))
    story.fleet.offer("network", story.honest.stream[position][owner], item, rng.gamma(1.0, 1.2, len(owner)))
    if onset_ms is not None:
        _first_ones(story, rng, position, onset_ms, model)
    known(story, "vpn", position, onset_ms)


def _first_ones(story: Story, rng: np.random.Generator, position: Ints, onset_ms: int, model: int) -> None:
    own = story.honest.stream[position]
    prompts(story, rng, own[rng.random(len(own)) < 0.55], 15, 0.4, (1, 3))
    eager = own[rng.random(len(own)) < 0.5]
    wait_h = np.minimum(20.0 * np.exp(rng.standard_normal(len(eager))), 110) * story.pace
    start = onset_ms + (wait_h * HOUR_MS).astype(np.int64)
    switch(story, eager, start, 10.0, rng.uniform(0.35, 1.0, len(eager)), model)


def reseller(story: Story, rng: np.random.Generator, onset_ms: int | None, model: int) -> None:
    """A marketplace: its cards and gateway, its customers' own prompts and work; a part of them takes what is new."""
    position = members(story, rng, _many(story, rng, 150, 280))
    streams = kit(story, rng, position, 2.5, 1.2)
    fleet, count = story.fleet, len(streams)
    for card in fleet.new_values("payment", 4):
        fleet.offer("payment", streams, int(card), rng.gamma(0.3, 1.0, count) + 1e-6)
    for exit_ in fleet.new_networks(rng.choice(HOSTERS, 6)):
        fleet.offer("network", streams, int(exit_), rng.gamma(0.5, 1.0, count) + 1e-6)
    fleet.offer("client", streams, CLIENT["gateway/2.6"])
    like_own(story, rng, streams, "client")
    number = rng.integers(1, 4, count)
    owner = np.repeat(streams, number)
    fleet.offer("template", owner, fleet.new_values("template", len(owner)), np.exp(rng.standard_normal(len(owner))))
    for prompt in fleet.new_values("template", 4):
        fleet.offer("template", streams, int(prompt), rng.gamma(0.2, 0.8, count) + 1e-6)
    work(story, rng, streams, {task.name: 1.0 for task in TASKS}, alike=3.0)
    give_models(fleet, rng, streams)
    if onset_ms is not None:
        start = onset_ms + (rng.exponential(20.0 * story.pace, count) * HOUR_MS).astype(np.int64)
        switch(story, streams, start, 1.0, rng.beta(2, 1, count) * (rng.random(count) < 0.5), model)
    known(story, "reseller", position, onset_ms)
