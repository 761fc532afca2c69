"""An honest day pages nobody and writes no ticket: a gap, sampling, a migration, a failover, an A/B test."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import orjson
import pytest

from detectors.counts.rows import key_of
from detectors.parameters import Parameters
from stream.contract.alert import Alert
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

pytestmark = pytest.mark.slow

HOUR_MS = 3_600_000
DAYS, ACCOUNTS = 5.0, 300
OLD, NEW, OTHER = "atlas-3", "atlas-4", "brio-2"
Record = dict[str, Any]


@pytest.fixture(scope="module")
def log() -> tuple[int, list[Record], dict[str, int]]:
    """(the first hour in ms, the requests of a quiet fleet with a release, when each model came out)."""
    story = tell("quiet", 3, accounts=ACCOUNTS, days=DAYS)
    lines = Lines(story.fleet, story.course, 3)
    records = [orjson.loads(line) for batch in story.traffic().hours() for line in lines.of(batch)]
    released = {one["model"]: one["released_at"] for one in story.truth.releases}
    return story.start_ms, records, released


def is_chosen(name: str, part: float) -> bool:
    """The same part of all names in every run."""
    return key_of(name) % 1_000 < 1_000 * part


def moved(records: Iterable[Record], from_ms: int, until_ms: int, was: str, now: str, part: float) -> Iterator[Record]:
    """A part of the accounts gets another model between two times."""
    for one in records:
        is_hit = one["model"] == was and from_ms <= one["timestamp"] < until_ms and is_chosen(one["account_id"], part)
        yield {**one, "model": now} if is_hit else one


def quiet(records: list[Record], at_ms: int) -> Iterable[Record]:
    return records


def gap(records: list[Record], at_ms: int) -> Iterable[Record]:
    """Nothing comes for six hours."""
    return (one for one in records if not at_ms <= one["timestamp"] < at_ms + 6 * HOUR_MS)


def sampling(records: list[Record], at_ms: int) -> Iterable[Record]:
    """From now on every fifth request is logged."""
    return (one for one in records if one["timestamp"] < at_ms or is_chosen(one["event_id"], 0.2))


def forced_migration(records: list[Record], at_ms: int) -> Iterable[Record]:
    """The old model is switched off, and everybody gets the new one."""
    return moved(records, at_ms, 1 << 60, OLD, NEW, 1.0)


def failover(records: list[Record], at_ms: int) -> Iterable[Record]:
    """A model is down for three hours, and another one answers."""
    return moved(records, at_ms, at_ms + 3 * HOUR_MS, OTHER, OLD, 1.0)


def ab_test(records: list[Record], at_ms: int) -> Iterable[Record]:
    """The platform gives the new model to one account in twenty."""
    return moved(records, at_ms, 1 << 60, OLD, NEW, 0.05)


def told(records: Iterable[Record], released: dict[str, int]) -> list[Alert]:
    """What the product says of a log."""
    came: list[Alert] = []
    parameters = Parameters()
    embedded = Embedded(parameters, ["log"], Fleet(parameters, released), on_alerts=[came.extend])
    raws = [orjson.dumps(one) for one in records]
    for start in range(0, len(raws), 5_000):
        piece = raws[start : start + 5_000]
        embedded.read("log", piece, range(start, start + len(piece)))
        embedded.advance("log")
    embedded.advance("log", ended=True)
    assert embedded.seen.accepted > 10_000
    return came


@pytest.mark.parametrize("happens", [quiet, gap, sampling, forced_migration, failover, ab_test])
def test_nobody_is_called_and_no_ticket_is_written(log, happens: Callable[[list[Record], int], Iterable[Record]]):
    start_ms, records, released = log
    came = told(happens(records, start_ms + 96 * HOUR_MS), released)
    assert [one.summary for one in came if one.severity != "info"] == []
