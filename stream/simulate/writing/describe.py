"""How hard is a log? What a campaign's accounts do, beside what honest accounts of the same volume do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODEL, TASKS
from stream.simulate.chance.draws import Floats, Ints
from stream.simulate.customers.traffic import Batch
from stream.simulate.events.story import Story
from stream.simulate.events.truth import Campaign
from stream.simulate.writing.ties import Shared, Ties

SEEN_MIN = 3  # requests in the day compared, below which an account cannot be said to have jumped
PAST_WEIGHT = 6.0  # requests' worth of the fleet's share, in the past of an account of which little is known
SETTLE_MS = 12 * HOUR_MS  # from the onset to the day that is compared with the past: most ramps are half done


@dataclass(frozen=True, slots=True)
class Difficulty:
    """How well one campaign hides. All parts are from 0 to 1.

    requests_part, accounts_part: what the campaign is of the log's requests and of its accounts. An account's jump is
    its furthest on any of the campaign's targets: its share of the target in one day, less its share in the past.
    median_jump: of the campaign's accounts. median_rank: where the median campaign account stands among the honest
    accounts of its volume (1: above all). honest_beyond: part of all honest accounts that jump further than the median
    campaign account.
    """

    campaign: str
    requests_part: float
    accounts_part: float
    targets: tuple[str, ...]
    median_jump: float
    median_rank: float
    honest_beyond: float


@dataclass(frozen=True, slots=True)
class Description:
    """A log in numbers. honest_median: requests of the median honest account; shared: what ties campaigns."""

    requests: int
    accounts: int
    orgs: int
    campaign_requests_part: float
    difficulties: tuple[Difficulty, ...]
    honest_median: float
    shared: tuple[Shared, ...]


class _Counts:
    """For one campaign: each account's requests and those on each target, in the past and in the day compared."""

    def __init__(self, campaign: Campaign, accounts: int) -> None:
        self.campaign = campaign
        self.requests = np.zeros((2, accounts))
        self.hits = np.zeros((len(campaign.targets), 2, accounts))

    def add(self, batch: Batch) -> None:
        day_ms = self.campaign.onset_ms + SETTLE_MS
        past, now = batch.at_ms < self.campaign.onset_ms, (batch.at_ms >= day_ms) & (batch.at_ms < day_ms + DAY_MS)
        for when, rows in enumerate((past, now)):
            if rows.any():
                accounts = self.requests.shape[1]
                self.requests[when] += np.bincount(batch.account[rows], minlength=accounts)
                for row, target in enumerate(self.campaign.targets):
                    hit = _on_target(batch, target) & rows
                    self.hits[row, when] += np.bincount(batch.account[hit], minlength=accounts)

    def jumps(self) -> Floats:
        """Each account's furthest jump on any target of the campaign; nan for accounts hardly seen that day."""
        furthest: Floats = np.max([self._jump(row) for row in range(len(self.hits))], axis=0)
        return furthest

    def _jump(self, row: int) -> Floats:
        past, now = self.requests
        fleet = self.hits[row, 0].sum() / max(past.sum(), 1)
        before = (self.hits[row, 0] + PAST_WEIGHT * fleet) / (past + PAST_WEIGHT)
        jump: Floats = np.where(now >= SEEN_MIN, self.hits[row, 1] / np.maximum(now, 1) - before, np.nan)
        return jump


def _on_target(batch: Batch, target: str) -> NDArray[np.bool_]:
    kind, name = target.split(":", 1)
    if kind == "model":
        return np.asarray(batch.model == MODEL[name])
    return np.array([name in task.capabilities for task in TASKS])[batch.task]


def describe(story: Story) -> Description:
    """Runs through the whole log once, in columns. About a second for 500,000 requests."""
    accounts = len(story.fleet.accounts)
    counts = [_Counts(campaign, accounts) for campaign in story.truth.campaigns]
    total, ties = np.zeros(accounts), Ties(story.fleet)
    for batch in story.traffic().hours():
        total += np.bincount(batch.account, minlength=accounts)
        for one in counts:
            one.add(batch)
        if counts:
            ties.add(batch)
    planted = story.truth.campaign_accounts(accounts)
    requests, active = int(total.sum()), total > 0
    return Description(
        requests=requests,
        accounts=int(active.sum()),
        orgs=len(np.unique(story.fleet.accounts.org[active])),
        campaign_requests_part=float(total[planted].sum() / max(requests, 1)),
        difficulties=tuple(_difficulty(one, total, planted) for one in counts),
        honest_median=_median(total[active & ~planted]),
        shared=ties.found(planted, story.course.hidden) if counts else (),
    )


def _difficulty(counts: _Counts, total: Floats, planted: NDArray[np.bool_]) -> Difficulty:
    campaign, jump = counts.campaign, counts.jumps()
    median = _median(jump[campaign.accounts])
    honest = np.flatnonzero(~planted & ~np.isnan(jump))
    return Difficulty(
        campaign=campaign.name,
        requests_part=float(total[campaign.accounts].sum() / max(total.sum(), 1)),
        accounts_part=len(campaign.accounts) / max(int((total > 0).sum()), 1),
        targets=campaign.targets,
        median_jump=median,
        median_rank=_rank(jump, counts.requests[1], campaign.accounts, honest),
        honest_beyond=float((jump[honest] > median).mean()) if len(honest) else 0.0,
    )


def _median(jump: Floats) -> float:
    known = jump[~np.isnan(jump)]
    return float(np.median(known)) if len(known) else 0.0


def _rank(jump: Floats, volume: Floats, members: Ints, honest: Ints) -> float:
    """The part of honest accounts of like volume (the same power of two) that a member jumps beyond; the median."""
    stratum = np.floor(np.log2(np.maximum(volume, 1))).astype(np.int64)
    ranks = []
    for member in members[~np.isnan(jump[members])]:
        like = jump[honest[stratum[honest] == stratum[member]]]
        if len(like):
            ranks.append(float((like < jump[member]).mean()))
    return float(np.median(ranks)) if ranks else 0.0


def sentences(story: Story, found: Description) -> list[str]:
    """The description for a person, a line each."""
    days = (story.end_ms - story.start_ms) / DAY_MS
    lines = [
        f"{story.name}, seed {story.seed}: {found.requests:,} requests of {found.accounts:,} accounts in "
        f"{found.orgs:,} organisations over {days:g} days; releases: "
        f"{', '.join(release['model'] for release in story.truth.releases) or 'none'}",
        f"honest: {len(story.truth.networks)} networks ({_listed([one.name for one in story.truth.networks])}), "
        f"{len(story.truth.shocks)} shocks ({_listed([one.name for one in story.truth.shocks])})",
    ]
    lines += [
        f"campaign {one.campaign}: {one.requests_part:.1%} of the requests, {one.accounts_part:.1%} of the accounts; "
        f"its median account jumps by {one.median_jump:+.2f} on {_listed(list(one.targets))} and stands above "
        f"{one.median_rank:.0%} of the honest accounts of its volume; {one.honest_beyond:.0%} of all jump further"
        for one in found.difficulties
    ]
    lines.append(f"the median honest account sends {found.honest_median:g} requests in the log")
    lines += [
        f"{one.kind}s that campaign accounts share: {one.values:,}, the median one on {one.ours:g} of them and "
        f"{one.honest:g} honest ones, a tenth on {one.honest_most:g} and more; {one.touched:,} honest accounts use one"
        for one in found.shared
    ]
    return lines + ([] if story.world is None else story.world.sentences())


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "none"
