"""In a random world a scenario keeps its kind of campaign; what is drawn is what then happens."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream.errors import UsageError
from stream.simulate.chance.catalogue import DAY_MS, HOUR_MS
from stream.simulate.chance.world import World, draw
from stream.simulate.customers.rhythm import office_hours
from stream.simulate.customers.traffic import Batch
from stream.simulate.labelled import records, truth_of
from stream.simulate.scenarios import SCENARIOS, tell
from stream.simulate.writing.describe import describe, sentences
from stream.simulate.writing.write import Lines

SMALL = 1_200
PLAIN = {"templates": "recorded", "missing": "none", "template_gap": 0.0, "payment_gap": 0.0, "network_gap": 0.0,
         "client_gap": 0.0}  # fmt: skip


def _world(seed: int = 3, **operator) -> World:
    """A small world that records everything, with an operator of whom some things are known."""
    world = draw(seed, "wide").resized(accounts=SMALL, days=7.0, scale=None)
    return replace(world, records=replace(world.records, **PLAIN), operator=replace(world.operator, **operator))


def _log(scenario: str, world: World, seed: int = 1):
    story = tell(scenario, seed, world=world)
    return story, Batch.joined(list(story.traffic().hours()))


def _bytes(*told, **more) -> list[bytes]:
    return [line for _, _, line in records(*told, accounts=300, **more)]


def test_a_world_has_the_same_bytes_again_and_another_world_or_seed_has_others():
    first = _bytes("surge", 4, world=9)

    assert first == _bytes("surge", 4, world=9)
    assert first != _bytes("surge", 4, world=10)
    assert first != _bytes("surge", 5, world=9)


def test_the_seed_is_the_world_of_a_scenario_that_has_no_other():
    assert _bytes("random", 6) == _bytes("random", 6, world=6)
    assert tell("random", 6, accounts=300, world=8).world == draw(8).resized(300, None, None)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_can_be_told_in_a_random_world(scenario):
    story = tell(scenario, 2, accounts=600, world=12)
    kinds = SCENARIOS[scenario].plot.kinds
    kinds = tuple(story.world.operator.kind if kind == "drawn" else kind for kind in kinds)

    assert tuple(one.kind for one in story.truth.campaigns) == kinds
    for one in story.truth.campaigns:
        assert story.at(4.0) <= one.onset_ms < story.end_ms - DAY_MS
        assert len(one.accounts) >= 60
        assert one.targets


def test_the_truth_holds_what_was_drawn_and_is_the_usual_one_otherwise():
    story = tell("random", 3, accounts=400)
    usual = tell("pivot", 3, accounts=400)
    truths = [truth_of(one, Lines(one.fleet, one.course, 3)) for one in (story, usual)]

    assert truths[0].keys() - truths[1].keys() == {"world"}
    assert truths[0]["world"]["operator"]["kind"] == truths[0]["campaigns"][0]["kind"]
    assert [one["name"] for one in truths[0]["campaigns"]] == ["campaign"]


def test_a_random_quiet_world_has_networks_and_no_campaign():
    networks = []
    for seed in range(6):
        story = tell("random_quiet", seed, accounts=600)
        networks.append(len(story.truth.networks))
        assert story.truth.campaigns == []

    assert min(networks) >= 2
    assert max(networks) >= 8


@pytest.mark.slow
def test_a_fleet_is_of_a_size_that_dozens_can_be_judged():
    for seed in (1, 2, 5):
        story = tell("random", seed)
        requests = sum(len(batch) for batch in story.traffic().hours())

        assert 190_000 <= requests <= 640_000, seed
        assert 3_000 <= story.size.accounts <= 20_000
        assert 7 <= story.size.days <= 10


def test_a_log_that_ends_before_its_campaign_is_refused_in_a_random_world_too():
    with pytest.raises(UsageError, match="--days 3: a campaign of random begins on day 4"):
        tell("random", 1, accounts=400, days=3.0)


def test_what_a_platform_does_not_record_is_in_no_record():
    hidden = replace(_world().records, templates="absent")
    country = replace(_world().records, missing="country")
    for records_, absent in ((hidden, b'"template"'), (country, b'"country"')):
        lines = [line for _, _, line in records("quiet", 1, world=replace(_world(), records=records_))]

        assert not any(absent in line for line in lines)
        assert all(b'"signup_week"' in line for line in lines)


def test_a_gap_is_as_wide_as_it_was_drawn():
    world = _world()
    world = replace(world, records=replace(world.records, template_gap=0.3, client_gap=0.1))
    _, gaps = _log("quiet", world)
    _, none = _log("quiet", _world())

    assert 1 - (gaps.template >= 0).mean() / (none.template >= 0).mean() == pytest.approx(0.3, abs=0.02)
    assert (gaps.client < 0).mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("column", "drawn"), [("payment", "card"), ("network", "exit"), ("template", "prompt")], ids=lambda one: one
)
def test_a_value_has_about_as_many_carriers_as_were_drawn(column, drawn):
    medians = []
    for carriers in (3.0, 15.0):
        world = _world(kind="pivot", accounts=300, per_day=40.0, prevalence=0.9, paid=1.0, exits_cover=1.0,
                       exit_rotation="never", prompt_rotation="never", private=0.0, begins="before", org_most=1,
                       popular=0.0, load_spread=0.3, exits=2, prompts=2, resold=0.0, **{drawn: carriers})  # fmt: skip
        world = replace(world, fleet=replace(world.fleet, accounts=4_000))
        story, requests = _log("pivot", world)
        members = story.truth.campaigns[0].accounts
        kit = story.fleet.streams.beat[requests.stream] >= 0
        mine = np.isin(requests.account, members) & kit & (getattr(requests, column) >= 0)
        pair = np.unique(requests.account[mine] * 10_000_000 + getattr(requests, column)[mine])
        count = np.bincount(pair % 10_000_000)
        medians.append(float(np.median(count[count >= 2])))

    assert 2 <= medians[0] <= 5
    assert 9 <= medians[1] <= 22


def test_an_account_whose_exits_rotate_leaves_by_others_after_each_period():
    exits = {}
    for rotation in ("never", "day"):
        world = _world(kind="pivot", exit_rotation=rotation, exits=2, private=0.0, exits_cover=1.0, resold=0.0,
                       per_day=40.0, prevalence=0.5, begins="before")  # fmt: skip
        story, requests = _log("pivot", world)
        own = np.isin(requests.account, story.truth.campaigns[0].accounts)
        pairs = np.unique(np.stack((requests.account[own], requests.network[own])), axis=1)
        exits[rotation] = np.median(np.unique(pairs[0], return_counts=True)[1])

    assert exits["never"] <= 3
    assert exits["day"] >= 6


def test_the_share_that_was_drawn_moves_within_the_ramp_that_was_drawn():
    world = _world(kind="pivot", moved=0.5, resold=0.2, ramp_h=3.0, per_day=40.0, prevalence=0.5, begins="before",
                   steady=20.0, swell=1.0, pauses="none")  # fmt: skip
    story, requests = _log("pivot", world)
    (campaign,) = story.truth.campaigns
    mine = np.isin(requests.account, campaign.accounts)
    target = requests.model == 8  # atlas-4
    later = mine & (requests.at_ms > campaign.onset_ms + 6 * HOUR_MS)

    assert target[later].mean() == pytest.approx(0.5, abs=0.08)
    assert target[mine & (requests.at_ms < campaign.onset_ms)].mean() < 0.05


def test_office_hours_are_kept_to_the_degree_that_was_drawn():
    never, always = office_hours(0.0, 1.0), office_hours(1.0, 0.3)

    assert never == pytest.approx(np.ones(168))
    assert always[:24].min() < 0.1 * always[:24].max()
    assert always[5 * 24 :].mean() < 0.5 * always[: 5 * 24].mean()


def test_members_of_a_holding_are_on_one_card_and_those_that_decide_are_in_the_truth():
    world = _world()
    world = replace(world, life=replace(world.life, holdings=20.0, holdings_move=1.0))
    story, requests = _log("quiet", world)
    holdings = [one for one in story.truth.networks if one.kind == "holding"]

    assert len(holdings) >= 8
    for one in holdings:
        mine = np.isin(requests.account, one.accounts) & (requests.payment >= 0)
        pair = np.unique(np.stack((requests.payment[mine], requests.account[mine])), axis=1)
        assert np.bincount(pair[0]).max() > 0.7 * len(np.unique(pair[1])), one.name
        assert one.onset_ms is not None


def test_the_description_tells_the_world_and_how_thin_its_ties_are():
    story = tell("pivot", 1, world=_world(kind="pivot"))
    said = "\n".join(sentences(story, describe(story)))

    assert "payments that campaign accounts share: " in said
    assert "the median honest account sends " in said
    assert "operator: kind pivot" in said
