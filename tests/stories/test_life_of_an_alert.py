"""Whole stories, and the exact list of changes that each must tell. One page at most, an incident."""

from __future__ import annotations

import pytest

from tests.stories.story import Story


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_campaign_begins_grows_is_banned_half_way_and_comes_back(story):
    story.between(1, 3).group("net").moves("warning", accounts=100)
    story.between(4, 6).group("net").moves("critical", accounts=110)
    story.between(7, 20).group("net").moves("critical", accounts=200)
    story.between(21, 30).group("net").moves("critical", accounts=90)  # the ban
    story.between(31, 60).group("net").pauses()
    story.between(61, 70).group("net").moves("critical", accounts=150)
    story.ends_at(100)
    came = story.wants("""
        2 h net opened warning
        5 h net raised critical
        8 h net grew critical
        21 h net grew critical
        54 h net resolved critical ended
        62 h net opened critical
        94 h net resolved critical ended
    """)
    assert [alert.accounts_total for alert in came[2:4]] == [200, 90]  # whoever was banned is told of no longer
    assert came[5].evidence["previous_alert"] == came[0].alert_id
    assert came[5].alert_id != came[0].alert_id
    assert len({alert.alert_id for alert in came[:5]}) == 1


def test_what_the_detectors_saw_twice_already_opens_at_once(story):
    story.at(1).group("net").moves("critical", ticks=2)
    story.ends_at(3)
    story.wants("1 h net opened critical")


def test_where_a_tick_names_nobody_the_accounts_of_before_and_their_sums_stay_together(story):
    story.between(1, 3).group("net").moves("warning", accounts=100, named={"accounts": 100})
    story.between(4, 5).group("net").moves("critical", accounts=0)
    came = story.wants("2 h net opened warning; 5 h net raised critical")
    assert came[1].accounts_total == came[1].evidence["named"]["accounts"] == 100


def test_a_shift_announced_in_advance_is_kept_for_context_and_pages_nobody(story):
    story.announced("fleet", between=(0, 30), to="model:atlas-4")
    story.between(1, 20).group("net").moves("critical")
    story.ends_at(50)
    came = story.wants("2 h net opened info; 44 h net resolved info ended")
    assert came[0].summary.startswith("Announced: 100 accounts")
    assert came[0].evidence["expected"] == ["known-fleet"]


def test_a_shift_announced_late_resolves_what_is_firing(story):
    story.announced("fleet", between=(0, 60), known_at=5)
    story.between(1, 20).group("net").moves("critical")
    story.ends_at(40)
    came = story.wants("2 h net opened critical; 5 h net resolved critical expected")
    assert came[1].summary == "Announced meanwhile (known-fleet): these 100 accounts to atlas-4."


def test_an_announcement_resolves_within_five_minutes_and_not_at_the_next_hour(story):
    story.announced("fleet", between=(0, 60), known_at=5.25)
    story.between(1, 20).group("net").moves("critical")
    story.wants("2 h net opened critical; 5.25 h net resolved critical expected")


def test_a_shift_that_nobody_announced_pages_once_and_ends(story):
    story.between(1, 20).group("net").moves("critical")
    story.ends_at(50)
    story.wants("2 h net opened critical; 44 h net resolved critical ended")


def test_an_announcement_covers_only_what_it_names(story):
    story.announced("fleet", between=(0, 30), to="model:atlas-4")
    story.between(1, 4).group("net").moves("critical", to=("model:atlas-4", "capability:computer_use"))
    story.wants("2 h net opened critical")


def test_two_announcements_cover_together(story):
    story.announced("fleet", between=(0, 30), to="model:atlas-4")
    story.announced("org=org_7", between=(0, 30), to="capability:coding")
    story.between(1, 2).cohort("org_7").moves("warning", to=("model:atlas-4", "capability:coding"))
    came = story.wants("1.08333 h org_7 opened info")
    assert came[0].evidence["expected"] == ["known-fleet", "known-org=org_7"]


