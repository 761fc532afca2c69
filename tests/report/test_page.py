"""What a person reads after a backtest, against hand-made alerts and counts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from detectors.counts.rows import Sets, key_of
from detectors.counts.summary import AccountColumns, CohortCounts, Summary
from detectors.judgement.hand import lines_of
from detectors.parameters import Parameters
from detectors.triage.watchlist import Watched
from stream.alerts.hand import nats
from stream.contract.alert import Alert, AlertSubject, AlertTarget
from stream.report.history import TICKS_KEPT, AlertHistory, FleetHistory
from stream.report.network import Holder, Network, Shared
from stream.report.page import Told, cases_of, fingerprint, render

T0 = 1_770_256_800_000
HOUR = 3_600_000
TICK = 300_000
EVIL = "<script>alert(1)</script>"


def alert(**other: object) -> Alert:
    given: dict[str, object] = {
        "alert_id": "a1b2c3d4e5f60718",
        "status": "firing",
        "severity": "critical",
        "kind": "coordinated_shift",
        "subject": AlertSubject("cluster", "net-17"),
        "target": AlertTarget("model", "atlas-4"),
        "targets": (AlertTarget("model", "atlas-4"),),
        "started_at": T0,
        "detected_at": T0 + 7 * HOUR,
        "updated_at": T0 + 7 * HOUR,
        "accounts": ("acct_1", "acct_2"),
        "accounts_total": 2,
        "evidence": {"share_before": 0.03, "share_after": 0.48, "requests": 12_345},
        "summary": "312 accounts of 104 orgs moved 48% of traffic to atlas-4 in 9 h; comparable accounts 11%.",
    }
    return Alert(**(given | other))


def columns(requests: dict[str, tuple[int, int]]) -> AccountColumns:
    """Accounts with (requests, of them to atlas-4) in the fast window."""
    ids = tuple(sorted(requests))
    n = len(ids)
    none = np.zeros(n, np.int32) - 1
    empty = Sets.of([()] * n)
    return AccountColumns(
        ids=ids, keys=np.array([key_of(i) for i in ids], np.uint64), shards=np.zeros(n, np.uint8), names=(),
        org=none, country=none, signup_week=none, first_seen_ms=np.zeros(n, np.int64),
        targets=("model:atlas-3", "model:atlas-4"), n=np.array([requests[i][0] for i in ids], np.int64),
        fast=Sets.of([(0, 1)] * n),
        fast_count=np.array([c for i in ids for c in (requests[i][0] - requests[i][1], requests[i][1])], np.uint32),
        nb=np.zeros(n, np.float32), slow=empty, slow_count=np.zeros(0, np.float32),
        hours=np.zeros((n, 24), np.uint16), bins=np.zeros((n, 12), np.uint16), values=(),
        value_keys=np.zeros(0, np.uint64), carried=empty, carried_count=np.zeros(0, np.uint32),
    )  # fmt: skip


def summary(at_ms: int, new: int, old: int, accounts: dict[str, tuple[int, int]] | None = None) -> Summary:
    """The last 5-minute tick of the hour that ends at at_ms."""
    cohorts = CohortCounts(
        cohorts=(("", ""), ("org", "o1")),
        targets=("capability:coding", "model:atlas-3", "model:atlas-4"),
        requests=np.array([new + old, 1]),
        accounts=np.array([2, 1]),
        at=np.array([0, 0, 0, 1]),
        target=np.array([0, 1, 2, 1]),
        count=np.array([old, old, new, 1]),
    )
    return Summary(at_ms // TICK - 1, (0,), {}, cohorts, columns(accounts) if accounts else None)


@pytest.fixture
def told() -> Told:
    """Two days in which acct_1 and acct_2 moved, acct_9 did not, and one page was raised and resolved."""
    story = Told(["log.ndjson.zst"], Parameters(), FleetHistory(TICK), AlertHistory(TICK), records=48_000)
    story.from_ms, story.until_ms = T0, T0 + 48 * HOUR
    for hour in range(1, 49):
        one = summary(
            T0 + hour * HOUR, hour, 100 - hour, {"acct_1": (10, hour // 8), "acct_2": (10, 0), "acct_9": (80, 8)}
        )
        story.fleet.see(one)
        story.courses.see(one)
        if hour == 20:
            story.courses.changed([alert()])
    story.changes = [
        alert(severity="warning"),
        alert(updated_at=T0 + 9 * HOUR, accounts_total=5),
        alert(updated_at=T0 + 40 * HOUR, status="resolved", resolved_at=T0 + 40 * HOUR, resolved_reason="ended"),
    ]
    story.releases = [("atlas-4", T0 + HOUR)]
    story.refused = {"not_json": 17, "late_event": 3}
    return story


def words(page: str) -> str:
    """The page as it is read: without tags, styles and double spaces."""
    page = re.sub(r"<style>.*?</style>", " ", page, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_the_page_says_what_was_found_refused_and_how_it_judged(told):
    page = words(render(told))
    assert "1 page in 2 d of traffic" in page
    assert "312 accounts of 104 orgs moved 48% of traffic to atlas-4 in 9 h; comparable accounts 11%." in page
    assert "share now 48%" in page
    assert "2026-02-05 09:00 UTC opened as warning, 2 accounts" in page
    assert "2026-02-05 11:00 UTC warning → critical · +3 accounts" in page
    assert "resolved: ended" in page
    assert "not_json 17 not JSON, or cut off" in page
    assert "Budget of false pages: 0.3 a month, so 0.02 in these 2 days. Pages raised: 1." in page
    assert fingerprint(told.parameters) in page


def test_the_timeline_compares_shares_of_one_target_alone():
    """Another target may lead an hour later: its share is no rise of the first one's."""
    tool_use, atlas = AlertTarget("capability", "tool_use"), AlertTarget("model", "atlas-4")
    first = alert(target=atlas, targets=(atlas,), evidence={"share_after": 0.088})
    second = alert(target=tool_use, targets=(tool_use, atlas), evidence={"share_after": 0.37})
    third = alert(target=tool_use, targets=(tool_use, atlas), evidence={"share_after": 0.41})
    fourth = alert(target=tool_use, targets=(tool_use, AlertTarget("model", "brio-2")), evidence={"share_after": 0.41})
    (case,) = cases_of([first, second, third, fourth], {}, [])
    assert [what for _, what in case.changes[1:]] == [
        "37% of their requests to tool_use", "37% → 41% of their requests to tool_use", "also toward brio-2",
    ]  # fmt: skip


