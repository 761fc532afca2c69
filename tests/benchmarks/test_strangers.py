"""The tables of fleets that nobody tuned for: what never came counts, and what was told is held against what was so."""

from __future__ import annotations

from xml.etree import ElementTree

from benchmarks.found.reliability import bins, picture
from benchmarks.strangers import table


def fleet(seed, campaigns=(), false_pages=0, sure=()):
    said = {"campaigns": list(campaigns), "false_pages": false_pages, "false_warnings": 0, "sure": list(sure)}
    return {"seed": seed, "days": 10.0, "said": said, "tied": [0.5 for _ in campaigns]}


def campaign(delay_h, kind="pivot", recall=0.9, warned_h=None):
    return {"kind": kind, "accounts": 100, "delay_h": delay_h, "warned_h": warned_h, "recall": recall,
            "precision": 0.9, "pages": int(delay_h is not None)}  # fmt: skip


def told(*fleets):
    return "\n".join(table(fleets, "1-3", "4-5"))


def test_a_campaign_that_is_never_paged_counts_as_infinitely_late():
    text = told(*(fleet(seed, [campaign(delay)]) for seed, delay in enumerate([5.0, None, None])))
    assert "| campaigns paged | 1 of 3 |" in text
    assert "counts as infinite) | never |" in text
    assert "| of those paged, median and slowest | 5.0, 5.0 |" in text


def test_beside_each_recall_stands_the_part_that_shares_anything_at_all():
    text = told(fleet(7, [campaign(5.0, recall=0.4)]))
    assert "| 7 | pivot | 100 | 0.50 | 5.0 | never | 0.40 | 0.90 |" in text
    assert "share anything rare with another of it, median | 0.50 |" in text


def test_stolen_keys_are_found_by_a_warning_within_a_day_as_well():
    text = told(fleet(1, [campaign(None, "stolen_keys", warned_h=20.0)]), fleet(2, [campaign(None, "stolen_keys")]))
    assert "within 24 h | 1 of 2 |" in text


def test_false_pages_are_counted_against_the_days_of_quiet_fleets_alone():
    text = told(fleet(1, [campaign(5.0)], false_pages=3), fleet(4, false_pages=1), fleet(5))
    assert "| false pages, per 100 quiet days | 5.0 |" in text
    assert "| false pages in fleets with a campaign | 3 |" in text


def test_the_probabilities_that_were_told_are_held_against_what_was_so():
    text = told(fleet(1, [campaign(5.0)], sure=[(0.95, True), (0.95, True), (0.95, False), (0.55, False)]))
    assert "| 0.9 to 0.99 | 3 | 0.95 | 0.67 |" in text
    assert "| 0.5 to 0.6 | 1 | 0.55 | 0.00 |" in text


def test_the_picture_has_a_dot_for_each_bin_higher_the_more_of_it_were_right():
    found = [fleet(1, sure=[(0.95, True)] * 9 + [(0.95, False), (0.55, True), (0.55, False)])]
    drawn = ElementTree.fromstring(picture(bins(found)))
    low, high = (float(one.get("cy")) for one in drawn.iter("{http://www.w3.org/2000/svg}circle"))
    assert high < low, "the y axis of a picture goes down"
    assert "0.95 said, 0.90 right, of 10" in "".join(drawn.itertext())
