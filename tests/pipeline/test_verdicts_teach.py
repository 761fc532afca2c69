"""What people found out of an alert reaches the judgement with the next hour, and a restart changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from detectors.counts.rows import SHARDS
from detectors.counts.summary import CohortCounts, Summary
from detectors.fleet import Judge
from detectors.judgement import hand, lessons
from stream.contract.verdict import Verdict
from stream.pipeline.composition import Fleet
from tests.detectors.fleets import HOUR, PARAMETERS
from tests.detectors.week import HAND, LINES, ONSET_H, begun, hour_of

NO_COHORTS = CohortCounts((), (), *(np.zeros(0, np.int64) for _ in range(5)))


@pytest.fixture(autouse=True)
def made_up_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hand that is told by three traits, on lines that the test knows."""
    for module in (hand, lessons):
        monkeypatch.setattr(module, "BASE", 0.0)
        monkeypatch.setattr(module, "TRAITS", HAND)
    monkeypatch.setattr(hand, "LINES", LINES)


def hear(fleet: Fleet, hour: int) -> None:
    tick = (HOUR + hour + 1) * PARAMETERS.ticks_per_network_tick - 1
    fleet.apply(Summary(tick, tuple(range(SHARDS)), {}, NO_COHORTS, hour_of(hour)))


def paged() -> Fleet:
    """A fleet in which an operator was just paged."""
    fleet = Fleet(PARAMETERS)
    fleet.judge = begun()
    hour = ONSET_H - 4
    while not any(one.is_page for one in fleet.life.alerts()):
        hear(fleet, hour)
        hour += 1
    return fleet


def hand_at(judge: Judge) -> hand.Verdict:
    return next(group.verdict for group in judge.last_groups if group.verdict is not None)


def test_a_verdict_is_a_vote_on_networks_from_the_next_hour_on_and_is_told_with_the_others():
    fleet, untold = paged(), paged()
    (page,) = [one for one in fleet.life.alerts() if one.is_page]
    hour = fleet.at_ms // 3_600_000 - HOUR
    fleet.verdicts = [Verdict(page.alert_id, "harmless", "kim", fleet.at_ms)]
    for one in (fleet, untold):
        hear(one, hour)
    taught, plain = hand_at(fleet.judge), hand_at(untold.judge)

    assert taught.votes[-1].trait == hand.LESSONS
    assert taught.votes[:-1] == plain.votes
    assert taught.log_odds_now == pytest.approx(plain.log_odds_now + taught.votes[-1].nats)
    assert -hand.LESSONS_MAX <= taught.votes[-1].nats < 0


def test_after_a_restart_the_same_verdicts_teach_the_same():
    fleet = paged()
    (page,) = [one for one in fleet.life.alerts() if one.is_page]
    hour = fleet.at_ms // 3_600_000 - HOUR
    again = Fleet(PARAMETERS)
    again.restore(fleet.snapshot())
    for one in (fleet, again):
        one.verdicts = [Verdict(page.alert_id, "harmless", "kim", fleet.at_ms)]
        hear(one, hour)

    assert again.judge.lessons == fleet.judge.lessons
    assert fleet.judge.lessons.verdicts == 1
    assert hand_at(again.judge) == hand_at(fleet.judge)