def test_the_page_says_how_sure_of_one_operator_a_page_and_a_ticket_must_be(told):
    told.parameters = Parameters(false_pages_per_month=0.5, false_warnings_per_month=3.0, page_z=4.5)
    line, ticket = lines_of(told.parameters)
    page = words(render(told))
    assert f"A page needs log-odds of one operator's hand of {nats(line)} by this budget," in page
    assert f"a ticket {nats(ticket)}; of a shift below 4.5 standard errors nobody asks." in page


def test_the_traits_of_an_alert_stand_strongest_first_in_plain_words_with_their_nats(told):
    votes = [
        {"trait": "carriers", "value": 2.0, "nats": 0.4, "one_hand": True},
        {"trait": "template_cover", "value": 0.61, "nats": -1.5, "one_hand": False},
    ]
    told.changes = [alert(evidence={"votes": votes, "votes_for": 1, "log_odds": 2.25, "log_odds_page": 1.5})]
    page = words(render(told))
    against = "reach of the widest prompt -1.50 nats, against 61% of its organisations, under the template"
    assert page.index(against) < page.index("accounts on a shared value +0.40 nats, for 100 of the group")
    assert "log-odds of one operator, over the last hours (nats) 2.25" in page
    assert "log-odds that a page needs (nats) 1.5" in page


def test_the_page_has_no_address_of_another_host_and_no_script(told):
    page = render(told)
    assert not re.search(r"(?:https?:)?//[a-z0-9]", page)
    assert not re.search(r"<script|<link|<img|@import|url\(", page)


