"""A console over a small life of alerts, for every test of it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import aiohttp
import numpy as np
import pytest
from yarl import URL

from detectors.comparison.findings import Finding, Level, Member, Phase, Subject, Target
from detectors.counts.rows import Sets, key_of
from detectors.counts.summary import AccountColumns, CohortCounts, Summary
from detectors.triage.watchlist import Watched
from stream.configuration.sections import Http
from stream.configuration.settings import Settings
from stream.console.desk import Desk
from stream.console.health import Health
from stream.console.routes.site import attach
from stream.oncall.voice import EmbeddedVoice
from stream.pipeline.composition import Fleet, Judged

T0 = 1_770_260_400_000  # 2026-02-05 03:00 UTC
HOUR_MS = 3_600_000
HOSTILE = "<script>alert(1)</script>"
TARGETS = ("capability:coding", "model:atlas-3", "model:atlas-4")


def members(count: int, prefix: str = "acct", first: Sequence[str] = ()) -> tuple[Member, ...]:
    """Accounts that moved, those of `first` before the others."""
    names = [*first, *(f"{prefix}_{number:05d}" for number in range(count - len(first)))]
    return tuple(Member(name, 0.99 - n / 1e6, T0 - HOUR_MS, 40 + n % 7, 0.02, 0.5) for n, name in enumerate(names))


def finding(
    key: str, who: Subject, named: Sequence[Member], at_ms: int, level: Level = Level.CRITICAL, model: str = "atlas-4"
) -> Finding:
    """A group that moved to a model, as the detectors say it."""
    shared = [
        {"dimension": "payment", "value": f"card-{key}", "accounts": len(named), "organisations": 9, "elsewhere": 0},
        {"dimension": "template", "value": HOSTILE, "accounts": 3, "organisations": 3, "elsewhere": 1},
    ]
    evidence: dict[str, Any] = {
        "ticks": 2, "accounts": len(named), "organisations": 104, "requests": 4_812, "window_h": 24,
        "share_before": 0.02,
        "share_after": 0.48, "share_expected": 0.11, "comparable_change": 0.09, "statistic": 9.1, "threshold": 5.0,
        "shared_values": shared, "series": [[T0 + n * HOUR_MS, n / 50, n / 200] for n in range(24)],
        "votes": [{"trait": "load_spread", "value": 0.55, "nats": 1.2, "one_hand": True},
                  {"trait": "widest", "value": 0.4, "nats": -0.7, "one_hand": False}],
        "log_odds": 2.5, "log_odds_now": 2.25, "log_odds_page": 2.0, "log_odds_ticket": -0.5,
    }  # fmt: skip
    return Finding(
        key, "release_shift", who, (Target("model", model),), level, Phase.MOVING, at_ms, T0 - 9 * HOUR_MS,
        tuple(named), evidence, "several votes",
    )  # fmt: skip


def summary(tick: int, tick_ms: int, accounts: Sequence[str] = ()) -> Summary:
    """One tick: the fleet and one organisation, and the columns of accounts where some are named."""
    share = max(10, min(90, (tick * tick_ms - T0) // HOUR_MS + 10))
    counts = CohortCounts(
        cohorts=(("", ""), ("org", "org_7")),
        targets=TARGETS,
        requests=np.array([300, 30]),
        accounts=np.array([90, 9]),
        at=np.array([0, 0, 0, 1, 1]),
        target=np.array([0, 1, 2, 1, 2]),
        count=np.array([60, 300 - share, share, 10, 20]),
    )
    columns = _columns(accounts, share) if accounts else None
    return Summary(tick, tuple(range(256)), {"accepted": 300}, counts, columns)


def _columns(accounts: Sequence[str], share: int) -> AccountColumns:
    ids = tuple(sorted(accounts))
    size = len(ids)
    whole, none = np.zeros(size, np.int64), Sets(np.arange(size + 1) * 0, np.zeros(0, np.int64))
    return AccountColumns(
        ids=ids, keys=np.array([key_of(one) for one in ids], np.uint64), shards=np.zeros(size, np.uint8), names=(),
        org=whole.astype(np.int32) - 1, country=whole.astype(np.int32) - 1, signup_week=whole.astype(np.int32) - 1,
        first_seen_ms=whole + T0, targets=TARGETS, n=whole + 100,
        fast=Sets(np.arange(size + 1) * 2, np.tile([1, 2], size)),
        fast_count=np.tile(np.array([100 - share, share], np.uint32), size),
        nb=np.zeros(size, np.float32), slow=none, slow_count=np.zeros(0, np.float32),
        hours=np.zeros((size, 24), np.uint16), bins=np.zeros((size, 12), np.uint16), values=(),
        value_keys=np.zeros(0, np.uint64), carried=none, carried_count=np.zeros(0, np.uint32),
    )  # fmt: skip


def holding(held: Mapping[str, Sequence[tuple[str, str]]], org: Mapping[str, str] | None = None) -> AccountColumns:
    """The columns of a tick in which these accounts carried these values, and are of these organisations."""
    org = org or {}
    columns = _columns(list(held), 50)
    values = tuple(sorted({value for one in held.values() for value in one}))
    items = [sorted(values.index(value) for value in held[account]) for account in columns.ids]
    names = tuple(sorted(set(org.values())))
    return replace(
        columns, values=values, value_keys=np.array([key_of("\0".join(one)) for one in values], np.uint64),
        carried=Sets(np.cumsum([0, *map(len, items)]), np.array([one for row in items for one in row], np.uint32)),
        carried_count=np.ones(sum(map(len, items)), np.uint32), names=names,
        org=np.array([names.index(org[one]) if one in org else -1 for one in columns.ids], np.int32),
    )  # fmt: skip


@dataclass
class Told:
    """A fleet whose findings are given, and the console that shows it."""

    desk: Desk
    fleet: Fleet
    tick: int = T0 // 300_000
    findings: list[Finding] = field(default_factory=list)

    def step(self, ticks: int = 1, accounts: Sequence[str] = ()) -> list[str]:
        """Judge ticks with the findings of now; gives the ids of alerts that changed."""
        changed = []
        for _ in range(ticks):
            self.tick += 1
            at_ms = self.fleet.at_ms = (self.tick + 1) * 300_000
            alerts = self.fleet.life.step(
                self.findings, at_ms, expected=self.fleet.expected, verdicts=self.fleet.verdicts
            )
            parts = [summary(self.tick, 300_000, accounts if (self.tick + 1) % 12 == 0 else ())]
            self.fleet.on_tick(Judged(at_ms, parts, self.findings, alerts))
            changed += [one.alert_id for one in alerts]
        return changed

    def carry(self, columns: AccountColumns) -> None:
        """From the next network tick on, the judge knows that these accounts carry what they carry."""
        judge: Any = self.fleet.judge
        judge.carriers.learn(columns, (self.tick + 12) // 12)
        judge.last_tick = SimpleNamespace(population=SimpleNamespace(columns=columns))

    def pass_hours(self, hours: int, accounts: Sequence[str]) -> None:
        """Ticks that change nothing, and show what these accounts used."""
        for _ in range(12 * hours):
            self.tick += 1
            at_ms = self.fleet.at_ms = (self.tick + 1) * 300_000
            parts = [summary(self.tick, 300_000, accounts if (self.tick + 1) % 12 == 0 else ())]
            self.fleet.on_tick(Judged(at_ms, parts, (), ()))


def told(http: Http | None = None) -> Told:
    """Nothing has happened yet."""
    desk = Desk(Settings(http=http or Http(port=0)))
    fleet = Fleet(desk.settings.parameters, {"atlas-4": T0 + 3 * HOUR_MS // 2})
    desk.view.follow(fleet)
    desk.voice = EmbeddedVoice(fleet)
    desk.now_ms = lambda: fleet.at_ms or T0
    return Told(desk, fleet)


def fired(named: tuple[Member, ...]) -> Told:
    """One network of these members moved for five hours: an alert names them."""
    one = told()
    one.findings = [finding("net-1", CLUSTER, named, 0)]
    one.step(60, [member.account_id for member in named])
    return one


def watched(account_id: str, **other: Any) -> Watched:
    """A row of the watch list."""
    given: dict[str, Any] = {
        "account_id": account_id, "score": 9.3, "moved": 6.1, "grew": 1.2, "odd": 2.0, "since_ms": T0,
        "target": "capability:coding", "share_before": 0.04, "share_after": 0.52, "p": 0.006, "requests": 210,
        "requests_usual": 96.4,
    }  # fmt: skip
    return Watched(**(given | other))


CLUSTER = Subject("cluster", "net-1")


@pytest.fixture
def quiet() -> Told:
    """A fleet without an alert."""
    return told()


@pytest.fixture
def campaign(quiet: Told) -> Told:
    """One critical alert over 60 accounts, one of which has a hostile name."""
    named = members(60, first=[HOSTILE, "=1+1", ".."])
    quiet.findings = [finding("net-1", CLUSTER, named, T0)]
    quiet.step(25, [one.account_id for one in named] + ["honest_1"])
    return quiet


class Visitor:
    """A browser without JavaScript: keeps cookies, reads pages, presses buttons."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    async def get(self, path: str, **more: Any) -> tuple[int, str]:
        async with self.session.get(URL(self.address + path, encoded=True), **more) as answer:
            return answer.status, await answer.text()

    async def page(self, path: str) -> str:
        status, text = await self.get(path)
        assert status == 200, (path, status, text[:500])
        return text

    async def json(self, path: str) -> Any:
        async with self.session.get(URL(self.address + path, encoded=True)) as answer:
            return await answer.json()

    async def press(self, page: str, action: str, **fields: str) -> tuple[int, str]:
        """Send one of the forms of a page."""
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', await self.page(page))
        assert csrf
        return await self.post(action, csrf=csrf[1], **fields)

    async def post(self, path: str, **fields: str) -> tuple[int, str]:
        async with self.session.post(self.address + path, data=fields) as answer:
            return answer.status, await answer.text()

    async def send(self, path: str, body: Any, **more: Any) -> tuple[int, Any]:
        async with self.session.post(self.address + path, json=body, **more) as answer:
            return answer.status, await answer.json()


