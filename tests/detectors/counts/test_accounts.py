"""Account columns: a fast window of a day, a baseline fed by what leaves it, and what accounts say of themselves."""

from __future__ import annotations

import numpy as np
import pytest
from river.stats import Mean

from detectors.counts.accounts import Accounts
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.counts.ticks import OpenTicks
from detectors.fleet import joined
from detectors.parameters import HOUR_MS, Parameters
from tests.detectors.columns import same_columns, told
from tests.detectors.traffic import START_H, START_MS, TICK_MS, Request, day_of, rows_of

PARAMETERS = Parameters()
FACTOR = 0.5 ** (1 / PARAMETERS.slow_half_life_h)


class Shard:
    """Accounts that are fed hour by hour."""

    def __init__(self, parameters=PARAMETERS):
        self.parameters = parameters
        self.accounts, self.ticks = Accounts(parameters), OpenTicks(parameters)
        self.hour, self.offset = START_H, 0

    def add(self, requests):
        rows = rows_of(requests, self.offset)
        self.offset += len(requests)
        account_row = self.accounts.rows_of(rows)
        self.ticks.add(rows, rows.account_keys[rows.account], lambda fresh: self.accounts.entries(fresh, account_row))

    def close(self, *requests):
        """One hour with these requests; the columns at its end."""
        if requests:
            self.add(requests)
        for tick in range(self.hour * 12, self.hour * 12 + 12):
            self.accounts.absorb(self.ticks.close(tick))
        columns = self.accounts.close_hour(self.hour)
        new_row = self.accounts.forget(self.hour, self.ticks.keys_held(), self.ticks.rows_held())
        if new_row is not None:
            self.ticks.renumber(new_row, self.parameters.targets_max)
        self.hour += 1
        return columns

    def at(self, account="a", count=1, minute=0, **said):
        """Requests of the hour that closes next."""
        at_ms = self.hour * HOUR_MS + minute * 60_000
        return [Request(account, at_ms + i, **said) for i in range(count)]


def test_a_request_is_in_the_window_for_exactly_a_day_and_then_in_the_baseline():
    shard = Shard()
    seen = [told(shard.close(*shard.at(count=8), *shard.at("keeps", 1)))["a"]]
    for _ in range(30):
        columns = told(shard.close(*shard.at("keeps", 1)))
        seen.append(columns.get("a"))
    assert [one["n"] for one in seen[:24]] == [8] * 24
    assert seen[24:] == [None] * 7
    back = told(shard.close(*shard.at(count=1)))["a"]
    assert back["now"] == {"model:atlas-3": 1}
    # It entered the baseline when hour 24 closed and has faded by every hour since.
    assert back["nb"] == pytest.approx(8 * FACTOR**7, rel=1e-5)
    assert back["before"]["model:atlas-3"] == pytest.approx(8 * FACTOR**7, rel=1e-5)


@pytest.mark.parametrize("hours", [12, 24])
def test_the_requests_of_an_account_are_the_sum_of_what_it_asked_for_in_its_window(hours):
    """Beyond the hours that are kept by hour of day they were not: shares of the window came out as 200 %."""
    shard = Shard(Parameters(fast_window_h=hours))
    for hour in range(60):
        one = told(shard.close(*shard.at(count=1 + hour % 3)))["a"]
        assert one["n"] == one["now"]["model:atlas-3"] == sum(1 + at % 3 for at in range(hour + 1)[-hours:])


@pytest.mark.parametrize("hours", [0, 25, 48])
def test_a_window_that_the_hours_of_an_account_do_not_hold_is_refused(hours):
    with pytest.raises(ValueError, match=f"fast_window_h: expected 1 to 24 hours, got {hours}"):
        Parameters(fast_window_h=hours)


def test_what_is_being_judged_is_never_in_the_baseline_that_it_is_held_against():
    shard = Shard()
    for _ in range(48):
        shard.close(*shard.at(model="atlas-3"))
    one = told(shard.close(*shard.at(count=500, model="atlas-4")))["a"]
    assert one["now"]["model:atlas-4"] == 500
    assert "model:atlas-4" not in one["before"]