@pytest.mark.parametrize(
    "where",
    ["summary", "subject", "target", "account", "evidence_key", "evidence_value", "table", "input", "reason", "model"],
)
def test_text_chosen_by_strangers_is_shown_as_text(told, where):
    given = {
        "summary": {"summary": EVIL},
        "subject": {"subject": AlertSubject("cohort", EVIL, EVIL)},
        "target": {"target": AlertTarget("model", EVIL), "targets": (AlertTarget("model", EVIL),)},
        "account": {"accounts": (EVIL,)},
        "evidence_key": {"evidence": {EVIL: 1}},
        "evidence_value": {"evidence": {"x": EVIL}},
        "table": {"evidence": {"shared": [{EVIL: EVIL}]}},
    }
    told.changes = [alert(**given.get(where, {}))]
    told.inputs = [EVIL] if where == "input" else told.inputs
    told.refused = {EVIL: 1} if where == "reason" else told.refused
    if where == "model":
        told.releases = [(EVIL, T0 + HOUR)]
        told.fleet.counts[f"model:{EVIL}"] = {T0 // HOUR + 1: 5000}
    page = render(told)
    assert "<script" not in page
    assert "alert(1)&lt;/script&gt;" in page


def test_members_and_everybody_else_are_drawn_from_before_the_alert_to_its_end(told):
    course = told.courses.courses["a1b2c3d4e5f60718"]
    assert sorted(course.theirs) == [T0 + hour * HOUR for hour in range(1, 49)]
    assert course.theirs[T0 + 48 * HOUR] == 6 / 20
    assert set(course.others.values()) == {0.1}
    page = render(told)
    assert "Share of atlas-4 in the requests of the last 24 h" in page
    assert page.count("<polyline") == 2 + 2 + 1  # the alert's, the models', the capability's


def test_an_alert_that_ended_is_drawn_no_further(told):
    told.courses.changed([alert(status="resolved", resolved_at=T0 + 48 * HOUR, resolved_reason="ended")])
    told.courses.see(summary(T0 + 49 * HOUR, 1, 1, {"acct_1": (1, 1)}))
    assert max(told.courses.courses["a1b2c3d4e5f60718"].theirs) == T0 + 48 * HOUR


def test_memory_of_accounts_is_bounded_by_their_entries(monkeypatch):
    monkeypatch.setattr("stream.report.history.ENTRIES_MAX", 10)
    history = AlertHistory(TICK)
    for hour in range(1, 20):
        history.see(summary(T0 + hour * HOUR, 1, 1, {"acct_1": (1, 1), "acct_2": (1, 1)}))
    assert [seen.at_ms for seen in history.kept] == [T0 + 18 * HOUR, T0 + 19 * HOUR]


def test_memory_of_accounts_is_bounded_by_time():
    history = AlertHistory(TICK)
    for hour in range(1, 3 * TICKS_KEPT):
        history.see(summary(T0 + hour * HOUR, 1, 1, {"acct_1": (1, 1)}))
    assert len(history.kept) == TICKS_KEPT


def test_shares_of_the_fleet_are_those_of_all_its_requests(told):
    assert told.fleet.strongest("model", 8) == ["model:atlas-3", "model:atlas-4"]
    at, share = told.fleet.shares("model:atlas-4", smooth_h=1)[9]
    assert (at, share) == (T0 + 10 * HOUR, 10 / 100)


def test_releases_are_marked_on_the_models_only(told):
    assert render(told).count("atlas-4 released") == 2  # the alert's chart and the models'


def test_an_empty_log_gives_a_page_that_says_so():
    page = words(render(Told(["-"], Parameters(), FleetHistory(TICK), AlertHistory(TICK))))
    assert "No page in 0 s of traffic" in page
    assert "No alert reached a person" in page
    assert "Every record was read and counted." in page


def test_what_the_detectors_noted_of_the_like_is_drawn_beside(told):
    noted = [[T0 + hour * HOUR, 0.1 * hour, 0.05 * hour] for hour in range(1, 8)]
    told.changes = [alert(alert_id="without-members", evidence={"series": noted})]
    page = render(told)
    assert "<title>expected of accounts like them</title>" in page
    assert "<title>these accounts</title>" in page
    assert "<title>everybody else</title>" not in page
    assert "series" not in words(page)


def test_a_resolved_alert_still_says_what_it_fired_for(told):
    told.changes = [
        alert(),
        alert(
            status="resolved", severity="critical", resolved_at=T0 + 9 * HOUR, updated_at=T0 + 9 * HOUR,
            resolved_reason="ended", summary="Over after 2 h.",
        ),
    ]  # fmt: skip
    page = words(render(told))
    assert "comparable accounts 11%. Over after 2 h." in page


def test_the_watch_list_stands_in_the_page_with_its_numbers_and_says_that_it_never_pages(told):
    assert "Watch list" not in render(told)
    row = Watched(EVIL, 9.3, 6.1, 1.2, 2.0, T0, "capability:coding", 0.04, 0.52, 0.006, 210, None, 3, "org=acme")
    told.watched = [row]
    page = render(told)
    for said in ("Watch list at the end of the log", "coding", "4%", "52%", "210", "none yet", "3 more, org=acme"):
        assert said in page, said
    assert "it never pages" in page
    assert EVIL not in page


def test_a_network_is_drawn_with_who_is_near_and_the_same_numbers_stand_in_a_table(told):
    values = (Shared("payment", EVIL, 2, 1), Shared("template", "9f3c", 1, 0))
    holders = (Holder("acct_1", 3), Holder("acct_2", 1))
    told.networks = {alert().alert_id: Network(T0, values, holders, 2, (Holder("near_1", 1),), 1)}
    page = render(told)
    assert page.count('<svg class="matrix"') == 1
    assert EVIL not in page
    assert "<td>2 of 2</td><td>1</td>" in page
    assert '<th scope="row">near_1</th>' in page
