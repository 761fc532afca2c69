"""Who shares prompts and exits without any operator? Public collections, with the accounts that use them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream.simulate.chance.draws import Floats, Ints, zipf
from stream.simulate.chance.ranges import HonestDraw
from stream.simulate.customers.attributes import HOSTERS, home_providers
from stream.simulate.customers.fleet import Fleet

PROMPTS = (2, 8)  # in a collection
OWN_EXITS = 0.25  # part of the collections whose people also sit behind common exits: a school, a club's tunnel


@dataclass(frozen=True, slots=True)
class Public:
    """Prompt collections. template: the first prompt of each; prompts: how many it has; weight: how many look at it.

    exit_: a network that its people have in common, or -1. most: accounts on one prompt, at most.
    """

    template: Ints
    prompts: Ints
    weight: Floats
    exit_: Ints
    most: int

    def some(self, rng: np.random.Generator, count: int) -> Ints:
        """That many prompts, by how much they are used."""
        chosen = rng.choice(len(self.template), count, p=self.weight)
        picked: Ints = self.template[chosen] + rng.integers(0, self.prompts[chosen])
        return picked


def collections(fleet: Fleet, rng: np.random.Generator, draw: HonestDraw, accounts: int) -> Public:
    """New collections, in proportion to the fleet."""
    count = max(4, round(draw.collections * accounts / 1000))
    prompts = rng.integers(*PROMPTS, count, endpoint=True)
    first = int(fleet.new_values("template", int(prompts.sum()))[0])
    exit_ = np.full(count, -1)
    behind = np.flatnonzero(rng.random(count) < OWN_EXITS)
    asn = np.where(rng.random(len(behind)) < 0.5, rng.choice(HOSTERS, len(behind)), home_providers(rng, len(behind)))
    exit_[behind] = fleet.new_networks(asn)
    return Public(first + np.cumsum(prompts) - prompts, prompts, zipf(count, 0.55), exit_, draw.collection)


def join(fleet: Fleet, rng: np.random.Generator, public: Public, streams: Ints, part: float) -> None:
    """A part of the streams uses one or two collections, a few prompts of each, and their exits."""
    joins = streams[rng.random(len(streams)) < part]
    member = np.repeat(joins, rng.integers(1, 3, len(joins)))
    chosen = rng.choice(len(public.template), len(member), p=public.weight)
    exits = public.exit_[chosen] >= 0
    fleet.offer("network", member[exits], public.exit_[chosen[exits]], rng.gamma(0.7, 0.5, int(exits.sum())) + 1e-6)
    used = rng.integers(1, 4, len(member))
    owner, one = np.repeat(member, used), np.repeat(chosen, used)
    prompt = public.template[one] + (public.prompts[one] * rng.random(len(one)) ** 1.7).astype(np.int64)
    kept = _first(prompt, public.most)
    fleet.offer("template", owner[kept], prompt[kept], 0.8 * np.exp(rng.standard_normal(len(kept))))


def _first(value: Ints, most: int) -> Ints:
    """The positions of each value's first `most` entries.

    >>> _first(np.array([7, 8, 7, 7]), 2).tolist()
    [0, 1, 2]
    """
    order = np.argsort(value, kind="stable")
    ordered = value[order]
    rank = np.arange(len(value)) - np.searchsorted(ordered, ordered)
    return np.sort(order[rank < most])
