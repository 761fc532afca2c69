"""Whose an alert is: what the measurements count as found, as late, and as false."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks.found.credit import DAY_MS, HOUR_MS, credit, watched
from benchmarks.found.rivalry import held, lines_of
from stream.contract.alert import Alert, AlertSubject, AlertTarget

ONSET_MS = 100 * HOUR_MS
CAMPAIGN = {"name": "pivot", "kind": "pivot", "onset_ms": ONSET_MS, "end_ms": ONSET_MS + 3 * DAY_MS,
            "targets": ["model:atlas-4"], "accounts": [f"c{i}" for i in range(10)]}  # fmt: skip
AGENCY = {"name": "agency", "kind": "agency", "accounts": [f"h{i}" for i in range(10)], "onset_ms": ONSET_MS}


def truth(**told):
    return {"campaigns": [CAMPAIGN], "networks": [AGENCY], "shocks": [], **told}


def alert(name, severity="critical", at_h=6.0, status="firing"):
    at_ms = ONSET_MS + int(at_h * HOUR_MS)
    ended = {"resolved_at": at_ms, "resolved_reason": "ended"} if status == "resolved" else {}
    target = AlertTarget("model", "atlas-4")
    return Alert(
        alert_id=name, status=status, severity=severity, kind="release_shift", subject=AlertSubject("cluster", name),
        target=target, targets=(target,), started_at=at_ms, detected_at=at_ms, updated_at=at_ms, accounts=(),
        accounts_total=0, evidence={}, summary="x", **ended,
    )  # fmt: skip


def names(alert_id, *accounts, at_h=6.0):
    at_ms = ONSET_MS + int(at_h * HOUR_MS)
    return [SimpleNamespace(account_id=a, first_flagged_at=at_ms, alert_ids=(alert_id,), score=0.9) for a in accounts]


def said(alerts, named, **told):
    return credit(truth(**told), alerts, named, {"pivot": ONSET_MS + HOUR_MS})


def test_a_page_that_names_a_third_of_members_is_the_campaigns():
    one = said([alert("a")], names("a", "c0", "c1", "c2", "x1", "x2", "x3", "x4"))
    (campaign,) = one.campaigns
    assert (campaign.delay_h, campaign.after_tenth_h) == (6.0, 5.0)
    assert (campaign.recall, campaign.precision) == (0.3, pytest.approx(3 / 7, abs=1e-4))
    assert (one.pages, one.false_pages) == (1, 0)


def test_a_page_that_names_less_is_false_and_finds_nothing():
    one = said([alert("a")], names("a", "c0", "c1", *(f"x{i}" for i in range(8))))
    assert one.campaigns[0].delay_h is None
    assert one.campaigns[0].recall == 0.0
    assert one.false_pages == 1


def test_a_page_before_the_onset_is_false_even_if_it_names_the_right_accounts():
    one = said([alert("a", at_h=-1)], names("a", "c0", "c1"))
    assert one.campaigns[0].delay_h is None
    assert one.false_pages == 1


def test_the_delay_is_to_the_page_and_not_to_the_warning_before_it():
    one = said([alert("a", "warning", 2), alert("a", "critical", 9)], names("a", "c0", at_h=2))
    assert one.campaigns[0].delay_h == 9.0
    assert (one.pages, one.warnings) == (1, 0)


def test_recall_in_the_first_day_counts_who_was_named_in_it():
    named = [*names("a", "c0", "c1", at_h=20), *names("a", "c2", "c3", at_h=25)]
    (campaign,) = said([alert("a")], named).campaigns
    assert (campaign.recall_day, campaign.recall) == (0.2, 0.4)


@pytest.mark.parametrize(("onset_ms", "false"), [(ONSET_MS, 0), (None, 1), (ONSET_MS + 2 * DAY_MS, 1)])
def test_a_warning_about_an_honest_network_is_right_if_the_network_does_shift(onset_ms, false):
    network = {**AGENCY, "onset_ms": onset_ms}
    one = said([alert("a", "warning")], names("a", "h0", "h1", "x1"), networks=[network])
    assert (one.warnings, one.false_warnings) == (1, false)


def test_a_page_about_an_honest_network_is_false_whatever_it_does():
    assert said([alert("a")], names("a", "h0", "h1")).false_pages == 1


def test_a_warning_that_names_nobody_is_false():
    assert said([alert("a", "warning")], []).false_warnings == 1


def test_context_and_ends_are_no_alerts():
    one = said([alert("a", "info"), alert("b", "critical", status="resolved")], [])
    assert (one.pages, one.warnings) == (0, 0)


def test_members_of_another_campaign_are_no_innocents():
    other = {**CAMPAIGN, "name": "other", "accounts": [f"d{i}" for i in range(10)]}
    one = credit(
        truth(campaigns=[CAMPAIGN, other]), [alert("a")], names("a", "c0", "c1", "d0", "x0"),
        {"pivot": None, "other": None},
    )  # fmt: skip
    assert one.campaigns[0].precision == 0.75
    assert one.campaigns[0].after_tenth_h is None


def track(name="model:atlas-4", records=(), mine=(), others=()):
    return {
        "track": name,
        "records": list(records),
        "mine": {"pivot": dict(mine)} if mine else {},
        "others": list(others),
    }


def test_a_rival_pages_where_it_is_stronger_by_a_tenth_than_in_a_quiet_fleet():
    lines = lines_of([track(records=[(5, 10.0)])])
    mine = [(f"c{i}", 105) for i in range(5)]
    found = held([track(records=[(101, 11.0), (103, 11.5)], mine=mine, others=[(104, 5), (70, 90)])], lines, "pivot",
                 ONSET_MS, 10)  # fmt: skip
    assert found.delay_h == pytest.approx(4.0)
    assert (found.recall, found.precision, found.false_pages) == (0.5, 0.5, 0)


def test_a_rivals_page_about_others_is_false():
    found = held([track(records=[(101, 3.0)], others=[(101, 9)])], {}, "pivot", ONSET_MS, 10)
    assert (found.delay_h, found.recall, found.precision, found.false_pages) == (None, 0.0, None, 1)


def test_the_watch_list_is_held_against_the_campaigns_and_the_honest():
    rows = ["c0", "h0", "c1", "x", *(f"y{i}" for i in range(96)), "c2"]
    found = watched(truth(shocks=[{"at_ms": ONSET_MS, "accounts": ["h3", "x"]}]), rows)
    assert found == {"rows": 100, "precision": 0.02, "moved": 0.02}


def test_an_empty_watch_list_has_no_precision():
    assert watched(truth(), []) == {"rows": 0, "precision": None, "moved": None}
