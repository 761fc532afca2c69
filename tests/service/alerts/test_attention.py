"""Somebody has one alert, another is quiet for a while, and the worker that was told dies: its successor knows both."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
import urllib.request

import msgspec
import pytest

from detectors.comparison.findings import Subject
from stream.configuration.sections import Kafka
from stream.contract.alert import Alert
from stream.correlate.engine import FLEET, POSITION
from stream.kafka import topics
from stream.kafka.place import Place
from stream.pipeline.composition import Fleet
from stream.stages.heads import Head, digest, head_key, piece_key
from tests.console.conftest import T0, finding, members, told
from tests.pace import PATIENCE_S
from tests.service.alerts.test_one_page_in_all import Pager, is_active, pager, roles, until, until_kept, write
from tests.service.processes import SWERVE, Stage, configuration
from tests.service.rig import kafka_for, produce

pytestmark = pytest.mark.service("kafka")
__all__ = ["pager"]
SNOOZED_S = 2.0


def two_that_fire() -> tuple[Fleet, list[Alert]]:
    """A fleet in which two campaigns fire."""
    one = told()
    one.findings = [finding(key, Subject("cluster", key), members(12, prefix=key), T0) for key in ("net-1", "net-2")]
    one.step(1)
    return one.fleet, sorted(one.fleet.life.firing(), key=lambda alert: alert.subject.id)


def store(kafka: Kafka, fleet: Fleet) -> None:
    """As a correlate worker that judged nothing further left it."""
    pieces = {FLEET + name: piece for name, piece in fleet.snapshot().items()} | {POSITION: b"0"}
    head = Head(upto=0, resume={}, pieces={name: digest(piece) for name, piece in pieces.items()})
    entries = {piece_key(0, digest(piece)): piece for piece in pieces.values()}
    entries[head_key(0, "before")] = msgspec.msgpack.encode(head)
    for key, value in entries.items():
        asyncio.run(produce(kafka, topics.state_topic(kafka.groups.correlate), [(0, value)], key=key))


def later(alert: Alert, hours: int = 3) -> Alert:
    """The same alert, grown."""
    return msgspec.structs.replace(alert, updated_at=alert.updated_at + hours * 3_600_000, accounts_total=99)


def say(stage: Stage, *words: str) -> None:
    done = subprocess.run([*SWERVE, *words, "--url", stage.address()], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def shorten(stage: Stage, alert: Alert) -> float:
    """The snooze ends in a moment; when."""
    until_s = time.time() + SNOOZED_S
    body = json.dumps({"by": "lee", "until": int(1000 * until_s)}).encode()
    headers = {"Content-Type": "application/json"}
    url = f"{stage.address()}/api/v1/alerts/{alert.alert_id}/snooze"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=PATIENCE_S) as answer:
        assert answer.status == 200
    return until_s


def named(pager: Pager) -> list[str]:
    """The alerts that it was told of after the first two."""
    return [alert_id for alert_id, *_ in pager.told[2:]]


def shown(stage: Stage, alert: Alert) -> list[str]:
    """What the alert's page says of who has it."""
    return re.findall(r'<span class="badge (?:good|plain)">(\w+ by \w+)', stage.get(f"/alerts/{alert.alert_id}"))


def test_an_acknowledgement_and_a_snooze_outlive_the_worker_that_took_them(bootstrap, unique, tmp_path, pager):
    kafka = kafka_for(bootstrap, unique, correlate_session_timeout_ms=3_000)
    asyncio.run(topics.create(kafka, 1))
    fleet, (hers, quiet) = two_that_fire()
    store(kafka, fleet)
    write(kafka, hers, quiet)
    config = configuration(tmp_path, kafka, f'[[sinks]]\nkind = "webhook"\nurl = "{pager.url}"\n')
    stages = [Stage("correlate", config, tmp_path), Stage("correlate", config, tmp_path)]
    try:
        for stage in stages:
            stage.until_ready()
        active, standby = roles(stages)
        until(lambda: len(pager.told) == 2, stages)
        say(active, "ack", hers.alert_id, "--by", "kim")
        meant = ("--reason", "ticket 4711", "--confirm", "silence 1 page")
        say(active, "snooze", quiet.alert_id, "--by", "lee", "--until", "+1d", *meant)
        other = msgspec.structs.replace(later(hers), alert_id="other")
        write(kafka, later(hers), later(quiet), other)
        until(lambda: len(pager.told) == 3, stages)
        until_kept(kafka, Place(5, frozenset({3})), stages)  # all but what waits for the end of the snooze
        active.kill()
        until(lambda: is_active(standby), [standby])
        assert (shown(standby, hers), shown(standby, quiet)) == (["acknowledged by kim"], ["snoozed by lee"])
        # What would be told again is told before what is new.
        write(kafka, msgspec.structs.replace(other, alert_id="new"))
        until(lambda: len(pager.told) == 4, [standby])
        assert named(pager) == ["other", "new"], "sent again, or in spite of the snooze"
        until(lambda: pager.muted, [standby])  # what keeps alerts from people is told every day
        until_s = shorten(standby, quiet)
        until(lambda: len(pager.told) == 5, [standby])
        assert time.time() >= until_s
        write(kafka, msgspec.structs.replace(other, alert_id="newest"))
        until(lambda: len(pager.told) == 6, [standby])
        assert (shown(standby, hers), shown(standby, quiet)) == (["acknowledged by kim"], [])
    finally:
        for stage in stages:
            stage.end()
    assert named(pager) == ["other", "new", quiet.alert_id, "newest"]
    assert len({key for _, _, key in pager.told}) == 6
