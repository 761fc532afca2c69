"""What does an adversary gain who has read how Swerve decides? Stories, each measured, for docs/adversary.md.

`make adversary` simulates one small campaign (`swerve simulate --scenario pivot`), has the attacker change what it
sends in one way after the other, replays each log, and writes what was found. Nothing of the judgement is changed
for it, and no figure is written by hand. About a minute a story.
"""

from __future__ import annotations

import itertools
import random
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from benchmarks.found.case import SOURCE, to_stderr
from benchmarks.found.credit import credit
from detectors.parameters import HOUR_MS
from stream.alerts.expected_shifts import Announced
from stream.configuration import settings
from stream.contract.alert import Alert
from stream.contract.expected import decode_expected
from stream.pipeline.composition import Fleet
from stream.pipeline.embedded import Embedded
from stream.simulate.labelled import blocks, truth_of
from stream.simulate.scenarios import tell
from stream.simulate.writing.write import Lines

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "adversary.md"
BEGIN, END = "<!-- adversary: begin -->", "<!-- adversary: end -->"
DAY_MS = 24 * HOUR_MS
LINKS = ("payment", "ip_prefix", "template")
SURE = 0.5  # who is named with more is as good as accused
Record = dict[str, Any]


@dataclass(slots=True)
class World:
    """What the attacker knows: its own accounts, the release that it wants, and some honest customers to borrow of."""

    accounts: Sequence[str]
    onset_ms: int
    target: str
    victims: Sequence[str]
    honest: Set[str]
    values_of: Mapping[str, Mapping[str, str]]  # of each account, its last value of each link dimension
    chance: random.Random = field(default_factory=lambda: random.Random(17))

    def number(self, account: str) -> int:
        """Which of the attacker's accounts it is; they are sorted."""
        return bisect_left(self.accounts, account)


#: What becomes of one request of the attacker's: one or more, in its stead.
Twist = Callable[[World, Record], list[Record]]


def _as_it_is(world: World, record: Record) -> list[Record]:
    return [record]


def _framing(world: World, record: Record) -> list[Record]:
    """In one request of twenty, exit, prompt and payment of an honest customer who took the release up."""
    if world.victims and world.chance.random() < 0.05:
        record["attributes"].update(world.values_of[world.chance.choice(world.victims)])
    return [record]


def _idle(world: World, record: Record) -> list[Record]:
    """Three more accounts for each, with the same values, that go on with the model of before."""
    more = []
    for k in range(3):
        if world.chance.random() < 0.1:
            idle = orjson.loads(orjson.dumps(record))
            idle["event_id"] += f"-{k}"
            idle["account_id"] += f"-idle-{k}"
            idle["attributes"]["org"] = f"org-{idle['account_id']}"
            idle["model"] = "atlas-3" if record["model"] == world.target else record["model"]
            more.append(idle)
    return [record, *more]


def _two_ties(world: World, record: Record) -> list[Record]:
    """A payment in common with one other account, an exit with another one, and a prompt with nobody."""
    i = world.number(record["account_id"])
    given = record["attributes"]
    given["payment"], given["ip_prefix"], given["template"] = f"card-{i // 2}", f"exit-{(i + 1) // 2}", f"prompt-{i}"
    return [record]


def _one_organisation(world: World, record: Record) -> list[Record]:
    """All accounts under the roof of one organisation."""
    record["attributes"]["org"] = "org-of-them-all"
    return [record]


def _a_value_a_day(world: World, record: Record) -> list[Record]:
    """Exits, prompts and payments are shared as before, but each for one day alone."""
    given = record["attributes"]
    for name in LINKS:
        if name in given:
            given[name] += f"-{record['timestamp'] // DAY_MS}"
    return [record]


def _flooding(world: World, record: Record) -> list[Record]:
    """Throwaway accounts of 150 organisations carry what the campaign shares, until it looks popular."""
    flood = []
    for _ in range(2):
        i = world.chance.randrange(150)
        one = orjson.loads(orjson.dumps(record))
        one["event_id"] += f"-{len(flood)}f"
        one["account_id"], one["attributes"]["org"], one["model"] = f"throwaway-{i}", f"org-throwaway-{i}", "atlas-3"
        flood.append(one)
    return [record, *flood]


def _slowly(world: World, record: Record) -> list[Record]:
    """The release is taken up over a day, a little more every hour, as the population does."""
    part = (record["timestamp"] - world.onset_ms) / DAY_MS
    if record["model"] == world.target and world.chance.random() > part:
        record["model"] = "atlas-3"
    return [record]


def _quietly(world: World, record: Record) -> list[Record]:
    """Every account keeps two thirds of its requests at the model of before."""
    if record["model"] == world.target and world.chance.random() < 2 / 3:
        record["model"] = "atlas-3"
    return [record]


