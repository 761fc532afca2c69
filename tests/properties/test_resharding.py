"""However often and wherever the shards are divided anew: the same counts, to the bit, as if nothing had happened."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from detectors.counts.resharding import Part, gathered
from detectors.counts.snapshot import from_bytes, to_bytes
from detectors.fleet import joined
from detectors.parameters import HOUR_MS, Parameters
from stream.pipeline.chain import Applied
from stream.pipeline.composition import Shards
from stream.pipeline.frames import encode_summary, split_frame
from stream.pipeline.messages.join import Join
from tests.detectors.columns import same_columns
from tests.detectors.traffic import TICK_MS, Request, day_of, frame_of
from tests.properties.test_cut_of_frames import fleet_counts

PARAMETERS = Parameters()
HOURS = 27  # the first hours leave the fast window for the baseline
LATE = 2 * HOUR_MS


def traffic() -> list[Request]:
    """Two sources' worth of a small fleet, with repeats and late requests among them."""
    requests = [
        dataclasses.replace(one, attributes=(*one.attributes, ("country", f"c{number % 3}")))
        for number, one in enumerate(day_of(24, HOURS, rate=1.2, seed=11))
    ]
    again = [dataclasses.replace(one) for one in requests[30::40]]
    late = [dataclasses.replace(one, event=f"late {n}") for n, one in enumerate(requests[20::60])]
    told = [(one.at_ms, one) for one in requests]
    told += [(one.at_ms + 200_000, one) for one in again]
    told += [(one.at_ms + LATE, one) for one in late]
    return [one for _, one in sorted(told, key=lambda pair: (pair[0], pair[1].event))]


REQUESTS = traffic()
CLOCKS = np.maximum.accumulate([one.at_ms for one in REQUESTS]).tolist()
CUTS = [*range(0, len(REQUESTS), 37), len(REQUESTS)]


def frames():
    """Each row with the clock of its source at that row."""
    rows = [dataclasses.replace(one, clock_ms=clock) for one, clock in zip(REQUESTS, CLOCKS, strict=True)]
    return [frame_of(rows[a:b], after=a - 1, clock_ms=CLOCKS[b - 1]) for a, b in pairwise(CUTS)]


FRAMES = frames()


def divided(parts: list[Shards], partitions: int) -> list[Shards]:
    """As `swerve reshard` does it: through the bytes of snapshots."""
    parts = [Shards.restore(PARAMETERS, part.snapshot()) for part in parts]
    fresh = [
        Shards.of_others([one for one in parts if set(one.shards) & set(range(at, 256, partitions))], at, partitions)
        for at in range(partitions)
    ]
    return [Shards.restore(PARAMETERS, part.snapshot()) for part in fresh]


def run(changes: dict[int, int], partitions: int) -> tuple[list[Shards], dict]:
    """The whole ticks, by number; before frame n the shards are divided into changes[n] partitions."""
    parts = [Shards(PARAMETERS, ["s"], at, partitions) for at in range(partitions)]
    join, ticks = Join(), {}
    for number, frame in enumerate(FRAMES):
        if number in changes:
            parts = divided(parts, changes[number])
        for part, split in zip(parts, split_frame(frame, len(parts)), strict=True):
            assert part.apply(split) is Applied.APPLIED or not len(split.rows)
            for summary in part.summaries():
                ticks.update(join.add(summary))
    assert join.repeats == 0
    return parts, ticks


PLAIN, WHOLE = run({}, 1)


def same_ticks(ticks: dict) -> None:
    first = REQUESTS[0].at_ms // TICK_MS
    assert [tick for tick in ticks if tick >= first] == list(WHOLE)
    for tick, (one,) in WHOLE.items():
        split = ticks[tick]
        for name in ("accepted", "duplicate_event"):
            assert sum(part.counters[name] for part in split) == one.counters[name], (tick, name)
        assert fleet_counts(split) == fleet_counts([one])
        assert cohort_sums(split) == cohort_sums([one])
        if one.accounts is not None:
            same_columns(joined([part.accounts for part in split]), one.accounts)


def cohort_sums(summaries):
    """cohort -> [requests, accounts], over all partitions."""
    out = {}
    for summary in summaries:
        c = summary.cohorts
        for cohort, requests, accounts in zip(c.cohorts, c.requests.tolist(), c.accounts.tolist(), strict=True):
            out[cohort] = [a + b for a, b in zip(out.get(cohort, [0, 0]), (requests, accounts), strict=True)]
    return out


def test_the_traffic_has_repeats_and_late_requests_and_a_baseline():
    assert sum(one.counters["duplicate_event"] for (one,) in WHOLE.values()) > 5
    assert PLAIN[0].late > 5
    assert len(PLAIN[0].accounts.slow.codes) > 30


