"""The network as a picture: who carries what is shared, who belongs and who is only near, in words and numbers too."""

from __future__ import annotations

import re
from html import unescape

import msgspec
import orjson
import pytest

from stream.report.matrix import _runs, matrix
from stream.report.network import MEMBERS_MAX, Holder, Lately, Networks, network_of
from tests.console.conftest import CLUSTER, HOSTILE, T0, finding, holding, members

CARD, KIT = ("payment", "card-net-1"), ("template", HOSTILE)
HELD = {
    **{f"acct_{n:05d}": [CARD] for n in range(10)},
    **{f"acct_{n:05d}": [CARD, KIT] for n in range(10, 15)},
    **{f"acct_{n:05d}": [KIT] for n in range(15, 20)},
    "near_1": [KIT, ("asn", "as1")], "near_2": [CARD, KIT], "honest_1": [("asn", "as1")],
}  # fmt: skip


@pytest.fixture
def tied(quiet):
    """Twenty members by a card and a kit, and two accounts that are near."""
    quiet.findings = [finding("net-1", CLUSTER, members(20), T0)]
    quiet.carry(holding(HELD))
    quiet.step(24, ["acct_00003"])
    return quiet


def only(one):
    return one.desk.view.alerts()[0].last


def drawn(one):
    return one.desk.view.networks[only(one).alert_id]


def test_who_shares_alike_stands_together_and_the_value_of_most_members_comes_first(tied):
    network = drawn(tied)
    assert [(one.value, one.members, one.near) for one in network.values] == [("card-net-1", 15, 1), (HOSTILE, 10, 2)]
    assert [one.carries for one in network.members] == [3] * 5 + [1] * 10 + [2] * 5
    assert (network.members_total, network.near_total) == (20, 2)


def test_near_is_who_carries_one_of_the_values_and_is_no_member(tied):
    network = drawn(tied)
    assert [(one.account_id, one.carries) for one in network.near] == [("near_2", 3), ("near_1", 2)]
    assert [one.value for one in network.carried(network.near[1])] == [HOSTILE]


def test_the_picture_has_a_bar_for_each_run_of_neighbours_and_says_in_words_what_it_shows(tied):
    picture = str(matrix(drawn(tied)))
    assert re.findall(r'class="(belongs|nearby)" d="([^"]+)"', picture) == [
        ("belongs", "M0 37h15v12h-15z"), ("belongs", "M0 68h5v12h-5zM15 68h5v12h-5z"),
        ("nearby", "M0 43h1v6h-1z"), ("nearby", "M0 74h2v6h-2z"),
    ]  # fmt: skip
    assert "20 members by the 2 strongest values" in picture
    assert "2 accounts are near" in picture
    assert HOSTILE not in picture


def test_of_ten_thousand_members_the_most_involved_are_drawn_and_all_are_counted(tied):
    everybody = [f"m{n}" for n in range(10_000)]
    columns = holding({one: [CARD] for one in everybody})
    tied.fleet.judge.carriers.learn(columns, 10**6)
    network = network_of(only(tied), everybody, Lately.of(T0, tied.fleet.judge.carriers, None))
    assert (len(network.members), network.members_total, network.values[0].members) == (MEMBERS_MAX, 10_000, 10_000)
    assert f"the {MEMBERS_MAX} most involved of 10,000 members" in matrix(network)
    assert len(matrix(network)) < 4_000


async def test_where_an_alert_had_other_members_when_it_last_changed_the_picture_says_so(tied, visit):
    (known,) = tied.desk.view.alerts()
    path = f"/alerts/{known.last.alert_id}"
    async with visit(tied.desk) as visitor:
        assert "<h2>What they share</h2>" in await visitor.page(path)
        known.take(msgspec.structs.replace(known.last, accounts_total=17))
        head = re.search(r"<h2>What they share.*?</h2>", await visitor.page(path))[0]
    assert "by 20 members, 17 when it last changed" in head


def test_nobody_near_leaves_the_width_to_the_members():
    assert list(_runs([Holder("a", 2), Holder("b", 2), Holder("c", 1)], 1)) == [(0, 2)]


def test_what_has_ended_stays_as_it_was(tied):
    before = drawn(tied)
    tied.findings = []
    tied.carry(holding({"honest_1": [CARD]}))
    tied.step(24 * 13)
    assert only(tied).status == "resolved"
    assert drawn(tied).values == before.values


def test_a_picture_is_forgotten_when_others_need_its_place(tied, monkeypatch):
    monkeypatch.setattr("stream.report.network.NETWORKS_MAX", 1)
    networks, lately = Networks(), Lately.of(T0, tied.fleet.judge.carriers, None)
    for name in ("a1", "a2"):
        networks.see(msgspec.structs.replace(only(tied), alert_id=name), ["acct_00001"], lately)
    assert list(networks) == ["a2"]


async def test_the_alert_page_shows_the_picture_with_a_table_of_the_same_numbers_and_who_is_near(tied, visit):
    async with visit(tied.desk) as visitor:
        page = await visitor.page(f"/alerts/{only(tied).alert_id}")
    assert page.count('<svg class="matrix"') == 1
    row = re.search(r"payment card-net-1</a></th>(.*?)</tr>", page)[1]
    assert re.findall(r'data-th="(members|near)" class="n">(\d+)<', row) == [("members", "15"), ("near", "1")]
    assert ">15 of 20, 1 near</text>" in page
    assert 'href="/account?id=near_2"' in page
    assert "style=" not in page
    assert HOSTILE not in page
    assert "honest_1" not in unescape(page)


async def test_where_nobody_knows_who_carries_what_the_values_are_a_table_as_ever(campaign, visit):
    async with visit(campaign.desk) as visitor:
        page = await visitor.page(f"/alerts/{only(campaign).alert_id}")
    assert 'class="matrix"' not in page
    assert "payment card-net-1" in page


async def test_an_accounts_page_says_its_organisation_what_it_carried_and_whose_network_it_is_near(tied, visit):
    tied.carry(holding(HELD, org={"near_2": "org_9"}))
    tied.step(12, ["acct_00003"])
    async with visit(tied.desk) as visitor:
        near = await visitor.page("/account?id=near_2")
        member = await visitor.page("/account?id=acct_00012")
        stranger = await visitor.page("/account?id=honest_1")
    assert 'href="/cohort?dimension=org&amp;id=org_9">org_9</a>' in near
    assert "near net-1, and no member" in near
    assert re.findall(r'attribute">(\w+)<', near) == ["payment", "template"]
    assert re.search(r'id=card-net-1">card-net-1</a></td><td[^>]*>15</td>', near)
    assert "member of net-1" in member
    assert "<td>none</td>" in stranger


async def test_an_account_in_no_alert_whose_values_are_seen_is_there_for_people_and_for_programs(tied, visit):
    async with visit(tied.desk) as visitor:
        page, _ = await visitor.get("/account?id=honest_1")
        status, told = await visitor.get("/api/v1/accounts/honest_1")
        unknown = [(await visitor.get(path))[0] for path in ("/account?id=nobody", "/api/v1/accounts/nobody")]
    assert (page, status) == (200, 200)
    assert (orjson.loads(told)["alerts"], orjson.loads(told)["requests"]) == ([], [])
    assert unknown == [404, 404]