def test_when_the_announcement_is_over_and_the_shift_is_not_it_is_told(story):
    story.announced("fleet", between=(0, 10))
    story.between(1, 12).group("net").moves("critical")
    story.wants("2 h net opened info; 10 h net raised critical")


def test_when_it_was_resolved_as_expected_and_outlasts_that_it_is_a_new_alert(story):
    story.announced("fleet", between=(0, 10), known_at=4)
    story.between(1, 12).group("net").moves("critical")
    came = story.wants("2 h net opened critical; 4 h net resolved critical expected; 10 h net opened critical")
    assert came[2].evidence["previous_alert"] == came[0].alert_id


def test_a_withdrawn_announcement_covers_no_longer(story):
    story.announced("fleet", between=(0, 0.5))
    story.between(1, 3).group("net").moves("critical")
    story.wants("2 h net opened critical")


@pytest.mark.parametrize("carried", [85, 30])
def test_a_group_is_covered_by_a_value_only_when_nearly_all_carry_it(story, carried):
    story.announced("payment=p1", between=(0, 30))
    value = {"dimension": "payment", "value": "p1", "accounts": carried, "organisations": 9, "elsewhere": 0}
    story.between(1, 3).group("net").moves("critical", shared_values=[value], accounts=100)
    story.wants(f"2 h net opened {'info' if carried == 85 else 'critical'}")


def test_a_tick_on_the_edge_for_days_never_opens_an_alert(story):
    for hour in range(1, 120, 2):
        story.at(hour).group("net").moves("critical")
        story.at(hour + 1).group("net").pauses()
    story.wants("")


def test_an_alert_on_the_edge_for_days_neither_flaps_nor_pages_twice(story):
    story.between(1, 2).group("net").moves("critical")
    for hour in range(3, 120, 6):
        story.between(hour, hour + 4).group("net").pauses()
        story.at(hour + 5).group("net").moves("critical" if hour % 12 == 3 else "warning")
    story.ends_at(160)
    story.wants("2 h net opened critical; 146 h net resolved critical ended")


def test_severity_rises_once_and_never_falls(story):
    for hour in range(1, 30, 4):
        story.between(hour, hour + 1).group("net").moves("warning")
        story.between(hour + 2, hour + 3).group("net").moves("critical")
    story.wants("2 h net opened warning; 4 h net raised critical")


def test_one_loud_tick_does_not_raise(story):
    story.between(1, 4).group("net").moves("warning")
    story.at(5).group("net").moves("critical")
    story.between(6, 9).group("net").moves("warning")
    story.wants("2 h net opened warning")


