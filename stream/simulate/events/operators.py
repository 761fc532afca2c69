"""What does one hand behind many accounts look like? Pools of cards, proxies and prompts, and even, common load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stream.simulate.chance.catalogue import ARCHETYPES, CLIENT, COUNTRIES, DAY_MS, OLD_CLIENTS, TASK, TASKS
from stream.simulate.chance.draws import Floats, Ints, shares, some_of
from stream.simulate.customers.attributes import HOSTERS, home_providers
from stream.simulate.customers.fleet import FOREVER_MS, Fleet
from stream.simulate.customers.population import Population, give_models, give_tasks, offer_mix
from stream.simulate.customers.rhythm import OPERATOR, SHIFTS

CLIENT_SETS = (
    ("python-sdk/1.42", "python-sdk/1.41", "node-sdk/0.95", "curl/8.7", "gateway/2.7"),
    ("python-sdk/2.0", "go-sdk/0.9", "node-sdk/0.94", "agentkit/1.2"),
)


@dataclass(frozen=True, slots=True)
class Pools:
    """What an operator has bought and built: indexes of values.

    beat: the wave of its scheduler. profile, offset_h: its hours.
    """

    payments: Ints
    networks: Ints
    templates: Ints
    clients: Ints
    beat: int
    profile: int
    offset_h: int


@dataclass(frozen=True, slots=True)
class Habits:
    """How an operator uses its pools.

    per_day: mean requests an account; sd_ln: spread of the accounts' volumes; kit: part of the volume that is the
    operator's own work, the rest is honest-looking traffic that it resells; cards, exits, prompts: (least, most)
    values that an account uses of each pool; private: part of the kit's requests on values of the account's own.
    Weights of Beta and Dirichlet draws, large is alike: steady, of how far the accounts move; even, of how much of
    them is kit; alike, of what the kit works on.
    """

    per_day: float = 28.0
    sd_ln: float = 0.6
    kit: float = 0.75
    cards: tuple[int, int] = (1, 2)
    exits: tuple[int, int] = (4, 9)
    prompts: tuple[int, int] = (4, 8)
    private: float = 0.15
    steady: float = 14.0
    even: float = 7.0
    alike: float = 5.0

    @classmethod
    def drawn(cls, rng: np.random.Generator, **known: Any) -> Habits:
        """An operator who is more or less careful; what is known is taken as it is."""
        chosen = {"sd_ln": rng.uniform(0.42, 0.75), "steady": rng.uniform(7.0, 22.0), "even": rng.uniform(4.0, 10.0),
                  "alike": rng.uniform(3.0, 7.0)}  # fmt: skip
        return cls(**(chosen | known))


@dataclass(frozen=True, slots=True)
class Crew:
    """The accounts of an operator; kit and resale: one stream each, in the accounts' order."""

    account: Ints
    kit: Ints
    resale: Ints


def pools(fleet: Fleet, rng: np.random.Generator, payments: int, networks: int, templates: int) -> Pools:
    """A new operator's pools, and the waves in which its machines work.

    Proxies stand at hosters and, as residential proxies, at home providers.
    """
    asn = np.where(rng.random(networks) < 0.6, rng.choice(HOSTERS, networks), home_providers(rng, networks))
    clients = [CLIENT[name] for name in CLIENT_SETS[int(rng.integers(len(CLIENT_SETS)))]]
    return Pools(
        payments=fleet.new_values("payment", payments), networks=fleet.new_networks(asn),
        templates=fleet.new_values("template", templates), clients=np.array(clients),
        beat=fleet.new_beat(depth=rng.uniform(0.15, 0.5), pause=rng.uniform(0.0, 0.06)),
        profile=OPERATOR if rng.random() < 0.75 else SHIFTS, offset_h=int(rng.integers(-6, 9)),
    )  # fmt: skip


def leak(fleet: Fleet, rng: np.random.Generator, pool: Pools, honest: Population) -> None:
    """Honest accounts that are on the operator's values: other customers of its proxies, prompts that got out."""
    for name, values, each, weight in (
        ("network", pool.networks, 3.0, 0.3), ("template", pool.templates, 1.5, 0.15),
        ("payment", pool.payments, 0.15, 1.0),
    ):  # fmt: skip
        carriers = rng.poisson(each, len(values))
        streams = rng.choice(honest.stream, int(carriers.sum()))
        fleet.offer(name, streams, np.repeat(values, carriers), weight)


def recruit(fleet: Fleet, rng: np.random.Generator, count: int, start_ms: int) -> Ints:
    """Accounts that are there before the log begins at start_ms, mostly one an organisation, from everywhere."""
    size = 1 + (rng.random(count) < 0.2) * rng.integers(1, 6, count)
    org = fleet.new_orgs(count)[np.repeat(np.arange(count), size)[:count]]
    country = rng.choice(len(COUNTRIES), count, p=popularity(rng))
    age_days = rng.exponential(70, count).clip(3, 500)
    return fleet.add_accounts(
        count, org=org, country=country, signup_ms=start_ms - (age_days * DAY_MS).astype(np.int64)
    )


