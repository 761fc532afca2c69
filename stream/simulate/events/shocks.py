"""What honest things happen in a fleet? One function each; they take the story and the day (0.0 is the log's begin)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stream.simulate.chance.catalogue import (
    CLIENT,
    COUNTRIES,
    DAY_MS,
    HOUR_MS,
    MODEL,
    MODELS,
    OFFSET_H,
    OLD_CLIENTS,
    TASK,
)
from stream.simulate.chance.draws import Choices, Floats, Ints
from stream.simulate.customers.attributes import home_providers
from stream.simulate.customers.population import newcomers
from stream.simulate.customers.rhythm import SERVICE
from stream.simulate.customers.shifts import Shift, Swell, onto_one
from stream.simulate.events.story import Story
from stream.simulate.events.truth import Shock

MINUTE_MS = 60_000


def happened(story: Story, kind: str, at_ms: int, streams: Ints | None = None) -> None:
    """Notes a shock in the truth; several of a kind are numbered."""
    number = sum(shock.kind == kind for shock in story.truth.shocks)
    accounts = None if streams is None else np.unique(story.fleet.streams.account[streams])
    story.truth.shocks.append(Shock(f"{kind}-{number + 1}", kind, at_ms, accounts))


def work_mix(count: int, work: dict[str, float]) -> Choices:
    """The same mix of tasks for `count` streams."""
    tasks = np.array([TASK[name] for name in work])
    return Choices.of(count, np.repeat(np.arange(count), len(tasks)), np.tile(tasks, count),
                      np.tile(np.array(list(work.values())), count))  # fmt: skip


def _newest(story: Story, at_ms: int) -> int:
    """The youngest model that is out."""
    out = [release["model"] for release in story.truth.releases if release["released_at"] <= at_ms]
    return MODEL[out[-1]] if out else MODEL["brio-2"]


def _members(story: Story, least: int, most: int) -> Ints:
    """The honest streams of one organisation whose size is in bounds, the nearest to the middle that there is."""
    rng = story.chance("organisation", len(story.truth.shocks))
    org = story.fleet.accounts.org[story.honest.account]
    size = np.bincount(org)
    fitting = np.flatnonzero((size >= least) & (size <= most))
    chosen = int(rng.choice(fitting)) if len(fitting) else int(np.argsort(np.abs(size - least), kind="stable")[0])
    streams: Ints = story.honest.stream[org == chosen]
    return streams


def _steady(story: Story) -> Ints:
    """The busiest tenth of the services that run round the clock."""
    streams, own = story.fleet.streams, story.honest.stream
    steady = own[(story.honest.service == 1) & (streams.minute[own] < 0) & (streams.trace[own] < 0)]
    candidates = steady if len(steady) else own
    busiest: Ints = candidates[np.argsort(-streams.per_day[candidates], kind="stable")]
    return busiest[: max(1, len(busiest) // 10)]


def _later(rng: np.random.Generator, count: int, at_ms: int, mean_h: float) -> Ints:
    return at_ms + (rng.exponential(mean_h, count) * HOUR_MS).astype(np.int64)


def org_migration(story: Story, day: float) -> None:
    """An organisation of dozens changes its model over an afternoon, and told nobody."""
    at_ms, rng = story.at(day), story.chance("migration", int(day * 24))
    streams = _members(story, 15, 120)
    _migrate(story, rng, streams, at_ms, 4.0)
    happened(story, "org_migration", at_ms, streams)


def giant_migration(story: Story, day: float) -> None:
    """The largest customer moves, unannounced; some of its records lack `org`, so that it looks like many."""
    at_ms, rng = story.at(day), story.chance("giant", int(day * 24))
    org = story.fleet.accounts.org[story.honest.account]
    streams = story.honest.stream[org == story.honest.giants[0]]
    _migrate(story, rng, streams, at_ms, 16.0)
    happened(story, "giant_migration", at_ms, streams)


def announced_migration(story: Story, day: float) -> None:
    """An organisation that told its account manager: the on-call engineer has an expected-shift record."""
    at_ms, rng = story.at(day), story.chance("announced", int(day * 24))
    org = story.fleet.accounts.org[story.honest.account]
    streams = story.honest.stream[org == story.honest.giants[1]]
    model = _migrate(story, rng, streams, at_ms, 8.0)
    story.announce(int(story.honest.giants[1]), f"model:{MODELS[model]}", at_ms - DAY_MS, at_ms + 10 * DAY_MS)
    happened(story, "announced_migration", at_ms, streams)


def _migrate(story: Story, rng: np.random.Generator, streams: Ints, at_ms: int, hours: float) -> int:
    model, count = _newest(story, at_ms), len(streams)
    ramp_ms = np.full(count, 2 * HOUR_MS)
    story.course.shifts.append(
        Shift("model", streams, _later(rng, count, at_ms, hours / 3), ramp_ms, rng.beta(9, 1, count),
              onto_one(count, model))
    )  # fmt: skip
    return model


def viral_feature(story: Story, day: float) -> None:
    """A feature that everybody shows around: images. It comes in waves of hours, and tires."""
    _goes_viral(story, "viral_feature", day, {"image": 4, "screen": 1, "chart": 1})


def viral_thinking(story: Story, day: float) -> None:
    """As viral_feature, for a switch that shows the model's reasoning."""
    _goes_viral(story, "viral_thinking", day, {"reason": 4, "code_review": 1, "grade": 1})


