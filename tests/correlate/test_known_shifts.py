"""What was announced, what is allowed, and what people said."""

from __future__ import annotations

from stream.alerts.expected_shifts import allow_list, covering
from stream.alerts.verdicts import is_harmless, last_verdicts
from stream.contract.alert import AlertSubject, AlertTarget
from stream.contract.expected import Expected, ExpectedSubject, ExpectedTarget
from stream.contract.verdict import Verdict

ORG = AlertSubject("cohort", "org_7", "org")
NET = AlertSubject("cluster", "net-1")
MODEL, CODING = AlertTarget("model", "atlas-4"), AlertTarget("capability", "coding")


def shift(subject=None, target=None, first=0, until=100, name="m"):
    who = subject or ExpectedSubject("fleet")
    return Expected(name, who, ExpectedTarget(*target) if target else None, first, until)


def covers(one, subject=ORG, targets=(MODEL,), at_ms=50, shared=(), accounts=10):
    return bool(covering([one], subject, targets, shared, accounts, at_ms))


def test_the_fleet_covers_everybody_toward_its_target():
    assert covers(shift(target=("model", "atlas-4")))
    assert covers(shift(target=("model", "atlas-4")), subject=NET)
    assert not covers(shift(target=("model", "atlas-5")))
    assert not covers(shift(target=("capability", "atlas-4")))


def test_it_begins_with_from_and_is_over_at_until():
    assert [covers(shift(first=10, until=20), at_ms=at) for at in (9, 10, 19, 20)] == [False, True, True, False]


def test_a_cohort_is_its_dimension_and_its_value():
    assert covers(shift(ExpectedSubject("cohort", "org_7", "org")))
    assert not covers(shift(ExpectedSubject("cohort", "org_8", "org")))
    assert not covers(shift(ExpectedSubject("cohort", "org_7", "asn")))


def test_an_account_covers_itself_alone():
    account = ExpectedSubject("account", "a1")
    assert covers(shift(account), subject=AlertSubject("account", "a1"))
    assert not covers(shift(account), subject=NET)


def test_every_target_must_be_covered():
    assert not covers(shift(target=("model", "atlas-4")), targets=(MODEL, CODING))
    assert covers(shift(), targets=(MODEL, CODING))


def test_the_allow_list_has_no_end_and_no_target():
    (org,) = allow_list(["org_7"], [])
    assert covers(org, at_ms=1 << 60)
    (value,) = allow_list([], ["template=t=1"])
    shared = [{"dimension": "template", "value": "t=1", "accounts": 9}]
    assert covers(value, subject=NET, shared=shared)
    assert not covers(value, subject=NET, shared=shared, accounts=30)


def test_the_last_verdict_by_time_counts_and_among_equal_times_the_later_one():
    said = [Verdict("a", "harmless", "kim", 5), Verdict("a", "campaign", "lee", 3), Verdict("b", "harmless", "kim", 1)]
    assert last_verdicts(said)["a"].verdict == "harmless"
    assert last_verdicts([*said, Verdict("a", "unsure", "lee", 5)])["a"].verdict == "unsure"


def test_a_group_is_harmless_by_the_latest_word_on_any_of_its_alerts():
    last = last_verdicts([Verdict("old", "harmless", "kim", 5), Verdict("new", "campaign", "kim", 9)])
    assert is_harmless(("old",), last)
    assert not is_harmless(("old", "new"), last)
    assert not is_harmless((), last)