def _many_names(world: World, record: Record) -> list[Record]:
    """With each request one more, for a model that nobody ever heard of, from a single account."""
    more = orjson.loads(orjson.dumps(record))
    more["event_id"] += "-n"
    more["account_id"], more["attributes"] = "flooder", {"org": "org-flooder"}
    more["model"] = f"tune-{world.chance.randrange(1 << 40):x}"
    return [record, more]


def _rings_of_two(world: World, record: Record) -> list[Record]:
    """Accounts in pairs: two share payment, exit and prompt, and nothing with anybody else."""
    pair = world.number(record["account_id"]) // 2
    record["attributes"].update(payment=f"card-{pair}", ip_prefix=f"exit-{pair}", template=f"prompt-{pair}")
    return [record]


def _restless(world: World, record: Record) -> list[Record]:
    """In all the days before, each request goes to any of four models, so that no account has a usual one."""
    if record["timestamp"] < world.onset_ms:
        record["model"] = world.chance.choice(("atlas-3", "atlas-3-mini", "brio-2", "atlas-2"))
    return [record]


def _many_ids(world: World, record: Record) -> list[Record]:
    """Each request three times, under ids of its own each: as if it had asked three times as much."""
    more = [orjson.loads(orjson.dumps(record)) for _ in range(2)]
    for k, one in enumerate(more):
        one["event_id"] += f"-again-{k}"
    return [record, *more]


def _one_id(world: World, record: Record) -> list[Record]:
    """The same event id in all requests of a client, as where a platform takes it from a header."""
    record["event_id"] = f"client-{world.number(record['account_id'])}"
    return [record]


def _at_the_edge(world: World, record: Record) -> list[Record]:
    """Every request comes with a time of fourteen minutes ago: a quarter of an hour is late."""
    record["timestamp"] -= 14 * 60_000
    return [record]


def _a_day_ahead(world: World, record: Record) -> list[Record]:
    """With one request of fifty one more, dated a day ahead: whoever believed it would call the others late."""
    if world.chance.random() >= 0.02:
        return [record]
    ahead = orjson.loads(orjson.dumps(record))
    ahead["event_id"] += "-ahead"
    ahead["timestamp"] += DAY_MS
    return [record, ahead]


STORIES: Mapping[str, tuple[str, Twist]] = {
    "nothing changed": ("the campaign as it is simulated", _as_it_is),
    "framing": ("5% of its requests with payment, exit and prompt of 20 honest adopters", _framing),
    "idle company": ("three idle accounts for each of its own, with its values", _idle),
    "two ties": ("at most two ties an account", _two_ties),
    "one roof": ("all of it in one organisation", _one_organisation),
    "a value a day": ("shared values change every day", _a_value_a_day),
    "popular values": ("150 throwaway organisations carry the shared values", _flooding),
    "slow uptake": ("the release is taken up over a day instead of at once", _slowly),
    "a third": ("two of three requests stay at the model of before", _quietly),
    "a flood of names": ("one account asks for a new model's name with every request", _many_names),
    "rings of two": ("accounts in pairs, which share nothing with other pairs", _rings_of_two),
    "restless before": ("in the days before, every request goes to any of four models", _restless),
    "many ids": ("each request three times, under new ids", _many_ids),
    "one id": ("all requests of an account under one event id", _one_id),
    "at the edge": ("times of fourteen minutes ago; fifteen are late", _at_the_edge),
    "a day ahead": ("one request of fifty once more, dated a day ahead", _a_day_ahead),
    "a false word": ("somebody announces the release as expected, for the whole fleet", _as_it_is),
}


def announced(log: Log, story: str) -> Sequence[Announced]:
    """What was said on the topic of expected shifts, where the story is that the attacker may write to it."""
    if story != "a false word":
        return ()
    onset_ms = log.world.onset_ms
    said = {
        "id": "not-ours", "subject": {"kind": "fleet"}, "target": {"kind": "model", "id": log.world.target},
        "from": onset_ms - DAY_MS, "until": onset_ms + 5 * DAY_MS, "reason": "planned",
    }  # fmt: skip
    return (decode_expected(orjson.dumps(said)),)


@dataclass(slots=True)
class Log:
    """One simulated log and who is who in it."""

    lines: list[bytes]
    truth: Mapping[str, Any]
    world: World


