"""A payment, an exit and a prompt are judged by what they are to the judgement, whatever they are called."""

from __future__ import annotations

import dataclasses

import numpy as np

from detectors.judgement.binding import ties_of
from detectors.judgement.operator import Activity, ordinary_of, traits_of
from detectors.parameters import Parameters
from tests.detectors.fleets import (
    PARAMETERS,
    Account,
    holdings_of,
    operated,
    population,
    private_values,
    rows_named,
    still_fleet,
)

CALLED = {"payment": "card_hash", "ip_prefix": "exit_network", "template": "prompt_hash"}
RENAMED = dataclasses.replace(
    PARAMETERS, link_dimensions=tuple(CALLED[name] for name in PARAMETERS.link_dimensions),
    payment_dimension="card_hash", exit_dimension="exit_network", prompt_dimension="prompt_hash",
)  # fmt: skip
FLEET = private_values(still_fleet(120, orgs_of=1))
GROUP = operated(still_fleet(20, orgs_of=1, seed=2, prefix="z"))


def renamed(accounts: list[Account]) -> list[Account]:
    return [
        dataclasses.replace(one, values={(CALLED[name], value): n for (name, value), n in one.values.items()})
        for one in accounts
    ]


def traits(group: list[Account], fleet: list[Account], parameters: Parameters) -> dict[str, float]:
    """Everything that is known of how a group works, and of what binds it."""
    one = population([*fleet, *group])
    holdings = holdings_of(one, parameters)
    rows = rows_named(one, [account.id for account in group])
    capabilities = np.flatnonzero([name.startswith("capability:") for name in one.targets])
    ordinary = ordinary_of(one, holdings.carried, capabilities)
    how = traits_of(one, ordinary, holdings, Activity(), rows, capabilities, 0)
    return how | ties_of(holdings, rows, np.ones(len(one)), 72)


def test_values_under_other_names_give_the_same_traits():
    found = traits(renamed(GROUP), renamed(FLEET), RENAMED)

    assert found == traits(GROUP, FLEET, PARAMETERS)
    assert {"kit_spread", "template_cover", "prefix_dominance", "widest"} <= set(found)


def test_without_being_told_which_is_which_they_are_not_known():
    """What the configuration has to say, and why."""
    unsaid = dataclasses.replace(PARAMETERS, link_dimensions=RENAMED.link_dimensions)
    found = traits(renamed(GROUP), renamed(FLEET), unsaid)

    assert {"kit_spread", "template_cover", "prefix_dominance"}.isdisjoint(found)
