"""Stolen keys: unrelated customers' accounts, on which a stranger works beside their owners."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="module")
def theft(simulated):
    """The story, its one campaign, and all requests."""
    story, requests = simulated("stolen_keys", 3_000)
    (campaign,) = story.truth.campaigns
    return story, campaign, requests


def _stolen(story, campaign, requests):
    """Requests of the thief: on the victims' accounts, and by no stream of their own."""
    return np.isin(requests.account, campaign.accounts) & ~np.isin(requests.stream, story.honest.stream)


def test_the_accounts_are_customers_of_different_organisations(theft):
    story, campaign, _ = theft

    assert len(campaign.accounts) == 150
    assert np.isin(campaign.accounts, story.honest.account).all()
    assert len(np.unique(story.fleet.accounts.org[campaign.accounts])) == 150


def test_the_owners_traffic_goes_on_as_it_was(theft):
    story, campaign, requests = theft
    own = np.isin(requests.account, campaign.accounts) & np.isin(requests.stream, story.honest.stream)
    before = own & (requests.at_ms < campaign.onset_ms)
    days = (campaign.onset_ms - story.start_ms) / 86_400_000
    a_day = before.sum() / days, (own.sum() - before.sum()) / (story.size.days - days)

    assert a_day[1] > 0.6 * a_day[0] > 0


def test_nothing_is_stolen_before_the_onset_and_much_after(theft):
    story, campaign, requests = theft
    taken = _stolen(story, campaign, requests)

    assert requests.at_ms[taken].min() >= campaign.onset_ms
    assert len(np.unique(requests.account[taken])) > 140


def test_the_thief_goes_through_few_exits_and_prompts_and_is_billed_to_each_victim(theft):
    story, campaign, requests = theft
    taken = _stolen(story, campaign, requests)
    own = np.isin(requests.account, campaign.accounts) & ~taken

    assert len(np.unique(requests.network[taken])) <= 25
    assert len(np.unique(requests.template[taken])) <= 18
    paid = [
        {tuple(pair) for pair in np.stack((requests.account[rows], requests.payment[rows])).T.tolist()}
        for rows in (taken, own)
    ]
    assert len(paid[0] & paid[1]) > 0.8 * len(paid[0]), "the thief pays with what the victim pays with"
    cards = np.bincount(requests.payment[taken & (requests.payment >= 0)])
    assert (cards > 0).sum() > 100, "no payment is shared by many"
