"""Every sink that exists, found by looking, keeps the same promises."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import pkgutil
import typing

import msgspec
import pytest
from aiohttp import web

import stream.sinks
from stream.configuration import sections
from stream.contract.alert import Alert
from stream.sinks.catalogue import SINKS, build
from stream.sinks.delivery import Delivery
from stream.sinks.sink import Links, SinkRefusedError, SinkUnreachableError
from stream.sinks.webhook import EXAMPLE
from tests.pace import PATIENCE_S

LINKS = Links("https://swerve.example")
HTTP = ("alertmanager", "webhook", "slack", "pagerduty", "grafana")
HARD = 'x" \\ \n\t {{ 7*7 }} <!channel> </script> \u202e \x00 é 漢 💥'


def section_of(kind, url, folder, timeout_s=PATIENCE_S):
    """A section of the configuration for each kind; a new kind without an entry fails here."""
    limit = {"timeout_s": timeout_s}
    given = {
        "stdout": lambda: sections.StdoutSink(kind="stdout"),
        "file": lambda: sections.FileSink(kind="file", path=folder / "alerts.ndjson"),
        "alertmanager": lambda: sections.AlertmanagerSink(kind="alertmanager", urls=(url,), **limit),
        "webhook": lambda: sections.WebhookSink(kind="webhook", url=url, secret="s", **limit),
        "slack": lambda: sections.SlackSink(kind="slack", url=url + "/services/s3cret", **limit),
        "pagerduty": lambda: sections.PagerDutySink(
            kind="pagerduty", routing_key="s3cret", url=url, timeout_s=timeout_s
        ),
        "grafana": lambda: sections.GrafanaSink(kind="grafana", token="s3cret", url=url, **limit),
    }
    return given[kind]()


class Door:
    """An HTTP server that answers one status."""

    def __init__(self):
        self.status, self.bodies, self.url = 200, [], ""

    async def take(self, request):
        self.bodies.append(await request.json())
        if self.status == 0:
            await asyncio.sleep(30)
        return web.Response(status=self.status)


@pytest.fixture
async def door():
    one = Door()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", one.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    one.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield one
    await runner.cleanup()


@pytest.fixture(params=sorted(SINKS))
async def sink(request, door, tmp_path, monkeypatch):
    (tmp_path / "out").touch()
    out = (tmp_path / "out").open("wb")
    monkeypatch.setattr("sys.stdout", type("Out", (), {"buffer": out})())
    one = build(section_of(request.param, door.url, tmp_path), LINKS)
    yield one
    await one.close()
    out.close()


@pytest.fixture(params=HTTP)
async def http_sink(request, door, tmp_path):
    one = build(section_of(request.param, door.url, tmp_path), LINKS)
    yield one
    await one.close()


def records():
    over = {"status": "resolved", "resolved_at": EXAMPLE.updated_at, "resolved_reason": "ended"}
    hard = {"subject": msgspec.structs.replace(EXAMPLE.subject, id=HARD), "accounts": (HARD,), "evidence": {"n": None}}
    return {
        "plain": EXAMPLE,
        "resolved": msgspec.structs.replace(EXAMPLE, **over),
        "ids that attack": msgspec.structs.replace(EXAMPLE, **hard),
        "a thousand accounts": msgspec.structs.replace(EXAMPLE, accounts=tuple(f"a{i}" for i in range(1_000))),
    }


def test_every_kind_in_the_configuration_has_a_sink_and_the_reverse():
    union = typing.get_args(typing.get_args(sections.Sink)[0])
    kinds = {typing.get_args(typing.get_type_hints(one)["kind"])[0] for one in union}
    assert kinds == set(SINKS)


def test_every_class_that_sends_can_be_configured(tmp_path):
    found = {
        one
        for module in pkgutil.iter_modules(stream.sinks.__path__)
        for _, one in inspect.getmembers(importlib.import_module(f"stream.sinks.{module.name}"), inspect.isclass)
        if hasattr(one, "send") and not getattr(one, "_is_protocol", False)
    }
    made = {type(build(section_of(kind, "http://127.0.0.1:1", tmp_path), LINKS)) for kind in SINKS}
    assert found == made


@pytest.mark.parametrize("what", records())
async def test_it_takes_every_record(sink, what):
    await sink.send([records()[what]])


async def test_it_takes_several_at_once_and_none(sink):
    await sink.send([])
    await sink.send(list(records().values()))


async def test_it_can_be_closed_twice_and_used_again(sink):
    await sink.close()
    await sink.close()
    await sink.send([EXAMPLE])


@pytest.mark.parametrize("status", [500, 429, 400, 404, 302])
async def test_over_http_it_fails_only_in_the_two_ways_that_delivery_knows(http_sink, door, status):
    door.status = status
    expected = SinkUnreachableError if status in (500, 429) else SinkRefusedError
    with pytest.raises(expected) as caught:
        await http_sink.send([EXAMPLE])
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("kind", HTTP)
async def test_over_http_no_answer_is_one_of_the_two_ways(kind, door, tmp_path):
    door.status = 0
    quick = build(section_of(kind, door.url, tmp_path, timeout_s=0.5), LINKS)
    with pytest.raises(SinkUnreachableError) as caught:
        await quick.send([EXAMPLE])
    await quick.close()
    assert "s3cret" not in str(caught.value)


async def test_sending_changes_nothing_in_the_record(sink):
    before = msgspec.json.encode(EXAMPLE, order="sorted")
    await sink.send([EXAMPLE])
    assert msgspec.json.encode(EXAMPLE, order="sorted") == before


async def test_behind_a_delivery_it_gets_each_record_once(sink, door):
    delivery = Delivery(sink)
    task = asyncio.create_task(delivery.run())
    for _ in range(3):
        delivery.offer(EXAMPLE)
        async with asyncio.timeout(PATIENCE_S):
            await delivery.drained()
    task.cancel()
    assert len(door.bodies) <= 1
    assert delivery.ledger.has(EXAMPLE)


def test_the_fields_of_a_record_are_those_of_the_contract():
    assert set(Alert.__struct_fields__) == {
        "schema_version", "alert_id", "status", "severity", "kind", "subject", "target", "targets", "started_at",
        "detected_at", "updated_at", "resolved_at", "resolved_reason", "accounts", "accounts_total", "evidence",
        "summary",
    }  # fmt: skip