@asynccontextmanager
async def visiting(desk: Desk) -> AsyncIterator[Visitor]:
    """The console served, and somebody who looks at it."""
    health = Health(desk.settings.http, ready=desk.ready)
    attach(desk, health.app)
    async with health:
        address = f"http://127.0.0.1:{health.port}"
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            yield Visitor(session, address)


@pytest.fixture
def visit() -> Callable[[Desk], Any]:
    """`async with visit(desk) as visitor`."""
    return visiting


@pytest.fixture(scope="session")
def make_told() -> Callable[..., Told]:
    """`make_told(http)`: a quiet fleet behind another door."""
    return told


@pytest.fixture(scope="session")
def make_finding() -> Callable[..., Finding]:
    """`make_finding(key, subject, level=..., count=...)`: a group that moves now."""

    def make(key: str, who: Subject, count: int = 20, level: Level = Level.CRITICAL, model: str = "atlas-4") -> Finding:
        return finding(key, who, members(count, prefix=key), T0, level, model)

    return make


@pytest.fixture(scope="session")
def make_summary() -> Callable[..., Summary]:
    """`make_summary(tick, accounts)`: one tick of 5 minutes; with accounts, one that closes an hour."""

    def make(tick: int, accounts: Sequence[str]) -> Summary:
        return summary(tick, 300_000, accounts)

    return make
