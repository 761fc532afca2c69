"""Kill, stop and scale the stages under a steady load: what is counted and said must stay exactly right.

`python -m tests.service.faults.drill --kills 20 --pauses 5` is `make faults`; a short form runs with the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stream.configuration.sections import Kafka
from stream.configuration.settings import Settings
from stream.kafka import broker as clients
from stream.pipeline.frames import decode_summary
from tests.pace import PATIENCE_S, Patience
from tests.service.broker import Broker, a_broker, breakable
from tests.service.comparison import counts_of, difference, first_copies
from tests.service.processes import Stage, configuration, swerve
from tests.service.recount import recount
from tests.service.rig import everything, kafka_for
from tests.service.traffic import PAGED, Fleet, Traffic, simulated

SOURCES, PARTITIONS = 3, 4
SESSION_MS = 3_000
PAUSE_S = 2 * SESSION_MS / 1000
STAGES = ("ingest", "detect", "correlate")
PAGE = Path(__file__).parents[3] / "docs" / "reliability.md"
RECEIVED = "received.ndjson"  # what a receiver of pages was told
BEGIN, END = "<!-- reliability: begin -->", "<!-- reliability: end -->"


@dataclass
class Crew:
    """The workers of all stages. Who dies is started again, as a supervisor would."""

    config: Path
    folder: Path
    slots: dict[str, Stage] = field(default_factory=dict)
    exits: list[Stage] = field(default_factory=list)
    fenced: int = 0
    recovered_s: dict[str, list[float]] = field(default_factory=dict)  # by fault, until every stage is ready again

    def start(self, slot: str) -> None:
        self.slots[slot] = Stage(slot.split("-")[0], self.config, self.folder)

    def restart_the_dead(self) -> None:
        for slot, stage in list(self.slots.items()):
            if stage.process.poll() is not None:
                self.exits.append(stage)
                self.fenced += "another process took over" in stage.log.read_text(errors="replace")
                self.start(slot)

    def until_ready(self) -> None:
        """Until everybody works, however often somebody has to be started again."""
        end = time.monotonic() + 2 * PATIENCE_S
        while not all(map(_is_ready, self.slots.values())):
            assert time.monotonic() < end, "\n".join(stage.told() for stage in self.slots.values())
            time.sleep(0.1)
            self.restart_the_dead()

    def end(self) -> None:
        for stage in self.slots.values():
            stage.process.terminate()
        for stage in self.slots.values():
            stage.end()

    def active(self) -> str | None:
        """The slot of the correlate that judges."""
        for slot, stage in self.slots.items():
            if slot.startswith("correlate") and stage.process.poll() is None:
                try:
                    if stage.metric("swerve_correlate_active") == 1:
                        return slot
                except (OSError, AssertionError):  # it does not serve yet, or died meanwhile
                    continue
        return None

    def watch(self, fault: str, begun: float, until: float) -> None:
        """Note when every worker is ready again, whoever ends meanwhile and is started anew; and wait until then."""
        self.until_ready()
        self.recovered_s.setdefault(fault, []).append(time.monotonic() - begun)
        time.sleep(max(0.0, until - time.monotonic()))

    def victim(self, stage: str, draw: random.Random) -> str:
        """Whom to hit. Of correlate the one that judges, where there is one: a dead standby proves little."""
        active = self.active() if stage == "correlate" else None
        return active or f"{stage}-{draw.choice('ab')}"

    def partial_ticks(self) -> int:
        """What every worker that ever ran has told of, the dead ones too."""
        return sum(path.read_text(errors="replace").count('"partial_tick"') for path in self.folder.glob("*.log"))


def _is_ready(stage: Stage) -> bool:
    try:
        return bool(stage.process.poll() is None and stage.get("/readyz"))
    except (OSError, AssertionError):  # it does not serve yet, or does not work, or died meanwhile
        return False


@dataclass(frozen=True)
class Plan:
    """How often each stage is killed and paused, whether it is scaled, and how long the load lasts.

    broker: how often the broker is killed, and started again some seconds later.
    """

    kills: int
    pauses: int
    scale: bool
    load_s: float
    seed: int = 1
    broker: int = 0


class Load(threading.Thread):
    """Sends the records, each source in its order, at a steady pace that would last so many seconds.

    Slower where the faults take longer than planned: `allowed`, a share of the records, keeps some for those to come.
    """

    STEP_S = 0.2

    def __init__(self, kafka: Kafka, traffic: Traffic, seconds: float) -> None:
        super().__init__(daemon=True)
        self.kafka, self.traffic, self.seconds = kafka, traffic, seconds
        self.failure: Exception | None = None
        self.allowed = 0.0
        self.sent = 0

    def run(self) -> None:
        try:
            asyncio.run(self._send())
        except Exception as error:
            self.failure = error

    async def _send(self) -> None:
        steady, done = self.STEP_S / self.seconds, 0.0
        async with clients.producer(self.kafka) as producer:
            while done < 1.0:
                begun = time.monotonic()
                upto = min(1.0, done + min(steady, (self.allowed - done) / 10))
                waiting = []
                for number, records in enumerate(self.traffic.sources):
                    for record in records[int(done * len(records)) : int(upto * len(records))]:
                        waiting.append(await producer.send(self.kafka.topics.requests, record, partition=number))
                await asyncio.gather(*waiting)
                self.sent += len(waiting)
                done = upto
                await asyncio.sleep(max(0.0, begun + self.STEP_S - time.monotonic()))


def faults(plan: Plan, draw: random.Random) -> list[tuple[str, str]]:
    """(what, stage) in random order: kills and pauses of every stage, and scaling it from one to three and back."""
    planned = [("kill", stage) for stage in STAGES for _ in range(plan.kills)]
    planned += [("pause", stage) for stage in STAGES for _ in range(plan.pauses)]
    planned += [("scale", stage) for stage in STAGES if plan.scale]
    planned += [("kill", "broker") for _ in range(plan.broker)]
    draw.shuffle(planned)
    return planned


def wreak(crew: Crew, plan: Plan, load: Load, say: Callable[[str], None], broker: Broker | None) -> None:
    """Do the faults one after another, spread over the load. broker: the one to kill, where that is planned."""
    draw = random.Random(plan.seed)
    planned = faults(plan, draw)
    pace_s = plan.load_s / max(len(planned), 1)
    for number, (what, stage) in enumerate(planned, 1):
        load.allowed = min((number + 1) / len(planned), 0.99)
        begun = time.monotonic()
        time.sleep(draw.uniform(0.1, 0.5) * pace_s)
        slot = crew.victim(stage, draw) if stage in STAGES else stage
        say(f"{what} {stage if what == 'scale' else slot}, after {load.sent:,} records")
        struck = time.monotonic()
        if stage == "broker":
            assert broker is not None, "a broker that is somebody else's cannot be killed"
            crew.until_ready()
            restart(broker)
        elif what == "kill":
            crew.slots[slot].kill()
        elif what == "pause":
            crew.slots[slot].pause()
            time.sleep(PAUSE_S)
            crew.slots[slot].go_on()
        else:
            scale(crew, stage)
        crew.restart_the_dead()
        crew.watch(f"{what} {stage}", struck, begun + pace_s)
        crew.restart_the_dead()


def restart(broker: Broker) -> None:
    """SIGKILL, some seconds of nothing, and the same data again."""
    broker.process.kill()
    broker.process.wait()
    time.sleep(SESSION_MS / 1000)
    broker.start()


def scale(crew: Crew, stage: str) -> None:
    """From two workers to one, to three, to one, and back to two; who goes goes in peace, and only once it has worked.

    Each number stays for a session's time: they count meanwhile.
    """
    crew.slots.pop(f"{stage}-b").end()
    time.sleep(SESSION_MS / 1000)
    for name in "bc":
        crew.start(f"{stage}-{name}")
    crew.until_ready()
    time.sleep(SESSION_MS / 1000)
    for name in "bc":
        crew.slots.pop(f"{stage}-{name}").end()
    time.sleep(SESSION_MS / 1000)
    crew.start(f"{stage}-b")


@dataclass
class Result:
    """What the drill found; "" where nothing is wrong."""

    counts: str
    alerts: str
    twice: str
    untold: str
    partial: int
    blind: str
    exits: int
    fenced: int
    records: int
    entries: int
    alert_records: int
    pages_expected: int
    pages_sent: int  # that a receiver of pages was told, each by its alert
    counted: int
    requests: int
    recovered_s: dict[str, list[float]]

    @property
    def wrong(self) -> list[str]:
        """Everything that must not be."""
        told = [self.counts, self.alerts, self.twice, self.blind, self.untold]
        return [one for one in told if one] + ([f"{self.partial} partial ticks"] if self.partial else [])


async def _told(kafka: Kafka) -> tuple[list[bytes], list[bytes]]:
    summaries = await everything(kafka, kafka.topics.summaries)
    alerts = await everything(kafka, kafka.topics.alerts)
    return [record.value for record in summaries], [record.value for record in alerts]


def settle(crew: Crew, kafka: Kafka, expected: list[tuple[int, str, bytes]], end_ms: int, tick_ms: int) -> None:
    """Until the ticks that matter are whole and the alerts as expected, or nothing more is said."""
    patience, told = Patience(), 0
    last = end_ms // tick_ms - 1
    while patience.lasts(told):
        crew.restart_the_dead()
        summaries, alerts = asyncio.run(_told(kafka))
        told = len(summaries) + len(alerts)
        whole = Counter(summary.tick for summary in first_copies(summaries, decode_summary))[last] == kafka.partitions
        if whole and len(comparable(alerts, end_ms)) >= len(expected):
            break
        time.sleep(1.0)
    time.sleep(3.0)  # for what should not come


def comparable(records: Sequence[bytes], end_ms: int) -> list[tuple[int, str, bytes]]:
    """Alert records of the ticks that may be compared, in the order in which they are equal."""
    alerts = [(one["updated_at"], one["alert_id"], record) for record in records if (one := json.loads(record))]
    return sorted(one for one in alerts if one[0] <= end_ms)


def is_page(alert: dict) -> bool:
    """Whether this record pages somebody."""
    return alert["status"] == "firing" and alert["severity"] == "critical"


def _received(folder: Path) -> list[tuple[int, str, bytes]]:
    """What the receiver was told; what it was told again after a kill has the same place."""
    path = folder / RECEIVED
    return comparable(path.read_bytes().splitlines(), 1 << 62) if path.exists() else []


def _untold(written: Sequence[tuple[int, str, bytes]], received: Sequence[tuple[int, str, bytes]]) -> str:
    """ "" where every record that pages was told."""
    pages = {one[:2] for one in written if is_page(json.loads(one[2]))}
    told = {one[:2] for one in received if is_page(json.loads(one[2]))}
    lost = sorted(pages - told)
    return f"never told: {lost[:5]}" if lost else ""


def _pages_in(records: Sequence[tuple[int, str, bytes]]) -> int:
    return len({alert_id for _, alert_id, raw in records if is_page(json.loads(raw))})


def drill(
    bootstrap: str,
    unique: str,
    folder: Path,
    plan: Plan,
    fleet: Fleet,
    say: Callable[[str], None],
    broker: Broker | None = None,
) -> Result:
    """One drill on one broker, which is given as well where it shall be killed."""
    kafka = kafka_for(
        bootstrap, unique, partitions=PARTITIONS, flush_ms=200, snapshot_ms=2_000,
        session_timeout_ms=SESSION_MS, correlate_session_timeout_ms=SESSION_MS,
    )  # fmt: skip
    sink = f'[[sinks]]\nkind = "file"\nseverity_min = "critical"\npath = "{folder / RECEIVED}"\n'
    config, settings = configuration(folder, kafka, sink), Settings(kafka=kafka)
    traffic = simulated(folder, SOURCES, fleet)
    say(f"{sum(map(len, traffic.sources)):,} records; backtest")
    paths = traffic.write(folder, [f"{kafka.topics.requests}[{n}]" for n in range(SOURCES)])
    swerve(
        "backtest", *map(str, paths), "--config", str(config),
        "--releases", str(traffic.releases), "--alerts", str(folder / "alerts.ndjson"),
    )  # fmt: skip
    swerve("topics", "create", "--config", str(config), "--partitions", str(SOURCES))
    asyncio.run(_announce(kafka, traffic))
    crew = Crew(config, folder)
    try:
        for stage in STAGES:
            for name in "ab":
                crew.start(f"{stage}-{name}")
        load = Load(kafka, traffic, plan.load_s)
        load.start()
        wreak(crew, plan, load, say, broker)
        load.allowed = math.inf
        load.join()
        assert load.failure is None, load.failure
        say("load sent; settling")
        expected = comparable((folder / "alerts.ndjson").read_bytes().splitlines(), traffic.end_ms)
        settle(crew, kafka, expected, traffic.end_ms, settings.ticks.tick_ms)
    finally:
        crew.end()
    return _result(crew, kafka, traffic, folder, settings.ticks.tick_ms)


async def _announce(kafka: Kafka, traffic: Traffic) -> None:
    async with clients.producer(kafka) as producer:
        for release in json.loads(traffic.releases.read_bytes()):
            key = release["model"].encode()
            await producer.send_and_wait(kafka.topics.releases, json.dumps(release).encode(), key=key)


def _result(crew: Crew, kafka: Kafka, traffic: Traffic, folder: Path, tick_ms: int) -> Result:
    summaries, alerts = asyncio.run(_told(kafka))
    counted = counts_of(first_copies(summaries, decode_summary), tick_ms, traffic.end_ms)
    counted = Counter({key: count for key, count in counted.items() if key[0] != "cohort"})
    plain = recount(traffic.sources, traffic.end_ms)
    shorter = recount([traffic.sources[0][100:], *traffic.sources[1:]], traffic.end_ms)
    received = _received(folder)
    expected = comparable((folder / "alerts.ndjson").read_bytes().splitlines(), traffic.end_ms)
    got = comparable(alerts, traffic.end_ms)
    written = Counter((one[1], one[0]) for one in comparable(alerts, 1 << 62))
    twice = [key for key, times in written.items() if times > 1]
    return Result(
        counts=difference(counted, plain),
        alerts=""
        if got == expected
        else f"{len(got)} alert records, {len(expected)} by backtest; others: "
        f"{sorted({one[:2] for one in got} ^ {one[:2] for one in expected})[:5]}",
        twice=f"written twice: {twice[:5]}" if twice else "",
        untold=_untold(got, received),
        partial=crew.partial_ticks(),
        blind="" if difference(counted, shorter) else "a hundred records less make no difference to the comparison",
        exits=len(crew.exits),
        fenced=crew.fenced,
        records=sum(map(len, traffic.sources)),
        entries=len(plain),
        alert_records=len(expected),
        pages_expected=_pages_in(expected),
        pages_sent=_pages_in(received),
        counted=sum(count for key, count in counted.items() if key[0] == "tick"),
        requests=sum(count for key, count in plain.items() if key[0] == "tick"),
        recovered_s=crew.recovered_s,
    )


SPOKEN = {"kill": "SIGKILL of a worker of", "pause": "SIGSTOP past the session, and back, of a worker of"}


def table(result: Result, plan: Plan) -> str:
    """What one drill found, for docs/reliability.md. Load, counts and pages are of the whole drill."""
    pace = f"{result.records / plan.load_s:,.0f} requests/s"
    counted, told = f"{result.requests:,} / {result.counted:,}", f"{result.pages_expected} / {result.pages_sent}"
    lines = [
        "| fault | times | load asked for | requests sent in / counted | pages expected / sent | until ready, s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    planned = Counter(faults(plan, random.Random(plan.seed)))
    for (what, stage), times in sorted(planned.items()):
        seconds = max(result.recovered_s[f"{what} {stage}"])
        fault = f"{SPOKEN.get(what, 'one worker, three, one and two again of')} {stage}"
        lines.append(f"| {fault} | {times} | {pace} | {counted} | {told} | {seconds:.1f} |")
    wrong = "; ".join(result.wrong) or "nothing differs from a plain recount and from `backtest`"
    return "\n".join([*lines, "", f"{result.exits} workers died, {result.fenced} were fenced. Found: {wrong}.", ""])


def main() -> None:
    """`make faults`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="SIGKILLs of each stage")
    parser.add_argument("--pauses", type=int, default=5, help="SIGSTOPs past the session of each stage")
    parser.add_argument("--broker", type=int, default=0, help="SIGKILLs of the broker itself")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    asked = parser.parse_args()
    begun = time.monotonic()

    def say(told: str) -> None:
        print(f"{time.monotonic() - begun:7.1f} s  {told}", flush=True)

    load_s = 10.0 * (len(STAGES) * (asked.kills + asked.pauses) + asked.broker)
    plan = Plan(asked.kills, asked.pauses, True, load_s, asked.seed, asked.broker)
    with breakable() if asked.broker else contextlib.nullcontext() as broker, contextlib.ExitStack() as stack:
        bootstrap = broker.bootstrap if broker else stack.enter_context(a_broker())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        result = drill(bootstrap, f"drill{int(time.time())}", folder, plan, PAGED, say, broker)
    say(f"{result.exits} workers died, {result.fenced} of them fenced; {result.records:,} records")
    say(f"counts: {result.entries:,} entries against a plain recount: {result.counts or 'equal'}")
    say(f"counts without the first hundred records: {result.blind or 'differ, as they must'}")
    say(f"alerts: {result.alert_records} records against backtest: {result.alerts or 'equal'}")
    say(f"pages: {result.pages_expected} by backtest, {result.pages_sent} told; {result.untold or 'none is missing'}")
    say(f"written twice: {result.twice or 'none'}")
    say(f"partial ticks: {result.partial}")
    if asked.write:
        head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(head + BEGIN + "\n" + table(result, plan) + rest[rest.index(END) :], "utf-8")
    if result.wrong or result.pages_expected != 1 or result.pages_sent != 1:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
