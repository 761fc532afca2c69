"""What the traffic lacks is said once, with what it costs, and again where it changes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from detectors.parameters import Parameters
from stream.pipeline.composition import Judged, nobody
from stream.telemetry.costs import costs_of
from stream.telemetry.missing import ACCOUNTS_MIN, Missing


class People:
    """Accounts with ten requests each."""

    def __init__(self, size: int) -> None:
        self.n = np.full(size, 10.0)
        self.columns = SimpleNamespace(ids=[f"acct_{row}" for row in range(size)])

    def __len__(self) -> int:
        return len(self.n)


@pytest.fixture
def fleet():
    """A fleet that judged a tick with a hundred accounts, of which all carry everything."""
    judge = SimpleNamespace(last_tick=SimpleNamespace(population=People(100)), coverage={"org": 1.0, "template": 0.9})
    return SimpleNamespace(judge=judge, parameters=Parameters(), on_tick=nobody)


@pytest.fixture
def said(fleet):
    """The lines that were said of it."""
    lines: list[str] = []
    Missing(fleet, lines.append)
    return lines


def tick(fleet, **coverage):
    fleet.judge.coverage |= coverage
    fleet.on_tick(Judged(0, [SimpleNamespace(accounts=object())], (), ()))


def test_nothing_is_said_of_a_fleet_that_records_everything(fleet, said):
    tick(fleet)
    assert said == []


def test_what_is_missing_is_said_once_with_what_it_costs(fleet, said):
    for _ in range(3):
        tick(fleet, org=0.0, template=0.02)
    assert len(said) == 2
    assert said[0].startswith("0% of 100 active accounts carry the attribute org: ")
    assert "never a page" in said[0]
    assert said[1].startswith("2% of 100 active accounts carry the attribute template: most networks are not found")


def test_what_comes_back_is_said_and_what_goes_again_as_well(fleet, said):
    for part in (0.0, 0.6, 0.6, 0.0):
        tick(fleet, template=part)
    assert [line.split()[0] for line in said] == ["0%", "60%", "0%"]


def test_of_a_handful_of_accounts_nothing_is_said(fleet, said):
    fleet.judge.last_tick.population = range(ACCOUNTS_MIN - 1)
    tick(fleet, org=0.0)
    assert said == []


def test_whoever_followed_before_is_still_told(fleet):
    seen = []
    fleet.on_tick = seen.append
    Missing(fleet, lambda line: None)
    tick(fleet)
    assert len(seen) == 1


def test_every_dimension_of_the_configuration_has_its_cost_in_words():
    parameters = Parameters()
    for name in (*parameters.link_dimensions, *parameters.cohort_dimensions):
        assert list(costs_of(name, parameters)), name


def test_an_account_with_a_tenth_of_all_requests_is_told_once(fleet, said):
    fleet.judge.last_tick.population.n[7] = 250.0
    for _ in range(3):
        tick(fleet)
    assert said == [
        "account acct_7 has 20% of all requests: if many customers are billed under it, say in [map] who is billed"
    ]
