"""What the traits of an alert say, in words for a person: for one operator, against it, and what nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.judgement import learnt
from stream.alerts.hand import TRAITS, before_any_trait, said_by_traits, words_of

FLAT = ((0.0, 0.0), (1.0, 1.0))


def vote(trait: str, value: float, nats: float) -> dict[str, object]:
    return {"trait": trait, "value": value, "nats": nats, "one_hand": nats > 0}


def said(*votes: dict[str, object]) -> list[tuple[str, str]]:
    return [(one.words, one.said) for one in said_by_traits({"votes": list(votes)})]


@pytest.fixture
def learnt_traits(monkeypatch):
    """What this version weighs, as a test chooses."""
    return lambda *names: monkeypatch.setattr(learnt, "TRAITS", dict.fromkeys(names, FLAT))


def test_what_says_most_stands_first_whether_it_is_for_one_operator_or_against(learnt_traits):
    learnt_traits()
    assert said(vote("load_spread", 0.4, 0.3), vote("widest", 0.9, -2.0), vote("more_volume", 3.0, 1.25)) == [
        ("reach of the widest payment or exit", "-2.00 nats, against"),
        ("growth of their traffic", "+1.25 nats, for"),
        ("unevenness of the load", "+0.30 nats, for"),
    ]


def test_a_trait_that_tips_nothing_says_nothing(learnt_traits):
    learnt_traits()
    assert said(vote("moved", 0.5, 0.0)) == [("organisations that moved", "says nothing")]


@pytest.mark.parametrize(
    ("trait", "value", "written"),
    [
        ("carriers", 2.0, "100"),
        ("per_organisation", 0.0792, "1.2"),
        ("more_volume", 2.9957, "20 times"),
        ("exclusive", 0.87, "87%"),
        ("uptake", 0.123, "+12.3 points"),
        ("night_share", -0.041, "-4.1 points"),
        ("load_spread", 0.6004, "0.60"),
    ],
)
def test_a_value_is_written_in_the_unit_in_which_people_think_of_it(trait, value, written):
    (one,) = said_by_traits({"votes": [{"trait": trait, "value": value, "one_hand": True}]})
    assert one.value == written


def test_what_could_not_be_known_is_said_last_and_why(learnt_traits):
    learnt_traits("moved", "template_cover", "prefix_dominance", "night_share")
    found = said_by_traits({"votes": [vote("moved", 0.5, -0.1)]})
    assert [(one.words, one.said, one.measures) for one in found[1:]] == [
        ("reach of the widest prompt", "not known", "no template is told of these accounts"),
        ("the favourite exit", "not known", "no ip_prefix is told of these accounts"),
        ("work in the night", "not known", "left out: [detection] clock_vote = false"),
    ]


def test_an_alert_without_traits_misses_none(learnt_traits):
    learnt_traits("moved")
    assert said_by_traits({"share_before": 0.1}) == []


def test_a_record_of_an_earlier_version_says_the_side_and_no_nats(learnt_traits):
    learnt_traits("moved", "load_spread")
    assert said({"trait": "load_spread", "value": 0.7, "limit": 0.6, "one_hand": False}) == [
        ("unevenness of the load", "against")
    ]
    assert before_any_trait({"votes": [{"trait": "load_spread", "limit": 0.6}], "log_odds_now": 1.0}) is None


def test_where_every_network_begins_and_all_traits_come_to_what_the_hour_says():
    votes = [vote("moved", 0.5, 1.5), vote("widest", 0.5, -0.25)]
    assert before_any_trait({"votes": votes, "log_odds_now": -0.75}) == -2.0
    assert before_any_trait({"votes": votes}) is None


def test_every_trait_that_is_weighed_has_plain_words():
    assert set(learnt.TRAITS) <= set(TRAITS)
    assert len({one.words for one in TRAITS.values()}) == len(TRAITS)


def test_a_trait_that_this_version_does_not_know_goes_by_its_name(learnt_traits):
    learnt_traits()
    assert said(vote("shoe_size", 43.0, 0.5)) == [(words_of("shoe_size"), "+0.50 nats, for")]


anything = st.one_of(st.none(), st.booleans(), st.floats(), st.text(max_size=3), st.lists(st.integers(), max_size=2))


@given(
    st.one_of(
        anything,
        st.lists(
            st.one_of(
                anything,
                st.dictionaries(
                    st.sampled_from(["trait", "value", "nats", "one_hand"]),
                    st.one_of(anything, st.sampled_from(sorted(TRAITS))),
                ),
            ),
            max_size=4,
        ),
    )
)
def test_whatever_stands_in_a_record_is_told_or_left_out(votes):
    evidence = {"votes": votes, "log_odds_now": 1.0}
    assert all(one.words for one in said_by_traits(evidence))
    before_any_trait(evidence)
