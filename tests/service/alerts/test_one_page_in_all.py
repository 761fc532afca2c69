"""Of two correlate workers the active one is killed while an alert fires: the standby continues, one page in all."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from stream.contract.alert import encode
from stream.kafka import topics
from stream.kafka.place import Place
from stream.oncall.silence.daily import ALERT_ID as MUTED
from stream.sinks.webhook import EXAMPLE
from tests.pace import PATIENCE_S
from tests.service.processes import Stage, configuration
from tests.service.rig import kafka_for, kept_by, produce

pytestmark = pytest.mark.service("kafka")


class Pager(ThreadingHTTPServer):
    """Keeps (alert_id, status, idempotency key) of every alert; muted: how often it was told of what is muted."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Take)
        self.told = []
        self.muted = 0
        self.url = f"http://127.0.0.1:{self.server_port}/page"


class Take(BaseHTTPRequestHandler):
    def do_POST(self):
        record = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if record["alert_id"] == MUTED:
            self.server.muted += 1
        else:
            self.server.told.append((record["alert_id"], record["status"], self.headers["Idempotency-Key"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def pager():
    server = Pager()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def until(holds, stages, seconds=PATIENCE_S):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "\n".join(stage.told() for stage in stages)
        time.sleep(0.1)


def record(alert_id, hour, status="firing"):
    at_ms = EXAMPLE.detected_at + hour * 3_600_000
    over = {"resolved_at": at_ms, "resolved_reason": "ended"} if status == "resolved" else {}
    return msgspec.structs.replace(EXAMPLE, alert_id=alert_id, updated_at=at_ms, status=status, **over)


def write(kafka, *alerts):
    for one in alerts:
        asyncio.run(produce(kafka, kafka.topics.alerts, [(0, encode(one))], key=one.alert_id.encode()))


def is_active(stage):
    return stage.metric("swerve_correlate_active") == 1


def roles(stages):
    """(the one that judges, the one that stands by), once both are there and no partition moves between them."""
    for stage in stages:
        stage.until_ready()
    judging = []

    def one_judges():
        judging[:] = filter(is_active, stages)
        return len(judging) == 1

    until(one_judges, stages)
    return sorted(stages, key=lambda stage: stage not in judging)


def until_kept(kafka, place, stages):
    """Until the broker keeps this as the pager's place: who comes next tells it again of nothing before."""
    until(lambda: asyncio.run(kept_by(kafka, "webhook")) == place, stages)


def test_the_active_one_is_killed_while_an_alert_fires_and_nobody_is_paged_twice(bootstrap, unique, tmp_path, pager):
    kafka = kafka_for(bootstrap, unique, correlate_session_timeout_ms=3_000)
    asyncio.run(topics.create(kafka, 1))
    sink = f'[[sinks]]\nkind = "webhook"\nurl = "{pager.url}"\n'
    config = configuration(tmp_path, kafka, sink)
    stages = [Stage("correlate", config, tmp_path), Stage("correlate", config, tmp_path)]
    try:
        active, standby = roles(stages)
        write(kafka, record("a1", 0))
        until(lambda: len(pager.told) == 1, stages)
        until_kept(kafka, Place(1), stages)
        active.kill()
        until(lambda: is_active(standby), [standby])
        write(kafka, record("a2", 1), record("a1", 2, "resolved"))
        until(lambda: len(pager.told) >= 3, [standby])
        until_kept(kafka, Place(3), [standby])
    finally:
        for stage in stages:
            stage.end()
    assert [(alert_id, status) for alert_id, status, _ in pager.told] == [
        ("a1", "firing"), ("a2", "firing"), ("a1", "resolved"),
    ]  # fmt: skip
    assert len({key for _, _, key in pager.told}) == 3
