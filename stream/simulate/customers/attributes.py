"""Where do the attribute values of honest accounts come from? Cards, networks, clients, prompts, by habit of life.

Honest values are shared too: a household's card, an office's prefix, a provider's address translation, a VPN, a
framework's default prompt, a prompt that went round.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.simulate.chance.catalogue import COUNTRIES, OLD_CLIENTS
from stream.simulate.chance.draws import Floats, Ints, some_of, zipf
from stream.simulate.chance.ranges import HonestDraw
from stream.simulate.customers.fleet import Fleet

HOME_PROVIDERS = 8  # in each country; the providers of country i are 8 i to 8 i + 7
HOSTERS = np.arange(900, 930)  # providers of cloud and proxy machines
VALUES_MIN = 6  # tunnels' exits and clouds' egresses that even a small platform sees


@dataclass(frozen=True, slots=True)
class Sharing:
    """How much honest accounts have in common; the defaults are those of the named scenarios.

    vpn, cloud, popular, defaults: how many exits of tunnels, egresses of clouds, prompts that went round, and prompts
    of frameworks there are. line: accounts on a fixed line. The others are parts of those whom they concern.
    """

    vpn: int
    cloud: int
    popular: int
    defaults: int = 14
    vpn_users: float = 0.10
    line: float = 2.0
    offices: float = 0.85
    cards_shared: float = 0.05
    unpaid: float = 0.0
    framed: float = 0.33

    @classmethod
    def named(cls, accounts: int) -> Sharing:
        """In proportion to the fleet."""
        return cls(10 + accounts // 150, 12 + accounts // 40, 60 + accounts // 50)

    @classmethod
    def drawn(cls, draw: HonestDraw, accounts: int, services: float) -> Sharing:
        """As a random world has it."""
        return cls(
            vpn=max(VALUES_MIN, round(accounts * draw.vpn_users / draw.vpn_exit)),
            cloud=max(VALUES_MIN, round(accounts * (services + 0.02) / draw.cloud_exit)), popular=60 + accounts // 50,
            defaults=draw.defaults, vpn_users=draw.vpn_users, line=draw.line, offices=draw.offices,
            cards_shared=draw.cards_shared, unpaid=draw.unpaid, framed=draw.framed,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Commons:
    """What unrelated honest accounts have in common. Indexes of values."""

    vpn: Ints
    cloud: Ints
    popular_templates: Ints
    framework_templates: Ints
    sharing: Sharing


def commons(fleet: Fleet, rng: np.random.Generator, sharing: Sharing) -> Commons:
    """The public part of the world."""
    return Commons(
        vpn=fleet.new_networks(rng.choice(HOSTERS[:8], sharing.vpn)),
        cloud=fleet.new_networks(rng.choice(HOSTERS, sharing.cloud)),
        popular_templates=fleet.new_values("template", sharing.popular),
        framework_templates=fleet.new_values("template", sharing.defaults),
        sharing=sharing,
    )


def home_providers(rng: np.random.Generator, count: int) -> Ints:
    """Providers of lines to homes and offices, anywhere."""
    return rng.integers(0, len(COUNTRIES) * HOME_PROVIDERS, count)


def give_payments(
    fleet: Fleet, rng: np.random.Generator, account: Ints, stream: Ints, shared_part: float, unpaid: float = 0.0
) -> None:
    """One card an organisation, or one a department of 40; a part serves a household or a few unrelated firms.

    unpaid: part of the payers that have none.
    """
    org = fleet.accounts.org[account]
    department = rng.integers(0, 1 + np.bincount(org, minlength=fleet.orgs)[org] // 40)
    _, payer = np.unique(org * 100_000 + department, return_inverse=True)
    cards = payer.max() + 1
    card = fleet.new_values("payment", int(cards))
    shared = np.flatnonzero(rng.random(cards) < shared_part)
    card[shared] = card[rng.choice(shared, len(shared))] if len(shared) else card[shared]
    if unpaid:
        pays = (rng.random(cards) >= unpaid)[payer]
        stream, payer = stream[pays], payer[pays]
    fleet.offer("payment", stream, card[payer], 1.0)
    second = np.flatnonzero(rng.random(len(stream)) < 0.08)
    fleet.offer("payment", stream[second], fleet.new_values("payment", len(second)), 0.25)


def give_networks(
    fleet: Fleet, rng: np.random.Generator, world: Commons, account: Ints, stream: Ints, service: Ints
) -> None:
    """Home behind a provider, an office for organisations of three and more, the cloud for services, VPNs, travel."""
    human = np.flatnonzero(service == 0)
    _homes(fleet, rng, account[human], stream[human], world.sharing.line)
    _offices(fleet, rng, account, stream, world.sharing.offices)
    machine = np.flatnonzero(service == 1)
    for weight in (1.0, 0.5):
        fleet.offer("network", stream[machine], rng.choice(world.cloud, len(machine)), weight)
    tunnels = human[rng.random(len(human)) < world.sharing.vpn_users]
    owner, exit_ = some_of(rng, world.vpn, rng.integers(1, 4, len(tunnels)))
    fleet.offer("network", stream[tunnels][owner], exit_, 0.4)
    travels = human[rng.random(len(human)) < 0.25]
    fleet.offer("network", stream[travels], fleet.new_networks(home_providers(rng, len(travels))), 0.08)


def _homes(fleet: Fleet, rng: np.random.Generator, account: Ints, stream: Ints, line: float) -> None:
    """A fixed line shared by a handful of neighbours, and a phone behind address translation shared by more."""
    country = fleet.accounts.country[account]
    for code in range(len(COUNTRIES)):
        here = np.flatnonzero(country == code)
        if not len(here):
            continue
        providers = code * HOME_PROVIDERS + np.arange(HOME_PROVIDERS)
        lines = fleet.new_networks(rng.choice(providers, 1 + int(len(here) / line), p=zipf(HOME_PROVIDERS)))
        phones = fleet.new_networks(rng.choice(providers, 1 + len(here) // 15, p=zipf(HOME_PROVIDERS)))
        fleet.offer("network", stream[here], rng.choice(lines, len(here)), 1.0)
        mobile = here[rng.random(len(here)) < 0.4]
        fleet.offer("network", stream[mobile], rng.choice(phones, len(mobile), p=zipf(len(phones), 0.7)), 0.25)
        owner, item = some_of(rng, phones[:6], rng.integers(0, 3, len(mobile)))
        fleet.offer("network", stream[mobile][owner], item, 0.1)


def _offices(fleet: Fleet, rng: np.random.Generator, account: Ints, stream: Ints, present: float) -> None:
    org = fleet.accounts.org[account]
    size = np.bincount(org, minlength=fleet.orgs)
    desks = 1 + size // 60
    first = np.cumsum(desks) - desks
    office = fleet.new_networks(home_providers(rng, int(desks.sum())))
    at_work = np.flatnonzero((size[org] >= 3) & (rng.random(len(org)) < present))
    seat = first[org[at_work]] + rng.integers(0, desks[org[at_work]])
    fleet.offer("network", stream[at_work], office[seat], 1.5)


def give_clients(fleet: Fleet, rng: np.random.Generator, stream: Ints) -> None:
    """One client that the account mostly uses, half of them a second; some are far more popular than others."""
    popularity = rng.permutation(zipf(OLD_CLIENTS, 0.9))
    fleet.offer("client", stream, rng.choice(OLD_CLIENTS, len(stream), p=popularity), 1.0)
    second = stream[rng.random(len(stream)) < 0.5]
    fleet.offer("client", second, rng.choice(OLD_CLIENTS, len(second), p=popularity), 0.3)


def give_templates(fleet: Fleet, rng: np.random.Generator, world: Commons, stream: Ints) -> None:
    """A few prompts of its own; for many a popular one, or the default of the framework in use; some have none."""
    has_own = stream[rng.random(len(stream)) < 0.82]
    number = rng.geometric(0.4, len(has_own)).clip(1, 8)
    owner = np.repeat(has_own, number)
    fleet.offer("template", owner, fleet.new_values("template", len(owner)), _uneven(rng, len(owner)))
    fans = stream[rng.random(len(stream)) < 0.30]
    popular = rng.choice(world.popular_templates, len(fans), p=zipf(len(world.popular_templates), 0.8))
    fleet.offer("template", fans, popular, _uneven(rng, len(fans)))
    framed = stream[rng.random(len(stream)) < world.sharing.framed]
    default = rng.choice(world.framework_templates, len(framed), p=zipf(len(world.framework_templates)))
    fleet.offer("template", framed, default, _uneven(rng, len(framed)))


def _uneven(rng: np.random.Generator, count: int) -> Floats:
    return np.exp(rng.standard_normal(count))
