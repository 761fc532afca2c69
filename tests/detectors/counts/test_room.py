"""How much is held when more accounts come than there is memory for, and who stays?"""

from __future__ import annotations

import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pytest

from detectors.counts.held import bytes_held
from detectors.counts.summary import AccountColumns
from detectors.counts.ticks import VALUES_MAX
from detectors.fleet import Judge
from detectors.parameters import HOUR_MS, Parameters
from detectors.room import ACCOUNT_BYTES, CELL_BYTES, Room
from detectors.ties.carriers import Carriers
from stream.pipeline.composition import Shards
from tests.detectors.columns import told
from tests.detectors.fleets import HOUR, Account, columns_of
from tests.detectors.traffic import START_MS, Request, frame_of

BYTES_MAX = 4_000_000
REGULARS = [f"regular-{n:03}" for n in range(200)]


class Fed:
    """Shards that are fed hour by hour; columns: of the hour that closed last."""

    def __init__(self, bytes_max: float, parameters: Parameters | None = None) -> None:
        self.shards = Shards(parameters or Parameters(), ["s"], bytes_max=bytes_max)
        self.at_ms, self._after = START_MS, -1

    def hour(self, requests: list[Request], frame: int = 1_000) -> dict:
        """Take an hour's requests in, in order of time; what the accounts are at its end."""
        self.at_ms += HOUR_MS
        requests = sorted(requests, key=lambda one: one.at_ms)
        closed = []
        for at in range(0, len(requests), frame):
            part = requests[at : at + frame]
            self.shards.apply(frame_of(part, self._after, part[-1].at_ms))
            self._after += len(part)
            closed += self.shards.summaries()
        closed += self.shards.close_until(self.at_ms // Parameters().tick_ms)
        return told(closed[-1].accounts)

    def regulars(self) -> list[Request]:
        """Four requests of each, in the hour that comes."""
        return [
            Request(name, self.at_ms + k * 800_000 + n, attributes=(("payment", f"shared-{n // 5}"),))
            for n, name in enumerate(REGULARS)
            for k in range(4)
        ]

    def flood(self, accounts: int) -> list[Request]:
        """One request of so many accounts that nobody has seen, with an organisation and values of their own."""
        hour = self.at_ms // HOUR_MS
        return [
            Request(
                f"flood-{hour}-{n:06}", self.at_ms + n * (HOUR_MS // accounts),
                attributes=(("org", f"org-{hour}-{n:06}"), ("payment", f"p-{hour}-{n:06}"),
                            ("template", f"t-{hour}-{n:06}")),
            )
            for n in range(accounts)
        ]  # fmt: skip


def held(shards: Shards) -> int:
    return sum(bytes_held(shards.accounts, shards.ticks).values())


def test_a_flood_of_accounts_takes_the_memory_that_there_is_and_uncounts_nobody_who_was_there():
    fed = Fed(BYTES_MAX)
    fed.hour(fed.regulars())
    for hours in range(2, 6):
        seen = fed.hour([*fed.regulars(), *fed.flood(6_000)])
        assert held(fed.shards) < 1.25 * BYTES_MAX
        assert {name: seen[name]["n"] for name in REGULARS} == dict.fromkeys(REGULARS, 4 * hours)
    assert fed.shards.without_room > 0
    assert fed.shards.accounts.evicted > 0


def test_without_a_bound_the_same_flood_is_all_held():
    fed = Fed(float("inf"))
    for _ in range(2):
        fed.hour(fed.flood(6_000))
    assert len(fed.shards.accounts) == 12_000
    assert held(fed.shards) > 2 * BYTES_MAX


def test_accounts_that_ask_often_enough_to_be_judged_come_in_under_a_flood():
    fed = Fed(BYTES_MAX)
    for _ in range(4):
        fed.hour(fed.flood(6_000))
    late = [Request(f"late-{n}", fed.at_ms + k * 300_000, model="atlas-4") for n in range(100) for k in range(12)]
    fed.hour([*late, *fed.flood(6_000)])
    seen = fed.hour(fed.flood(6_000))
    assert sum(name.startswith("late-") for name in seen) >= 90


def test_the_bound_of_accounts_holds_though_all_of_them_are_active():
    fed = Fed(float("inf"), Parameters(accounts_max=50))
    for _ in range(3):
        fed.hour(fed.regulars())
        assert len(fed.shards.accounts) <= 50


def test_an_account_with_a_value_for_each_request_keeps_some_and_another_that_carries_them_keeps_the_same():
    fed = Fed(float("inf"))
    requests = [
        Request(account, fed.at_ms + n, attributes=(("template", f"t-{n}"),)) for n in range(2_000) for account in "ab"
    ]
    seen = fed.hour(requests)
    assert len(seen["a"]["values"]) == VALUES_MAX
    assert seen["a"]["values"].keys() == seen["b"]["values"].keys()
    assert seen["a"]["n"] == 2_000
    assert len(fed.shards.accounts.known.value_names) <= VALUES_MAX
    assert fed.shards.ticks.values_over == 2 * (2_000 - VALUES_MAX)


def test_where_memberships_have_no_room_those_of_values_that_tie_nobody_go_first():
    carriers = Carriers(72)
    carriers.bytes_max = 40_000
    campaign = [Account(f"c{n}", f"org-{n}", values={("payment", f"card-{n // 4}"): 2}) for n in range(40)]
    carriers.learn(columns_of(campaign, HOUR), HOUR)
    for later in range(1, 4):
        flood = [
            Account(f"f{later}-{n}", f"fo-{later}-{n}", values={("template", f"t-{later}-{n}"): 1}) for n in range(400)
        ]
        carriers.learn(columns_of(flood, HOUR + later), HOUR + later)
        assert len(carriers.value) <= 40_000 // 32
    assert carriers.dropped > 0
    kept = {carriers.names[key][1] for key in np.unique(carriers.value).tolist()}
    assert {f"card-{n}" for n in range(10)} <= kept


def crowd(accounts: int, targets: int = 16, of_one: int = 0) -> AccountColumns:
    """Accounts with five requests toward a target each; of_one: more targets, that the first account alone asks for."""
    names = [f"model:m{k}" for k in range(targets)]
    more = {f"model:tune-{k}": 40 for k in range(of_one)}
    each = [
        Account(f"a{n:04}", f"org-{n % 20}", n=5 if n % 3 else 1, now={names[n % targets]: 5} | (more if not n else {}),
                before={names[n % targets]: 9.0}, age_h=200.0 - n / 100)
        for n in range(accounts)
    ]  # fmt: skip
    return columns_of(each, HOUR)


def test_what_is_judged_fits_into_the_memory_and_the_targets_of_one_account_go_first():
    columns = crowd(600, of_one=200)
    room = Room(bytes_max=600 * (ACCOUNT_BYTES + 40 * CELL_BYTES))
    judged = room.within(columns, 0, requests_min=3)
    assert len(judged) == 600
    assert len(judged.targets) == 40
    assert {f"model:m{k}" for k in range(16)} <= set(judged.targets)
    assert (room.unnamed, room.left_out) == (216 - 40, 0)
    assert Room().within(columns, 0, requests_min=3) is columns


def test_of_accounts_those_that_cannot_be_judged_go_first_and_then_the_newest():
    columns = crowd(600)
    room = Room(bytes_max=300 * (ACCOUNT_BYTES + 16 * CELL_BYTES))
    judged = room.within(columns, 0, requests_min=3)
    assert len(judged) == 300
    assert room.left_out == 300
    enough = [name for name, n in zip(columns.ids, columns.n.tolist(), strict=True) if n >= 3]
    assert set(judged.ids) == set(enough[:300])  # the first are the oldest
    assert told(judged) == {name: one for name, one in told(columns).items() if name in judged.ids}


def test_memberships_take_of_the_same_memory_but_leave_a_quarter():
    columns = crowd(400)
    each = ACCOUNT_BYTES + 16 * CELL_BYTES
    assert len(Room(400 * each).within(columns, 100 * each, requests_min=3)) == 300
    assert len(Room(400 * each).within(columns, 4_000 * each, requests_min=3)) == 100


def test_an_hour_is_judged_within_what_is_reckoned_however_many_targets_one_account_brings():
    judge = Judge(Parameters())
    for of_one in (0, 240):
        columns = crowd(1_000, of_one=of_one)
        judge.judge(columns, HOUR)
        judge.last_tick, judge.last_groups = None, ()
        tracemalloc.start()
        judge.judge(columns, HOUR + 1)
        judge.judge(columns, HOUR + 2)  # while the tables of the hour before are held
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        reckoned = len(columns) * (ACCOUNT_BYTES + CELL_BYTES * len(columns.targets))
        assert 0.4 * reckoned < peak < 1.1 * reckoned
        judge = Judge(Parameters())


MEASURED = """
    import gc
    from pathlib import Path
    from tests.detectors.counts.test_room import Fed

    def resident():
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    fed = Fed({bytes_max})
    fed.hour(fed.regulars())
    before, most = resident(), 0
    for _ in range(3):
        fed.hour([*fed.regulars(), *fed.flood(30_000)])
        fed.shards.snapshot()
        most = max(most, resident() - before)
    print(most)
"""


@pytest.mark.slow
def test_a_process_under_a_flood_takes_no_more_than_twice_of_what_its_state_may_hold():
    def taken(bytes_max: str) -> int:
        """In a process of its own: this one has memory to spare from other tests."""
        program = textwrap.dedent(MEASURED).format(bytes_max=bytes_max)
        return int(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)

    bound = 20_000_000
    assert taken(str(bound)) < 2 * bound + 40_000_000  # the requests that the test itself makes
    assert taken("float('inf')") > 4 * bound
