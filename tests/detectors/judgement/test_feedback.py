"""Verdicts re-rank; they never silence, and never decide alone."""

from __future__ import annotations

import random

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors.triage.feedback import VERDICTS_MIN, Feedback, traits_of
from stream.alerts.ranking import feedback_from, ranked
from stream.contract.verdict import Verdict
from stream.sinks.webhook import EXAMPLE


def evidence(rng, is_campaign):
    """An operator: many votes for one hand, no value that covers much. An agency: the reverse. Both overlap."""
    centre = 0.7 if is_campaign else 0.4
    return {
        "votes_for": round(8 * min(1, max(0, rng.gauss(centre, 0.2)))),
        "votes": [{"trait": f"t{i}", "one_hand": rng.random() < centre} for i in range(8)],
        "largest_value_covers": min(1, max(0, rng.gauss(1 - centre, 0.2))),
        "organisations": 40,
        "requests": 9_000,
    }


def history(count, seed):
    rng = random.Random(seed)
    for number in range(count):
        is_campaign = number % 2 == 0
        yield traits_of("release_shift", evidence(rng, is_campaign), 100), is_campaign


def auc(feedback, seed):
    judged = [(feedback.probability(traits), was) for traits, was in history(400, seed)]
    campaigns, harmless = ([p for p, was in judged if was is word] for word in (True, False))
    return sum((c > h) + 0.5 * (c == h) for c in campaigns for h in harmless) / len(campaigns) / len(harmless)


def test_thirty_verdicts_tell_campaigns_from_agencies():
    scores = [auc(Feedback(history(30, seed)), seed + 1_000) for seed in range(10)]
    assert sum(scores) / len(scores) > 0.85


def test_verdicts_that_say_nothing_of_the_traits_teach_nothing():
    rng = random.Random(4)
    noise = [(traits, rng.random() < 0.5) for traits, _ in history(200, 5)]
    assert abs(auc(Feedback(noise), 6) - 0.5) < 0.25


def test_too_few_verdicts_are_no_opinion():
    few = list(history(2 * VERDICTS_MIN - 2, 1))
    assert Feedback(few).probability(few[0][0]) is None
    assert Feedback([one for one in history(99, 1) if one[1]]).probability(few[0][0]) is None


def test_asking_changes_nothing():
    feedback = Feedback(history(30, 1))
    traits = next(iter(history(1, 9)))[0]
    assert len({feedback.probability(traits) for _ in range(5)}) == 1


def test_the_order_of_the_traits_changes_nothing():
    known = list(history(30, 1))
    turned = [(dict(reversed(traits.items())), was) for traits, was in known]
    traits = next(iter(history(1, 9)))[0]
    assert Feedback(known).probability(traits) == Feedback(turned).probability(traits)


odd = st.one_of(st.none(), st.floats(), st.integers(), st.text(), st.booleans(), st.lists(st.integers(), max_size=2))


@settings(max_examples=60)
@example({"statistic": -500_001.0, "threshold": 0.5})
@given(st.dictionaries(st.sampled_from(["requests", "share_after", "statistic", "threshold", "votes_for"]), odd))
def test_traits_are_finite_whatever_the_evidence(given):
    traits = traits_of("k", given, 5)
    assert all(-1e6 <= value <= 1e6 for value in traits.values())
    assert list(traits) == sorted(traits)


def alerts(count, seed=3):
    rng = random.Random(seed)
    return [
        msgspec.structs.replace(
            EXAMPLE,
            alert_id=f"a{number:03d}",
            severity=("warning", "critical", "info")[number % 3],
            evidence=evidence(rng, number % 2 == 0),
        )
        for number in range(count)
    ]


def words(judged, word_of):
    return [Verdict(one.alert_id, word_of(number), "kim", number) for number, one in enumerate(judged)]


@pytest.mark.parametrize("word", ["harmless", "mixed", "nothing"])
def test_ranking_leaves_no_alert_out_and_never_crosses_severities(word):
    judged, live = alerts(40), alerts(30, seed=8)
    said = words(judged, lambda number: word if word != "mixed" else ("campaign", "harmless")[number % 2])
    order = ranked(live, feedback_from(judged, said if word != "nothing" else []))
    assert sorted(one.alert.alert_id for one in order) == sorted(one.alert_id for one in live)
    assert [one.alert.severity for one in order] == ["critical"] * 10 + ["warning"] * 10 + ["info"] * 10


def test_what_is_like_campaigns_comes_first_within_its_severity():
    judged, live = alerts(40), alerts(30, seed=8)
    said = words(judged, lambda number: ("campaign", "harmless")[number % 2])
    order = ranked(live, feedback_from(judged, said))
    first = [one.alert.alert_id for one in order if one.alert.severity == "critical"][:5]
    assert sum(int(alert_id[1:]) % 2 == 0 for alert_id in first) >= 4


def test_unsure_and_unknown_alerts_teach_nothing():
    judged = alerts(40)
    said = [*words(judged, lambda number: "unsure"), Verdict("unknown", "campaign", "kim", 5)]
    feedback = feedback_from(judged, said)
    assert (feedback.campaigns, feedback.harmless) == (0, 0)
