"""What the platform does not record: less is found, and nothing is said that cannot be known."""

from __future__ import annotations

import dataclasses

import pytest

from detectors.comparison.findings import Level
from detectors.ties.carriers import Carriers
from detectors.ties.coverage import coverage_of, organisations_known
from tests.detectors.fleets import HOUR, PARAMETERS, columns_of, population, private_values, still_fleet
from tests.detectors.week import FLEET, HOURS, ONSET_H, POOL, begun, findings_of, loudest

pytestmark = pytest.mark.usefixtures("made_up_hand")

LINKS = ("payment", "ip_prefix", "template")


def without(accounts, *dropped):
    """The same accounts, of which nobody records these attributes."""
    return [
        dataclasses.replace(
            one,
            org=None if "org" in dropped else one.org,
            country=None if "country" in dropped else one.country,
            week=None if "signup_week" in dropped else one.week,
            values={pair: count for pair, count in one.values.items() if pair[0] not in dropped},
        )
        for one in accounts
    ]


def told(*dropped):
    """What is said of a week with an operator, where these attributes are missing."""
    return told_of(without(FLEET, *dropped), without(POOL, *dropped))


def told_of(fleet, pool, hours=7):
    told = {"fleet": fleet, "pool": pool}
    judge = begun(**told)
    return judge, findings_of(judge, range(HOURS.start, ONSET_H + hours), **told)


def test_without_organisations_a_network_that_pays_in_few_ways_is_a_warning_with_the_reason_and_never_a_page():
    def on_few_cards(accounts):
        return [
            dataclasses.replace(
                one, values={(name, value if name != "payment" else f"card{i % 4}"): count
                             for (name, value), count in one.values.items()}
            )
            for i, one in enumerate(accounts)
        ]  # fmt: skip

    judge, found = told_of(without(FLEET, "org"), on_few_cards(without(POOL, "org")))
    assert loudest(found) is Level.WARNING
    last = found[-1][1]
    assert last.why == last.evidence["looks_like"] == "unknown_organisations"
    assert last.evidence["one_operator"]  # the traits are for it; whose the accounts are is what nobody knows
    assert judge.coverage["org"] == 0.0


def test_without_organisations_those_who_pay_in_many_ways_are_no_one_customer_and_page():
    assert loudest(told("org")[1]) is Level.CRITICAL


@pytest.mark.parametrize("dropped", [("payment",), ("ip_prefix",), ("template",), ("country", "signup_week")])
def test_with_one_dimension_less_the_operator_is_still_found(dropped):
    _, found = told(*dropped)
    assert loudest(found) is Level.CRITICAL


def told_by_one(kept, pool=POOL, hours=7):
    """What is said of that week where one kind of value alone ties accounts."""
    dropped = [name for name in LINKS if name != kept]
    return told_of(without(FLEET, *dropped), without(pool, *dropped), hours)[1]


@pytest.mark.parametrize("kept", ["ip_prefix", "template"])
def test_of_addresses_alone_and_of_prompts_alone_a_clear_campaign_pages(kept):
    """That of this week is as clear as any: sixty accounts, each on six values of one pool."""
    assert loudest(told_by_one(kept)) is Level.CRITICAL


def on_cards(cards):
    """The operator's accounts, which pay with so many cards."""
    return [dataclasses.replace(one, values={("payment", f"card{i % cards}"): one.n}) for i, one in enumerate(POOL)]


def test_of_payments_alone_each_ring_on_a_card_is_found_then_they_page_together_but_hours_later():
    with_all = next(hour for hour, one in told()[1] if one.level is Level.CRITICAL)
    found = told_by_one("payment", on_cards(3), hours=11)
    warned = next(hour for hour, one in found if one.level is Level.WARNING)
    paged, page = next((hour, one) for hour, one in found if one.level is Level.CRITICAL)

    assert {one.why for hour, one in found if hour < paged} == {"looks_like_one_value"}
    assert {len(one.members) for hour, one in found if hour < paged} == {len(POOL) // 3}  # a ring a card
    assert with_all < warned < paged
    assert {member.account_id for member in page.members} == {one.id for one in POOL}


def test_of_payments_alone_those_who_pay_with_many_cards_each_are_not_found():
    """Six accounts a card are no network, and nothing ties one card to another."""
    assert loudest(told_by_one("payment", on_cards(10), hours=11)) is Level.NONE


def test_where_each_account_lacks_one_attribute_or_another_the_operator_is_still_found_and_nobody_else():
    lacking = (("payment",), ("ip_prefix",), ("template",), ("country",), ("signup_week",), ())

    def some_without(accounts):
        return [without([one], *lacking[i % len(lacking)])[0] for i, one in enumerate(accounts)]

    _, found = told_of(some_without(FLEET), some_without(POOL), hours=10)
    named = {member.account_id for member in found[-1][1].members}
    assert loudest(found) is Level.CRITICAL
    assert len(named & {one.id for one in POOL}) >= 0.75 * len(POOL)
    assert named <= {one.id for one in POOL}


@pytest.mark.parametrize("dropped", [LINKS, ("org", "country", "signup_week", *LINKS)])
def test_without_anything_that_ties_nothing_is_said(dropped):
    _, found = told(*dropped)
    assert loudest(found) is Level.NONE


def test_a_platform_on_which_some_accounts_have_no_organisation_still_records_it():
    some = [dataclasses.replace(one, org=None) if i % 2 else one for i, one in enumerate(still_fleet(100))]
    assert organisations_known(columns_of(some))
    assert not organisations_known(columns_of(without(some, "org")))


def test_coverage_is_the_part_of_the_accounts_that_carry_each_attribute():
    accounts = private_values(still_fleet(100))
    half = [*without(accounts[:50], "template", "ip_prefix"), *without(accounts[50:], "ip_prefix")]
    one = population(half)
    carriers = Carriers(PARAMETERS.carried_h)
    carriers.learn(one.columns, HOUR)
    carried = carriers.of(one, PARAMETERS.link_dimensions)
    found = coverage_of(one, carried, ["client"], PARAMETERS)
    expected = {"payment": 1.0, "template": 0.5, "ip_prefix": 0.0, "org": 1.0, "country": 0.0, "signup_week": 0.0}
    assert found == expected | {"client": 1.0, "asn": 0.0}
