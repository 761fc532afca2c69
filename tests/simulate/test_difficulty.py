"""The shipped scenarios are hard: no campaign stands out by its size or by its accounts."""

from __future__ import annotations

import numpy as np
import pytest

from stream.simulate.scenarios import SCENARIOS, tell
from stream.simulate.writing.describe import describe, sentences

CAMPAIGNS = [
    "pivot", "surge", "slow_and_low", "hydra", "mixed", "low_prevalence", "no_templates_pivot", "no_templates_surge",
    "evasive", "few_pools", "stolen_keys",
]  # fmt: skip
REQUESTS_PART_MAX = 0.07
HONEST_BEYOND_MIN = 0.10


def test_every_scenario_is_held_to_being_hard_or_has_no_campaign_or_is_drawn_or_as_large_as_the_report():
    drawn = {name for name, one in SCENARIOS.items() if one.drawn}

    assert {*CAMPAIGNS, *drawn, "quiet", "honest_networks", "at_scale"} == set(SCENARIOS)


@pytest.mark.parametrize("scenario", CAMPAIGNS)
def test_a_campaign_is_small_and_honest_accounts_jump_further(scenario):
    found = describe(tell(scenario, 1))

    assert found.difficulties
    assert found.campaign_requests_part <= REQUESTS_PART_MAX
    for one in found.difficulties:
        assert one.honest_beyond >= HONEST_BEYOND_MIN, one
        assert one.median_rank <= 0.95, one
        assert one.median_jump > 0.05, "a campaign that does not move is no campaign"


def test_low_prevalence_is_below_one_request_in_a_hundred():
    assert describe(tell("low_prevalence", 2)).campaign_requests_part < 0.01


def test_a_log_without_a_campaign_describes_none():
    story = tell("quiet", 1, accounts=600)
    found = describe(story)

    assert found.difficulties == ()
    assert found.campaign_requests_part == 0.0
    assert not any("campaign" in line for line in sentences(story, found))


def test_the_description_counts_what_the_log_holds(simulated):
    story, requests = simulated("pivot")
    found = describe(story)

    planted = np.isin(requests.account, story.truth.campaigns[0].accounts)
    assert found.requests == len(requests)
    assert found.accounts == len(np.unique(requests.account))
    assert found.difficulties[0].requests_part == pytest.approx(planted.mean())
    assert f"{len(requests):,} requests" in sentences(story, found)[0]