def test_window_and_baseline_hold_every_request_between_them():
    """With a baseline that hardly fades, n + nb is all that was ever sent."""
    shard = Shard(Parameters(slow_half_life_h=1e9))
    requests = day_of(5, 60)
    sent = dict.fromkeys((f"a{i}" for i in range(5)), 0)
    for hour in range(60):
        mine = [one for one in requests if one.at_ms // HOUR_MS == START_H + hour]
        for one in mine:
            sent[one.account] += 1
        columns = told(shard.close(*mine))
        for account, one in columns.items():
            assert one["n"] + one["nb"] == pytest.approx(sent[account], abs=1e-3)


def test_the_decay_is_the_exponential_weighting_that_river_computes():
    """Mean share by exponential weights = baseline by target over baseline, as river's weighted mean has it."""
    shard = Shard()
    rng = np.random.default_rng(5)
    history = []
    for _ in range(120):
        old, new = int(rng.poisson(3)), int(rng.poisson(2))
        history.append((old, new))
        columns = shard.close(*shard.at(count=old, model="m0"), *shard.at(count=new, model="m1"), *shard.at("z", 1))
    one = told(columns)["a"]
    mean = Mean()
    for age, (old, new) in enumerate(reversed(history[:-24])):
        if old + new:
            mean.update(new / (old + new), w=(old + new) * FACTOR**age)
    assert one["before"]["model:m1"] / one["nb"] == pytest.approx(mean.get(), rel=1e-4)


def test_hours_of_the_day_and_five_minute_bins_count_what_came_when():
    shard = Shard()
    shard.close(*shard.at(count=3))
    columns = shard.close(*shard.at(count=2, minute=17), *shard.at(count=1, minute=59))
    hours = columns.hours[0]
    assert hours[START_H % 24] == 3
    assert hours[(START_H + 1) % 24] == 3
    assert columns.bins[0].tolist() == [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]


def test_an_account_is_what_it_said_last_in_event_time_whatever_came_last():
    shard = Shard()
    early, late = (("org", "old"), ("country", "DE")), (("org", "new"),)
    shard.add([Request("a", START_MS + 50, attributes=late)])
    columns = told(shard.close(Request("a", START_MS + 10, attributes=early)))
    assert columns["a"]["org"] == "new"
    assert columns["a"]["country"] == "DE"


def test_values_are_told_in_the_hour_in_which_they_were_carried():
    shard = Shard()
    carried = (("payment", "p1"), ("template", "t1"), ("client", "python"))
    columns = told(shard.close(*shard.at(count=3, attributes=carried), *shard.at(attributes=(("template", "t2"),))))
    assert columns["a"]["values"] == {("payment", "p1"): 3, ("template", "t1"): 3, ("template", "t2"): 1}
    assert told(shard.close(*shard.at()))["a"]["values"] == {}


def test_first_seen_is_the_earliest_time_and_not_the_first_arrival():
    shard = Shard()
    columns = shard.close(Request("a", START_MS + TICK_MS + 7), Request("a", START_MS + TICK_MS + 3))
    assert columns.first_seen_ms.tolist() == [START_MS + TICK_MS + 3]


def test_accounts_come_sorted_by_id_and_tables_by_name():
    columns = Shard().close(*[Request(name, START_MS, f"m{name}") for name in ("b", "a", "é", "Z")])
    assert list(columns.ids) == sorted(columns.ids)
    assert list(columns.targets) == sorted(columns.targets)


def test_targets_beyond_the_bound_share_one_column_that_has_no_name_and_are_counted():
    shard = Shard(Parameters(targets_max=6))
    columns = shard.close(*[Request("a", START_MS + i, f"m{i}") for i in range(9)])
    assert columns.targets == ("model:m0", "model:m1", "model:m2", "model:m3")
    assert columns.n.tolist() == [9]
    assert shard.accounts.known.targets_over == 5


def test_cohorts_beyond_the_bound_are_left_out_and_counted():
    shard = Shard(Parameters(cohorts_max=3))
    shard.add([Request("a", START_MS + i, attributes=(("org", f"o{i}"),)) for i in range(5)])
    cohorts = shard.accounts.absorb(shard.ticks.close(START_H * 12))
    assert len(cohorts.cohorts) == 3
    assert cohorts.cohorts[0] == ("", "")
    assert cohorts.requests[0] == 5
    assert shard.accounts.known.cohorts_over == 3


def test_accounts_that_were_silent_for_long_are_forgotten_and_all_others_stay_as_they_were():
    parameters = Parameters(forget_after_h=48)
    forgetting, remembering = Shard(parameters), Shard()
    for shard in (forgetting, remembering):
        shard.close(*[one for i in range(10) for one in shard.at(f"gone{i}", 2)], *shard.at("stays", 3))
    for _ in range(60):
        ours = forgetting.close(*forgetting.at("stays"), *forgetting.at("zoe"))
        theirs = remembering.close(*remembering.at("stays"), *remembering.at("zoe"))
        same_columns(ours, theirs)
    assert sorted(forgetting.accounts.ids) == ["stays", "zoe"]
    assert forgetting.accounts.evicted == 10
    # One that comes back begins anew.
    assert told(forgetting.close(*forgetting.at("gone3")))["gone3"]["nb"] == 0


def test_an_account_that_an_open_tick_refers_to_is_not_forgotten():
    shard = Shard(Parameters(forget_after_h=24))
    shard.close(*shard.at("comes back", 2))
    for _ in range(26):
        shard.close(*shard.at("stays"))
    shard.add([Request("comes back", (shard.hour + 1) * HOUR_MS)])
    shard.close(*shard.at("stays"))
    assert told(shard.close(*shard.at("stays")))["comes back"]["n"] == 1


def test_a_snapshot_goes_on_as_if_nothing_had_happened():
    requests = day_of(30, 80, rate=0.6)
    whole, moved = Shard(), Shard()
    for hour in range(80):
        mine = [one for one in requests if one.at_ms // HOUR_MS == START_H + hour]
        ours = whole.close(*mine)
        theirs = moved.close(*mine)
        same_columns(ours, theirs)
        if hour % 19 == 5:
            accounts, ticks = from_bytes(to_bytes([moved.accounts.state(), moved.ticks.state()]))
            moved.accounts, moved.ticks = Accounts(PARAMETERS), OpenTicks(PARAMETERS)
            moved.accounts.restore(accounts)
            moved.ticks.restore(ticks)


def test_a_window_restored_in_the_middle_of_an_hour_loses_nothing():
    whole, moved = Shard(), Shard()
    for shard in (whole, moved):
        shard.add([Request("a", START_MS + 5, attributes=(("payment", "p"), ("org", "o")))])
        shard.accounts.absorb(shard.ticks.close(START_H * 12))
    state = from_bytes(to_bytes(moved.accounts.state()))
    moved.accounts = Accounts(PARAMETERS)
    moved.accounts.restore(state)
    for shard in (whole, moved):
        shard.add([Request("a", START_MS + TICK_MS, attributes=(("payment", "q"),))])
        for tick in range(START_H * 12 + 1, START_H * 12 + 12):
            shard.accounts.absorb(shard.ticks.close(tick))
    same_columns(whole.accounts.close_hour(START_H), moved.accounts.close_hour(START_H))


def test_columns_of_many_partitions_joined_are_those_of_one():
    requests = day_of(40, 30, rate=0.5)
    one, parts = Shard(), [Shard() for _ in range(3)]
    for hour in range(30):
        mine = [request for request in requests if request.at_ms // HOUR_MS == START_H + hour]
        whole = one.close(*mine)
        # Any division of accounts will do: it is the join that is tested.
        split = [part.close(*[r for r in mine if int(r.account[1:]) % 3 == i]) for i, part in enumerate(parts)]
        same_columns(joined(split), whole)


SMALL = Parameters(targets_max=66, cohorts_max=64)


class Filled(Shard):
    """Accounts whose room for names is given back as the shards do it."""

    def close(self, *requests):
        if requests:
            self.add(requests)
        for tick in range(self.hour * 12, self.hour * 12 + 12):
            self.accounts.absorb(self.ticks.close(tick))
            self.accounts.make_room(self.ticks)
        columns = self.accounts.close_hour(self.hour)
        self.accounts.forget(self.hour, self.ticks.keys_held(), self.ticks.rows_held())
        self.accounts.forget_names(self.ticks)
        self.hour += 1
        return columns


def test_a_release_has_a_name_though_one_account_fills_the_room_with_models_of_its_own():
    shard = Filled(SMALL)
    shard.close(*[one for i in range(20) for one in shard.at(f"u{i}", 5, model="atlas-3")])
    for _ in range(3):
        flood = [one for i in range(200) for one in shard.at("attacker", 30, model=f"tune-{shard.hour}-{i}")]
        columns = shard.close(*flood)
    assert shard.accounts.known.targets_over > 0

    users = [one for i in range(20) for one in shard.at(f"u{i}", 3, minute=30, model="atlas-4")]
    columns = shard.close(*users)

    assert {"model:atlas-3", "model:atlas-4"} <= set(columns.targets)
    assert len(shard.accounts.targets.names) <= 64
    mine = told(columns)["u3"]
    assert mine["n"] == 8


def test_what_open_ticks_hold_follows_when_targets_are_forgotten():
    shard, plenty = Filled(SMALL), Filled(Parameters())
    for one in (shard, plenty):
        one.close(*[r for i in range(20) for r in one.at(f"u{i}", 5, model="atlas-3")])
        one.add([Request(f"u{i}", (one.hour + 1) * HOUR_MS, "atlas-3") for i in range(20)])
        one.close(*[r for i in range(200) for r in one.at("attacker", model=f"tune-{i}")])
        told_after = told(one.close(*one.at("attacker", model="tune-7")))
        assert told_after["u3"]["now"] == {"model:atlas-3": 6}


def test_cohorts_and_names_are_forgotten_with_those_who_were_in_them():
    shard = Filled(Parameters(forget_after_h=48))
    for hour in range(60):
        said = [shard.at(f"a{hour}-{i}", attributes=(("org", f"o{hour}-{i}"),))[0] for i in range(60)]
        columns = shard.close(*said, *shard.at("stays", attributes=(("org", "house"),)))
    assert "house" in columns.names
    assert len(shard.accounts.cohorts.names) < 2_000
    assert len(shard.accounts.names.names) <= 2 * 50 * 60 + 1_200


def test_where_cohorts_have_no_room_those_with_most_accounts_stay():
    shard = Filled(SMALL)
    for hour in range(3):
        honest = [r for i in range(10) for r in shard.at(f"u{i}", 2, attributes=(("org", f"house-{i % 2}"),))]
        flood = [Request("attacker", shard.hour * HOUR_MS, attributes=(("client", f"c{hour}-{i}"),)) for i in range(90)]
        shard.close(*honest, *flood)
    kept = set(shard.accounts.cohorts.names)
    assert {("", ""), ("org", "house-0"), ("org", "house-1")} <= kept
    assert len(kept) <= 64
