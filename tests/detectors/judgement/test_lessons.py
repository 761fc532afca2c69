"""Verdicts move what traits say of one operator's hand: from what was learnt elsewhere, by little, and never far."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from detectors.judgement.hand import BASE, LESSONS, LESSONS_MAX, NO_LESSONS, TRAITS, Lessons, hand_of
from detectors.judgement.lessons import lessons_of
from detectors.parameters import Parameters

LOUD = {"moved": 0.4, "night_share": 1.0, "fresh": 0.8, "mix_likeness": 0.5, "load_spread": 0.3, "uptake": 0.4}
CLASS = {**LOUD, "fresh": 0.8, "night_share": -0.5, "synchrony": 0.1}
NAMES = st.sampled_from([*TRAITS, "colour_of_the_logo", LESSONS])
VOTES = st.dictionaries(NAMES, st.floats(-1e6, 1e6), max_size=8)


def test_without_a_verdict_the_hand_is_judged_as_it_was_learnt():
    assert lessons_of([]) == NO_LESSONS
    traits = {"moved": 0.8, "fresh": 0.5}
    assert hand_of(traits, Parameters(), 0.0, NO_LESSONS) == hand_of(traits, Parameters())


def test_alerts_that_were_harmless_make_others_like_them_less_likely_and_campaigns_likelier():
    assert lessons_of([(CLASS, False)] * 3).nats(CLASS) < -0.2
    assert lessons_of([({"moved": -0.2}, True)] * 3).nats({"moved": -0.2}) > 0.2


def test_the_first_verdict_says_a_little_and_each_of_its_kind_a_little_more():
    told = [lessons_of([(LOUD, False)] * many).nats(LOUD) for many in (1, 3, 9)]
    assert 0 > told[0] > told[1] > told[2] >= -LESSONS_MAX
    assert told[0] > -0.6


def test_a_verdict_that_was_expected_teaches_less_than_one_that_was_not():
    assert abs(lessons_of([(LOUD, True)]).base) < abs(lessons_of([(LOUD, False)]).base)


def test_it_learns_which_trait_was_wrong_where_verdicts_tell_them_apart():
    """Campaigns here work at night, classes share what is fresh."""
    night, fresh = {"night_share": 1.0, "moved": 0.3}, {"fresh": 1.0, "moved": 0.3}
    lessons = lessons_of([(night, True)] * 6 + [(fresh, False)] * 6)
    assert lessons.weights["night_share"] > 0 > lessons.weights["fresh"]
    assert lessons.nats(night) > lessons.nats(fresh)


def test_what_verdicts_add_is_a_vote_of_its_own_and_part_of_the_sum():
    lessons = Lessons(4, -0.5, {"moved": 1.0})
    plain, taught = (hand_of({"moved": 0.8}, Parameters(), 0.0, one) for one in (NO_LESSONS, lessons))
    (*_, vote) = taught.votes
    assert (vote.trait, vote.value, vote.one_hand) == (LESSONS, 4.0, False)
    assert taught.log_odds_now == round(plain.log_odds_now + vote.nats, 3)
    assert taught.log_odds_now == round(BASE + sum(one.nats for one in taught.votes), 3)


@given(st.lists(st.tuples(VOTES, st.booleans()), max_size=12), VOTES)
def test_however_many_and_odd_the_verdicts_no_network_is_moved_by_more_than_the_bound(judged, votes):
    assert abs(lessons_of(judged).nats(votes)) <= LESSONS_MAX


@given(st.lists(st.tuples(VOTES, st.booleans()), max_size=8), st.randoms())
def test_the_order_of_verdicts_changes_nothing(judged, random: Random):
    turned = random.sample(judged, len(judged))
    assert lessons_of(turned) == lessons_of(judged)


def test_what_earlier_verdicts_added_teaches_nothing_again():
    assert lessons_of([({**LOUD, LESSONS: -1.0}, False)]) == lessons_of([(LOUD, False)])
    assert lessons_of([({LESSONS: -1.0}, False)]) == NO_LESSONS