def popularity(rng: np.random.Generator) -> Floats:
    """Part of an operator's accounts in each country, which is not where honest accounts are."""
    weight = np.array([country.weight for country in COUNTRIES]) ** 0.5
    weight = rng.permutation(weight)
    part: Floats = weight / weight.sum()
    return part


def equip(
    fleet: Fleet, rng: np.random.Generator, pool: Pools, account: Ints, habits: Habits, work: dict[str, float], *,
    start_ms: Ints | int = -FOREVER_MS, end_ms: Ints | int = FOREVER_MS,
) -> Crew:  # fmt: skip
    """Puts the accounts to work: the kit on shared values and the common beat, and resold traffic of honest look."""
    count = len(account)
    volume = np.exp(habits.sd_ln * rng.standard_normal(count) - habits.sd_ln**2 / 2) * habits.per_day
    kit_part = rng.beta(habits.kit * habits.even, (1 - habits.kit) * habits.even, count)
    common = {"account": account, "start_ms": start_ms, "end_ms": end_ms}
    kit = fleet.add_streams(
        count, per_day=volume * kit_part, profile=pool.profile, offset_h=pool.offset_h, beat=pool.beat, burst=1.5,
        mood=12.0, session=1.4, gap_s=40.0, project=0.25, **common,
    )  # fmt: skip
    resale = fleet.add_streams(
        count, per_day=volume * (1 - kit_part), profile=OPERATOR, offset_h=rng.integers(-8, 10, count), burst=0.5,
        mood=2.0, session=3.0, gap_s=50.0, project=0.4, **common,
    )  # fmt: skip
    _share(fleet, rng, pool, habits, kit, resale)
    do_work(fleet, rng, kit, work, habits.alike)
    _resell(fleet, rng, pool, resale)
    return Crew(account, kit, resale)


def do_work(fleet: Fleet, rng: np.random.Generator, kit: Ints, work: dict[str, float], alike: float) -> None:
    """What the kit asks for, each account in proportions that are more or less alike."""
    mix = np.full(len(TASKS), 0.02)
    for name, part in work.items():
        mix[TASK[name]] += part
    alpha = np.broadcast_to(alike * mix / mix.sum(), (len(kit), len(TASKS)))
    offer_mix(fleet, "task", kit, shares(rng, alpha))
    give_models(fleet, rng, kit)


def put_on(
    fleet: Fleet, rng: np.random.Generator, pool: Pools, kit: Ints, exits: tuple[int, int], prompts: tuple[int, int]
) -> None:
    """Exits, prompts and clients of the pools, and nothing else but the payment that the streams have."""
    for name, values, (least, most) in (("network", pool.networks, exits), ("template", pool.templates, prompts)):
        owner, item = some_of(rng, values, rng.integers(least, most + 1, len(kit)))
        fleet.offer(name, kit[owner], item, np.exp(0.5 * rng.standard_normal(len(owner))))
    owner = np.repeat(kit, len(pool.clients))
    fleet.offer("client", owner, np.tile(pool.clients, len(kit)), np.exp(0.7 * rng.standard_normal(len(owner))))


def _share(fleet: Fleet, rng: np.random.Generator, pool: Pools, habits: Habits, kit: Ints, resale: Ints) -> None:
    """Cards serve both streams of an account; exits too; prompts are the kit's."""
    count = len(kit)
    for name, values, (least, most) in (
        ("payment", pool.payments, habits.cards), ("network", pool.networks, habits.exits),
        ("template", pool.templates, habits.prompts),
    ):  # fmt: skip
        owner, item = some_of(rng, values, rng.integers(least, most + 1, count))
        weight = np.exp(0.5 * rng.standard_normal(len(owner)))
        fleet.offer(name, kit[owner], item, weight)
        if name != "template":
            fleet.offer(name, resale[owner], item, weight)
        if name != "payment":
            total = np.bincount(owner, weight, count) * habits.private / max(1 - habits.private, 0.05)
            fleet.offer(name, kit, _private(fleet, rng, name, count), total)
    owner = np.repeat(kit, len(pool.clients))
    fleet.offer("client", owner, np.tile(pool.clients, count), np.exp(0.7 * rng.standard_normal(len(owner))))


def _private(fleet: Fleet, rng: np.random.Generator, name: str, count: int) -> Ints:
    return fleet.new_networks(home_providers(rng, count)) if name == "network" else fleet.new_values(name, count)


def _resell(fleet: Fleet, rng: np.random.Generator, pool: Pools, resale: Ints) -> None:
    """What the customers of a proxy send: every kind of work, their own prompts, whatever client they have."""
    count = len(resale)
    give_tasks(fleet, rng, resale, rng.integers(0, len(ARCHETYPES), count))
    give_models(fleet, rng, resale)
    prompts = rng.integers(1, 4, count)
    owner = np.repeat(resale, prompts)
    fleet.offer("template", owner, fleet.new_values("template", len(owner)), np.exp(rng.standard_normal(len(owner))))
    fleet.offer("client", resale, rng.choice(pool.clients, count))
    fleet.offer("client", resale, rng.integers(0, OLD_CLIENTS, count))
