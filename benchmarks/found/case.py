"""How does one simulated log go? Simulated, replayed and held against its truth, in one process, nothing on disk."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from benchmarks.found.credit import credit, watched
from benchmarks.found.moved import Moved
from benchmarks.found.rivals import RIVALS, Rival
from benchmarks.found.tied import Tied
from detectors.comparison.findings import Level
from detectors.counts.summary import Summary
from detectors.fleet import Judge
from detectors.judgement.belonging import FRESH_H, account_traits
from detectors.judgement.groups import Group, Tick, group_traits
from detectors.parameters import HOUR_MS, Parameters
from detectors.ties.membership import near_of
from stream.configuration import settings
from stream.contract.alert import Alert
from stream.pipeline.announced import Catalogue, read_catalogue
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded
from stream.simulate.events.story import Story
from stream.simulate.labelled import truth_of
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "out" / "quality"
# Whatever can change a result; an edit to any of it makes every result old.
SOURCES = ("detectors", "stream/simulate", "stream/pipeline", "stream/alerts", "stream/contract")
SOURCE_FILES = (
    "stream/configuration/sections.py", "benchmarks/found/case.py", "benchmarks/found/credit.py",
    "benchmarks/found/moved.py", "benchmarks/found/rivals.py", "benchmarks/found/tied.py",
)  # fmt: skip
SOURCE = "simulated"
NEAR_EVERY_H = 4  # accounts near networks are many, and change little from hour to hour


@dataclass(frozen=True, slots=True)
class Case:
    """One log: a scenario, on synthetic or production rhythms, of a seed. scale: times its accounts, where not 1."""

    scenario: str
    seed: int
    real: bool = False
    scale: float | None = None

    @property
    def name(self) -> str:
        """As it stands in tables.

        >>> Case("pivot", 3, real=True).name
        'pivot, real background'
        """
        scaled = "" if self.scale is None else f", times {self.scale:g}"
        return self.scenario + (", real background" if self.real else "") + scaled


def seeds(text: str) -> range:
    """FROM-TO, or one.

    >>> list(seeds("301-303")), list(seeds("7"))
    ([301, 302, 303], [7])
    """
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


@functools.cache
def version() -> str:
    """A hash of every source that a result depends on, as this process found them when it began."""
    return version_but("")


@functools.cache
def version_but(left_out: str) -> str:
    """The same, but for the file of this name."""
    digest = hashlib.blake2b(digest_size=6)
    paths = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.py")) if path.name != left_out]
    for path in [*paths, *(ROOT / name for name in SOURCE_FILES)]:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def result(case: Case, rivals: Sequence[str], told: Callable[[str], None]) -> dict[str, Any]:
    """What came of a case: measured now, or remembered if no source changed since."""
    kinds = "-".join(
        [case.name.replace(", ", "-").replace(" ", "-"), str(case.seed), *(["alone"] if not rivals else [])]
    )
    path = RESULTS / version() / f"{kinds}.json"
    if path.exists():
        return dict(json.loads(path.read_bytes()))
    found = measured(case, rivals, told)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    return found


def measured(case: Case, rivals: Sequence[str], told: Callable[[str], None]) -> dict[str, Any]:
    """Simulate, replay, and hold what was said against the truth. About three minutes for two million records."""
    began = time.monotonic()
    story = tell(case.scenario, case.seed, real=case.real, scale=case.scale)
    lines = Lines(story.fleet, story.course, case.seed)
    truth = truth_of(story, lines)
    tied = Tied(truth["campaigns"])
    run = _Run(story, _catalogue(truth), [RIVALS[name]() for name in rivals], lambda judge, _: tied.seen(judge))
    run.through(story, lines, told)
    said = credit(truth, run.alerts, run.fleet.named_accounts(), {one.campaign.name: one.at_ms for one in run.moved})
    return {
        "case": case.name,
        "seed": case.seed,
        "records": run.embedded.seen.records,
        "seconds": round(time.monotonic() - began, 1),
        "days": round((story.end_ms - story.start_ms) / (24 * HOUR_MS), 2),
        "said": said.document(),
        "tied": tied.parts(),
        "named": run.named.rows({account for one in truth["campaigns"] for account in one["accounts"]}),
        "watch": watched(truth, [row.account_id for row in run.fleet.judge.watch.rows]),
        "rivals": {rival.name: _tracks(rival, truth) for rival in run.rivals},
    }


def samples_of(case: Case, told: Callable[[str], None], **size: Any) -> dict[str, Any]:
    """Every network that moved in a case, hour by hour, with the truth beside: what `make learn` fits.

    size: `accounts` and `days` of the scenario, where they are not its own.

    Remembered in out/learn while no source changes but the numbers that were learnt.
    """
    path = ROOT / "out" / "learn" / version_but("learnt.py") / f"{case.scenario}-{case.seed}.json"
    if path.exists():
        return dict(orjson.loads(path.read_bytes()))
    story = tell(case.scenario, case.seed, real=case.real, scale=case.scale, **size)
    lines = Lines(story.fleet, story.course, case.seed)
    truth = truth_of(story, lines)
    sampler = Sampler(truth["campaigns"])
    _Run(story, _catalogue(truth), [], told_of=sampler.seen).through(story, lines, told)
    days = (story.end_ms - story.start_ms) / (24 * HOUR_MS)
    found = {"name": f"{case.scenario} {case.seed}", "days": days, "samples": sampler.samples}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY))
    return found


class Sampler:
    """The networks of every hour that moved, with how many of their accounts are a campaign's."""

    def __init__(self, campaigns: Sequence[Mapping[str, Any]]) -> None:
        self._owner = {account: i for i, one in enumerate(campaigns) for account in one["accounts"]}
        self._onset_h = [one["onset_ms"] // HOUR_MS for one in campaigns]
        self._hour = -1
        self.samples: list[dict[str, Any]] = []

    def seen(self, judge: Judge, hour: int) -> None:
        """Take what was judged in an hour; each hour counts once."""
        tick = judge.last_tick
        if tick is None or tick.hour == self._hour:
            return
        self._hour = tick.hour
        for group in judge.last_groups:
            if group.verdict is not None:
                self.samples.append(self._sample(tick, group, judge.parameters))

    def _sample(self, tick: Tick, group: Group, parameters: Parameters) -> dict[str, Any]:
        ids = tick.population.columns.ids
        owners = [self._owner.get(ids[row], -1) for row in group.rows.tolist()]
        most = Counter(owner for owner in owners if owner >= 0).most_common(1)
        return {
            "hour": tick.hour,
            "network": group.track.id,
            "share": sum(owner >= 0 for owner in owners) / len(owners),
            "since": tick.hour - self._onset_h[most[0][0]] if most else None,
            "traits": group_traits(tick, group, int(group.strong[0]), parameters),
            "members": [owner >= 0 for owner in owners],
            "near": self._near(tick, group) if tick.hour % NEAR_EVERY_H == 0 else None,
        }

    def _near(self, tick: Tick, group: Group) -> dict[str, Any] | None:
        """The accounts near a network that somebody might be told of."""
        if group.verdict is None or not group.verdict.worth_a_ticket:
            return None
        near = near_of(tick.known, group.rows, group.rows)
        ids = [tick.population.columns.ids[row] for row in near.tolist()]
        traits = account_traits(tick, group, near, group.track.born - FRESH_H)
        return {
            "keys": ids,
            "traits": {name: values.round(4) for name, values in traits.items()},
            "mine": [one in self._owner for one in ids],
        }


class Named:
    """Whom the incidents that somebody was told of named, and how sure: what `make calibrate` fits."""

    def __init__(self) -> None:
        self._named: dict[tuple[str, str], tuple[float, float]] = {}

    def seen(self, judge: Judge) -> None:
        """Take the last that is said of each."""
        for incident in judge.incidents.incidents:
            if incident.level >= Level.WARNING:
                for one in incident.evidence.values():
                    if one.named:
                        self._named[incident.key, one.account_id] = (one.odds, incident.hand)

    def rows(self, planted: set[str]) -> list[dict[str, Any]]:
        """incident, score, hand (see `belonging.probability`), and whether the account is a campaign's."""
        return [
            {"incident": incident, "score": score, "hand": hand, "mine": account in planted}
            for (incident, account), (score, hand) in self._named.items()
        ]


class _Run:
    """The composition that backtest runs, fed from the simulator."""

    def __init__(
        self, story: Story, catalogue: Catalogue, rivals: Sequence[Rival],
        told_of: Callable[[Judge, int], None] = lambda judge, hour: None,
    ) -> None:  # fmt: skip
        configured = settings.load()
        self.alerts: list[Alert] = []
        self.rivals = rivals
        self.moved = [Moved(campaign, len(story.fleet.accounts)) for campaign in story.truth.campaigns]
        self.fleet = Fleet(configured.parameters, catalogue.released_ms)
        self.fleet.expected = catalogue.announced(configured)
        self.embedded = Embedded(
            configured.parameters, [SOURCE], self.fleet, on_summary=[self._seen], on_alerts=[self._judged]
        )
        self.named = Named()
        self._told_of = told_of
        self._hour = 0

    def through(self, story: Story, lines: Lines, told: Callable[[str], None]) -> None:
        """The whole log."""
        offset, began = 0, time.monotonic()
        for hour, raws in enumerate(self._hours(story, lines)):
            for at in range(0, len(raws), 5_000):
                part = raws[at : at + 5_000]
                self.embedded.read(SOURCE, part, range(offset, offset + len(part)))
                self.embedded.advance(SOURCE)
                offset += len(part)
            if hour % 12 == 0:
                rate = offset / max(time.monotonic() - began, 1e-3)
                told(f"day {hour / 24:.1f}, {offset:,} records, {rate:,.0f}/s, {len(self.alerts)} alert records")
        self.embedded.advance(SOURCE, ended=True)

    def _hours(self, story: Story, lines: Lines) -> Iterator[list[bytes]]:
        for batch in story.traffic().hours():
            for one in self.moved:
                one.add(batch)
            yield [line for block in lines.blocks(batch) for line in block.lines]

    def _judged(self, alerts: Sequence[Alert]) -> None:
        self.alerts.extend(alerts)
        self.named.seen(self.fleet.judge)
        self._told_of(self.fleet.judge, self._hour)

    def _seen(self, summary: Summary) -> None:
        if summary.accounts is None:
            return
        hour = self._hour = (summary.tick + 1) * self.embedded.parameters.tick_ms // HOUR_MS - 1
        for rival in self.rivals:
            rival.learn(summary.accounts, hour)


def _catalogue(truth: Mapping[str, Any]) -> Catalogue:
    """As `--releases` and `--expected` would have it."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name in ("releases", "expected"):
            paths.append(Path(folder) / f"{name}.json")
            paths[-1].write_bytes(orjson.dumps(truth[name]))
        return read_catalogue(paths[0], paths[1])


def _tracks(rival: Rival, truth: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A rival's possible pages: when each reached what, and how many it named, of a campaign or not, by last hour."""
    campaign_of = {account: one["name"] for one in truth["campaigns"] for account in one["accounts"]}
    out = []
    for name, track in sorted(rival.tracks.items()):
        mine: dict[str, dict[str, int]] = {}
        others: Counter[int] = Counter()
        for account, hour in track.accounts.items():
            if account in campaign_of:
                mine.setdefault(campaign_of[account], {})[account] = hour
            else:
                others[hour] += 1
        out.append({"track": name, "records": track.records, "mine": mine, "others": sorted(others.items())})
    return out


def onsets(case: Case) -> dict[str, tuple[int, int]]:
    """Onset (ms) and number of accounts of each campaign of a case."""
    story = tell(case.scenario, case.seed, real=case.real, scale=case.scale)
    return {one.name: (one.onset_ms, len(set(one.accounts.tolist()))) for one in story.truth.campaigns}


def to_stderr(head: str) -> Callable[[str], None]:
    """Progress: one line that is written over on a terminal, else a line each."""
    end = "\r" if sys.stderr.isatty() else "\n"

    def told(text: str) -> None:
        sys.stderr.write(f"{head}: {text}{end}")
        sys.stderr.flush()

    return told
