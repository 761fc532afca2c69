"""On a release's page: who took it up first, and what adoption earlier releases let one expect."""

from __future__ import annotations

import re

import numpy as np

from stream.console.shown.adoption import AFTER_H, expected, first_takers
from stream.report.history import FleetHistory, Seen
from tests.console.conftest import HOUR_MS, T0, holding

BEGIN = T0 // HOUR_MS
OLD, NEW = {"a": T0, "b": T0 + 100 * HOUR_MS}, "b"


def fleet(hours: int) -> FleetHistory:
    """A release whose share rises by a percent in six hours, and another that rises twice as fast."""
    told = FleetHistory(300_000)
    for hour in range(hours):
        told.hours[BEGIN + hour] = 600
        told.counts["model:a"][BEGIN + hour] = hour
        if hour >= 100:
            told.counts["model:b"][BEGIN + hour] = 2 * (hour - 100)
    return told


def test_earlier_releases_that_were_seen_whole_say_what_to_expect():
    steps = expected(fleet(126), OLD, NEW)
    assert [step.after_h for step in steps] == list(AFTER_H)
    assert [step.share is None for step in steps] == [False, False, True, True]
    assert steps[1].share == 2 * steps[1].middle
    assert [len(step.earlier) for step in steps] == [1, 1, 1, 0]


def test_a_release_from_before_the_first_hour_says_nothing_of_what_to_expect():
    assert [step.earlier for step in expected(fleet(126), {"a": T0 - HOUR_MS, "b": OLD["b"]}, NEW)] == [()] * 4


def seen(at_ms: int, columns, users: dict[str, int]) -> Seen:
    """A tick in which these accounts sent so many of ten requests to atlas-4."""
    rows = np.array([columns.ids.index(one) for one in sorted(users)])
    length = np.zeros(len(columns.ids), np.uint16)
    length[rows] = 1
    counts = np.array([users[one] for one in sorted(users)], np.uint32)
    ten = np.full(len(columns.ids), 10, np.uint32)
    return Seen(at_ms, columns.keys, ten, ("model:atlas-4",), length, np.zeros(len(rows), np.uint16), counts)


def test_the_first_to_take_it_up_are_named_by_the_hour_in_which_they_did():
    columns = holding({one: [] for one in ("a", "b", "c", "d")})
    ticks = [seen(HOUR_MS, columns, {"c": 1}), seen(2 * HOUR_MS, columns, {"a": 2, "b": 9, "c": 5})]
    found = first_takers(ticks, "atlas-4", columns)
    assert [(one.account_id, one.at_ms // HOUR_MS, one.share) for one in found] == [
        ("c", 1, 0.5), ("b", 2, 0.9), ("a", 2, 0.2),
    ]  # fmt: skip
    assert first_takers(ticks, "atlas-9", columns) == first_takers(ticks, "atlas-4", None) == []


async def test_the_page_of_a_release_has_both_and_says_what_was_not_seen(campaign, visit):
    async with visit(campaign.desk) as visitor:
        every = await visitor.page("/releases")
        page = await visitor.page("/releases?model=atlas-4")
        status, _ = await visitor.get("/releases?model=nothing")
    assert 'href="/releases?model=atlas-4"' in every
    assert "What adoption to expect" in page
    assert re.search(r'data-th="earlier ones, the middle" class="n">none seen<', page)
    assert "Who took it up first" in page
    assert 'href="/cohort?dimension=org&amp;id=org_7"' in page
    assert status == 404