def _goes_viral(story: Story, kind: str, day: float, work: dict[str, float]) -> None:
    """One account in five takes up the work, each at its time and to its own depth."""
    at_ms, rng = story.at(day), story.chance(kind, int(day * 24))
    streams = np.sort(rng.choice(story.honest.stream, len(story.honest.stream) // 5, replace=False))
    count = len(streams)
    onset = at_ms + (np.clip(14 + 6 * rng.logistic(size=count), 0, 90) * HOUR_MS).astype(np.int64)
    story.course.shifts.append(
        Shift("task", streams, onset, np.full(count, HOUR_MS), rng.beta(1.6, 1.6, count), work_mix(count, work),
              half_life_ms=48 * HOUR_MS)
    )  # fmt: skip
    happened(story, kind, at_ms, streams)


def hackathon(story: Story, day: float) -> None:
    """A weekend in one hall: one prefix, a sponsor's starter prompt, new and old accounts, agents and code."""
    at_ms, rng = story.at(day), story.chance("hackathon", int(day * 24))
    end_ms = at_ms + 34 * HOUR_MS
    born = at_ms - (rng.random(70) * 6 * HOUR_MS).astype(np.int64)
    fresh, _ = newcomers(story.fleet, rng, story.honest, len(born), born, per_day=6.0)
    account = np.concatenate((fresh, rng.choice(story.honest.account, 50, replace=False)))
    streams = story.fleet.add_streams(
        len(account), account=account, profile=SERVICE,
        per_day=90 * story.light**0.5 * np.exp(0.9 * rng.standard_normal(len(account))),
        start_ms=at_ms + (rng.random(len(account)) * 5 * HOUR_MS).astype(np.int64), end_ms=end_ms,
    )  # fmt: skip
    hall = story.fleet.new_networks(home_providers(rng, 1))
    starter = story.fleet.new_values("template", 1)
    story.fleet.offer("network", streams, hall[0], 1.0)
    story.fleet.offer("template", streams, starter[0], rng.random(len(streams)))
    story.fleet.offer("template", streams, story.fleet.new_values("template", len(streams)), rng.random(len(streams)))
    story.fleet.offer("payment", streams, story.fleet.new_values("payment", len(streams)))
    story.fleet.offer("client", streams, rng.integers(0, OLD_CLIENTS, len(streams)))
    story.fleet.offer("model", streams, _newest(story, at_ms), 2.0)
    story.fleet.offer("model", streams, MODEL["atlas-3"], 1.0)
    for name, weight in (("code_agent", 3.0), ("agent", 2.0), ("code", 2.0), ("orchestrate", 1.5), ("image", 1.0)):
        story.fleet.offer("task", streams, TASK[name], weight * rng.gamma(1.0, 1.0, len(streams)))
    happened(story, "hackathon", at_ms, streams)


def outage(story: Story, day: float) -> None:
    """Fifty minutes in which next to nothing is served; then services and people catch up for two hours."""
    at_ms, streams = story.at(day), story.honest.stream
    back_ms = at_ms + (50 if story.world is None else story.world.life.outage_minutes) * MINUTE_MS
    service = streams[story.honest.service == 1]
    story.course.swells += [
        Swell(np.arange(len(story.fleet.streams)), at_ms, back_ms, 0.02),
        Swell(streams, back_ms, back_ms + 2 * HOUR_MS, 1.25),
        Swell(service, back_ms, back_ms + HOUR_MS, 1.6),
    ]
    happened(story, "outage", at_ms)


def tag_rename(story: Story, day: float) -> None:
    """The platform calls `data_analysis` `analytics`, on all machines within an hour."""
    story.course.rename_ms = story.at(day)
    happened(story, "tag_rename", story.course.rename_ms)


def retries(story: Story, day: float) -> None:
    """One customer's client has an error and asks the same again and again, for three hours."""
    at_ms, rng = story.at(day), story.chance("retries", int(day * 24))
    stream = np.array([rng.choice(_steady(story))])
    story.course.swells.append(Swell(stream, at_ms, at_ms + 3 * HOUR_MS, 15.0))
    task = Shift("task", stream, np.array([at_ms]), np.array([1]), np.array([0.97]), onto_one(1, TASK["tool"]),
                 until_ms=at_ms + 3 * HOUR_MS)  # fmt: skip
    story.course.shifts.append(task)
    happened(story, "retries", at_ms, stream)


def holiday(story: Story, day: float) -> None:
    """One country stays at home for a day; its services go on."""
    rng = story.chance("holiday", int(day * 24))
    country = int(rng.choice(np.arange(1, 8)))
    at_ms = story.at(np.floor(day)) - int(OFFSET_H[country]) * HOUR_MS
    here = (story.fleet.accounts.country[story.honest.account] == country) & (story.honest.service == 0)
    streams = story.honest.stream[here]
    story.course.swells.append(Swell(streams, at_ms, at_ms + DAY_MS, 0.3))
    happened(story, f"holiday_{COUNTRIES[country].code}", at_ms)


def framework_version(story: Story, day: float) -> None:
    """A framework's new version: its users' client changes over days, and so does the default prompt that it sends."""
    at_ms, rng = story.at(day), story.chance("framework", int(day * 24))
    streams = story.honest.stream
    count = len(streams)
    old = (CLIENT["chainwork/0.3.9"], CLIENT["chainwork/0.4.1"])
    default = story.fleet.new_values("template", 1)[0]
    onset, ramp = _later(rng, count, at_ms, 40.0), np.full(count, HOUR_MS)
    depth: Floats = (rng.random(count) < 0.7).astype(np.float64)
    story.course.shifts += [
        Shift("client", streams, onset, ramp, depth, onto_one(count, CLIENT["chainwork/0.5.0"]), leaving=old),
        Shift("template", streams, onset, ramp, depth, onto_one(count, int(default)),
              leaving=(int(story.honest.world.framework_templates[1]),)),
    ]  # fmt: skip
    happened(story, "framework_version", at_ms)


def tutorial(story: Story, day: float) -> None:
    """A tutorial goes round: hundreds try its prompt and its way of orchestrating for a day or two."""
    at_ms, rng = story.at(day), story.chance("tutorial", int(day * 24))
    streams = np.sort(rng.choice(story.honest.stream, 40 + len(story.honest.stream) // 45, replace=False))
    count = len(streams)
    prompt = int(story.fleet.new_values("template", 1)[0])
    onset = at_ms + (rng.gamma(2.0, 14.0, count) * HOUR_MS).astype(np.int64)
    ramp, depth = np.full(count, HOUR_MS // 2), rng.beta(2, 2, count)
    work = work_mix(count, {"orchestrate": 2, "agent": 1})
    for column, onto in (("task", work), ("template", onto_one(count, prompt))):
        story.course.shifts.append(Shift(column, streams, onset, ramp, depth, onto, half_life_ms=22 * HOUR_MS))
    happened(story, "tutorial", at_ms, streams)


def benchmark(story: Story, day: float) -> None:
    """A company that compares models hammers the newest one for two days, from six accounts round the clock."""
    at_ms, rng = story.at(day), story.chance("benchmark", int(day * 24))
    org = story.fleet.new_orgs(1)
    account, own = newcomers(story.fleet, rng, story.honest, 6, story.start_ms - 90 * DAY_MS, org=np.repeat(org, 6))
    streams = story.fleet.add_streams(
        6, account=account, per_day=900.0 * story.light**0.5, profile=SERVICE, burst=8.0, session=30.0, gap_s=2.0,
        start_ms=at_ms, end_ms=at_ms + 2 * DAY_MS,
    )  # fmt: skip
    story.fleet.offer("model", streams, _newest(story, at_ms), 1.0)
    story.fleet.offer("payment", streams, story.fleet.new_values("payment", 1)[0])
    story.fleet.offer("network", streams, rng.choice(story.honest.world.cloud, 6))
    story.fleet.offer("client", streams, CLIENT["python-sdk/1.42"])
    for prompt in story.fleet.new_values("template", 8):
        story.fleet.offer("template", streams, int(prompt), 1.0)
    for name, weight in (("grade", 2.0), ("reason", 3.0), ("code", 2.0), ("table", 1.0), ("image", 0.5)):
        story.fleet.offer("task", streams, TASK[name], weight)
    happened(story, "benchmark", at_ms, np.concatenate((own, streams)))


SHOCKS: dict[str, Callable[[Story, float], None]] = {
    shock.__name__: shock
    for shock in (
        org_migration, giant_migration, announced_migration, viral_feature, viral_thinking, hackathon, outage,
        tag_rename, retries, holiday, framework_version, tutorial, benchmark,
    )
}  # fmt: skip
