"""The honest fleet is as uneven, as bursty and as mixed as real ones are."""

from __future__ import annotations

import numpy as np
import pytest

from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS, MODEL
from stream.simulate.customers.real_rates import TRACE_H, traces


def _per_account(story, requests):
    counts = np.bincount(requests.account, minlength=len(story.fleet.accounts))[story.honest.account]
    return counts[counts > 0] / story.size.days


def test_most_accounts_are_small_and_a_few_are_giants(simulated):
    story, requests = simulated("quiet")
    per_day = _per_account(story, requests)

    assert 5 <= np.median(per_day) <= 13
    assert 17 <= per_day.mean() <= 40
    assert per_day.max() > 40 * np.median(per_day)


def test_organisations_are_mostly_one_account_and_some_are_hundreds(simulated):
    story, _ = simulated("quiet")
    size = np.bincount(story.fleet.accounts.org[story.honest.account])
    size = size[size > 0]

    assert 0.55 <= (size == 1).sum() / len(story.honest.account) <= 0.8
    assert size.max() >= len(story.honest.account) // 15


def test_the_fleet_sleeps_at_night_and_rests_on_sunday(simulated):
    story, requests = simulated("quiet")
    own, streams = story.honest, story.fleet.streams
    american = story.fleet.accounts.country[own.account] == 0
    people = own.stream[(own.service == 0) & (streams.trace[own.stream] < 0) & american]
    mine = np.isin(requests.stream, people) & (requests.at_ms < story.at(7))
    local_h = (requests.at_ms[mine] - story.start_ms) // HOUR_MS - 6
    by_hour = np.bincount(local_h % 24, minlength=24)
    by_day = np.bincount((local_h // 24).clip(0), minlength=7)

    assert by_hour[2:5].sum() < 0.35 * by_hour[10:13].sum()
    assert by_day[6] < 0.75 * by_day[:5].mean()


def test_accounts_sign_up_and_leave_in_the_log(simulated):
    story, requests = simulated("quiet")
    honest = story.honest.account
    first = np.full(len(story.fleet.accounts), story.end_ms)
    np.minimum.at(first, requests.account, requests.at_ms)

    born = story.fleet.accounts.signup_ms[honest] >= story.start_ms
    assert 0.03 <= born.mean() <= 0.15
    assert (first[honest][born] >= story.fleet.accounts.signup_ms[honest][born]).all()


def test_shares_of_accounts_are_overdispersed(simulated):
    """Accounts differ in what they ask for far more than chance alone would make them."""
    story, requests = simulated("quiet")
    total = np.bincount(requests.account, minlength=len(story.fleet.accounts))
    on_model = np.bincount(requests.account[requests.model == MODEL["atlas-3"]], minlength=len(total))
    seen = total >= 30
    share, level = on_model[seen] / total[seen], on_model[seen].sum() / total[seen].sum()

    assert share.var() > 8 * (level * (1 - level) / total[seen]).mean()


def test_sessions_come_in_bursts(simulated):
    story, requests = simulated("quiet")
    calm = story.fleet.streams.trace[requests.stream] < 0
    order = np.lexsort((requests.at_ms[calm], requests.stream[calm]))
    stream, at_ms = requests.stream[calm][order], requests.at_ms[calm][order]
    gap_ms = np.diff(at_ms)[np.diff(stream) == 0]

    assert (gap_ms < 5 * 60_000).mean() > 0.4
    assert (gap_ms > 6 * HOUR_MS).mean() > 0.05


def test_the_largest_accounts_follow_production_clients(simulated):
    story, _ = simulated("quiet")
    per_day = story.fleet.streams.per_day[story.honest.stream]
    follows = story.fleet.streams.trace[story.honest.stream] >= 0

    assert follows.sum() == len(traces())
    assert per_day[follows].min() >= per_day[~follows].max()


def test_with_a_real_background_every_honest_account_follows_a_production_client(simulated):
    story, requests = simulated("pivot", 1_000, real=True)
    streams = story.fleet.streams
    assert (streams.trace[story.honest.stream] >= 0).all()

    busiest = story.honest.stream[np.argmax(np.bincount(requests.stream)[story.honest.stream])]
    hours = (requests.at_ms[requests.stream == busiest] - story.start_ms) // HOUR_MS
    sent = np.bincount(hours, minlength=int(story.size.days * 24))
    at = (story.start_ms // HOUR_MS + np.arange(len(sent)) + streams.trace_shift_h[busiest]) % TRACE_H
    assert np.corrcoef(sent, traces().hourly[streams.trace[busiest]][at])[0, 1] > 0.8


def test_the_production_rates_are_all_there():
    rates = traces()

    assert 150 <= len(rates) <= 182
    assert rates.hourly.shape == (len(rates), TRACE_H)
    assert rates.hourly.mean(axis=1) == pytest.approx(np.ones(len(rates)))
    assert rates.window[:, :, -1] == pytest.approx(np.ones((len(rates), TRACE_H)))


def test_a_release_is_taken_up_by_alias_at_once_by_some_later_and_by_some_never(simulated):
    story, requests = simulated("quiet")
    released_ms = story.truth.releases[0]["released_at"]
    honest = np.isin(requests.account, story.honest.account)
    new = requests.model == MODEL["atlas-4"]
    share = [
        new[honest & (requests.at_ms >= from_ms) & (requests.at_ms < from_ms + 6 * HOUR_MS)].mean()
        for from_ms in (released_ms - DAY_MS, released_ms, released_ms + DAY_MS, released_ms + 3 * DAY_MS)
    ]
    after = requests.at_ms > released_ms + 2 * DAY_MS
    total = np.bincount(requests.account[after], minlength=len(story.fleet.accounts))[story.honest.account]
    moved = np.bincount(requests.account[after & new], minlength=len(story.fleet.accounts))[story.honest.account]

    assert share[0] == 0
    assert 0.005 < share[1] < share[2] < share[3]
    assert (moved[total >= 10] == 0).mean() > 0.25
