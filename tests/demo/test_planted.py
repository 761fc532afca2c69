"""What was found is held against what was planted, and nothing is credited that was not earned."""

from __future__ import annotations

from types import SimpleNamespace

from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.report.planted import Found, score

HOUR = 3_600_000
ONSET = 1_770_000_000_000
MEMBERS = [f"bad_{number}" for number in range(10)]
TRUTH = {"campaigns": [{"name": "pivot", "kind": "pivot", "onset_ms": ONSET, "accounts": MEMBERS}]}


def page(alert_id: str, at_ms: int, severity: str = "critical") -> Alert:
    return Alert(
        alert_id=alert_id, status="firing", severity=severity, kind="coordinated_shift",  # type: ignore[arg-type]
        subject=AlertSubject("cluster", alert_id), target=AlertTarget("model", "m"),
        targets=(AlertTarget("model", "m"),), started_at=at_ms, detected_at=at_ms, updated_at=at_ms,
        accounts=(), accounts_total=0, evidence={"n": 1}, summary="s",
    )  # fmt: skip


def named(**by_alert: list[str]) -> list[SimpleNamespace]:
    """--accounts, turned round: accounts by the alert that named them."""
    accounts = sorted({account for accounts in by_alert.values() for account in accounts})
    return [
        SimpleNamespace(account_id=one, alert_ids=[key for key, those in by_alert.items() if one in those])
        for one in accounts
    ]


def only(result) -> Found:
    (found,) = result.campaigns
    return found


def test_a_page_about_the_campaign_is_credited_with_its_delay_and_its_names():
    alerts = [page("a", ONSET + 2 * HOUR, "warning"), page("a", ONSET + 5 * HOUR)]
    result = score(TRUTH, alerts, named(a=[*MEMBERS[:8], "good_1", "good_2"]))
    found = only(result)
    assert (found.delay_ms, found.recall, found.precision) == (5 * HOUR, 0.8, 0.8)
    assert result.false_pages == 0


def test_a_ticket_names_accounts_but_is_no_page():
    found = only(score(TRUTH, [page("a", ONSET + HOUR, "warning")], named(a=MEMBERS)))
    assert (found.delay_ms, found.recall) == (None, 1.0)


def test_a_page_about_others_is_false():
    result = score(TRUTH, [page("a", ONSET + HOUR)], named(a=["good_1", "good_2"]))
    assert (only(result).delay_ms, only(result).precision, result.false_pages) == (None, None, 1)


def test_a_page_before_the_onset_is_false_whomever_it_names():
    result = score(TRUTH, [page("a", ONSET - HOUR)], named(a=MEMBERS))
    assert (only(result).delay_ms, result.false_pages) == (None, 1)


def test_an_account_or_two_of_the_campaign_in_a_large_alert_earn_nothing():
    result = score(TRUTH, [page("a", ONSET + HOUR)], named(a=[MEMBERS[0], *(f"good_{n}" for n in range(30))]))
    assert (only(result).delay_ms, result.false_pages) == (None, 1)


def test_nothing_planted_and_nothing_said_is_a_clean_score():
    result = score({"campaigns": []}, [], [])
    assert (list(result.campaigns), result.false_pages) == ([], 0)
