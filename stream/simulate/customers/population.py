"""How does an honest fleet come about? Organisations, volumes, kinds of work, rhythms, sign-ups and departures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from stream.simulate.chance.catalogue import (
    ARCHETYPES,
    COUNTRIES,
    DAY_MS,
    HOUR_MS,
    MODEL_WEIGHTS,
    OFFSET_H,
    OLD_MODELS,
    TASK,
    TASKS,
)  # fmt: skip
from stream.simulate.chance.draws import Floats, Ints, heavy, shares
from stream.simulate.chance.ranges import FleetDraw
from stream.simulate.customers import attributes
from stream.simulate.customers.attributes import Sharing
from stream.simulate.customers.fleet import FOREVER_MS, Fleet
from stream.simulate.customers.real_rates import Traces
from stream.simulate.customers.rhythm import CRON, CRON_KINDS, HOME, OFFICE, SERVICE

MEAN_PER_DAY, SD_LN = 26.0, 1.54  # median of 8 requests a day
PER_DAY_MAX = 6_000.0
LARGEST_PART = 0.012  # of a random world's requests are one account's, at most
TRACE_BURST = 20.0  # gamma shape: a trace brings its own unrest
GIANTS = 4  # organisations of hundreds to thousands of accounts in every fleet


@dataclass(frozen=True, slots=True)
class Makeup:
    """How an honest fleet is made up; the defaults are those of the named scenarios.

    total_per_day: what all accounts together send on a day, None for whatever the draws add up to. giants: the
    largest organisations are the count-th part of the fleet. sign_ups: part of the accounts in a day.
    """

    mean_per_day: float = MEAN_PER_DAY
    sd_ln: float = SD_LN
    total_per_day: float | None = None
    services: float = 0.05
    teams: float = 0.36
    giants: tuple[int, ...] = (12, 30, 60, 90)
    sign_ups: float = 0.009

    @classmethod
    def drawn(cls, draw: FleetDraw, honest_part: float, days: float, accounts: int) -> Makeup:
        """As a random world has it: the median and the total are drawn, the spread follows."""
        mean = draw.records * honest_part / accounts / days
        median = min(draw.median_requests / days, mean / 1.4)
        return cls(
            mean_per_day=mean, sd_ln=float(np.sqrt(2 * np.log(mean / median)).clip(0.8, 2.2)),
            total_per_day=mean * accounts, services=draw.services, teams=draw.teams,
            giants=(round(1 / draw.giant), 45, 70, 100), sign_ups=draw.sign_ups,
        )  # fmt: skip

    def volumes(self, rng: np.random.Generator, count: int) -> Floats:
        """Requests a day of each account."""
        per_day = np.minimum(heavy(rng, count, self.mean_per_day, self.sd_ln), PER_DAY_MAX)
        if self.total_per_day is None:
            return per_day
        most = LARGEST_PART * self.total_per_day
        for _ in range(3):  # what the cap takes from the largest goes to all
            per_day = np.minimum(per_day * self.total_per_day / per_day.sum(), most)
        return per_day


@dataclass(frozen=True, slots=True)
class Population:
    """The honest part of the fleet. Indexes; account i of it sends stream[i]; giants: the largest organisations."""

    account: Ints
    stream: Ints
    archetype: Ints
    service: Ints
    giants: Ints
    world: attributes.Commons


def settle(
    fleet: Fleet, rng: np.random.Generator, count: int, start_ms: int, end_ms: int, traces: Traces, *,
    real: bool = False, makeup: Makeup | None = None, sharing: Sharing | None = None,
) -> Population:  # fmt: skip
    """Adds `count` honest accounts with one stream each. real: every one of them follows a production client."""
    makeup, sharing = makeup or Makeup(), sharing or Sharing.named(count)
    org, size = _organisations(fleet, rng, count, makeup)
    country = _countries(rng, org)
    born_ms, dead_ms, signup_ms = _lifetimes(rng, count, start_ms, end_ms, makeup.sign_ups)
    account = fleet.add_accounts(count, org=org, country=country, signup_ms=signup_ms, leaky=size[org] >= count // 40)
    archetype = rng.choice(len(ARCHETYPES), count, p=[weight for weight, _ in ARCHETYPES.values()])
    per_day = makeup.volumes(rng, count)
    service = (rng.random(count) < makeup.services + 0.25 * (per_day > 60)).astype(np.int64)
    columns = _followers(rng, per_day, traces, real, _rhythms(rng, service, archetype))
    stream = fleet.add_streams(
        count, account=account, per_day=per_day, offset_h=OFFSET_H[country] + rng.integers(-2, 3, count),
        start_ms=born_ms, end_ms=dead_ms, **columns,
    )  # fmt: skip
    world = attributes.commons(fleet, rng, sharing)
    _live(fleet, rng, world, account, stream, archetype, service, sharing.cards_shared)
    giants = np.argsort(-size, kind="stable")[:GIANTS]
    return Population(account, stream, archetype, service, giants, world)


def newcomers(
    fleet: Fleet, rng: np.random.Generator, honest: Population, count: int, born_ms: Ints | int, *,
    per_day: float = MEAN_PER_DAY, org: Ints | None = None,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Adds honest accounts that sign up in the log, each its own organisation unless told. (accounts, streams)."""
    org = fleet.new_orgs(count) if org is None else org
    account = fleet.add_accounts(count, org=org, country=_countries(rng, np.arange(count)), signup_ms=born_ms)
    archetype = rng.choice(len(ARCHETYPES), count, p=[weight for weight, _ in ARCHETYPES.values()])
    service = np.zeros(count, np.int64)
    stream = fleet.add_streams(
        count, account=account, per_day=heavy(rng, count, per_day, 1.0), start_ms=born_ms,
        offset_h=OFFSET_H[fleet.accounts.country[account]], **_rhythms(rng, service, archetype),
    )  # fmt: skip
    _live(fleet, rng, honest.world, account, stream, archetype, service, cards_shared=0.0)
    return account, stream


