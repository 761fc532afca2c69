"""Against the real Alertmanager: what somebody who carries the pager would get."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
from collections.abc import Callable

import aiohttp
import msgspec
import pytest
from aiohttp import web

from stream.sinks.alertmanager import INTERVALS_AHEAD, Alertmanager
from stream.sinks.delivery import Deliveries, Delivery
from stream.sinks.ledger import Ledger
from stream.sinks.sink import Links
from stream.sinks.webhook import EXAMPLE
from tests.pace import PATIENCE_S
from tests.ports import free_port

pytestmark = pytest.mark.service("alertmanager")

AWAY_S = float(os.environ.get("AWAY_S", "1.2"))  # `make faults` takes ten minutes
RESEND_S = 1.0
OUTLIVED_S = INTERVALS_AHEAD * RESEND_S + 0.5  # by then an alert is over that nobody repeats
CONFIG = """
route:
  receiver: pager
  group_by: [alertname, alert_id]
  group_wait: 200ms
  group_interval: 300ms
  repeat_interval: 4h
receivers:
  - name: pager
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


class Pager:
    """What was notified: (status of the group, alerts by (alert_id, severity, status))."""

    def __init__(self):
        self.notified, self.url = [], ""

    async def take(self, request):
        body = await request.json()
        alerts = {(a["labels"]["alert_id"], a["labels"]["severity"], a["status"]) for a in body["alerts"]}
        self.notified.append((body["status"], alerts))
        return web.Response()

    def summaries(self):
        return [status for status, _ in self.notified]


class Member:
    """One Alertmanager process, which can be stopped and started."""

    def __init__(self, program: str, folder, config, peers=None):
        """peers: members to join, in a cluster; None: alone, without gossip."""
        self.program, self.folder, self.config = program, folder, config
        self.port, self.cluster = free_port(), free_port()
        self.peers, self.process = peers, None
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self):
        gossip = ["--cluster.listen-address="]
        if self.peers is not None:
            gossip = [f"--cluster.listen-address=127.0.0.1:{self.cluster}", "--cluster.settle-timeout=1s"]
            gossip += [f"--cluster.peer=127.0.0.1:{peer.cluster}" for peer in self.peers]
        self.process = subprocess.Popen(
            [
                self.program,
                f"--config.file={self.config}",
                f"--storage.path={self.folder / str(self.port)}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                *gossip,
            ],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / f"{self.port}.log").open("a"),
        )
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
            while not await self._is_ready(session):
                await asyncio.sleep(0.1)

    async def _is_ready(self, session):
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(self.url + "/-/ready") as response:
                return response.status == 200
        return False

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
            self.process = None


@pytest.fixture
async def pager():
    one = Pager()
    app = web.Application()
    app.router.add_post("/", one.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield one
    await runner.cleanup()


@pytest.fixture
def members(program: Callable[..., str], tmp_path, pager):
    """Makes members of a cluster, not started: `members(2)`; alone they do not gossip."""
    path = program("prometheus-alertmanager", "alertmanager", of="alertmanager")
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=pager.url))
    made: list[Member] = []

    def make(count: int = 1) -> list[Member]:
        for _ in range(count):
            made.append(Member(path, tmp_path, config, peers=list(made) if count > 1 else None))
        return made

    yield make
    for one in made:
        one.stop()


@contextlib.asynccontextmanager
async def swerve(members, ledger=None, firing=()):
    """A Swerve that delivers to these members, from its start to its end."""
    sink = Alertmanager("alertmanager", [one.url for one in members], Links("https://swerve.example"), RESEND_S, 2.0)
    delivery = Delivery(sink, "warning", back_off_first_s=0.2)
    if ledger is not None:
        delivery.ledger = ledger
    group = Deliveries([delivery])
    group.start()
    group.resume(firing)
    yield delivery
    await group.close(drain_s=5.0)


def record(hour=0, **changes):
    at_ms = EXAMPLE.detected_at + hour * 3_600_000
    if changes.get("status") == "resolved":
        changes |= {"resolved_at": at_ms, "resolved_reason": "ended"}
    return msgspec.structs.replace(EXAMPLE, updated_at=at_ms, **changes)


