"""Open ticks: each request is counted once, in its tick, or told as late or repeated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.counts.accounts import Accounts
from detectors.counts.rows import NO_CLOCK_MS
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.counts.ticks import OpenTicks
from detectors.parameters import Parameters
from tests.detectors.traffic import START_MS, TICK_MS, Request, day_of, rows_of

PARAMETERS = Parameters()
TICK = START_MS // TICK_MS
LATENESS_MS = PARAMETERS.lateness_ms


class Counting:
    """Open ticks with accounts behind them."""

    def __init__(self):
        self.accounts, self.ticks = Accounts(PARAMETERS), OpenTicks(PARAMETERS)
        self.offset = 0

    def add(self, *requests):
        rows = rows_of(requests, self.offset)
        self.offset += len(requests)
        account_row = self.accounts.rows_of(rows)
        self.ticks.add(rows, rows.account_keys[rows.account], lambda fresh: self.accounts.entries(fresh, account_row))
        return self

    def close(self, tick):
        """Counts of the tick with names instead of rows, in a form that can be compared."""
        counts = self.ticks.close(tick)
        width = PARAMETERS.targets_max
        named = {
            (self.accounts.ids[code // width], self.accounts.targets.names[code % width][0]): count
            for code, count in zip(*(column.tolist() for column in counts.account_target), strict=True)
        }
        return counts.accepted, counts.repeats, named


def test_a_request_counts_in_the_tick_of_its_own_time_and_not_of_its_arrival():
    counting = Counting().add(Request("a", START_MS + TICK_MS), Request("a", START_MS), Request("a", START_MS + 5))
    assert counting.close(TICK) == (2, 0, {("a", "model:atlas-3"): 2})
    assert counting.close(TICK + 1) == (1, 0, {("a", "model:atlas-3"): 1})


def test_every_capability_counts_beside_the_model():
    counting = Counting().add(Request("a", capabilities=("coding", "vision")), Request("a", capabilities=("coding",)))
    assert counting.close(TICK)[2] == {
        ("a", "model:atlas-3"): 2, ("a", "capability:coding"): 2, ("a", "capability:vision"): 1,
    }  # fmt: skip


def test_a_request_older_than_its_own_sources_clock_less_the_lateness_is_late():
    clock_ms = START_MS + LATENESS_MS
    counting = Counting().add(Request("a", START_MS - 1, clock_ms=clock_ms), Request("a", START_MS, clock_ms=clock_ms))
    assert counting.ticks.late == 1
    assert counting.close(TICK)[0] == 1


def test_before_a_source_has_a_clock_nothing_of_it_is_late():
    counting = Counting().add(Request("a", START_MS - 10**9, clock_ms=NO_CLOCK_MS))
    assert counting.ticks.late == 0


def test_a_request_of_a_closed_tick_is_late_and_changes_nothing():
    counting = Counting().add(Request("a"))
    counting.close(TICK)
    counting.add(Request("a", START_MS + 1), Request("a", START_MS + TICK_MS))
    assert counting.ticks.late == 1
    assert counting.close(TICK + 1)[0] == 1


def test_a_repeat_is_counted_once_within_a_frame_across_frames_and_across_snapshots():
    counting = Counting().add(Request("a", event="e"), Request("a", event="e")).add(Request("a", event="e"))
    state = from_bytes(to_bytes(counting.ticks.state()))
    counting.ticks = OpenTicks(PARAMETERS)
    counting.ticks.restore(state)
    counting.add(Request("a", event="e"), Request("a", event="other"))
    assert counting.close(TICK) == (2, 3, {("a", "model:atlas-3"): 2})


def test_the_same_event_id_of_another_account_is_another_request():
    """Ids are unique to a request of one account; what shares a worker must not matter."""
    counting = Counting().add(Request("a", event="e"), Request("b", event="e"))
    assert counting.close(TICK)[:2] == (2, 0)


def test_the_same_event_id_at_another_time_is_another_request():
    """LiteLLM takes a call id from a header of the client: one id for all requests must not uncount them."""
    counting = Counting().add(*[Request("a", START_MS + ms, event="e") for ms in range(8)])
    counting.add(Request("a", START_MS + 7, event="e"), Request("a", START_MS + 8, event="e"))
    assert counting.close(TICK)[:2] == (9, 1)


def test_ids_that_are_used_again_are_noticed_and_repeats_are_none():
    """About: of 64 ids one is followed."""
    honest = Counting().add(*[Request("a", event=f"e{n}") for n in range(10_000)] * 2)
    shared = Counting().add(*[Request(f"a{n % 640}", START_MS + n, event="e") for n in range(6_400)])
    assert honest.ticks.reused == 0
    assert 2_000 < shared.ticks.reused < 12_000
    assert shared.close(TICK)[0] == 6_400


def test_a_closed_tick_forgets_its_events_so_memory_is_bounded_by_open_ticks():
    counting = Counting().add(Request("a", event="e"))
    counting.close(TICK)
    assert counting.ticks.open_ticks() == []
    assert counting.ticks.state()["ticks"] == []


def test_closing_a_tick_in_which_nothing_happened_gives_nothing():
    assert Counting().close(TICK) == (0, 0, {})


def test_an_account_counts_once_in_a_cohort_however_many_requests_it_sends():
    org = (("org", "acme"),)
    counting = Counting().add(*[Request("a", attributes=org)] * 3, Request("b", attributes=org))
    counts = counting.ticks.close(TICK)
    cohorts = counting.accounts.absorb(counts)
    assert cohorts.cohorts == (("", ""), ("org", "acme"))
    assert cohorts.requests.tolist() == [4, 4]
    assert cohorts.accounts.tolist() == [2, 2]


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_the_order_of_arrival_and_the_cut_of_frames_change_nothing(pieces):
    requests = day_of(12, 1, rate=20.0)
    whole = Counting().add(*requests)
    shuffled = [requests[i] for i in np.random.default_rng(3).permutation(len(requests)).tolist()]
    cut = Counting()
    for at in range(pieces):
        cut.add(*shuffled[at::pieces])
    for tick in range(TICK, TICK + 12):
        assert whole.close(tick) == cut.close(tick)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 3 * TICK_MS - 1), st.integers(0, 12)), min_size=1, max_size=60
    ),
    st.randoms(use_true_random=False),
)
def test_counts_are_exactly_those_of_a_set_of_requests(drawn, random):
    """A repeat has the account and time of its original; everything else is its own request."""
    originals = {(account, event): at for account, at, event in drawn}
    requests = [Request(f"a{account}", START_MS + originals[account, event], event=f"{event}")
                for account, _, event in drawn]  # fmt: skip
    random.shuffle(requests)
    counting = Counting()
    while requests:
        size = random.randint(1, len(requests))
        counting.add(*requests[:size])
        del requests[:size]
    total = repeats = 0
    for tick in range(TICK, TICK + 3):
        accepted, repeated, named = counting.close(tick)
        expected = {}
        for (account, _), at in originals.items():
            if at // TICK_MS == tick - TICK:
                key = (f"a{account}", "model:atlas-3")
                expected[key] = expected.get(key, 0) + 1
        assert named == expected
        total, repeats = total + accepted, repeats + repeated
    assert total == len(originals)
    assert repeats == len(drawn) - len(originals)
