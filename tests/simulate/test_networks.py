"""Honest networks share what their kind shares, and behave like the many people that they are."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stream.simulate.chance.catalogue import CLIENT, DAY_MS, MODEL


@pytest.fixture(scope="module")
def eleven(simulated):
    """The fleet of eleven networks, and their members' requests."""
    return simulated("honest_networks", 5_000)


def _of(eleven, kind):
    story, requests = eleven
    for network in story.truth.networks:
        if network.kind == kind:
            yield network, requests.where(np.isin(requests.account, network.accounts))


def test_there_are_eleven_of_six_kinds_and_no_campaign(eleven):
    story, _ = eleven
    kinds = Counter(network.kind for network in story.truth.networks)

    assert kinds == {"agency": 2, "university": 2, "prompt_pack": 2, "reseller": 2, "product": 2, "vpn": 1}
    assert story.truth.campaigns == []


def test_members_differ_in_volume_and_keep_private_traffic(eleven):
    story, requests = eleven
    total = np.bincount(requests.account, minlength=len(story.fleet.accounts))
    own = np.bincount(requests.account[np.isin(requests.stream, story.honest.stream)], minlength=len(total))
    for network in story.truth.networks:
        seen = network.accounts[total[network.accounts] > 0]

        assert np.log(total[seen]).std() > 0.55, network.name
        assert own[seen].sum() > 0.15 * total[seen].sum(), network.name


@pytest.mark.parametrize(
    ("kind", "column", "cover"),
    [("agency", "payment", 0.9), ("university", "payment", 0.9), ("reseller", "payment", 0.7)],
)
def test_what_a_kind_has_in_common_is_carried_by_most_of_its_members(eleven, kind, column, cover):
    for network, requests in _of(eleven, kind):
        value = getattr(requests, column)
        carriers = [len(np.unique(requests.account[value == one])) for one in np.unique(value)]
        assert max(carriers) >= 0.4 * cover * len(network.accounts), network.name


def test_customers_of_a_product_use_its_client_and_pay_for_themselves(eleven):
    for network, requests in _of(eleven, "product"):
        through = requests.client == CLIENT["flowdesk/23"]
        cards = np.unique(requests.payment[through])

        assert len(np.unique(requests.account[through])) > 0.8 * len(network.accounts)
        assert len(cards) > 0.6 * len(network.accounts)


def test_a_product_that_ships_a_new_default_moves_most_customers_overnight_and_the_other_nobody(eleven):
    (moving, its), (still, others) = _of(eleven, "product")
    through = its.client == CLIENT["flowdesk/23"]
    later = through & (its.at_ms > moving.onset_ms + DAY_MS)
    moved = [
        (its.model[later & (its.account == one)] == MODEL["atlas-4"]).mean()
        for one in np.unique(its.account[later])
    ]  # fmt: skip

    assert still.onset_ms is None
    assert 0.5 < np.mean(np.array(moved) > 0.5) < 0.9, "some have not updated"
    assert len(others) > 0


def test_a_prompt_pack_spreads_over_days(eleven):
    for network, requests in _of(eleven, "prompt_pack"):
        shared = [
            one for one, accounts in Counter(
                np.unique(np.stack((requests.template, requests.account)), axis=1)[0].tolist()
            ).items() if accounts >= 12 and one >= 74 + 5_000 // 50
        ]  # fmt: skip
        using = np.isin(requests.template, shared) & (requests.at_ms >= network.onset_ms)
        first = np.full(requests.account.max() + 1, np.iinfo(np.int64).max)
        np.minimum.at(first, requests.account[using], requests.at_ms[using])
        begun = np.sort(first[first < np.iinfo(np.int64).max])

        assert len(shared) >= 5
        assert (np.percentile(begun, 80) - np.percentile(begun, 20)) / DAY_MS > 0.8


def test_strangers_behind_a_vpn_share_exits_and_nothing_else(eleven):
    ((network, requests),) = _of(eleven, "vpn")
    story, _ = eleven
    carried = Counter(np.unique(np.stack((requests.network, requests.account)), axis=1)[0].tolist())
    prompts = Counter(np.unique(np.stack((requests.template, requests.account)), axis=1)[0].tolist())
    own = {one: count for one, count in prompts.items() if one >= 60 + story.size.accounts // 50 + 14}

    assert sum(count >= 0.1 * len(network.accounts) for count in carried.values()) >= 5
    assert max(own.values()) < 0.15 * len(network.accounts)
