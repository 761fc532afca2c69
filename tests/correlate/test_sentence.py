"""Sentences: who moved, how far, to what, in how long, and what everyone else did."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.alerts.sentence import sentence
from stream.contract.alert import Alert, AlertSubject, AlertTarget

HOUR_MS = 3_600_000
NETWORK = Alert(
    alert_id="a",
    status="firing",
    severity="critical",
    kind="release_shift",
    subject=AlertSubject("cluster", "net-1"),
    target=AlertTarget("model", "atlas-4"),
    targets=(AlertTarget("model", "atlas-4"),),
    started_at=0,
    detected_at=9 * HOUR_MS,
    updated_at=9 * HOUR_MS,
    accounts=(),
    accounts_total=312,
    evidence={"organisations": 104, "share_before": 0.004, "share_after": 0.483, "share_expected": 0.11},
    summary="-",
)

COHORT = msgspec.structs.replace(
    NETWORK, alert_id="10c487fd8888d1cc", severity="warning", subject=AlertSubject("cohort", "org_7", "org")
)


def said(alert=NETWORK, evidence=None, **changes):
    merged = {**alert.evidence, **(evidence or {})}
    merged = {key: value for key, value in merged.items() if value != "gone"}
    return sentence(msgspec.structs.replace(alert, evidence=merged, **changes))


def test_a_network_that_moved_to_a_new_model():
    assert said() == (
        "312 accounts of 104 orgs moved 48% of traffic to atlas-4 in 9 h; comparable accounts 11%. One operator likely."
    )


def test_a_capability_that_rose():
    told = said(
        target=AlertTarget("capability", "computer_use"),
        evidence={"share_before": 0.03, "share_after": 0.31, "share_expected": "gone", "comparable_change": 0.01},
    )
    assert told.startswith("312 accounts of 104 orgs: computer_use 3% -> 31% in 9 h; comparable accounts +1 points.")


def test_a_warning_says_what_it_looks_like():
    told = said(severity="warning", accounts_total=54, evidence={"looks_like": "agency", "organisations": 54})
    assert told == (
        "54 accounts of 54 orgs moved 48% of traffic to atlas-4 in 9 h; comparable accounts 11%. Looks like an agency."
    )


def test_a_customer_is_named_with_what_to_do_if_it_is_known():
    told = said(COHORT, accounts_total=3_012)
    assert told == (
        "org_7 (3,012 accounts) moved 48% to atlas-4 in 9 h; others 11%. Known? swerve expect alert=10c487fd8888d1cc."
    )


def test_a_customer_whose_accounts_nobody_counted_is_named_without_a_number():
    told = said(COHORT, accounts_total=0, evidence={"looks_like": "one_customer"})
    assert told.startswith("org_7 moved 48% to atlas-4 in 9 h")
    assert told.endswith("Known? swerve expect alert=10c487fd8888d1cc.")


def test_a_command_is_only_told_where_it_can_be_typed():
    for alert_id in ("two words", "x" * 60, "a;rm", "$(id)", "`id`", "a|b", "ü"):
        assert "swerve expect" not in said(COHORT, alert_id=alert_id)


def test_what_a_stranger_chose_is_in_no_command():
    for org in ("two words", "a;rm", "$(id)", "`id`", "a|b", "ü"):
        assert said(COHORT, subject=AlertSubject("cohort", org, "org")).endswith("expect alert=10c487fd8888d1cc.")


def test_a_cohort_of_another_dimension_says_which():
    assert said(subject=AlertSubject("cohort", "NZ", "country")).startswith("country=NZ (312 accounts) moved")


def test_an_account_alone():
    assert said(subject=AlertSubject("account", "acct_1")).startswith("Account acct_1 moved 48% of traffic")


def test_without_shares_it_counts_requests():
    told = said(
        evidence={"share_before": "gone", "share_after": "gone", "requests": 1_489, "onset_to_now_h": 72},
        targets=(AlertTarget("capability", "agentic_reasoning"), AlertTarget("capability", "policy_sensitive")),
    )
    assert told.startswith("312 accounts of 104 orgs turn to agentic_reasoning and policy_sensitive, 1,489 requests")


def test_what_they_share_is_said_where_there_is_room():
    values = [{"dimension": "template"}] * 3 + [{"dimension": "ip_prefix"}] * 2 + [{"dimension": "payment"}]
    told = said(
        accounts_total=97, evidence={"shared_values": values, "share_expected": "gone", "organisations": "gone"}
    )
    assert told.endswith("One operator likely. Shared prompt kit and exits.")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("ended", "Over after 31 h: these 312 accounts no longer stand out on atlas-4."),
        ("adopted", "Adopted: what these 312 accounts send to atlas-4 is now normal for accounts like them."),
        ("expected", "Announced meanwhile (migration-7): these 312 accounts to atlas-4."),
        ("harmless", "Harmless by verdict: these 312 accounts to atlas-4; silent until the verdict changes."),
        ("superseded", "Superseded: a part of these 312 accounts has an alert of its own now."),
    ],
)
def test_every_end_says_why(reason, told):
    alert = msgspec.structs.replace(NETWORK, status="resolved", resolved_at=1, resolved_reason=reason)
    assert said(alert, evidence={"lasted_h": 31.2, "expected": ["migration-7"]}) == told


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("ended", "Over after 31 h: this account no longer stands out on atlas-4."),
        ("adopted", "Adopted: what this account sends to atlas-4 is now normal for others like it."),
        ("expected", "Announced meanwhile (migration-7): this account to atlas-4."),
    ],
)
def test_the_end_of_one_account_is_told_of_one(reason, told):
    alert = msgspec.structs.replace(NETWORK, status="resolved", resolved_at=1, resolved_reason=reason, accounts_total=1)
    assert said(alert, evidence={"lasted_h": 31.2, "expected": ["migration-7"]}) == told


def test_what_does_not_show_in_a_day_yet_is_no_movement_downward():
    tool_use = AlertTarget("capability", "tool_use")
    told = said(
        severity="warning", target=tool_use, targets=(tool_use,), accounts_total=24, updated_at=2 * HOUR_MS,
        evidence={"organisations": 23, "share_before": 0.303, "share_after": 0.271, "share_expected": 0.28,
                  "looks_like": "prompt_pack"},
    )  # fmt: skip
    assert told == (
        "24 accounts of 23 orgs turn to tool_use in 2 h; 27% of a day, comparable accounts 28%. "
        "Looks like a public prompt pack."
    )


def test_zero_is_a_number_and_not_a_gap():
    assert "comparable accounts 0%" in said(evidence={"share_expected": 0.0})


def test_an_id_cannot_break_the_line_or_the_terminal():
    told = said(subject=AlertSubject("cohort", "a\nb\x1b[31m\u202e<script>", "org"))
    assert told.isprintable()
    assert told.endswith("Known? swerve expect alert=a.")


texts = st.text(min_size=1, max_size=300)
numbers = st.one_of(st.none(), st.floats(), st.integers(-(10**12), 10**12), st.text(), st.booleans())
KEYS = ["share_before", "share_after", "share_expected", "comparable_change", "organisations", "requests", "lasted_h",
        "onset_to_now_h", "accounts"]  # fmt: skip


@given(
    evidence=st.dictionaries(st.sampled_from(KEYS), numbers),
    who=texts,
    dimension=texts,
    target=texts,
    kind=st.sampled_from(["cluster", "cohort", "account"]),
    total=st.integers(0, 10**9),
    reason=st.sampled_from([None, "ended", "adopted", "expected", "harmless", "superseded"]),
)
def test_it_is_one_line_below_120_characters_whatever_the_evidence(
    evidence, who, dimension, target, kind, total, reason
):
    alert = msgspec.structs.replace(
        NETWORK,
        subject=AlertSubject(kind, who, dimension if kind == "cohort" else None),
        target=AlertTarget("model", target),
        targets=(AlertTarget("model", target),) * 2,
        accounts_total=total,
        evidence=evidence,
        status="resolved" if reason else "firing",
        resolved_reason=reason,
    )
    told = sentence(alert)
    assert 0 < len(told) < 120
    assert told.isprintable()