async def until(holds, within_s=PATIENCE_S):
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.05)


async def test_one_incident_is_one_notification_an_update_none_and_the_end_arrives(members, pager):
    (member,) = members()
    await member.start()
    async with swerve([member]) as delivery:
        delivery.offer(record())
        await until(lambda: pager.notified)
        for hour in (3, 6, 9):
            delivery.offer(record(hour, summary=f"still growing, hour {hour}", accounts_total=100 * hour))
            await asyncio.sleep(0.5)
        await asyncio.sleep(OUTLIVED_S)
        assert pager.summaries() == ["firing"]
        delivery.offer(record(12, status="resolved"))
        await until(lambda: len(pager.notified) == 2)
        await asyncio.sleep(1)
    assert pager.summaries() == ["firing", "resolved"]


async def test_a_warning_that_becomes_a_page_notifies_once_more_and_the_warning_ends(members, pager):
    (member,) = members()
    await member.start()
    async with swerve([member]) as delivery:
        delivery.offer(record(severity="warning"))
        await until(lambda: pager.notified)
        delivery.offer(record(1, severity="critical"))
        await until(lambda: len(pager.notified) == 2)
        await asyncio.sleep(1.5)
    assert pager.notified[0] == ("firing", {(EXAMPLE.alert_id, "warning", "firing")})
    assert (EXAMPLE.alert_id, "critical", "firing") in pager.notified[1][1]
    assert (EXAMPLE.alert_id, "warning", "firing") not in pager.notified[-1][1]


async def test_swerve_restarted_while_firing_resolves_nothing_and_repeats_nothing(members, pager):
    (member,) = members()
    await member.start()
    async with swerve([member]) as delivery:
        delivery.offer(record())
        await until(lambda: pager.notified)
        kept = delivery.ledger.to_bytes()
    async with swerve([member], Ledger.from_bytes(kept), firing=[record()]):
        await asyncio.sleep(OUTLIVED_S)
    async with swerve([member], Ledger(), firing=[record()]):  # even where the ledger was lost
        await asyncio.sleep(OUTLIVED_S)
    assert pager.summaries() == ["firing"]


async def test_swerve_that_died_lets_its_alerts_end_by_themselves(members, pager):
    (member,) = members()
    await member.start()
    async with swerve([member]) as delivery:
        delivery.offer(record())
        await until(lambda: pager.notified)
    await until(lambda: len(pager.notified) == 2)
    assert pager.summaries() == ["firing", "resolved"]


@pytest.mark.timeout(AWAY_S + 300)
async def test_an_alertmanager_that_was_away_gets_the_alert_once(members, pager):
    (member,) = members()
    async with swerve([member]) as delivery:
        for hour in range(4):
            delivery.offer(record(hour))
            await asyncio.sleep(AWAY_S / 4)
        assert (delivery.backlog, pager.notified) == (1, [])
        await member.start()
        await until(lambda: pager.notified)
        await asyncio.sleep(OUTLIVED_S)
    assert pager.summaries() == ["firing"]


async def test_an_alertmanager_that_restarts_and_forgets_is_told_again_and_notifies_nobody_twice(members, pager):
    (member,) = members()
    await member.start()
    async with swerve([member]) as delivery:
        delivery.offer(record())
        await until(lambda: pager.notified)
        await asyncio.sleep(1)  # it has told the pager; now it must note that it did
        member.stop()
        await member.start()
        await asyncio.sleep(OUTLIVED_S)
    assert pager.summaries() == ["firing"]


async def test_a_cluster_of_two_notifies_once_and_one_of_them_is_enough(members, pager):
    first, second = members(2)
    await first.start()
    await second.start()
    await asyncio.sleep(2)
    async with swerve([first, second]) as delivery:
        delivery.offer(record())
        await until(lambda: pager.notified)
        await asyncio.sleep(1.5)
        assert pager.summaries() == ["firing"]
        first.stop()
        delivery.offer(record(1, status="resolved"))
        await until(lambda: len(pager.notified) == 2)
    assert pager.summaries() == ["firing", "resolved"]
