"""Is an account that was forgotten in nothing that the fleet remembers, and does the fleet go on well without it?"""

from __future__ import annotations

import json
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from detectors.counts.rows import key_of
from detectors.counts.snapshot import MAGIC, from_bytes
from detectors.parameters import Parameters
from stream.contract import alert
from stream.pipeline.composition import Fleet, Shards
from stream.pipeline.embedded import Embedded
from stream.pipeline.frames import SUMMARY_MAGIC, decode_summary
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

pytestmark = pytest.mark.slow
PARAMETERS = Parameters()
SOURCE = "log"


def holds(value, account: str) -> list[str]:
    """Where in a state the account is, by name or by number, in whatever bytes."""
    return list(_found(value, account, key_of(account), "$"))


def _found(value, account: str, key: int, at: str):
    if isinstance(value, str):
        if account in value:
            yield at
    elif isinstance(value, bool | float | None):
        return
    elif isinstance(value, int):
        if value == key:
            yield at
    elif isinstance(value, np.ndarray):
        if value.dtype.kind in "ui" and (value.astype(np.uint64) == np.uint64(key)).any():
            yield at
    elif isinstance(value, bytes):
        yield from _found(opened(value), account, key, f"{at}<bytes>")
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from _found(name, account, key, f"{at}.key")
            yield from _found(one, account, key, f"{at}.{name}")
    elif isinstance(value, list | tuple):
        for number, one in enumerate(value):
            yield from _found(one, account, key, f"{at}[{number}]")


def opened(raw: bytes):
    if raw.startswith(MAGIC):
        return from_bytes(raw)
    if raw[:1] == bytes([SUMMARY_MAGIC]):
        columns = decode_summary(raw).accounts
        return [] if columns is None else [list(columns.ids), columns.keys]
    return msgspec.msgpack.decode(raw)


def state_of(one: Fleet | Shards):
    pieces = one.snapshot()
    return from_bytes(b"".join(pieces[name] for name in sorted(pieces)))


def batches(lines, size: int = 2_000):
    for at in range(0, len(lines), size):
        yield lines[at : at + size], range(at, min(at + size, len(lines)))


@pytest.fixture(scope="module")
def past() -> SimpleNamespace:
    """A small fleet up to the hour in which a campaign's accounts were named, and the records that follow."""
    story = tell("pivot", 1, accounts=300, days=5.5)
    made = Lines(story.fleet, story.course, 1)
    lines = [line.rstrip(b"\n") for batch in story.traffic().hours() for line in made.of(batch)]
    released = {one["model"]: one["released_at"] for one in story.truth.releases}
    fleet, alerts = Fleet(PARAMETERS, released), []
    embedded = Embedded(PARAMETERS, [SOURCE], fleet, on_alerts=[alerts.extend])
    for raws, offsets in batches(lines):
        embedded.read(SOURCE, raws, offsets)
        embedded.advance(SOURCE)
        if len(fleet.named_accounts()) >= 20:
            break
    at = embedded.position(SOURCE) + 1
    return SimpleNamespace(
        fleet=fleet, shards=embedded.shards, at=at, rest=lines[at:], released=released, alerts=alerts,
        clock=embedded.clock_state(SOURCE),
    )  # fmt: skip


def again(past: SimpleNamespace) -> tuple[Fleet, Shards]:
    """The same fleet and shards, as a restart brings them back."""
    fleet = Fleet(PARAMETERS, past.released)
    fleet.restore(past.fleet.snapshot())
    return fleet, Shards.restore(PARAMETERS, past.shards.snapshot())


def gone_on(past: SimpleNamespace, fleet: Fleet, shards: Shards, records: list[bytes]) -> list[bytes]:
    """The alert records of what follows."""
    told = []
    embedded = Embedded(PARAMETERS, [], fleet, on_alerts=[told.extend], shards=shards)
    embedded.begin(SOURCE, past.at - 1, past.clock)
    embedded.read(SOURCE, records, range(past.at, past.at + len(records)))
    embedded.advance(SOURCE, ended=True)
    return [alert.encode(one) for one in told]


def test_nothing_holds_it_and_the_alerts_name_one_less(past):
    fleet, shards = again(past)
    named = fleet.named_accounts()
    gone = named[0].account_id
    assert len(holds(state_of(fleet), gone)) > 8, "so that the search can fail"
    assert holds(state_of(shards), gone)

    changed = fleet.forget(gone)
    left = Shards.of_others([shards], 0, 1, without=(gone,))

    assert holds(state_of(fleet), gone) == []
    assert holds(state_of(left), gone) == []
    before = {one.alert_id: one for one in past.alerts}
    assert {one.alert_id for one in changed} == {name for name, one in before.items() if gone in one.accounts}
    assert changed
    assert all(gone not in alert.encode(one).decode() for one in changed)
    assert [one.account_id for one in fleet.named_accounts()] == [one.account_id for one in named[1:]]
    assert all(one.accounts_total == before[one.alert_id].accounts_total - 1 for one in changed)


def test_who_asks_no_more_is_never_named_again(past):
    fleet, shards = again(past)
    gone = fleet.named_accounts()[0].account_id
    fleet.forget(gone)
    others = [line for line in past.rest if json.loads(line)["account_id"] != gone]
    assert len(others) < len(past.rest), "so that it matters"

    told = gone_on(past, fleet, Shards.of_others([shards], 0, 1, without=(gone,)), others)

    assert told
    assert all(gone not in record.decode() for record in told)


def test_to_forget_whom_nobody_knows_changes_no_record(past):
    fleet, shards = again(past)
    assert fleet.forget("nobody of this name") == []

    told = gone_on(past, fleet, Shards.of_others([shards], 0, 1, without=("nobody of this name",)), past.rest)

    assert told == gone_on(past, *again(past), past.rest)
    assert told