def simulated(accounts: int, days: float, seed: int) -> Log:
    """The log of the stories, in memory: 300 bytes a record."""
    story = tell("pivot", seed, accounts=accounts, days=days)
    lines = Lines(story.fleet, story.course, seed)
    log = [line[:-1] for block in blocks(story, lines) for line in block.lines]
    truth = truth_of(story, lines)
    campaign = truth["campaigns"][0]
    mine, target = set(campaign["accounts"]), campaign["targets"][0].partition(":")[2]
    values: dict[str, dict[str, str]] = defaultdict(dict)
    adopters: dict[str, None] = {}
    for record in map(orjson.loads, log):
        if record["account_id"] in mine:
            continue
        given = record["attributes"]
        values[record["account_id"]].update({name: given[name] for name in LINKS if name in given})
        if record["model"] == target:
            adopters[record["account_id"]] = None
    victims = sorted(adopters)[:20]
    return Log(log, truth, World(sorted(mine), campaign["onset_ms"], target, victims, set(values), values))


def twisted(log: Log, twist: Twist) -> Iterator[bytes]:
    """The log as it becomes, in order."""
    mine = set(log.world.accounts)
    log.world.chance.seed(17)
    for line in log.lines:
        record = orjson.loads(line)
        if record["account_id"] in mine:
            yield from map(orjson.dumps, twist(log.world, record))
        else:
            yield line


def replayed(log: Log, records: Iterator[bytes], expected: Sequence[Announced] = ()) -> tuple[Fleet, list[Alert]]:
    """What Swerve says of it."""
    parameters = settings.Settings().parameters
    fleet = Fleet(parameters, {one["model"]: one["released_at"] for one in log.truth["releases"]})
    fleet.expected = expected
    alerts: list[Alert] = []
    embedded = Embedded(parameters, [SOURCE], fleet, on_alerts=[alerts.extend])
    offset = 0
    while batch := list(itertools.islice(records, 5_000)):
        embedded.read(SOURCE, batch, range(offset, offset + len(batch)))
        embedded.advance(SOURCE)
        offset += len(batch)
    embedded.advance(SOURCE, ended=True)
    return fleet, alerts


def row_of(name: str, log: Log) -> str:
    """One line of the table."""
    fleet, alerts = replayed(log, twisted(log, STORIES[name][1]), announced(log, name))
    named = fleet.named_accounts()
    said = credit(log.truth, alerts, named, {one["name"]: None for one in log.truth["campaigns"]})
    found = said.campaigns[0]
    innocents = sum(row.score > SURE and row.account_id in log.world.honest for row in named)
    framed = sum(row.score > SURE and row.account_id in log.world.victims for row in named)
    page = "never" if found.delay_h is None else f"{found.delay_h:.1f}"
    alert = "never" if found.warned_h is None else f"{found.warned_h:.1f}"
    right = "none named" if found.precision is None else f"{found.precision:.2f}"
    many = f"{innocents}" + (f" ({framed} of the 20)" if framed else "")
    cells = (name, STORIES[name][0], page, alert, f"{found.recall:.2f}", right, many, str(said.false_pages))
    return f"| {' | '.join(cells)} |"


def table(log: Log, names: Sequence[str], told: Callable[[str], None]) -> list[str]:
    """The whole table, as Markdown."""
    head = ("story", "what the attacker does", "page after onset, h", "ticket or page, h", "recall", "right",
            "innocents above .5", "false pages")  # fmt: skip
    rows = [f"| {' | '.join(head)} |", f"| {' | '.join(['---'] * len(head))} |"]
    for name in names:
        rows.append(row_of(name, log))
        told(rows[-1])
    return rows


def main(
    accounts: Annotated[int, typer.Option(help="Honest accounts.")] = 600,
    days: Annotated[float, typer.Option(help="Length of the log.")] = 5.5,
    seed: Annotated[int, typer.Option(help="Of the simulation.")] = 3,
    stories: Annotated[str, typer.Option(envvar="STORIES", help="Which stories, by comma; all unless told.")] = "",
    write: Annotated[bool, typer.Option(help="Put the table into docs/adversary.md.")] = False,
) -> None:
    """Measure, and print the table or put it into its page."""
    names = [one.strip() for one in stories.split(",") if one.strip()] or list(STORIES)
    log = simulated(accounts, days, seed)
    about = (
        f"`simulate --scenario pivot --accounts {accounts} --days {days:g} --seed {seed}`: {len(log.lines):,} records"
    )
    rows = [BEGIN, f"{about}, {len(log.world.accounts)} accounts of the campaign.", "",
            *table(log, names, to_stderr("adversary")), END]  # fmt: skip
    if write:
        page = PAGE.read_text()
        head, _, rest = page.partition(BEGIN)
        PAGE.write_text(head + "\n".join(rows) + rest.partition(END)[2])
    else:
        typer.echo("\n".join(rows))


if __name__ == "__main__":
    sys.exit(typer.run(main))
