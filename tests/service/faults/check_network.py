"""Is everything counted once where the network is cut, or slow, or one of three brokers dies? A minute or two.

`make faults` runs it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import pytest

from stream.detect import worker as detect
from stream.errors import SwerveError
from stream.ingest import worker as ingest
from stream.kafka import broker, topics
from stream.pipeline.frames import decode_summary
from stream.stages.stage import Running
from tests.service.broker import or_unavailable
from tests.service.comparison import counts_of, difference, first_copies
from tests.service.network import Link, far_away, three_brokers
from tests.service.recount import recount
from tests.service.rig import START_MS, drained, everything, produce, request, settings_for, until

pytestmark = [pytest.mark.service("kafka"), pytest.mark.slow, pytest.mark.timeout(900)]
SOURCES, MANY = 2, 1_000  # records of one step of the drill
END_MS = START_MS + 3 * MANY * 1_000


@pytest.fixture
def link():
    return Link()


@contextlib.asynccontextmanager
async def kept_running(settings, ends: list[str]):
    """Ingest and detect, each started again when it ends, as a supervisor does. ends: why they ended."""
    stopping, states = asyncio.Event(), {}

    async def keep(work):
        while not stopping.is_set():
            states[work] = Running()
            try:
                await work(settings, states[work])
            except SwerveError as error:
                ends.append(str(error))
                await asyncio.sleep(0.2)

    tasks = [asyncio.create_task(keep(work)) for work in (ingest.work, detect.work)]
    try:
        yield
    finally:
        stopping.set()
        for state in states.values():
            state.stop.set()
        await asyncio.gather(*tasks)


class Drill:
    """Records that are sent step by step, and whether all of them are counted."""

    def __init__(self, kafka) -> None:
        self.kafka = kafka
        self.sent: list[tuple[int, bytes]] = []

    async def step(self) -> None:
        """Send some more, and wait until detect has counted and stored all there are."""
        numbers = range(len(self.sent), len(self.sent) + MANY)
        records = [(n % SOURCES, request(n)) for n in numbers]
        await produce(self.kafka, self.kafka.topics.requests, records)
        self.sent += records
        await until(self.is_counted, 300)

    async def is_counted(self) -> bool:
        names = self.kafka.topics
        read = await broker.committed(self.kafka, self.kafka.groups.ingest, names.requests)
        return read == await broker.ends(self.kafka, names.requests) and await drained(self.kafka)

    async def differs(self, ticks) -> str:
        """ "" where the summaries say what a plain recount of the records says."""
        sources = [[raw for source, raw in self.sent if source == one] for one in range(SOURCES)]
        tick_ms = ticks.tick_ms
        end_ms = (END_MS - ticks.lateness_ms) // tick_ms * tick_ms - tick_ms  # later ones are open yet
        plain = Counter({key: n for key, n in recount(sources, end_ms).items() if key[0] == "tick"})

        async def told() -> Counter:
            raws = [record.value for record in await everything(self.kafka, self.kafka.topics.summaries)]
            counted = counts_of(first_copies(raws, decode_summary), tick_ms, end_ms)
            return Counter({key: n for key, n in counted.items() if key[0] == "tick"})

        async def is_whole() -> bool:
            return sum((await told()).values()) >= sum(plain.values())

        assert plain
        await until(is_whole, 120)
        return difference(await told(), plain)


def at(bootstrap: str, unique: str, **more):
    return settings_for(bootstrap, unique, idle_s=2.0, session_timeout_ms=3_000, **more)


async def test_a_worker_cut_off_for_longer_than_its_session_loses_and_doubles_nothing(
    service_unavailable, unique, link
):
    with or_unavailable(far_away(), service_unavailable) as node:
        near, far = at(node.bootstrap, unique), at(node.far, unique)
        await topics.create(near.kafka, SOURCES)
        drill, ends = Drill(near.kafka), []
        async with link.between(node.link, node.behind), kept_running(far, ends), kept_running(near, ends):
            await drill.step()
            link.cut()
            await drill.step()  # by those alone who still reach the broker: the others' partitions came to them
            link.heal()
            await drill.step()
            wrong = await drill.differs(near.ticks)
        print(ends)
        assert wrong == ""


async def test_a_slow_network_delays_and_loses_nothing_and_ends_nobody(service_unavailable, unique, link):
    with or_unavailable(far_away(), service_unavailable) as node:
        near, far = at(node.bootstrap, unique), at(node.far, unique)
        await topics.create(near.kafka, SOURCES)
        drill, ends = Drill(near.kafka), []
        async with link.between(node.link, node.behind), kept_running(far, ends):
            await drill.step()
            link.delay_s = 0.25
            await drill.step()
            link.delay_s = 0.0
            await drill.step()
            wrong = await drill.differs(near.ticks)
        assert (wrong, ends) == ("", [])


async def test_one_of_three_brokers_is_killed_and_nothing_is_lost_or_doubled(service_unavailable, unique):
    with or_unavailable(three_brokers(), service_unavailable) as nodes:
        settings = at(",".join(node.bootstrap for node in nodes), unique, replication_factor=3)
        await topics.create(settings.kafka, SOURCES)
        drill, ends = Drill(settings.kafka), []
        async with kept_running(settings, ends):
            await drill.step()
            nodes[0].kill()
            await drill.step()
            nodes[0].start()
            nodes[0].answers()
            await drill.step()
            wrong = await drill.differs(settings.ticks)
        print(ends)
        assert wrong == ""
