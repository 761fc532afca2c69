"""What is written is what the contract asks for, and what the truth says."""

from __future__ import annotations

import json

import numpy as np
import orjson
import pytest

from stream.contract.request import decode
from stream.simulate.labelled import records, truth_of
from stream.simulate.scenarios import SCENARIOS, tell
from stream.simulate.writing.write import Lines, week_of

SMALL = 400


@pytest.fixture(scope="module")
def log():
    """A small pivot: its story, its truth, and its records."""
    story = tell("pivot", 3, accounts=SMALL)
    lines = Lines(story.fleet, story.course, 3)
    return story, truth_of(story, lines), [line for _, _, line in records("pivot", 3, accounts=SMALL)]


def test_every_record_obeys_the_contract_and_none_is_written_twice(log):
    story, _, lines = log
    requests = [decode(line) for line in lines]

    assert len({request.event_id for request in requests}) == len(lines) > 50_000
    at_ms = [json.loads(line)["timestamp"] for line in lines]
    assert at_ms == sorted(at_ms)
    assert story.start_ms <= at_ms[0]
    assert at_ms[-1] < story.end_ms


def test_the_iterator_names_time_and_account_of_its_line():
    for at_ms, account_id, line in records("quiet", 2, accounts=300):
        record = orjson.loads(line)
        assert (record["timestamp"], record["account_id"]) == (at_ms, account_id)
        if at_ms > SCENARIOS["quiet"].size.days:
            break


def test_records_carry_the_dimensions_of_the_contract(log):
    _, _, lines = log
    seen: dict[str, set[str]] = {}
    for line in lines[::7]:
        for dimension, value in orjson.loads(line)["attributes"].items():
            seen.setdefault(dimension, set()).add(value)

    assert set(seen) == {"payment", "asn", "ip_prefix", "client", "template", "org", "country", "signup_week"}
    assert all(set(value) <= set("0123456789abcdef") and len(value) == 10 for value in seen["template"])
    assert len(seen["client"]) >= 20
    assert all("-W" in value for value in seen["signup_week"])


def test_attributes_belong_to_the_request_and_not_to_the_account(log):
    _, _, lines = log
    networks: dict[str, set[str]] = {}
    for line in lines:
        record = orjson.loads(line)
        networks.setdefault(record["account_id"], set()).add(record["attributes"]["ip_prefix"])

    assert np.median([len(of_one) for of_one in networks.values()]) >= 2


def test_some_records_of_a_giant_lack_their_org_and_no_others_do(simulated):
    story, requests = simulated("quiet")
    leaky = story.fleet.accounts.leaky[requests.account]

    assert (requests.org[~leaky] >= 0).all()
    assert 0.003 < (requests.org[leaky] < 0).mean() < 0.009


def test_the_truth_names_accounts_that_are_in_the_log(log):
    _, truth, lines = log
    there = {orjson.loads(line)["account_id"] for line in lines}
    (campaign,) = truth["campaigns"]

    assert len(campaign["accounts"]) == 300
    assert set(campaign["accounts"]) <= there
    assert campaign["targets"] == ["model:atlas-4"]
    assert truth["start_ms"] < campaign["onset_ms"] < campaign["end_ms"] <= truth["end_ms"]
    assert {"scenario", "seed", "releases", "expected", "networks", "shocks"} <= set(truth)


def test_no_request_is_served_by_a_model_before_its_release(log):
    _, truth, lines = log
    released_ms = {release["model"]: release["released_at"] for release in truth["releases"]}
    early = [
        record for record in map(orjson.loads, lines) if record["timestamp"] < released_ms.get(record["model"], 0)
    ]  # fmt: skip

    assert released_ms
    assert early == []


def test_a_platform_without_templates_records_none_and_everything_else():
    with_, without = (tell(name, 1, accounts=SMALL) for name in ("pivot", "no_templates_pivot"))
    first = next(without.traffic().hours())
    lines = Lines(without.fleet, without.course, 1).of(first)

    assert with_.course.hidden == frozenset()
    assert all("template" not in orjson.loads(line)["attributes"] for line in lines)
    assert all("payment" in orjson.loads(line)["attributes"] for line in lines)


@pytest.mark.parametrize(("at_ms", "week"), [(1_772_409_600_000, "2026-W10"), (1_767_225_599_000, "2026-W01")])
def test_the_sign_up_week_is_that_of_the_calendar(at_ms, week):
    assert week_of(at_ms) == week
