"""How does a campaign on stolen keys go? Unrelated customers' accounts, whose own traffic goes on as it was."""

from __future__ import annotations

import numpy as np

from stream.simulate.chance.draws import Ints
from stream.simulate.events.story import Story

ORG_MOST = 6  # keys leak out of repositories and notebooks of small shops; a large one would notice
PER_DAY_MOST = 120.0  # requests of a customer that keeps no watch over its keys


def victims(story: Story, rng: np.random.Generator, count: int) -> Ints:
    """Positions of honest accounts with nothing in common, busy ones rather than idle ones, each org at most once."""
    honest = story.honest
    org = story.fleet.accounts.org[honest.account]
    streams = story.fleet.streams
    there = (streams.start_ms[honest.stream] < story.start_ms) & (streams.end_ms[honest.stream] > story.end_ms)
    small = streams.per_day[honest.stream] <= PER_DAY_MOST * story.light**0.5
    fits = np.flatnonzero((np.bincount(org)[org] <= ORG_MOST) & there & small)
    fits = rng.permutation(fits)
    fits = fits[np.sort(np.unique(org[fits], return_index=True)[1])]
    busy = np.minimum(streams.per_day[honest.stream[fits]], 20.0 * story.light) ** 0.5
    return np.sort(rng.choice(fits, min(count, len(fits)), replace=False, p=busy / busy.sum()))


def keys(
    story: Story, rng: np.random.Generator, position: Ints, per_day: float, from_ms: Ints, **columns: object
) -> Ints:
    """A second stream for each victim, in the thief's manner, billed as the victim's own. Gives the streams.

    per_day: requests on a key, on average; the thief takes more where more is allowed.
    """
    own = story.honest.stream[position]
    streams, count = story.fleet.streams, len(position)
    quota = np.maximum(streams.per_day[own], 0.3 * story.light) ** 0.3
    volume = per_day * quota / quota.mean() * np.exp(0.5 * rng.standard_normal(count) - 0.125)
    made = story.fleet.add_streams(count, account=streams.account[own], per_day=volume, start_ms=from_ms, **columns)
    _billed_as(story, own, made)
    return made


def _billed_as(story: Story, own: Ints, made: Ints) -> None:
    """The new streams draw payments as the victims' do."""
    twin = np.full(len(story.fleet.streams), -1)
    twin[own] = made
    for stream, item, weight in list(story.fleet.parts["payment"]):
        theirs = twin[stream] >= 0
        if theirs.any():
            story.fleet.offer("payment", twin[stream[theirs]], item[theirs], weight[theirs])
