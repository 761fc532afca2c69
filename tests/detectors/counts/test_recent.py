"""What every account asked for in the last hours, told by how the fast window moved on, is what it did ask for."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from detectors.comparison.population import population_of
from detectors.comparison.recent import Recent
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.parameters import HOUR_MS
from tests.detectors.counts.test_accounts import Shard
from tests.detectors.fleets import PARAMETERS, Account, columns_of
from tests.detectors.traffic import START_H, Request

WINDOWS = (1, 3, 6, 24)


class Told:
    """A log, hour by hour, through the columns of accounts, and by hand."""

    def __init__(self):
        self.shard, self.recent = Shard(), Recent(PARAMETERS, 24)
        self.true: dict[int, Counter[tuple[str, str]]] = {}
        self.renamed: dict[str, str] = {}

    def hour(self, *asked):
        """One hour in which these were asked for: (account, capability) each. Gives the population at its end."""
        hour = self.shard.hour
        requests = [
            Request(account, hour * HOUR_MS + i, "m", (capability,)) for i, (account, capability) in enumerate(asked)
        ]
        self.true[hour] = Counter(
            (account, target)
            for account, capability in asked
            for target in ("model:m", f"capability:{self.newest(capability)}")
        )
        columns = self.shard.close(*requests)
        if len(columns):  # the judge is not asked about an hour in which nobody is left
            self.recent.learn(columns, hour)
        return population_of(columns, hour, PARAMETERS, self.renamed) if len(columns) else None

    def newest(self, capability):
        new = {old.partition(":")[2]: new.partition(":")[2] for new, old in self.renamed.items()}
        return new.get(capability, capability)

    def differs(self, population):
        """(window, what was told, what is true) of each window in which they differ; none is as it should be."""
        found = []
        for window in WINDOWS:
            matrix = self.recent.of(population, window)
            told = {
                (population.columns.ids[row], population.targets[k]): int(matrix[row, k])
                for row, k in np.argwhere(matrix).tolist()
            }
            hours = range(population.hour - window + 1, population.hour + 1)
            true = dict(sum((self.true.get(hour, Counter()) for hour in hours), Counter()))
            if told != true:
                found.append((window, told, true))
        return found


def drawn(rng, hours, accounts=5):
    """A log in which accounts ask for a few things in bursts, and are silent for up to two days between them."""
    wakes = np.zeros(accounts, int)
    for hour in range(hours):
        asked = []
        for account in range(accounts):
            if hour < wakes[account]:
                continue
            if rng.random() < 0.15:
                wakes[account] = hour + int(rng.choice([2, 5, 23, 24, 25, 26, 48]))
            asked += [(f"a{account}", f"c{rng.integers(4)}") for _ in range(rng.integers(0, 6))]
        yield asked


@pytest.mark.parametrize("seed", [1, 2])
def test_the_counts_of_each_hour_are_those_of_the_log(seed):
    told = Told()
    for asked in drawn(np.random.default_rng(seed), 70):
        population = told.hour(*asked)
        assert population is None or told.differs(population) == []


BURSTS = st.lists(
    st.tuples(st.integers(1, 30), st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy")), max_size=4)),
    min_size=1,
    max_size=4,
)


@settings(max_examples=8)
@given(BURSTS)
@example(
    [(1, [("a", "x")] * 2), (1, [("a", "x")] * 3), (20, []), (30, [("a", "x")])]
)  # for hours nobody is left at all
def test_whatever_the_pauses_between_bursts_the_counts_are_those_of_the_log(bursts):
    told = Told()
    for pause, asked in bursts:
        for _ in range(pause - 1):
            population = told.hour()
            assert population is None or told.differs(population) == []
        population = told.hour(*asked)
        assert population is None or told.differs(population) == []


def test_who_falls_silent_for_longer_than_the_window_and_returns_has_asked_for_what_is_new_alone():
    told = Told()
    told.hour(("a", "x"), ("a", "x"), ("b", "x"))
    for _ in range(30):
        told.hour(("b", "x"))
    population = told.hour(("a", "y"), ("b", "x"))
    asked = told.recent.of(population, 24)[population.columns.ids.index("a")]
    assert dict(zip(population.targets, asked.tolist(), strict=True)) == {
        "capability:x": 0, "capability:y": 1, "model:m": 1,
    }  # fmt: skip


def test_a_renamed_capability_is_counted_under_its_new_name_from_before_the_rename():
    told = Told()
    told.renamed = {"capability:new": "capability:old"}
    for asked in ([("a", "old"), ("b", "old")], [("a", "old"), ("b", "new")], [("a", "new"), ("b", "new")]):
        population = told.hour(*asked)
        assert "capability:new" not in population.targets or told.differs(population) == []
    by_target = dict(zip(population.targets, told.recent.of(population, 3).sum(axis=0).tolist(), strict=True))
    assert by_target == {"capability:new": 6, "capability:old": 0, "model:m": 6}


def test_who_is_not_active_any_more_is_in_no_row():
    recent = Recent(PARAMETERS, 24)
    first = [
        Account("a", n=3, now={"model:m": 3}, bins=(3,) + (0,) * 11),
        Account("b", n=2, now={"model:m": 2}, bins=(2,) + (0,) * 11),
    ]
    recent.learn(columns_of(first, 100), 100)
    other = population_of(columns_of([Account("b", n=2, now={"model:m": 2})], 100), 100, PARAMETERS, {})
    assert recent.of(other, 6).tolist() == [[2.0]]


@pytest.mark.parametrize("at", [1, 30])
def test_restored_it_goes_on_as_if_nothing_had_happened(at):
    told = Told()
    for hour, asked in enumerate(drawn(np.random.default_rng(4), 60)):
        if hour == at:
            again = Recent(PARAMETERS, 24)
            again.restore(from_bytes(to_bytes(told.recent.state())))
            told.recent = again
        population = told.hour(*asked)
        assert population is None or told.differs(population) == []
    assert len(told.recent.hours) <= PARAMETERS.fast_window_h


def test_it_remembers_no_more_than_the_window():
    told = Told()
    for _ in range(40):
        told.hour(("a", "x"))
    assert [hour for hour, _ in told.recent.hours] == list(range(START_H + 16, START_H + 40))


# What a summary that is missing leaves behind


def steadily(told, hours, *, left_out=()):
    """What the account x is said to have asked for in each of these hours, in which it always asks twice.

    left_out: hours whose tick was judged without the shards of x, because they were silent for too long.
    """
    said = []
    for at in range(hours):
        told.shard.add([Request(name, told.shard.hour * HOUR_MS + i, "m", ("c",)) for i, name in enumerate("xxy")])
        columns, hour = told.shard.close(), told.shard.hour - 1
        if at in left_out:
            n = int(columns.n[columns.ids.index("y")])
            columns = columns_of([Account("y", n=n, now={"model:m": n, "capability:c": n})], hour)
        told.recent.learn(columns, hour)
        one = population_of(columns, hour, PARAMETERS, {})
        matrix = told.recent.of(one, 1)
        said.append(int(matrix[one.columns.ids.index("x"), one.targets.index("model:m")]) if at not in left_out else 0)
    return said


def test_who_asks_steadily_is_said_to():
    assert steadily(Told(), 50) == [2] * 50


def test_an_account_whose_shards_were_left_out_for_a_tick_did_not_ask_for_a_day_in_an_hour():
    said = steadily(Told(), 60, left_out={30})
    assert max(said) <= 4  # its own two, and at most those of the hour that was left out


def test_a_day_after_a_tick_without_its_shards_an_account_is_told_as_it_was_before():
    assert steadily(Told(), 120, left_out={30})[-60:] == [2] * 60


def test_begun_anew_on_shards_with_a_past_it_knows_the_hours_of_a_day_later():
    """As after a snapshot of a version that did not keep it."""
    told = Told()
    steadily(told, 30)
    told.recent = Recent(PARAMETERS, 24)
    assert steadily(told, 60)[-30:] == [2] * 30


def test_what_was_renamed_twice_is_counted_under_its_newest_name():
    told = Told()
    told.renamed = {"capability:b": "capability:a", "capability:c": "capability:b"}
    for asked in ([("x", "a"), ("y", "b")], [("x", "b"), ("y", "c")], [("x", "a"), ("y", "c")]):
        population = told.hour(*asked)
    by_target = dict(zip(population.targets, told.recent.of(population, 3).sum(axis=0).tolist(), strict=True))
    assert by_target == dict(zip(population.targets, population.X.sum(axis=0).tolist(), strict=True))
    assert by_target["capability:c"] == 6
