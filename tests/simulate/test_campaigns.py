"""Campaigns go as reported, on pools that they share, among networks that only look like them."""

from __future__ import annotations

import numpy as np
import pytest

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODEL, TASKS
from stream.simulate.scenarios import SCENARIOS, tell


def _carriers(requests, column, members):
    """(members that carry it, others that do) for each value of the column that a member carries."""
    value, account = getattr(requests, column), requests.account
    pair = np.unique(account[value >= 0].astype(np.int64) * 10_000_000 + value[value >= 0])
    of_member = np.isin(pair // 10_000_000, members)
    count = np.bincount(pair % 10_000_000, of_member), np.bincount(pair % 10_000_000, ~of_member)
    carried = count[0] > 0
    return count[0][carried], count[1][carried]


def _share(requests, target, rows):
    kind, name = target.split(":")
    if kind == "model":
        return (requests.model[rows] == MODEL[name]).mean()
    return np.array([name in task.capabilities for task in TASKS])[requests.task[rows]].mean()


@pytest.mark.parametrize("scenario", ["pivot", "surge", "slow_and_low", "hydra", "mixed", "evasive", "stolen_keys"])
def test_a_campaign_moves_to_its_strongest_target_after_its_onset(scenario, simulated):
    story, requests = simulated(scenario)
    for campaign in story.truth.campaigns:
        mine = np.isin(requests.account, campaign.accounts)
        before = _share(requests, campaign.targets[0], mine & (requests.at_ms < campaign.onset_ms))
        after = _share(requests, campaign.targets[0], mine & (requests.at_ms > campaign.onset_ms + DAY_MS))

        assert after - before > 0.05, campaign.name


def test_a_pivot_moves_nearly_half_of_its_traffic_within_a_day_and_begins_an_hour_after_the_release(simulated):
    story, requests = simulated("pivot")
    (campaign,) = story.truth.campaigns
    after = np.isin(requests.account, campaign.accounts) & (requests.at_ms >= campaign.onset_ms + DAY_MS)

    assert 0.5 * HOUR_MS <= campaign.onset_ms - story.truth.releases[0]["released_at"] <= 2 * HOUR_MS
    assert 0.38 <= (requests.model[after] == MODEL["atlas-4"]).mean() <= 0.6


def test_an_operator_shares_rare_values_and_no_value_carries_it_all(simulated):
    story, requests = simulated("pivot", 9_000)
    (campaign,) = story.truth.campaigns
    for column, least, most in (("template", 10, 45), ("network", 6, 40), ("payment", 4, 20)):
        own, others = _carriers(requests, column, campaign.accounts)
        shared = own >= 3

        assert least <= np.median(own[shared]) <= most, column
        assert own.max() < 0.3 * len(campaign.accounts), column
        assert np.median(others[shared]) < np.median(own[shared]), column
    assert len(np.unique(story.fleet.accounts.org[campaign.accounts])) >= 115


def test_an_operator_balances_its_load_better_than_honest_accounts_do(simulated):
    story, requests = simulated("pivot")
    total = np.bincount(requests.account)
    (campaign,) = story.truth.campaigns

    assert np.log(total[campaign.accounts]).std() < 0.9 < np.log(total[story.honest.account].clip(1)).std()


def test_slow_and_low_is_some_fifteen_hundred_requests_of_four_a_day_each(simulated):
    story, requests = simulated("slow_and_low")
    (campaign,) = story.truth.campaigns
    mine = np.isin(requests.account, campaign.accounts)
    kit = mine & (story.fleet.streams.beat[requests.stream] >= 0) & (requests.at_ms >= campaign.onset_ms)
    days = (story.end_ms - campaign.onset_ms) / DAY_MS

    assert len(campaign.accounts) == 100
    assert 900 <= kit.sum() <= 2_100
    assert 2.5 <= kit.sum() / 100 / days <= 6


def test_a_hydra_replaces_its_accounts_and_keeps_their_number(simulated):
    story, requests = simulated("hydra")
    (campaign,) = story.truth.campaigns
    streams = story.fleet.streams
    kit = np.unique(requests.stream[(streams.beat[requests.stream] >= 0)])
    alive = [int(((streams.start_ms[kit] <= at) & (streams.end_ms[kit] > at)).sum()) for at in map(story.at, (2, 4, 6))]
    life_days = (streams.end_ms[kit] - streams.start_ms[kit]) / DAY_MS

    assert all(600 <= count <= 850 for count in alive)
    assert 2_000 <= len(kit) <= 3_600
    assert 1.5 <= life_days.mean() <= 2.4
    assert 0.4 <= (streams.beat[requests.stream[np.isin(requests.account, campaign.accounts)]] < 0).mean() <= 0.65


def test_three_campaigns_draw_on_the_same_pools(simulated):
    story, requests = simulated("mixed")
    used = [
        {column: set(np.unique(getattr(requests, column)[np.isin(requests.account, one.accounts)]).tolist())
         for column in ("payment", "network", "template")}
        for one in story.truth.campaigns
    ]  # fmt: skip

    assert [one.targets[0].split(":")[0] for one in story.truth.campaigns] == ["model", "capability", "model"]
    assert len(story.truth.networks) == 3
    for column in ("payment", "network", "template"):
        assert len(used[0][column] & used[1][column] & used[2][column]) >= 20, column


def test_an_evasive_campaign_shares_nothing(simulated):
    story, requests = simulated("evasive")
    (campaign,) = story.truth.campaigns
    own, _ = _carriers(requests, "payment", campaign.accounts)

    assert (own >= 3).sum() == 0


def test_the_report_keeps_its_proportions_at_a_hundredth_of_its_size():
    story = tell("at_scale", 1, scale=0.01)
    pivot, surge, slow = story.truth.campaigns

    assert len(story.honest.account) == 2_500
    assert (len(pivot.accounts), len(surge.accounts), len(slow.accounts)) == (130, 100, 100)
    assert story.end_ms - story.start_ms == 30 * DAY_MS
    assert SCENARIOS["at_scale"].size.accounts == 250_000
