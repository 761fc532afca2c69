"""Every honest shock happens, to whom it should and when it should."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from stream.simulate.chance.catalogue import CLIENT, DAY_MS, HOUR_MS, MODEL, TASK
from stream.simulate.events.shocks import SHOCKS
from stream.simulate.writing.write import Lines

MINUTE_MS = 60_000


@pytest.fixture(scope="module")
def quiet(simulated):
    """The quiet fleet: its shocks by kind, and all requests."""
    story, requests = simulated("quiet", 3_000)
    return story, {shock.kind.split("_")[0] if "holiday" in shock.kind else shock.kind: shock
                   for shock in story.truth.shocks}, requests  # fmt: skip


def _between(requests, from_ms, until_ms):
    return (requests.at_ms >= from_ms) & (requests.at_ms < until_ms)


def test_a_quiet_fleet_has_every_shock_and_no_campaign(quiet):
    story, shocks, _ = quiet

    assert set(shocks) == set(SHOCKS)
    assert story.truth.campaigns == []


def test_next_to_nothing_is_served_in_an_outage_and_then_the_fleet_catches_up(quiet):
    _, shocks, requests = quiet
    at_ms = shocks["outage"].at_ms
    begin = -(-at_ms // HOUR_MS) * HOUR_MS
    out, same_hour = (
        _between(requests, at_ms + shift, begin + shift).sum() for shift in (0, DAY_MS)
    )  # fmt: skip

    assert out < 0.75 * same_hour


def test_a_renamed_tag_has_its_old_name_before_and_its_new_one_an_hour_after(quiet):
    story, shocks, requests = quiet
    lines = Lines(story.fleet, story.course, story.seed)
    at_ms = shocks["tag_rename"].at_ms

    def tags(from_ms):
        part = requests.where(_between(requests, from_ms, from_ms + HOUR_MS))
        return {tag for line in lines.of(part) for tag in orjson.loads(line)["capabilities"]}

    assert "data_analysis" in tags(at_ms - HOUR_MS)
    assert "analytics" not in tags(at_ms - HOUR_MS)
    assert "analytics" in tags(at_ms + HOUR_MS)
    assert "data_analysis" not in tags(at_ms + HOUR_MS)


def test_a_hackathon_is_one_prefix_and_many_accounts_for_a_weekend(quiet):
    _, shocks, requests = quiet
    during = requests.where(_between(requests, shocks["hackathon"].at_ms, shocks["hackathon"].at_ms + 30 * HOUR_MS))
    mine = np.isin(during.account, shocks["hackathon"].accounts)
    busiest = np.bincount(during.network[mine]).argmax()
    after = _between(requests, shocks["hackathon"].at_ms + 36 * HOUR_MS, requests.at_ms[-1])

    assert len(np.unique(during.account[during.network == busiest])) >= 90
    assert (requests.network[after] == busiest).sum() == 0


def test_one_customers_retries_multiply_its_traffic_for_hours(quiet):
    _, shocks, requests = quiet
    (account,) = shocks["retries"].accounts
    at_ms = shocks["retries"].at_ms
    mine = requests.where(requests.account == account)
    during, other = (
        _between(mine, at_ms, at_ms + 3 * HOUR_MS),
        _between(mine, at_ms + DAY_MS, at_ms + DAY_MS + 3 * HOUR_MS),
    )

    assert during.sum() > 4 * max(other.sum(), 1)
    assert (mine.task[during] == TASK["tool"]).mean() > 0.7


@pytest.mark.parametrize("kind", ["org_migration", "giant_migration", "announced_migration"])
def test_an_organisation_that_migrates_moves_nearly_all_of_its_accounts(quiet, kind):
    story, shocks, requests = quiet
    shock = shocks[kind]
    mine = requests.where(np.isin(requests.account, shock.accounts) & np.isin(requests.stream, story.honest.stream))
    before = mine.model[_between(mine, shock.at_ms - DAY_MS // 2, shock.at_ms)] == MODEL["atlas-4"]
    after = mine.model[_between(mine, shock.at_ms + DAY_MS, story.end_ms)] == MODEL["atlas-4"]

    assert len(np.unique(story.fleet.accounts.org[shock.accounts])) == 1
    assert after.mean() > 0.75
    assert after.mean() > before.mean() + 0.2


def test_only_the_announced_migration_is_announced(quiet):
    story, shocks, _ = quiet
    (expected,) = story.truth.expected

    assert expected["target"] == {"kind": "model", "id": "atlas-4"}
    assert expected["subject"]["dimension"] == "org"
    assert expected["from"] <= shocks["announced_migration"].at_ms < expected["until"]


@pytest.mark.parametrize(("kind", "task"), [("viral_feature", "image"), ("viral_thinking", "reason")])
def test_a_viral_feature_lifts_many_accounts_and_tires(quiet, kind, task):
    story, shocks, requests = quiet
    shock = shocks[kind]
    mine = requests.where(np.isin(requests.account, shock.accounts))

    def share(from_ms):
        return (mine.task[_between(mine, from_ms, from_ms + DAY_MS)] == TASK[task]).mean()

    assert len(shock.accounts) > 0.15 * len(story.honest.account)
    assert share(shock.at_ms + DAY_MS) > share(shock.at_ms - 2 * DAY_MS) + 0.08


def test_a_frameworks_users_change_its_version_over_days(quiet):
    story, shocks, requests = quiet
    at_ms = shocks["framework_version"].at_ms
    new = requests.client == CLIENT["chainwork/0.5.0"]

    assert new[requests.at_ms < at_ms].sum() == 0
    first_day, last_day = new[_between(requests, at_ms, at_ms + DAY_MS)], new[requests.at_ms > story.end_ms - DAY_MS]
    assert 0 < first_day.mean() < last_day.mean()


def test_a_benchmark_company_hammers_the_release_round_the_clock(quiet):
    _, shocks, requests = quiet
    shock = shocks["benchmark"]
    mine = requests.where(np.isin(requests.account, shock.accounts))
    during = _between(mine, shock.at_ms, shock.at_ms + 2 * DAY_MS)

    assert during.sum() > 6_000
    assert (mine.model[during] == MODEL["atlas-4"]).mean() > 0.8


def test_a_country_on_holiday_sends_a_third(quiet):
    story, shocks, requests = quiet
    at_ms = shocks["holiday"].at_ms
    code = next(shock.kind for shock in story.truth.shocks if shock.kind.startswith("holiday")).split("_")[1]
    lines = Lines(story.fleet, story.course, story.seed)
    calm = requests.where(story.fleet.streams.trace[requests.stream] < 0)

    def sent(from_ms):
        part = calm.where(_between(calm, from_ms, from_ms + DAY_MS))
        return sum(f'"country":"{code}"'.encode() in line for line in lines.of(part))

    assert sent(at_ms) < 0.7 * sent(at_ms - DAY_MS)


def test_a_tutorials_prompt_goes_round(quiet):
    _, shocks, requests = quiet
    shock = shocks["tutorial"]
    mine = requests.where(np.isin(requests.account, shock.accounts) & (requests.at_ms > shock.at_ms))
    prompts = np.unique(np.stack((mine.template[mine.template >= 0], mine.account[mine.template >= 0])), axis=1)[0]

    assert np.bincount(prompts).max() > 0.25 * len(shock.accounts)