def _live(
    fleet: Fleet, rng: np.random.Generator, world: attributes.Commons, account: Ints, stream: Ints, archetype: Ints,
    service: Ints, cards_shared: float,
) -> None:  # fmt: skip
    """Everything that an honest stream draws from."""
    attributes.give_payments(fleet, rng, account, stream, cards_shared, world.sharing.unpaid)
    attributes.give_networks(fleet, rng, world, account, stream, service)
    attributes.give_clients(fleet, rng, stream)
    attributes.give_templates(fleet, rng, world, stream)
    give_tasks(fleet, rng, stream, archetype)
    give_models(fleet, rng, stream)


def _organisations(fleet: Fleet, rng: np.random.Generator, count: int, makeup: Makeup) -> tuple[Ints, Ints]:
    """(organisation of each account, size of each): two thirds of the accounts alone, then a heavy tail."""
    sizes = [count // part for part in makeup.giants][:GIANTS]
    left = count - sum(sizes)
    sizes += (1 + rng.pareto(1.15, left)).clip(2, max(3, count // 150)).astype(int).tolist()
    total = np.cumsum(sizes)
    teams = int(np.searchsorted(total, int(makeup.teams * count)))
    members = np.repeat(np.arange(teams), sizes[:teams])
    alone = np.arange(teams, teams + count - len(members))
    org = fleet.new_orgs(teams + len(alone))[np.concatenate((members, alone))]
    return rng.permutation(org), np.bincount(org, minlength=fleet.orgs)


def _countries(rng: np.random.Generator, org: Ints) -> Ints:
    """Where the organisation is; one in five accounts of it sits elsewhere."""
    weight = np.array([country.weight for country in COUNTRIES])
    seat = rng.choice(len(COUNTRIES), org.max() + 1, p=weight / weight.sum())
    elsewhere = rng.choice(len(COUNTRIES), len(org), p=weight / weight.sum())
    return np.where(rng.random(len(org)) < 0.2, elsewhere, seat[org])


def _lifetimes(
    rng: np.random.Generator, count: int, start_ms: int, end_ms: int, sign_ups: float
) -> tuple[Ints, Ints, Ints]:
    """(first traffic, last traffic, sign-up): one in ten signs up in the log, one in twenty leaves in it."""
    length_ms = end_ms - start_ms
    born = np.full(count, -FOREVER_MS)
    fresh = rng.random(count) < sign_ups * length_ms / DAY_MS
    born[fresh] = start_ms + (rng.random(fresh.sum()) * length_ms).astype(np.int64)
    leaves = rng.random(count) < 0.006 * length_ms / DAY_MS
    dead = np.where(leaves, start_ms + (rng.random(count) * length_ms).astype(np.int64), FOREVER_MS)
    age_days = rng.exponential(220, count).clip(0, 900)
    signup = np.where(fresh, born - (rng.exponential(0.3, count) * DAY_MS).astype(np.int64),
                      start_ms - (age_days * DAY_MS).astype(np.int64))  # fmt: skip
    return born, np.maximum(dead, born + HOUR_MS), signup


def _rhythms(rng: np.random.Generator, service: Ints, archetype: Ints) -> dict[str, Any]:
    """People keep office hours or evenings; services never sleep; a third of them are scheduled jobs."""
    count = len(service)
    homely = rng.random(count) < np.where(archetype == 0, 0.5, 0.25)
    profile = np.where(service == 1, SERVICE, np.where(homely, HOME, OFFICE))
    cron = (service == 1) & (rng.random(count) < 0.33)
    profile = np.where(cron, CRON + rng.integers(0, CRON_KINDS, count), profile)
    return {
        "profile": profile,
        "minute": np.where(cron, rng.choice([0, 0, 0, 5, 15, 30, 45], count), -1),
        "burst": np.where(service == 1, 6.0, 0.35 + 0.5 * rng.random(count)),
        "mood": np.where(service == 1, 12.0, rng.choice([0.8, 1.5, 4.0], count)),
        "session": np.where(service == 1, 1.5 + 40 * cron, 1 + rng.exponential(4.0, count)),
        "gap_s": np.where(service == 1, 3.0, 20 + rng.exponential(60.0, count)),
        "project": np.where(service == 1, 0.5, 1.0) * rng.beta(1.4, 1.4, count),
        "project_days": 0.6 + rng.exponential(3.0, count),
    }


def _followers(
    rng: np.random.Generator, per_day: Floats, traces: Traces, real: bool, columns: dict[str, Any]
) -> dict[str, Any]:
    """Who follows a production client: the largest accounts, one each; with `real` everybody, at some time of it."""
    count = len(per_day)
    trace, shift_h = np.full(count, -1), np.zeros(count, np.int64)
    if real:
        trace = rng.integers(0, len(traces), count)
        shift_h = rng.integers(0, 14, count) * 24 + rng.integers(-8, 9, count)
    else:
        largest = np.argsort(-per_day, kind="stable")[: len(traces)]
        trace[largest] = rng.permutation(len(traces))[: len(largest)]
    follows = trace >= 0
    session = np.where(follows, traces.session[trace], columns["session"])
    burst = np.where(follows, TRACE_BURST, columns["burst"])
    return columns | {"trace": trace, "trace_shift_h": shift_h, "session": session, "burst": burst}


def give_tasks(fleet: Fleet, rng: np.random.Generator, stream: Ints, archetype: Ints, spread: float = 2.5) -> None:
    """A mix of tasks for each stream: Dirichlet about its archetype. spread: large is alike, small is overdispersed."""
    offer_mix(fleet, "task", stream, mixes(rng, archetype, spread))


def mixes(rng: np.random.Generator, archetype: Ints, spread: float) -> Floats:
    """What accounts of these archetypes ask for: a row of parts of the tasks for each."""
    weight = np.full((len(ARCHETYPES), len(TASKS)), 0.03)
    for row, (_, mix) in enumerate(ARCHETYPES.values()):
        for name, part in mix.items():
            weight[row, TASK[name]] += part
    weight /= weight.sum(axis=1, keepdims=True)
    return shares(rng, spread * weight[archetype])


def give_models(fleet: Fleet, rng: np.random.Generator, stream: Ints) -> None:
    """Most accounts have one model that they mostly use, and one or two beside."""
    mix = shares(rng, np.broadcast_to(1.2 * MODEL_WEIGHTS, (len(stream), OLD_MODELS)))
    offer_mix(fleet, "model", stream, mix)


def offer_mix(fleet: Fleet, name: str, stream: Ints, mix: Floats, least: float = 0.01) -> None:
    """Offers each row's items with at least a `least` part."""
    row, item = np.nonzero(mix >= least)
    fleet.offer(name, stream[row], item, mix[row, item])
