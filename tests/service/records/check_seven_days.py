"""Seven days of history and then live, against running for all of them: the same alerts, byte for byte.

A fleet with three campaigns. Two of them lie in the past; the third begins an hour and a half before the past ends, so
that its page falls into what is live. `make history-test` runs it and prints what it compared; minutes, so no part of
`make test`.
"""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from stream.commands.begin import backtest
from stream.commands.begin.backtest import Asked
from stream.commands.through_kafka.hand_over import hand_over
from stream.configuration.settings import Settings
from stream.correlate import worker as correlate
from stream.detect import worker as detect
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.pipeline.announced import Catalogue, read_catalogue
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines
from tests.pace import PATIENCE_S
from tests.service.records.test_backfill import alerts_of, backfilled
from tests.service.records.test_same_as_backtest import comparable
from tests.service.rig import kafka_for, produce, running, until
from tests.service.traffic import HOUR_MS, MARCH_2_MS, closing
from tests.watch.test_backfill import untidy, watched

DAY_MS = 24 * HOUR_MS
CUT_MS, END_MS = MARCH_2_MS + 7 * DAY_MS, MARCH_2_MS + 7 * DAY_MS + 16 * HOUR_MS
PACKED = (lambda log: log, gzip.compress, zstandard.compress)
ENDINGS = ("", ".gz", ".zst")


@dataclass(frozen=True)
class Told:
    """A fleet's log in two ways, and what one run over all of it says. days: folder of seven logs; live: the rest."""

    folder: Path
    lines: int
    live: list[bytes]
    whole: list[bytes]

    @property
    def catalogue(self) -> Catalogue:
        return read_catalogue(self.folder / "releases.json", None)


@pytest.fixture(scope="module")
def told(tmp_path_factory) -> Told:
    folder = tmp_path_factory.mktemp("seven")
    story = tell("mixed", 3, accounts=600, days=9.0)
    (folder / "releases.json").write_text(json.dumps(story.truth.releases))
    made, lines = Lines(story.fleet, story.course, 3), []
    for batch in story.traffic().hours():
        lines += [line.rstrip(b"\n") for line in made.of(batch)]
        if json.loads(lines[-1])["timestamp"] >= END_MS:
            break
    lines = untidy(lines) + closing(END_MS + 3 * HOUR_MS, 0)
    cut = next(at for at, line in enumerate(lines) if line != b"{" and json.loads(line)["timestamp"] >= CUT_MS)
    days(folder / "days", lines[:cut])
    (folder / "live").write_bytes(b"\n".join(lines[cut:]) + b"\n")
    (folder / "whole").write_bytes(b"\n".join(lines) + b"\n")
    one = Told(folder, len(lines), lines[cut:], [])
    backtest.run(Asked([str(folder / "whole")], alerts=folder / "alerts"), Settings(), one.catalogue)
    return Told(folder, len(lines), lines[cut:], (folder / "alerts").read_bytes().splitlines())


def days(folder: Path, lines: list[bytes]) -> None:
    """Seven logs of three kinds."""
    folder.mkdir()
    size = -(-len(lines) // 7)
    for day in range(7):
        log = b"\n".join(lines[day * size : (day + 1) * size]) + b"\n"
        (folder / f"{day + 1}.ndjson{ENDINGS[day % 3]}").write_bytes(PACKED[day % 3](log))


def pages(records: list[bytes]) -> set[str]:
    """The alerts that became a page in these records."""
    return {one["alert_id"] for one in map(json.loads, records) if one["severity"] == "critical"}


def say(
    capsys: pytest.CaptureFixture[str], where: str, told: Told, past: list[bytes], live: list[bytes], s: float
) -> None:
    with capsys.disabled():
        print(
            f"\n{where}: {told.lines:,} records, of which {len(told.live):,} live; {len(past)} alert records in the "
            f"past ({len(pages(past))} pages), {len(live)} after it ({len(pages(live) - pages(past))} pages more), "
            f"all of them those of one run; {s:.0f} s"
        )


def test_on_files(told, tmp_path, capsys):
    began = time.monotonic()
    state = tmp_path / "state"
    state.mkdir()
    backfilled(Settings(), state, told.folder / "days", told.catalogue)
    past = (state / "history.alerts.ndjson").read_bytes().splitlines()
    live = watched(told.folder / "live", state, Settings(), told.catalogue)

    assert past + live == told.whole
    assert pages(past)
    assert pages(live) - pages(past), "a page falls into what is live"
    say(capsys, "files", told, past, live, time.monotonic() - began)


@pytest.mark.service("kafka")
async def test_on_kafka(told, bootstrap, unique, tmp_path, capsys):
    began = time.monotonic()
    settings = Settings(kafka=kafka_for(bootstrap, unique, flush_ms=200))
    kafka = settings.kafka
    await topics.create(kafka, 1)
    known = backfilled(settings, tmp_path, told.folder / "days", told.catalogue)
    await hand_over(settings, tmp_path, known, print)
    past = await alerts_of(kafka)
    async with broker.producer(kafka) as producer:
        for one in json.loads((told.folder / "releases.json").read_bytes()):
            await producer.send_and_wait(kafka.topics.releases, json.dumps(one).encode(), key=one["model"].encode())
    await produce(kafka, kafka.topics.requests, [(0, line) for line in told.live])
    expected = comparable(told.whole, END_MS)

    async def all_said() -> bool:
        return len(comparable(await alerts_of(kafka), END_MS)) >= len(expected)

    async with running(ingest.work, settings), running(detect.work, settings), running(correlate.work, settings):
        await until(all_said, 3 * PATIENCE_S)
    found = await alerts_of(kafka)

    assert comparable(found, END_MS) == expected
    before = set(past)
    live = [record for record in comparable(found, END_MS) if record not in before]
    assert pages(live) - pages(past)
    say(capsys, "Kafka", told, past, live, time.monotonic() - began)
