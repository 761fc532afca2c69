"""Why it did not fire: the first test that fails, with its number and its limit."""

from __future__ import annotations

import json

import pytest

from detectors.fleet import Judge
from detectors.parameters import Parameters
from detectors.why import why_account, why_cohort, why_target
from stream.cli import run
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded

START_MS = 1_772_409_600_000
HOUR_MS = 3_600_000


def request(number, account, org, model, hour, **attributes):
    return json.dumps(
        {
            "event_id": f"e{number}",
            "timestamp": START_MS + hour * HOUR_MS + number,
            "account_id": account,
            "model": model,
            "capabilities": ["coding"],
            "attributes": {"org": org, "country": "NZ", **attributes},
        }
    ).encode()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Forty accounts for thirty hours; at hour 20 one of them begins to use another model."""
    lines = []
    for hour in range(30):
        for account in range(40):
            model = "new" if account == 7 and hour >= 20 else "old"
            lines.append(request(len(lines), f"a{account:02d}", f"o{account // 4}", model, hour, payment=f"p{account}"))
    path = tmp_path_factory.mktemp("why") / "log.ndjson"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


@pytest.fixture(scope="module")
def fleet(log):
    parameters = Parameters()
    fleet = Fleet(parameters, {})
    embedded = Embedded(parameters, ["log"], fleet)
    raws = log.read_bytes().splitlines()
    embedded.read("log", raws, range(len(raws)))
    embedded.advance("log", ended=True)
    return fleet


def told(reasons):
    return {one.test: (one.value, one.holds) for one in reasons}


def test_an_account_that_moved_alone_is_told_that_it_was_alone(fleet):
    reasons = told(why_account(fleet.judge, "a07"))
    assert reasons["requests in the last 24 h"] == ("24", True)
    assert reasons["its move to model:new"][0].endswith("of accounts like it moved as far")
    value, holds = reasons["in a network"]
    assert (value, holds) == ("no; it carries 0 rare values that others carry as well", False)


def test_an_account_that_is_not_there_is_told_so(fleet):
    (reason,) = why_account(fleet.judge, "nobody")
    assert (reason.holds, reason.value) == (False, "0: not active, or no such account")


def test_an_organisation_is_tested_and_never_a_page_by_itself(fleet):
    reasons = told(why_cohort(fleet.judge, "org", "o1"))
    assert reasons["accounts active with it"] == ("4", True)
    assert "move to model:new" in reasons
    assert reasons["by itself a page"][1] is False


def test_a_value_that_one_account_carries_is_no_cohort(fleet):
    (reason,) = why_cohort(fleet.judge, "payment", "p7")
    assert (reason.value, reason.holds) == ("1", False)


def test_a_target_says_what_the_fleet_did_and_how_long_it_is_known(fleet):
    reasons = told(why_target(fleet.judge, "new"))
    assert reasons["the fleet's share of model:new"][0].startswith("0.0% -> 0.")
    assert reasons["hours of history"][0] == "28"
    assert reasons["networks"][1] is False


def test_a_target_that_nobody_uses_is_told_so(fleet):
    (reason,) = why_target(fleet.judge, "model:none")
    assert reason.holds is False


def test_before_the_first_hour_nothing_is_known():
    for reasons in (why_account(Judge(Parameters()), "a"), why_target(Judge(Parameters()), "m")):
        assert reasons[0].test == "an hour of the log"


def test_the_command_answers_as_of_the_time_asked_for(capsys, log):
    assert run(["why", "model:new", str(log), "--at", "2026-03-02T18:30:00Z"]) == 0
    before = capsys.readouterr().out
    assert run(["why", "model:new", str(log)]) == 0
    after = capsys.readouterr().out
    assert "as of 2026-03-02 18:30 UTC" in before
    assert "none in the last 24 h" in before
    assert "the fleet's share of model:new" in after