def test_growth_is_told_at_most_every_three_hours(story):
    for hour in range(1, 13):
        story.at(hour).group("net").moves("critical", accounts=100 * 2**hour // 2)
    story.wants("""
        2 h net opened critical
        5 h net grew critical
        8 h net grew critical
        11 h net grew critical
    """)


def test_a_new_target_is_an_update_and_not_a_second_alert(story):
    story.between(1, 6).group("net").moves("critical")
    story.between(7, 9).group("net").moves("critical", to=("capability:coding", "model:atlas-4"))
    story.between(10, 14).group("net").moves("critical", to=("capability:coding",))
    came = story.wants("2 h net opened critical; 7 h net grew critical")
    assert [one.id for one in came[1].targets] == ["coding", "atlas-4"]


def test_what_became_normal_resolves_saying_so(story):
    story.between(1, 9).group("net").moves("warning")
    story.between(10, 11).group("net").is_adopted()
    came = story.wants("2 h net opened warning; 10 h net resolved warning adopted")
    assert came[-1].summary == "Adopted: what these 100 accounts send to atlas-4 is now normal for accounts like them."


def test_when_a_part_becomes_an_alert_of_its_own_the_whole_is_superseded_in_the_same_tick(story):
    story.between(1, 5).group("whole").moves("warning", accounts=300)
    story.at(6).group("whole").is_superseded()
    story.between(6, 8).group("part").moves("critical", accounts=120, ticks=4)
    story.wants("""
        2 h whole opened warning
        6 h whole resolved warning superseded
        6 h part opened critical
    """)


def test_a_harmless_verdict_ends_it_and_keeps_it_silent(story):
    story.between(1, 9).group("net").moves("critical")
    story.verdict("net", "harmless", 4)
    story.between(10, 40).group("net").pauses()
    story.between(41, 50).group("net").moves("critical")
    story.wants("2 h net opened critical; 4 h net resolved critical harmless")


def test_a_verdict_that_is_taken_back_lets_it_speak_again(story):
    story.between(1, 9).group("net").moves("critical")
    story.verdict("net", "harmless", 4)
    story.verdict("net", "campaign", 6)
    came = story.wants("2 h net opened critical; 4 h net resolved critical harmless; 7 h net opened critical")
    assert came[2].evidence["previous_alert"] == came[0].alert_id


def test_the_verdict_campaign_changes_nothing_about_the_alert(story):
    story.between(1, 9).group("net").moves("critical")
    story.verdict("net", "campaign", 4)
    story.wants("2 h net opened critical")


def test_a_cohort_is_judged_every_five_minutes_and_closes_after_two_quiet_hours(story):
    story.between(1, 2).cohort("org_7").moves("warning")
    story.ends_at(5)
    came = story.wants("1.08333 h org_7 opened warning; 4 h org_7 resolved warning ended")
    assert came[0].subject.dimension == "org"


def test_a_group_of_which_nothing_is_said_any_more_ends_as_well(story):
    story.between(1, 5).group("net").moves("critical")
    story.ends_at(35)
    story.wants("2 h net opened critical; 29 h net resolved critical ended")


def test_context_is_told_quietly_and_may_rise(story):
    story.between(1, 5).group("net").moves("info")
    story.between(6, 8).group("net").moves("critical")
    story.wants("2 h net opened info; 7 h net raised critical")


def test_two_incidents_are_two_alerts(story):
    story.between(1, 3).group("one").moves("critical")
    story.between(3, 5).group("two").moves("critical")
    story.wants("2 h one opened critical; 4 h two opened critical")


def test_a_page_that_could_name_nobody_is_completed_as_soon_as_it_can(story):
    story.at(1).group("net").moves("critical", accounts=0, ticks=2)
    story.between(2, 4).group("net").moves("critical", accounts=80)
    came = story.wants("1 h net opened critical; 2 h net grew critical")
    assert came[1].accounts_total == 80


def test_accounts_that_come_back_under_another_name_are_the_same_campaign(story):
    story.between(1, 5).group("net").moves("critical", accounts=100)
    story.between(30, 33).group("anew").moves("critical", accounts=60, of="net")
    story.between(30, 33).group("other").moves("critical", accounts=60)
    came = story.wants("""
        2 h net opened critical
        29 h net resolved critical ended
        31 h anew opened critical
        31 h other opened critical
    """)
    assert came[2].evidence["previous_alert"] == came[0].alert_id
    assert "previous_alert" not in came[3].evidence


def test_a_customer_that_turns_to_one_target_after_the_other_is_told_at_most_every_three_hours(story):
    for step in range(1, 60):
        to = ("model:atlas-4",) if step < 3 else (f"capability:c{step // 6}",)
        story.at(step / 12).cohort("org_7").moves("warning", accounts=0, to=to)
    story.wants("0.166667 h org_7 opened warning; 3.16667 h org_7 grew warning")


def test_a_shift_that_becomes_much_larger_is_told_as_it_is_now(story):
    for hour, share in enumerate((0.11, 0.11, 0.11, 0.2, 0.3, 0.34, 0.4, 0.48, 0.48, 0.48, 0.48), 1):
        story.at(hour).group("net").moves("critical", share_after=share)
    came = story.wants("2 h net opened critical; 5 h net grew critical; 8 h net grew critical")
    assert [one.evidence["share_after"] for one in came] == [0.11, 0.3, 0.48]
    assert "48% of traffic to atlas-4" in came[2].summary