@settings(max_examples=8, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.integers(1, 8),
    st.dictionaries(st.integers(0, len(FRAMES) - 1), st.integers(1, 12), min_size=1, max_size=3),
)
def test_dividing_the_shards_anew_changes_no_count_of_any_tick(partitions, changes):
    parts, ticks = run(changes, partitions)

    same_ticks(ticks)
    assert sum(part.late for part in parts) == PLAIN[0].late
    assert sum(len(part.accounts) for part in parts) == len(PLAIN[0].accounts)


@pytest.mark.parametrize(("was", "becomes"), [(4, 6), (2, 256), (256, 3)])
def test_every_account_is_in_the_partition_of_its_shard_and_nowhere_else(was, becomes):
    parts, _ = run({len(FRAMES) - 1: becomes}, was)

    assert sorted(name for part in parts for name in part.accounts.ids) == sorted(PLAIN[0].accounts.ids)
    assert all(shard % becomes == at for at, part in enumerate(parts) for shard in part.accounts.shards.tolist())


def test_there_and_back_is_the_same_to_the_byte_of_every_later_summary():
    there, _ = run({10: 6, 15: 4}, 4)
    stayed, _ = run({}, 4)
    end = frame_of([], after=len(REQUESTS) - 1, clock_ms=CLOCKS[-1] + 3 * HOUR_MS)

    for one, other, split in zip(there, stayed, split_frame(end, 4), strict=True):
        one.apply(split), other.apply(split)
        assert [encode_summary(s) for s in one.summaries()] == [encode_summary(s) for s in other.summaries()]


def test_partitions_that_stand_at_different_positions_are_refused():
    parts = [Shards(PARAMETERS, ["s"], at, 2) for at in range(2)]
    for part, split in zip(parts, split_frame(FRAMES[0], 2), strict=True):
        part.apply(split)
    parts[1].apply(split_frame(FRAMES[1], 2)[1])

    with pytest.raises(ValueError, match=r"one position of s in all partitions, got \[36, 73\]"):
        Shards.of_others(parts, 0, 3)


def test_partitions_that_closed_different_ticks_are_refused_until_they_are_level():
    parts = [Shards(PARAMETERS, ["s"], at, 2) for at in range(2)]
    for part, split in zip(parts, split_frame(FRAMES[0], 2), strict=True):
        part.apply(split)
    parts[0].summaries()
    end = parts[0].ticks.first_open
    parts[1].close_until(end - 1)
    with pytest.raises(ValueError, match="closed the same ticks"):
        Shards.of_others(parts, 0, 3)

    told = parts[1].close_until(end)

    assert [one.tick for one in told] == [end - 1]
    assert Shards.of_others(parts, 0, 3).ticks.first_open == end


def test_names_for_which_there_is_no_room_are_lumped_as_they_are_when_counted():
    small = dataclasses.replace(PARAMETERS, targets_max=5, cohorts_max=3)
    many = [
        Request(f"a{n}", one.at_ms, f"m{n % 6}", attributes=(("org", f"o{n % 6}"),), event=f"{n}")
        for n, one in enumerate(REQUESTS[:60])
    ]
    parts = [Shards(small, ["s"], at, 2) for at in range(2)]
    for part, split in zip(parts, split_frame(frame_of(many), 2), strict=True):
        part.apply(split)

    one = Shards.of_others(parts, 0, 1)
    one.apply(frame_of([], after=59, ended=True))
    told = one.summaries()

    assert sum(summary.counters["accepted"] for summary in told) == 60
    assert len(one.accounts.targets.names) <= 3
    assert len(one.accounts.cohorts.names) <= 3


def test_state_whose_order_does_not_name_its_accounts_is_refused():
    shards = Shards(PARAMETERS, ["s"])
    shards.apply(FRAMES[0])
    ticks = from_bytes(to_bytes(shards.ticks.state()))
    entries = ticks["ticks"][0][4][0]
    entries[1] = entries[1][::-1].copy()

    with pytest.raises(ValueError, match="this state cannot be divided"):
        gathered(PARAMETERS, [Part(shards.accounts.state(), ticks, np.ones(256, bool), counters=True)])


def test_whatever_the_state_of_accounts_and_ticks_holds_is_moved():
    """Who adds a field to these states must say here, and in detectors/counts/resharding.py, what becomes of it."""
    shards = Shards(PARAMETERS, ["s"])
    shards.apply(FRAMES[0])
    accounts, ticks = gathered(
        PARAMETERS, [Part(shards.accounts.state(), shards.ticks.state(), np.ones(256, bool), counters=True)]
    )

    assert accounts.keys() == shards.accounts.state().keys()
    assert ticks.keys() == shards.ticks.state().keys()
    assert [len(one) for one in ticks["ticks"]] == [len(one) for one in shards.ticks.state()["ticks"]]
